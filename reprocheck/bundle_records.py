"""A run's record as a bundle keeps it: its document without secrets, and the contents beside.

What is hidden is named, so that nobody takes `***` for what the run had.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from reprocheck import hostile, record_documents, record_reading
from reprocheck.detail import Detail, Document
from reprocheck.errors import BundleError, ConfigError, ReadError
from reprocheck.model import EnvironmentSpec, Finding, Patch, RecordedFile, RunRecord, Severity
from reprocheck.schema import pointer

WHOLE = Detail(points=10**12)
HIDDEN = "hidden-in-bundle"
"""The code of a finding about what the record of a bundle holds no more."""

LARGEST_TEXT = 50_000_000
"""Bytes of a file that is looked through for secrets."""

_OWN = "reprocheck/"
_LOGIN = re.compile(r"(?<=://)\*{3}@")
# What is no code that only looks so: a login in an address, a key of a known kind.
_EXPOSED = re.compile(
    r"://[^/\s:@'\"{}$]+:[^/\s@'\"{}$]+@[\w.-]|://[^/\s]+/t/[\w-]{8,}/"
    r"|\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}"
    r"|xox[abprs]-[\w-]{10,}|AKIA[A-Z0-9]{16})"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """A record, ready to be written."""

    document: Document
    contents: Mapping[str, bytes]  # by JSON pointer
    hidden: tuple[str, ...]  # JSON pointers


def pack(record: RunRecord) -> Packed:
    """The record without secrets.

    Raises `ReadError` for a patch or a recorded file that shows one: without it the run is another.
    """
    secrets = hostile.record_secrets(record)
    document = record_documents.record(hostile.redacted_record(record), secrets, WHOLE)
    plain = record_documents.record(record, frozenset(), WHOLE)
    contents, hidden = {}, list(_differences(plain, document, ()))
    for place, content in _contents(record):
        contents[place] = content
        if exposes(content, secrets):
            contents[place] = _hide(record, place, content, secrets)
            hidden.append(place)
    return Packed(document=document, contents=contents, hidden=tuple(hidden))


def unpack(
    document: Mapping[str, object],
    contents: Mapping[str, str],
    hidden: tuple[str, ...],
    read: Callable[[str], bytes],
) -> RunRecord:
    """The record with its contents, which `read` gives by their SHA-256; and a finding for each
    parameter that is hidden.

    Raises `BundleError`.
    """
    try:
        record = record_reading.record(document)
        record = _with_contents(record, lambda place: _read(contents, place, read))
    except (ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
        raise BundleError(
            f"a record of the bundle is broken: {error}", "make the bundle anew: reprocheck fetch"
        ) from error
    code = record.code
    address = code.repository and _LOGIN.sub("", code.repository)
    return dataclasses.replace(
        record,
        code=dataclasses.replace(code, repository=address),
        findings=(*record.findings, *findings_of(hidden)),
    )


def findings_of(hidden: Iterable[str]) -> tuple[Finding, ...]:
    """A finding for each parameter among what is hidden."""
    return tuple(_finding(place) for place in hidden if place.startswith("/parameters/"))


def exposes(content: bytes, secrets: frozenset[str]) -> bool:
    """Whether a file shows a login, a key of a known kind, or one of the secrets."""
    text = content.decode("utf-8", "replace")
    return any(secret in text for secret in secrets) or _EXPOSED.search(text) is not None


def _hide(record: RunRecord, place: str, content: bytes, secrets: frozenset[str]) -> bytes:
    """A file of capture's own without secrets: nothing is rebuilt from those. Raises `ReadError`
    for any other."""
    if not place.startswith("/files/"):
        raise _exposed(record, place)
    path = record.files[int(place.removeprefix("/files/"))].path
    if not path.startswith(_OWN) or exposes(redacted := _redacted(content, secrets), secrets):
        raise _exposed(record, place)
    return redacted


def _redacted(content: bytes, secrets: frozenset[str]) -> bytes:
    return hostile.redact(content.decode("utf-8", "replace"), secrets).encode()


def dump(document: Mapping[str, object]) -> bytes:
    """The document's bytes, the same for the same record."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _contents(record: RunRecord) -> Iterator[tuple[str, bytes]]:
    for name, patch in (("patch", record.code.patch), ("upstream", record.code.upstream)):
        if patch is not None:
            yield f"/code/{name}", patch.content
            for index, part in enumerate(patch.parts):
                yield f"/code/{name}/parts/{index}", part
    for index, file in enumerate(record.files):
        yield f"/files/{index}", file.content
    if record.environment is not None:
        yield "/environment", record.environment.content
        for index, file in enumerate(record.environment.companions):
            yield f"/environment/companions/{index}", file.content


def _read(contents: Mapping[str, str], place: str, read: Callable[[str], bytes]) -> bytes:
    if place not in contents:
        raise ValueError(f"the content of {place} is not in its list")
    return read(contents[place])


def _with_contents(record: RunRecord, content_of: Callable[[str], bytes]) -> RunRecord:
    code = record.code
    return dataclasses.replace(
        record,
        code=dataclasses.replace(
            code,
            patch=code.patch and _patch(code.patch, "/code/patch", content_of),
            upstream=code.upstream and _patch(code.upstream, "/code/upstream", content_of),
        ),
        files=tuple(
            _file(each, content_of(f"/files/{index}")) for index, each in enumerate(record.files)
        ),
        environment=record.environment and _environment(record.environment, content_of),
    )


def _patch(patch: Patch, place: str, content_of: Callable[[str], bytes]) -> Patch:
    parts = tuple(_parts(place, content_of))
    return dataclasses.replace(patch, content=content_of(place), parts=parts, size=None)


def _parts(place: str, content_of: Callable[[str], bytes]) -> Iterator[bytes]:
    index = 0
    while True:
        try:
            yield content_of(f"{place}/parts/{index}")
        except ValueError:  # there are no more
            return
        index += 1


def _file(file: RecordedFile, content: bytes) -> RecordedFile:
    return dataclasses.replace(file, content=content, sha256="", size=0)


def _environment(spec: EnvironmentSpec, content_of: Callable[[str], bytes]) -> EnvironmentSpec:
    content = content_of("/environment")
    same = spec.sha256 in ("", hashlib.sha256(content).hexdigest())
    return dataclasses.replace(
        spec,
        content=content,
        sha256="" if same else spec.sha256,
        companions=tuple(
            _file(each, content_of(f"/environment/companions/{index}"))
            for index, each in enumerate(spec.companions)
        ),
    )


def _differences(plain: object, redacted: object, place: tuple[object, ...]) -> Iterator[str]:
    """Where two documents of one record differ; the environment's content is kept beside."""
    if place == ("environment", "content"):
        return
    match plain, redacted:
        case dict(), dict():
            for (before, one), (name, other) in zip(plain.items(), redacted.items(), strict=False):
                if before != name:
                    yield pointer([*place, name])
                yield from _differences(one, other, (*place, name))
        case list(), list():
            for index, (one, other) in enumerate(zip(plain, redacted, strict=False)):
                yield from _differences(one, other, (*place, index))
        case _ if plain != redacted:
            yield pointer([*place])


def _finding(place: str) -> Finding:
    name = place.removeprefix("/parameters/").replace("~1", "/").replace("~0", "~")
    return Finding(
        code=HIDDEN,
        severity=Severity.NOTE,
        message=f"the value of the parameter {name} looks like a secret and is hidden in the "
        "bundle; whether the reruns had the same is not compared",
        hint="pass secrets by environment variables, and log none of them",
        pointer=place,
    )


def _exposed(record: RunRecord, place: str) -> ReadError:
    what = {"code": "its patch", "environment": "its environment file"}
    told = what.get(place.split("/")[1], "a file of its record")
    if place.startswith("/files/"):
        told = record.files[int(place.removeprefix("/files/"))].path
    return ReadError(
        f"bundling run {record.ref.run_id}: {told} shows a login or a key, which everyone who may "
        "read the bundle would see",
        "take it out of what runs record, and train anew; or verify the run where the tracker can "
        "be reached, without a bundle",
    )
