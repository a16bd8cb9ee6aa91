"""Whether two recorded runs are of one recipe: the same code, parameters and data, seeds aside."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping

from reprocheck.model import Finding, RunRecord, Severity
from reprocheck.numbers import counted

SEED_PARAMETERS = ("seed", "random_seed", "random_state")
"""Parameters that are a seed by their name."""

_SHOWN = 5


def other_recipe(
    record: RunRecord, other: RunRecord, ignore: tuple[str, ...] = ()
) -> tuple[Finding, ...]:
    """A finding where `other` is known to have had another commit, other parameters or data than
    `record`. Seeds and parameters whose name matches a pattern of `ignore` may differ."""
    found = [
        *_other_commit(record, other),
        *_other_parameters(record, other, ignore),
        *_other_data(record, other),
    ]
    if not found:
        return ()
    return (
        Finding(
            code="other-recipe",
            severity=Severity.WARNING,
            message=f"run {other.ref.run_id} is not of the recipe of run {record.ref.run_id}: "
            f"{'; '.join(found)}",
            hint="compare runs that differ in nothing but their seeds, or read the verdict as one "
            "on both recipes",
            pointer="",
        ),
    )


def _other_commit(record: RunRecord, other: RunRecord) -> Iterator[str]:
    ours, theirs = record.code.commit.lower(), other.code.commit.lower()
    shorter = min(len(ours), len(theirs))
    if shorter and ours[:shorter] != theirs[:shorter]:
        yield f"its commit is {theirs[:12]}, not {ours[:12]}"


def _other_parameters(
    record: RunRecord, other: RunRecord, ignore: tuple[str, ...]
) -> Iterator[str]:
    seeds = {*SEED_PARAMETERS, *record.seeds, *other.seeds}
    differing = [
        name
        for name in sorted({*record.parameters, *other.parameters} - seeds)
        if record.parameters.get(name) != other.parameters.get(name)
        and not any(fnmatch.fnmatchcase(name, pattern) for pattern in ignore)
    ]
    if differing:
        told = [_told(name, record.parameters, other.parameters) for name in differing[:_SHOWN]]
        more = len(differing) - _SHOWN
        yield ", ".join([*told, f"and {counted(more, 'parameter')} more"] if more > 0 else told)


def _told(name: str, ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    there, here = (side.get(name, "not set")[:40] for side in (theirs, ours))
    return f"{name} is {there}, not {here}"


def _other_data(record: RunRecord, other: RunRecord) -> Iterator[str]:
    """Only what both recorded: an unknown digest is no other one."""
    ours, theirs = _digests(record), _digests(other)
    paths = sorted(key[0] for key in ours.keys() & theirs.keys() if ours[key] != theirs[key])
    if paths:
        yield f"other data in {', '.join(paths[:_SHOWN])}"


def _digests(record: RunRecord) -> Mapping[tuple[str, str], str]:
    return {(item.path, item.algorithm): item.digest.lower() for item in record.data}
