"""Names of metrics and parameters that only some runs have, and near duplicates of names."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

from reprocheck import schema
from reprocheck.audit.spelling import LONGEST, meaning
from reprocheck.hostile import cut
from reprocheck.model import Finding, RunStatus, RunSummary, Severity
from reprocheck.numbers import counted

FEWEST = 5
"""Finished runs of a kind below which nothing is said about names that some lack."""
MOST_FINDINGS = 20
"""Findings of a code; the rest is counted in one more."""
MOST_NAMES = 2_000
"""Names of a kind of runs that are counted, and meanings of an experiment."""
MOST_KINDS = 50
"""Kinds of runs of an experiment that are told apart by the runs' names."""
SHOWN = 5
"""Names in a sentence."""
LONGEST_SHOWN = 60

_MADE_UP = re.compile(r"[a-z]+-[a-z]+-\d+")  # as MLflow names a run that nobody named
_STEM = re.compile(r"[A-Za-z_\- ]*")
_DIGITS = re.compile(r"\d+")
_OWN = "system/"  # metrics that MLflow samples from the machine, in long runs only


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """Runs that are expected to log the same names."""

    experiment: str
    source: str
    child: bool
    stem: str  # of the runs' names


@dataclass(kw_only=True, slots=True)
class _Seen:
    runs: int = 0
    example: str = ""
    without: str = ""  # a run that lacks it


@dataclass(kw_only=True, slots=True)
class _Counted:
    """Of a kind of runs."""

    runs: int = 0
    first: str = ""  # of the runs
    names: dict[tuple[str, str], _Seen] = field(default_factory=dict)
    everywhere: set[tuple[str, str]] = field(default_factory=set)  # in each run so far


@dataclass(kw_only=True, slots=True)
class _Spellings:
    """Of one meaning in an experiment."""

    names: dict[str, _Seen] = field(default_factory=dict)
    together: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    apart: set[tuple[str, str]] = field(default_factory=set)  # differed in one run


class Names:
    """Counts names run by run; what it keeps grows with the names, not with the runs."""

    def __init__(self) -> None:
        self._kinds: dict[_Kind, _Counted] = {}
        self._meanings: dict[tuple[str, str, str], _Spellings] = {}

    def add(self, run: RunSummary) -> None:
        """Counts a run; only a finished one, as others may end before they log."""
        if run.status is not RunStatus.FINISHED:
            return
        kind = self._kinds.setdefault(self._kind(run), _Counted(first=run.ref.run_id))
        present = dict.fromkeys((noun, name) for noun, values in _logged(run) for name in values)
        for key in present:
            if key not in kind.names and len(kind.names) < MOST_NAMES:
                kind.names[key] = _Seen(without=kind.first if kind.runs else "")
                kind.everywhere |= set() if kind.runs else {key}
            if key in kind.names:
                _count(kind.names[key], run)
        for key in kind.everywhere.difference(present):
            kind.names[key].without = run.ref.run_id
        kind.everywhere.intersection_update(present)
        kind.runs += 1
        for noun, values in _logged(run):
            self._spell(noun, values, run)

    def findings(self) -> tuple[Finding, ...]:
        """`near-duplicate-name` and `partial-name`, the ones of most runs first."""
        doubled: set[tuple[str, str, str]] = set()
        near = []
        for (experiment, noun, _), spellings in self._meanings.items():
            names = _doubled(spellings)
            if names:
                doubled.update((experiment, noun, name) for name in names)
                near.append((sum(names.values()), _near(experiment, noun, names, spellings)))
        kinds = self._merged().items()
        partial = [
            (kind_runs.runs, finding)
            for kind, kind_runs in kinds
            for finding in _partial(kind, kind_runs, doubled)
        ]
        return (*_most(near), *_most(partial))

    def _kind(self, run: RunSummary) -> _Kind:
        tags = run.tags
        source = tags.get("mlflow.project.entryPoint") or tags.get("mlflow.source.name", "")
        child = "mlflow.parentRunId" in tags
        kind = _Kind(experiment=run.experiment, source=source, child=child, stem=_stem(run.name))
        if kind in self._kinds or len(self._kinds) < MOST_KINDS:
            return kind
        return _Kind(experiment=run.experiment, source="", child=child, stem="")

    def _spell(self, noun: str, values: Mapping[str, object], run: RunSummary) -> None:
        alike: dict[str, list[str]] = {}
        for name in values:
            meant = meaning(name)
            if meant:
                alike.setdefault(meant, []).append(name)
        for meant, names in alike.items():
            key = (run.experiment, noun, meant)
            spellings = self._meanings.get(key)
            if spellings is None:
                if len(self._meanings) >= MOST_NAMES:
                    continue
                spellings = self._meanings[key] = _Spellings()
            for name in names:
                seen = spellings.names.get(name)
                if seen is None:
                    if len(spellings.names) >= MOST_KINDS:
                        continue
                    seen = spellings.names[name] = _Seen()
                _count(seen, run)
            if len(names) > 1:
                _together(spellings, names, values)

    def _merged(self) -> Mapping[_Kind, _Counted]:
        """The kinds; those of a few runs only, as where each run has its own name, as one."""
        merged: dict[_Kind, _Counted] = {}
        for kind, of_kind in self._kinds.items():
            few = of_kind.runs < FEWEST
            into = merged.setdefault(replace(kind, stem="") if few else kind, _Counted())
            into.runs += of_kind.runs
            for key, seen in of_kind.names.items():
                known = into.names.setdefault(key, _Seen(example=seen.example))
                known.runs += seen.runs
                known.without = known.without or seen.without
            absent = [seen for key, seen in into.names.items() if key not in of_kind.names]
            for seen in absent:
                seen.without = seen.without or of_kind.first
        return merged


def _together(spellings: _Spellings, names: list[str], values: Mapping[str, object]) -> None:
    """Counts names of one meaning that one run has, and sees whether they are two things."""
    for pair in combinations(sorted(names[:SHOWN]), 2):
        spellings.together[pair] += 1
        if not _equal(*(values[name] for name in pair)):
            spellings.apart.add(pair)


def _logged(run: RunSummary) -> Iterator[tuple[str, Mapping[str, object]]]:
    yield "metric", {name: x for name, x in run.metrics.items() if not name.startswith(_OWN)}
    yield "parameter", run.parameters


def _stem(name: str) -> str:
    """The words that a run's name begins with: `fold-3` and `fold-4` are of a kind."""
    if _MADE_UP.fullmatch(name):
        return ""
    match = _STEM.match(name[:80])
    return match[0].strip("-_ ").casefold() if match else ""


def _partial(
    kind: _Kind, of_kind: _Counted, doubled: set[tuple[str, str, str]]
) -> Iterator[Finding]:
    if of_kind.runs < FEWEST:
        return
    groups: dict[tuple[str, str], list[str]] = {}
    for (noun, name), seen in of_kind.names.items():
        if seen.runs < of_kind.runs and (kind.experiment, noun, name) not in doubled:
            groups.setdefault((noun, _where(seen, of_kind.runs)), []).append(name)
    for (noun, where), names in groups.items():
        yield _some(kind, noun, names, where)


def _count(seen: _Seen, run: RunSummary) -> None:
    seen.runs += 1
    seen.example = seen.example or run.ref.run_id


def _equal(one: object, other: object) -> bool:
    try:
        x, y = float(str(one)), float(str(other))
    except ValueError:
        return one == other
    return x == y or (math.isnan(x) and math.isnan(y))


def _doubled(spellings: _Spellings) -> dict[str, int]:
    """The spellings that stand for one another in different runs, with the runs of each.

    Names that differed in one run are two things; of names that always come together, each run
    has the one to compare by.
    """
    names = spellings.names
    doubled: dict[str, int] = {}
    told_apart = {name for pair in spellings.apart for name in pair}
    for one, other in combinations(sorted(set(names) - told_apart), 2):
        together = spellings.together.get((one, other), 0)
        if min(names[one].runs, names[other].runs) > together:
            doubled |= {one: names[one].runs, other: names[other].runs}
    return dict(sorted(doubled.items(), key=lambda item: (-item[1], item[0])))


def _near(experiment: str, noun: str, names: Mapping[str, int], spellings: _Spellings) -> Finding:
    best, *others = names
    told = ", ".join(
        f"{_quoted(name)} in {counted(names[name], 'run')} (as {spellings.names[name].example})"
        for name in others[:SHOWN]
    )
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    log = "log_metric" if noun == "metric" else "log_param"
    usual = f"the {noun} {_quoted(best)} of {counted(names[best], 'run')}"
    return Finding(
        code="near-duplicate-name",
        severity=Severity.NOTE,
        message=f"in {cut(experiment, LONGEST_SHOWN)}, {usual} seems to be called {told}{more}",
        hint="give it one name in every script: runs are compared by their names' letters",
        pointer=_pointer(noun, best),
        fix=f"mlflow.{log}({json.dumps(best, ensure_ascii=False)}, value)",
    )


def _quoted(name: str) -> str:
    return f'"{cut(name, LONGEST_SHOWN)}"'


def _where(seen: _Seen, runs: int) -> str:
    """Which runs have it, or which lack it, whichever are fewer."""
    lacking = runs - seen.runs
    if seen.runs > lacking and seen.without:
        share = _share(lacking, runs)
        return f"missing in {lacking} of {runs} runs ({share}), for example in {seen.without}"
    return f"only in {seen.runs} of {runs} runs ({_share(seen.runs, runs)}), as in {seen.example}"


def _some(kind: _Kind, noun: str, names: list[str], where: str) -> Finding:
    names = sorted(_folded(names))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    told = ", ".join(cut(name, LONGEST_SHOWN) for name in names[:SHOWN])
    subject = f"the {noun}s {told}{more} are" if len(names) > 1 else f"the {noun} {told} is"
    return Finding(
        code="partial-name",
        severity=Severity.NOTE,
        message=f"of {_called(kind)}, {subject} {where}",
        hint="log it in every run, or leave it out of comparisons: runs without it cannot be "
        "compared by it",
        pointer=_pointer(noun, names[0]),
    )


def _share(some: int, every: int) -> str:
    """Never 0 % nor 100 %: some runs have it, and some have not."""
    return f"{min(99, max(1, round(100 * some / every)))} %"


def _folded(names: Iterable[str]) -> set[str]:
    """Names of which more than three differ by their numbers only become one: `fold_N`."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(_DIGITS.sub("N", name), []).append(name)
    pairs = alike.items()
    return {each for form, of in pairs for each in ([form] if len(of) > 3 else of)}


def _called(kind: _Kind) -> str:
    what = " ".join(part for part in (kind.source, f"({kind.stem})" if kind.stem else "") if part)
    child = "child runs of " if kind.child else ""
    return f"{child}{cut(what or kind.experiment, 80)}"


def _pointer(noun: str, name: str) -> str:
    return schema.pointer(["metrics" if noun == "metric" else "parameters", name[:LONGEST]])


def _most(found: list[tuple[int, Finding]]) -> Iterator[Finding]:
    """The findings of the largest kinds; what is left out is counted."""
    found.sort(key=lambda each: -each[0])
    for _, finding in found[:MOST_FINDINGS]:
        yield finding
    left = len(found) - MOST_FINDINGS
    if left > 0:
        first = found[0][1]
        yield Finding(
            code=first.code,
            severity=first.severity,
            message=f"{left} more findings of this kind are not shown",
            hint="audit one experiment at a time: --experiment",
            pointer="",
        )
