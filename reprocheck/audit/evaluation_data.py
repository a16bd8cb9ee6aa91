"""Runs whose evaluation data differ, so that their metrics cannot be compared."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reprocheck.audit.evaluation_evidence import (
    EVALUATION,
    TEST,
    VALIDATION,
    WHOLE,
    Evidence,
    Facet,
    evidence,
    file_name,
    is_absolute,
    role_of,
)
from reprocheck.audit.spelling import words
from reprocheck.hostile import cut, redact
from reprocheck.model import Finding, RunStatus, RunSummary, Severity
from reprocheck.numbers import counted

MOST_VALUES = 200
"""Different data of a metric that are told apart; further runs are counted as not saying."""
MOST_METRICS = 500
"""Metrics of an experiment that are looked at, by each facet and fold."""
MOST_FINDINGS = 10
SHOWN_GROUPS, SHOWN_METRICS = 3, 3
LONGEST_SHOWN = 60

# Which data a metric is of, by the role in its name, the likeliest first.
_ORDER = {
    TEST: (TEST, EVALUATION),
    VALIDATION: (VALIDATION, EVALUATION),
    EVALUATION: (EVALUATION, VALIDATION, TEST),
    WHOLE: (TEST, EVALUATION, VALIDATION),
}
_FOLDS = {("fold",), ("cv", "fold"), ("fold", "index"), ("fold", "id"), ("fold", "number")}
_OWN = "system/"  # metrics that MLflow samples from the machine
_SHORT = 80  # characters of a fold's value


@dataclass(kw_only=True, slots=True)
class _Group:
    """Runs that were evaluated on the same data."""

    values: frozenset[str]
    runs: int = 0
    example: str = ""


@dataclass(kw_only=True, slots=True)
class _Metric:
    runs: int = 0
    groups: dict[Facet, dict[frozenset[str], _Group]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Difference:
    """What metrics that are told together have in common."""

    experiment: str
    fold: str
    facet: Facet


@dataclass(frozen=True, kw_only=True, slots=True)
class _Apart:
    """A metric whose runs were evaluated on several data."""

    name: str
    runs: int
    groups: list[_Group]

    @property
    def silent(self) -> int:
        """How many runs do not say on which."""
        return self.runs - sum(group.runs for group in self.groups)


class EvaluationData:
    """Groups runs by metric and evaluation data; it keeps groups, not runs."""

    def __init__(self) -> None:
        self._metrics: dict[tuple[str, str, str], _Metric] = {}  # experiment, fold, name

    def add(self, run: RunSummary) -> None:
        """Counts a finished run, by each of its metrics that is not of the training."""
        if run.status is not RunStatus.FINISHED:
            return
        told, fold = evidence(run), _fold(run)
        facets = {role: _facets(told, role) for role in _ORDER}
        for name in _evaluated(run.metrics):
            key = (run.experiment, fold, name)
            if key in self._metrics or len(self._metrics) < MOST_METRICS:
                metric = self._metrics.setdefault(key, _Metric())
                metric.runs += 1
                _place(metric, facets[role_of(name) or WHOLE], run)

    def findings(self) -> tuple[Finding, ...]:
        """`different-evaluation-data`, once for the metrics that differ in the same way."""
        alike: dict[_Difference, list[_Apart]] = {}
        for (experiment, fold, name), metric in self._metrics.items():
            best = _best(name, metric)
            if best:
                facet, apart = best
                difference = _Difference(experiment=experiment, fold=fold, facet=facet)
                alike.setdefault(difference, []).append(apart)
        found = [_finding(difference, metrics) for difference, metrics in alike.items()]
        return (*found[:MOST_FINDINGS], *_left(len(found) - MOST_FINDINGS))


def _best(name: str, metric: _Metric) -> tuple[Facet, _Apart] | None:
    """The facet by which the data of most runs are known to differ; of equal ones a digest."""
    found = []
    for facet, by_values in metric.groups.items():
        groups = _merged(facet, list(by_values.values()))
        if len(groups) > 1:
            found.append((facet, _Apart(name=name, runs=metric.runs, groups=groups)))
    return min(found, key=lambda each: (each[1].silent, not each[0].is_digest), default=None)


def _evaluated(metrics: Mapping[str, float]) -> Iterator[str]:
    """The metrics that are of evaluation data: not `accuracy` beside a `val_accuracy`."""
    plain = {
        tuple(word for word in words(name) if role_of(word) == WHOLE)
        for name in metrics
        if role_of(name)
    }
    for name in metrics:
        role = role_of(name)
        if role is None or name.startswith(_OWN):
            continue
        if role != WHOLE or words(name) not in plain:
            yield name


def _fold(run: RunSummary) -> str:
    """The part of a cross-validation: other parts have other data by design."""
    for name, value in run.parameters.items():
        if words(name) in _FOLDS:
            return value[:_SHORT]
    return ""


def _facets(told: Evidence, role: str) -> Evidence:
    """What is known of the data of metrics with a role in their names."""
    usable = {facet: told[facet] for facet in told if not (facet.strict and role != facet.role)}
    roles = {facet.role for facet in usable}
    best = next((each for each in _ORDER[role] if each in roles), None)
    chosen = {facet: values for facet, values in usable.items() if facet.role == best}
    if any(facet.is_digest for facet in chosen):
        return chosen
    return chosen | {facet: values for facet, values in usable.items() if facet.role == WHOLE}


def _place(metric: _Metric, facets: Evidence, run: RunSummary) -> None:
    for facet, values in facets.items():
        groups = metric.groups.setdefault(facet, {})
        if values in groups or len(groups) < MOST_VALUES:
            group = groups.get(values)
            if group is None:
                group = groups[values] = _Group(values=values, example=run.ref.run_id)
            group.runs += 1


def _merged(facet: Facet, groups: list[_Group]) -> list[_Group]:
    """The groups of which no two share a value; the largest first.

    Of paths of several machines only the file's name can be the same.
    """
    values = [value for group in groups for value in group.values]
    by_name = not facet.is_digest and any(is_absolute(v) or v.startswith("..") for v in values)
    merged: list[_Group] = []
    keys: list[set[str]] = []
    for group in groups:
        key = {file_name(value) if by_name else _tidy(value) for value in group.values}
        same = [i for i, other in enumerate(keys) if other & key]
        for i in reversed(same):
            key |= keys.pop(i)
            group = _together(merged.pop(i), group)  # noqa: PLW2901 - it grows
        merged.append(group)
        keys.append(key)
    return sorted(merged, key=lambda group: (-group.runs, group.example))


def _tidy(value: str) -> str:
    return value.replace("\\", "/").removeprefix("./")


def _together(one: _Group, other: _Group) -> _Group:
    return _Group(values=one.values | other.values, runs=one.runs + other.runs, example=one.example)


def _finding(difference: _Difference, metrics: list[_Apart]) -> Finding:
    """Tells the groups as the metric of most runs has them."""
    experiment, fold, facet = difference.experiment, difference.fold, difference.facet
    metrics = sorted(metrics, key=lambda metric: (-metric.runs, metric.name))
    more = f" and {len(metrics) - SHOWN_METRICS} more" if len(metrics) > SHOWN_METRICS else ""
    names = ", ".join(cut(metric.name, LONGEST_SHOWN) for metric in metrics[:SHOWN_METRICS]) + more
    groups, silent = metrics[0].groups, metrics[0].silent
    told = [_told(group) for group in groups[:SHOWN_GROUPS]]
    told += [f"{len(groups) - len(told)} more groups"] if len(groups) > len(told) else []
    told += [f"{counted(silent, 'run')} without it, of which it is unknown"] if silent else []
    where = f"in {cut(experiment, LONGEST_SHOWN)}" + (f", fold {fold}" if fold else "")
    data = f"{facet.role} data".strip()
    return Finding(
        code="different-evaluation-data",
        severity=Severity.WARNING,
        message=f"{where}, {names} cannot be compared over all runs: their {data} differ by "
        f"{_by(facet)}: {'; '.join(told)}",
        hint="compare the runs of one group only, or evaluate the models again on the same data",
        pointer="",
        fix=_selection(experiment, facet, groups[0]),
    )


def _told(group: _Group) -> str:
    values = sorted(group.values)
    more = f" and {len(values) - 1} more" if len(values) > 1 else ""
    value = cut(redact(values[0]), LONGEST_SHOWN)
    return f"{counted(group.runs, 'run')} with {value}{more} (as {group.example})"


def _by(facet: Facet) -> str:
    if facet.place == "dataset":
        return "the data set's digest"
    if facet.is_digest:
        return f"the files' {facet.place}"
    noun, _, name = facet.place.partition(".")
    called = "tag" if noun == "tags" else "parameter"
    return f"the {called} {cut(name.strip('`'), LONGEST_SHOWN)}"


def _selection(experiment: str, facet: Facet, group: _Group) -> str:
    """The command that looks at one group only; "" where no filter says that exactly."""
    [value, *others] = group.values
    name = facet.place.partition("`")[2].removesuffix("`")
    unsure = others or facet.place in ("md5", "sha256") or '"' in value or "`" in name
    if unsure or redact(value) != value or not value.isprintable() or not name.isprintable():
        return ""
    place = "dataset.digest" if facet.place == "dataset" else facet.place
    wanted = shlex.quote(f'{place} = "{value}"')
    return f"reprocheck audit {shlex.quote('--experiment=' + experiment)} --filter {wanted}"


def _left(count: int) -> Iterator[Finding]:
    if count > 0:
        yield Finding(
            code="different-evaluation-data",
            severity=Severity.WARNING,
            message=f"{count} more groups of metrics were measured on different data",
            hint="audit one experiment at a time: --experiment",
            pointer="",
        )
