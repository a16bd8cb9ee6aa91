"""Baselines that a team accepted: `reprocheck.baseline.json` in the root of its repository.

A list that only grows: each entry says who made which values the new baseline of a run, when and
why. The entries of a run stand one after the other, runs by their ids, so that two branches that
accept different runs add at different places. Of a run the last entry counts, as long as it
follows what was the baseline before: the run's own values, or those of the entry before it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprocheck import acceptance_documents, acceptance_reading, json_places, schema
from reprocheck.compare.ladder import same_bits
from reprocheck.detail import Document, dump
from reprocheck.errors import ConfigError, MachineError
from reprocheck.hostile import cut, printable
from reprocheck.model import Acceptance, AcceptedMetric
from reprocheck.text_files import BrokenTextError, decode, parse_json, read_text

FILE_NAME = "reprocheck.baseline.json"
VERSION = 1
LARGEST = 2_000_000
"""Bytes of the file: thousands of acceptances."""

_MEND = "mend it, or take the version of the commit before: git log -p reprocheck.baseline.json"
_PLACE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class InForce:
    """The acceptance that counts for a run, and those that do not follow what was before them."""

    acceptance: Acceptance | None = None
    stale: tuple[Acceptance, ...] = ()


def load(path: Path, *, optional: bool = True) -> tuple[Acceptance, ...]:
    """The acceptances of a file; none where there is no file and it is `optional`.

    Raises `ConfigError`, also for a symbolic link.
    """
    if optional and not path.exists() and not path.is_symlink():
        return ()
    try:
        text = read_text(path, LARGEST, follow=False)
    except BrokenTextError as error:
        raise ConfigError(f"reading {path}: {error}", error.hint or _MEND) from error
    return parse(text, str(path))


def read(content: bytes, name: str) -> tuple[Acceptance, ...]:
    """The acceptances of a file's bytes; `name` is what errors call it. Raises `ConfigError`."""
    try:
        if len(content) > LARGEST:
            raise BrokenTextError(f"it has over {LARGEST // 1_000_000} MB")
        text = decode(content)
    except BrokenTextError as error:
        raise ConfigError(f"reading {name}: {error}", error.hint or _MEND) from error
    return parse(text, name)


def parse(text: str, name: str) -> tuple[Acceptance, ...]:
    """The acceptances of a file's text, in their order. Raises `ConfigError` with the place."""
    try:
        document = parse_json(text)
    except BrokenTextError as error:
        raise ConfigError(f"reading {name}: {error}", error.hint or _MEND) from error
    if newer := schema.newer(document, "version", VERSION):
        raise ConfigError(f"reading {name}: {newer}", schema.UPDATE)
    issues = schema.check(document, "baseline", most=20)
    if issues or not isinstance(document, dict):
        first = issues[0]
        line = json_places.lines_of(text, (first.pointer,))[first.pointer]
        where = cut(printable(first.pointer), _PLACE) or "/"
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        raise ConfigError(f"{name}:{line}: {where} {first.message}{more}", first.hint or _MEND)
    try:
        return tuple(map(acceptance_reading.acceptance, document["accepted"]))
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{name}: {cut(printable(str(error)), _PLACE)}", _MEND) from error


def in_force(accepted: Iterable[Acceptance], run_id: str, own: Mapping[str, float]) -> InForce:
    """What counts for a run whose own values are `own`."""
    current, stale = None, []
    for each in accepted:
        if each.run_id != run_id:
            continue
        if _follows(each, current, own):
            current = each
        else:
            stale.append(each)
    return InForce(acceptance=current, stale=tuple(stale))


def same_values(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    """Whether both are the same doubles in the same order."""
    return len(ours) == len(theirs) and all(map(same_bits, ours, theirs))


def values_of(acceptance: Acceptance | None) -> Mapping[str, tuple[float, ...]]:
    """The accepted values by metric; none of no acceptance."""
    return {each.metric: each.new for each in acceptance.metrics} if acceptance else {}


def added(accepted: Sequence[Acceptance], new: Acceptance) -> tuple[Acceptance, ...]:
    """The acceptances with a new one after its run's last, else where its run's id belongs."""
    place = next((i for i, each in enumerate(accepted) if each.run_id > new.run_id), len(accepted))
    same = [i + 1 for i, each in enumerate(accepted) if each.run_id == new.run_id]
    place = same[-1] if same else place
    return (*accepted[:place], new, *accepted[place:])


def document(accepted: Iterable[Acceptance]) -> Document:
    """The file's document, its keys sorted."""
    entries = [acceptance_documents.acceptance(each) for each in accepted]
    return {"accepted": entries, "version": VERSION}


def write(path: Path, accepted: Sequence[Acceptance]) -> None:
    """Writes the file whole; nobody sees a part of it. Raises `MachineError`, or `ConfigError` for
    what would be no file that can be read again.
    """
    content = dump(document(accepted)).encode()
    read(content, str(path))
    part = path.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise MachineError(
            f"writing {path}: {error.strerror or error}", "make its folder writable"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _follows(each: Acceptance, before: Acceptance | None, own: Mapping[str, float]) -> bool:
    known = values_of(before)
    return all(_is_of(metric, known, own) for metric in each.metrics)


def _is_of(
    metric: AcceptedMetric, before: Mapping[str, tuple[float, ...]], own: Mapping[str, float]
) -> bool:
    """Whether a metric's old values are what its baseline was. One that the run never logged is no
    contradiction: it is never judged."""
    if metric.metric in before:
        return same_values(metric.old, before[metric.metric])
    return metric.metric not in own or same_bits(own[metric.metric], metric.old[0])
