"""An artifact of a workflow's run: downloaded without the token, unpacked as hostile.

Whoever may change what a job runs writes its artifacts, so whatever a zip file says of itself is
checked while it is read: its sizes, its paths, and that its files are files.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO
from urllib.parse import urljoin, urlsplit

from reprocheck.errors import ForgeError
from reprocheck.forges.github_errors import unanswered
from reprocheck.forges.github_nouns import Artifact

if TYPE_CHECKING:
    from requests import PreparedRequest as Request
    from requests import Session

MOST_FILES = 10_000
_REDIRECTIONS = 5
_CHUNK = 1 << 16
_LONGEST_PATH = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """An artifact, where it may be fetched, and what of it is taken."""

    artifact: Artifact
    location: str
    most_bytes: int  # of the zip file, and of all files in it
    most_files: int
    timeout_s: int

    @property
    def named(self) -> str:
        """For messages; a name is its job's."""
        name = "".join(c if c.isprintable() else " " for c in self.artifact.name)
        return f"artifact {name[:80]!r}"


def check_listed(artifact: Artifact, most_bytes: int) -> None:
    """Raises `ForgeError` for what is not there any more, or is too large to be asked for."""
    if artifact.expired:
        raise ForgeError(
            f"could not download artifact {artifact.name[:80]!r}: it has expired",
            "run the job again that uploads it",
        )
    if artifact.bytes > most_bytes:
        raise _too_large(f"artifact {artifact.name[:80]!r}", most_bytes)


def download(what: Download, folder: Path) -> tuple[Path, ...]:
    """The files of an artifact, unpacked into `folder`, which must be empty or absent."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ForgeError(f"could not download {what.named}: {folder} is not empty")
    with tempfile.TemporaryFile() as held:
        _fetch(what, held)
        return _unpack(what, held, folder)


def _fetch(what: Download, held: BinaryIO) -> None:
    import requests
    import urllib3

    digest = hashlib.sha256()
    try:
        with requests.Session() as session:
            session.auth = _no_authorization
            for chunk in _chunks(what, session):
                digest.update(chunk)
                held.write(chunk)
                if held.tell() > what.most_bytes:
                    raise _too_large(what.named, what.most_bytes)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as failure:
        raise ForgeError(
            f"could not download {what.named}: {unanswered(failure)}", "try again later"
        ) from failure
    told = what.artifact.digest
    if told.startswith("sha256:") and told != f"sha256:{digest.hexdigest()}":
        raise ForgeError(
            f"could not download {what.named}: what arrived is not what was uploaded",
            "try again; if it stays so, run the job again that uploads it",
        )


def _no_authorization(request: Request) -> Request:
    """Without it, requests would take one out of a .netrc file."""
    return request


def _chunks(what: Download, session: Session) -> Iterator[bytes]:
    """Follows redirections itself, to keep to https, and never says whose token we have."""
    location, plain = what.location, urlsplit(what.location).scheme == "http"
    for _ in range(_REDIRECTIONS):
        if urlsplit(location).scheme != "https" and not plain:
            raise ForgeError(f"could not download {what.named}: it is not at an https address")
        reply = session.get(location, stream=True, timeout=what.timeout_s, allow_redirects=False)
        if not reply.is_redirect:
            break
        location = urljoin(location, reply.headers["location"])
    if reply.status_code != 200:
        raise ForgeError(
            f"could not download {what.named}: its storage answered {reply.status_code}",
            "try again later",
        )
    yield from reply.iter_content(_CHUNK)


def _unpack(what: Download, held: BinaryIO, folder: Path) -> tuple[Path, ...]:
    try:
        with zipfile.ZipFile(held) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > what.most_files:
                raise _refused(what, f"it has more than {what.most_files} files")
            paths = {_path(what, entry): entry for entry in entries}
            if len(paths) != len(entries):
                raise _refused(what, "it has two files of one path")
            return _write_all(what, archive, paths, folder)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as failure:
        raise _refused(what, f"it is no zip file that can be read ({failure})") from failure
    except (OSError, ValueError, OverflowError) as failure:
        raise _refused(what, f"its files cannot be written ({failure})") from failure


def _path(what: Download, entry: zipfile.ZipInfo) -> PurePosixPath:
    """Where below the folder; refuses what is no plain file, or would be written elsewhere."""
    name = entry.filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _refused(what, f"{name[:80]!r} in it is a link or a device")
    parts = name.split("/")
    odd = "\\" in name or ":" in name or not name.isprintable()
    if odd or len(name) > _LONGEST_PATH or any(part in ("", ".", "..") for part in parts):
        raise _refused(what, f"{name[:80]!r} in it is no plain path")
    return PurePosixPath(name)


def _write_all(
    what: Download,
    archive: zipfile.ZipFile,
    paths: Mapping[PurePosixPath, zipfile.ZipInfo],
    folder: Path,
) -> tuple[Path, ...]:
    left, written = what.most_bytes, []
    for path, entry in paths.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        # The folder was empty and no links are written, so this stays inside of it.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with archive.open(entry) as packed, os.fdopen(os.open(target, flags, 0o600), "wb") as file:
            left -= _copy(packed, file, left)
        if left < 0:
            raise _too_large(what.named, what.most_bytes)
        written.append(target)
    return tuple(written)


def _copy(packed: IO[bytes], file: BinaryIO, most: int) -> int:
    """Bytes written; stops soon after `most`, whatever size the zip file tells."""
    size = 0
    while size <= most and (chunk := packed.read(_CHUNK)):
        size += len(chunk)
        file.write(chunk)
    return size


def _refused(what: Download, why: str) -> ForgeError:
    return ForgeError(
        f"could not unpack {what.named}: {why}",
        "it was not uploaded by reprocheck's action, or was changed: run its job again",
    )


def _too_large(named: str, most_bytes: int) -> ForgeError:
    return ForgeError(
        f"could not download {named}: it has more than {most_bytes} bytes",
        "upload less, or check what the job uploads",
    )
