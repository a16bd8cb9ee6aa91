"""reprocheck-capture in rebuilds: always a wheel of what is installed with us, never an index's.

A run names the version that recorded it, which an index may not have, or have from somebody else.
A trial records nothing by it (REPROCHECK_CAPTURE=off), but a script may import it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from reprocheck.environments import local
from reprocheck.errors import RebuildError

NAME = "reprocheck-capture"
FOLDER = "own"
"""Where the wheel is, below the folder that uv runs in."""

_MODULE = "reprocheck_capture"
_TAG = "py3-none-any"
_WHEEL = f"Wheel-Version: 1.0\nGenerator: reprocheck\nRoot-Is-Purelib: true\nTag: {_TAG}\n"
_DATE = (2020, 2, 2, 0, 0, 0)  # the same bytes whenever it is made


def is_named(line: str) -> bool:
    """Whether a line of a requirements file asks for it, from wherever."""
    return canonicalize_name(_name(line)) == NAME


def requirement(line: str) -> str:
    """The requirement of our own version in place of a line that asks for it, with its marker."""
    marker = _marker(line)
    return f"{NAME}=={version()}{f' ; {marker}' if marker else ''}"


def asked_version(line: str) -> str:
    """What a line asks for where that is not our version; "" where ours fits, or none is named."""
    if clone := local.clone_of(_place(line)):
        return clone.revision
    if found := local.version_of(_place(line)):
        return "" if found[1] == version() else found[1]
    try:
        specifier = Requirement(_bare(line)).specifier
    except InvalidRequirement:
        return ""
    fits = specifier.contains(version(), prereleases=True)
    return "" if fits else re.sub(r"^===?(?=[^,]+$)", "", str(specifier))


def split(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """The lines of a lock that indexes serve, and those that our wheel does."""
    listed = list(lines)
    ours = [line for line in listed if is_named(line)]
    return [line for line in listed if line not in ours], ours


def overriding(folder: Path) -> tuple[str, ...]:
    """The arguments of uv by which our wheel is taken also where another package depends on it;
    none where we are not installed ourselves.
    """
    try:
        wheel = write(folder / FOLDER)
    except RebuildError:
        return ()
    # An override holds whatever the marker of the requirement that it replaces says.
    wanted = SpecifierSet(_installed().metadata["Requires-Python"])
    marker = " and ".join(f"python_version {each.operator} '{each.version}'" for each in wanted)
    line = f"{NAME} @ ./{FOLDER}/{wheel.name} ; {marker}\n"
    (folder / "overrides.txt").write_text(line)
    return ("--overrides", "overrides.txt")


def pinned(lock: str, asked: Iterable[str]) -> str:
    """A lock with our version in place of our wheel's path or of an earlier version, and for the
    requirements that ask for it.
    """
    served, ours = split(lock.splitlines())
    pins = dict.fromkeys(requirement(line) for line in (*ours, *split(asked)[1]))
    return "".join(f"{line}\n" for line in (*served, *pins))


def version() -> str:
    """The version that is installed with us.

    Raises `RebuildError`.
    """
    return _installed().version


def digests(lines: Iterable[str]) -> tuple[str, ...]:
    """The SHA-256 of the wheel, where a line asks for it.

    Raises `RebuildError`.
    """
    _, ours = split(lines)
    return (_digest(),) if ours else ()


def requirements_file(lines: Iterable[str], folder: Path) -> tuple[str, ...]:
    """The arguments of `uv pip install`, run in a folder, for lines that our wheel serves.

    Raises `RebuildError`.
    """
    write(folder / FOLDER)
    pins = (f"{requirement(line)} --hash=sha256:{_digest()}\n" for line in lines)
    (folder / "own.txt").write_text("".join(dict.fromkeys(pins)))
    return ("--no-deps", "--no-index", "--find-links", FOLDER, "--require-hashes", "-r", "own.txt")


def write(folder: Path) -> Path:
    """Writes the wheel into a folder, which is made; returns its path.

    Raises `RebuildError`.
    """
    path = folder / f"{_MODULE}-{version()}-{_TAG}.whl"
    folder.mkdir(exist_ok=True)
    path.write_bytes(_content())
    return path


# --- a line -------------------------------------------------------------------------------


def _name(line: str) -> str:
    if clone := local.clone_of(_place(line)):
        return clone.name
    if line.startswith("-"):
        return ""  # a folder of the tree, or no requirement
    named = re.match(r"([\w.-]+)\s*(?:$|[\[(<>=!~;@ ])", _bare(line))
    found = local.version_of(_place(line)) if named is None or _is_file(line) else None
    return found[0] if found else named[1] if named else ""


def _is_file(line: str) -> bool:
    return line.endswith((".whl", ".tar.gz", ".zip"))


def _place(line: str) -> str:
    """The address or path that a line names."""
    text = re.sub(r"^(?:-e|--editable)[\s=]*", "", _bare(line))
    return re.split(r"\s+;|;\s", text, maxsplit=1)[0].strip()


def _bare(line: str) -> str:
    """Without the options of one requirement."""
    return re.split(r"\s--[a-z]", line, maxsplit=1)[0].strip()


def _marker(line: str) -> str:
    try:
        return str(Requirement(_bare(line)).marker or "")
    except InvalidRequirement:
        pass
    _, semicolon, marker = _bare(line).partition(" ;")
    try:
        return str(Requirement(f"{NAME} ;{marker}").marker) if semicolon else ""
    except InvalidRequirement:
        return ""


# --- the wheel ----------------------------------------------------------------------------


@cache
def _installed() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(NAME)
    except importlib.metadata.PackageNotFoundError as error:
        raise RebuildError(
            f"looking for {NAME}, which this run's environment has: it is not installed with "
            "reprocheck",
            "reinstall reprocheck",
        ) from error


def _digest() -> str:
    return hashlib.sha256(_content()).hexdigest()


@cache
def _content() -> bytes:
    """Of the files as they are installed, from a wheel or editable, with no build and no network.

    The metadata of the installation is kept: MLflow finds its entry point there.
    """
    files = dict(_files())
    info = f"{_MODULE}-{version()}.dist-info"
    for name in ("METADATA", "entry_points.txt"):
        files[f"{info}/{name}"] = (_installed().read_text(name) or "").encode()
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    lines = [f"{name},{_sum(content)},{len(content)}\n" for name, content in files.items()]
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)  # not packed: zlib's output depends on its version
    return packed.getvalue()


def _files() -> Iterator[tuple[str, bytes]]:
    found = importlib.util.find_spec(_MODULE)
    folders = (found and found.submodule_search_locations) or ()
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and "__pycache__" not in inside.parts:
                yield f"{_MODULE}/{inside.as_posix()}", path.read_bytes()


def _sum(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
