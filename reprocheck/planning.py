"""What a verification can be expected to answer, and at what cost, before any trial.

The chances are those of an honest run: original and reruns come from one normal distribution.
They are simulated, by the very rule that will judge.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reprocheck.compare import Question, preview
from reprocheck.compare.case import centre_of, resolution_of
from reprocheck.compare.margins import KNOWN, known_spread
from reprocheck.compare.power import Chance, chance_of_answer, reruns_for
from reprocheck.compare.selection import selection_of
from reprocheck.errors import CompareError, UsageError
from reprocheck.model import (
    Comparison,
    Cost,
    Finding,
    Gates,
    Margin,
    MetricRule,
    RerunPlan,
    RunRecord,
    Scale,
    SeedPolicy,
    Sigma,
)
from reprocheck.numbers import counted
from reprocheck.resources import Resources, resources_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Draws = tuple[NDArray[np.float64], NDArray[np.float64]]

PATHS = 20_000
"""Simulated verifications: a probability is known to 0.7 points at worst."""
SEED = 2_026
MOST_NUMBERS = 2_000_000
RATIOS = (0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
"""Standard deviations that are looked at where none is known, as multiples of the margin."""


class SpreadSource(enum.StrEnum):
    """Where a standard deviation comes from, strongest first."""

    GIVEN = "given"
    SIBLINGS = "siblings"
    TEST_SIZE = "test size"


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How much a metric varies from run to run, as a standard deviation."""

    sigma: Sigma  # of logarithms under scale log; its value is 0 where siblings are all alike
    source: SpreadSource
    text: str  # in words, for example "4 siblings and the run"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reruns:
    """Reruns after which one look calls an honest run REPRODUCED so surely; None: over 100."""

    for_80: int | None
    for_90: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricForecast:
    """What can be expected of one gated metric."""

    metric: str
    original: float | None  # None: the run never logged it
    scale: Scale
    margin: Margin | None
    spread: Spread | None
    ratio: float | None  # of the spread to the margin; 0 where there is no spread
    reruns: Reruns | None  # None without a margin, or a spread
    chance: Chance | None  # None where the spread is not known, and would matter
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """What could be expected if a metric varied so much."""

    ratio: float  # the standard deviation as a multiple of the margin
    reruns: Reruns
    chance: Chance


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """What a verification of a run can be expected to answer, and at what cost."""

    asked: str  # the run as the user named it
    record: RunRecord
    plan: RerunPlan
    gates: Gates
    metrics: tuple[MetricForecast, ...]
    joint: Chance | None  # of all gated metrics, taken as independent
    joint_lacks: str  # why it is None
    scenarios: tuple[Scenario, ...]  # for metrics whose spread is not known
    paths: int  # simulated verifications behind each chance
    cost: Cost
    resources: Resources
    findings: tuple[Finding, ...] = ()  # of what this machine has too little

    @property
    def expected_s(self) -> float | None:
        """How long the reruns can be expected to take, in seconds."""
        if self.joint is None or self.cost.original_s is None:
            return None
        return self.joint.mean_reruns * self.cost.original_s

    @property
    def most_s(self) -> float | None:
        """How long all reruns take if each is as long as the original, in seconds."""
        original_s = self.cost.original_s
        return None if original_s is None else self.cost.reruns * original_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What a forecast is made from: the question that `judge` would be asked, and the cost."""

    asked: str
    record: RunRecord
    question: Question
    cost: Cost
    given: frozenset[str] = frozenset()  # metrics whose sigma is an option's, not the config's
    findings: tuple[Finding, ...] = ()  # of what this machine has too little


def forecast(outlook: Outlook) -> Forecast:
    """The chance of each verdict for an honest run, and what the reruns cost.

    Raises `UsageError` for a given sigma of a metric that would not be judged, and `CompareError`
    where none would be.
    """
    question = outlook.question
    if not question.gates.metrics:
        raise CompareError(
            f"no metric would be judged: {question.gates.reason}", "name one by --gate"
        )
    for name in sorted(outlook.given - set(question.gates.metrics)):
        raise UsageError(
            f"--sigma {name}: this metric would not be judged",
            f"judged would be {', '.join(question.gates.metrics)}; name others by --gate",
        )
    draws = _draws(question)
    planned = preview(question)
    metrics = tuple(
        _metric(outlook, comparison, _of(draws, index)) for index, comparison in enumerate(planned)
    )
    joint, lacks = _joint(question, metrics, draws)
    unknown = [each for each in metrics if each.margin and not each.spread]
    return Forecast(
        asked=outlook.asked,
        record=outlook.record,
        plan=question.plan,
        gates=question.gates,
        metrics=metrics,
        joint=joint,
        joint_lacks=lacks,
        scenarios=_scenarios(question.plan, _of(draws, 0)) if unknown else (),
        paths=len(draws[0]),
        cost=outlook.cost,
        resources=resources_of(outlook.record),
        findings=outlook.findings,
    )


def _draws(question: Question) -> Draws:
    """Originals (paths, n, metrics) and reruns (paths, K, metrics), standard normal."""
    import numpy as np

    metrics = len(question.gates.metrics)
    originals, reruns = _originals(question), question.plan.most
    paths = max(1_000, min(PATHS, MOST_NUMBERS // (metrics * (originals + reruns))))
    random = np.random.default_rng(SEED)
    return (
        random.standard_normal((paths, originals, metrics)),
        random.standard_normal((paths, reruns, metrics)),
    )


def _originals(question: Question) -> int:
    """Values of the baseline, of the gated metric with the fewest."""
    known = [len(question.baseline(name)) for name in question.gates.metrics]
    return max(1, min(known, default=1))


def _of(draws: Draws, index: int) -> Draws:
    return draws[0][:, :, index], draws[1][:, :, index]


# --- one metric ---------------------------------------------------------------------------


def _metric(outlook: Outlook, planned: Comparison, draws: Draws) -> MetricForecast:
    question, name = outlook.question, planned.metric
    baseline, rule = planned.baseline, question.rule(name)
    original = centre_of(rule, baseline) if baseline else None
    usable = original is not None and math.isfinite(original)
    spread = _spread(outlook, rule, original) if usable and original is not None else None
    ratio = _ratio(rule, spread, planned.margin, original)
    alpha, alone = question.plan.alpha, _originals(question) == 1
    return MetricForecast(
        metric=name,
        original=original,
        scale=planned.scale,
        margin=planned.margin,
        spread=spread,
        ratio=ratio,
        reruns=_reruns(ratio, alpha) if ratio is not None and alone else None,
        chance=_chance(question.plan, ratio, planned.margin, draws) if usable else None,
        notes=tuple(_notes(outlook, rule, spread, planned.margin, original)),
    )


def _spread(outlook: Outlook, rule: MetricRule, original: float) -> Spread | None:
    """The run-to-run standard deviation, from the best source that has one."""
    siblings = outlook.question.siblings
    logged = [each.metrics[rule.metric] for each in siblings if rule.metric in each.metrics]
    values = [x for x in (*logged, original) if math.isfinite(x)]
    alike = len(values) >= 3 and len(set(values)) == 1
    if alike and rule.sigma is None:
        found: Sigma | None = Sigma(value=0.0, freedom=len(values) - 1)
    else:
        found = known_spread(rule, original, values)
    if found is None:
        return None
    source, text = _source(outlook, rule, found)
    return Spread(sigma=found, source=source, text=text)


def _source(outlook: Outlook, rule: MetricRule, found: Sigma) -> tuple[SpreadSource, str]:
    if rule.sigma is not None:
        where = "--sigma" if rule.metric in outlook.given else "reprocheck.yaml"
        return SpreadSource.GIVEN, where
    if found.freedom == KNOWN:
        return SpreadSource.TEST_SIZE, f"at most, by {rule.test_size} test examples"
    return SpreadSource.SIBLINGS, f"{counted(found.freedom, 'sibling')} and the run"


def _ratio(
    rule: MetricRule, spread: Spread | None, margin: Margin | None, original: float | None
) -> float | None:
    """The standard deviation in margins; of an unequal margin the narrower side counts.

    A metric that changes in steps varies by no less than rounding to them does.
    """
    if spread is not None and spread.sigma.value == 0.0:
        return 0.0
    if spread is None or margin is None or original is None:
        return None
    floor = resolution_of(rule, [original]) / math.sqrt(12)
    if rule.scale is Scale.LOG:
        floor /= abs(original)
    return max(spread.sigma.value, floor) / min(margin.low, margin.high)


def _reruns(ratio: float, alpha: float) -> Reruns:
    if ratio == 0.0:
        return Reruns(for_80=1, for_90=1)
    return Reruns(
        for_80=reruns_for(0.8, ratio, 1.0, alpha), for_90=reruns_for(0.9, ratio, 1.0, alpha)
    )


IDENTICAL = Chance(
    reproduced=1.0, consistent=0.0, inconclusive=0.0, not_reproduced=0.0, mean_reruns=1.0
)
"""Of a run whose siblings are all alike: its first rerun ends it."""


def _chance(
    plan: RerunPlan, ratio: float | None, margin: Margin | None, draws: Draws
) -> Chance | None:
    """Without a margin the spread does not matter: the rule is in units of the reruns' own."""
    if ratio == 0.0:
        return IDENTICAL
    if margin is None:
        return chance_of_answer(plan, 1.0, None, draws)
    return None if ratio is None else chance_of_answer(plan, ratio, 1.0, draws)


def _scenarios(plan: RerunPlan, draws: Draws) -> tuple[Scenario, ...]:
    return tuple(
        Scenario(
            ratio=ratio,
            reruns=_reruns(ratio, plan.alpha),
            chance=chance_of_answer(plan, ratio, 1.0, draws),
        )
        for ratio in RATIOS
    )


# --- all metrics --------------------------------------------------------------------------


def _joint(
    question: Question, metrics: tuple[MetricForecast, ...], draws: Draws
) -> tuple[Chance | None, str]:
    """What becomes of the run: REPRODUCED needs every gated metric, a false alarm one."""
    varying = {index: each for index, each in enumerate(metrics) if each.ratio != 0.0}
    lacks = _lacks(metrics, tuple(varying.values()))
    if lacks:
        return None, lacks
    if not varying:
        return IDENTICAL, ""
    import numpy as np

    scale = np.array([each.ratio or 1.0 for each in varying.values()])
    margin = None if any(each.margin is None for each in varying.values()) else 1.0
    scaled = draws[0][:, :, list(varying)] * scale, draws[1][:, :, list(varying)] * scale
    return chance_of_answer(question.plan, 1.0, margin, scaled), ""


def _lacks(metrics: tuple[MetricForecast, ...], varying: tuple[MetricForecast, ...]) -> str:
    """Why nothing can be said of all gated metrics together."""
    unknown = [each.metric for each in metrics if each.chance is None]
    unlogged = [each.metric for each in metrics if each.original is None]
    without = [each.metric for each in varying if each.margin is None]
    if unlogged:
        return f"the run never logged {', '.join(unlogged)}"
    if unknown:
        return f"how much it varies is not known of {', '.join(unknown)}"
    if without and len(without) < len(varying):
        return f"no margin is known of {', '.join(without)}"
    return ""


# --- what else the reader should know -----------------------------------------------------


def _notes(
    outlook: Outlook,
    rule: MetricRule,
    spread: Spread | None,
    margin: Margin | None,
    original: float | None,
) -> list[str]:
    if original is None:
        return ["the run never logged it: it would be NOT_COMPARABLE"]
    if not math.isfinite(original):
        return ["the original is not finite: no chance can be told"]
    told = []
    if accepted := outlook.question.accepted.get(rule.metric):
        told.append(f"the baseline is what was accepted: {counted(len(accepted), 'value')}")
    if margin is not None and margin.low != margin.high:
        told.append("the narrower side of the margin is counted on both")
    if margin is None:
        told.append("without a margin an honest run is at best CONSISTENT")
    if rule.noninferiority:
        told.append("only a change for the worse counts: the chance of NOT_WORSE is higher")
    same = outlook.question.plan.seeds is SeedPolicy.SAME
    if spread and spread.source is SpreadSource.SIBLINGS and spread.sigma.value and same:
        told.append("siblings have seeds of their own: with the same seed reruns may vary less")
    if spread and spread.source is SpreadSource.GIVEN and rule.metric not in outlook.given:
        told.append("a sigma of the config is used by the tests too: the chance is higher")
    selection = selection_of(rule, original, outlook.question.peers)
    if selection and not accepted:
        told.append(
            f"the run is the best of {selection.best_of}: it is expected to beat its reruns, "
            "which lowers the chance"
        )
    return told
