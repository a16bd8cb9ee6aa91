"""What the reader should know beside a verdict: assumptions and warnings."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reprocheck.compare import words
from reprocheck.compare.case import Case, Ruling, Rung
from reprocheck.compare.counts import Counts
from reprocheck.compare.distributions import f_tail
from reprocheck.compare.looks import Look
from reprocheck.compare.margins import noise_of_proportion, on_scale
from reprocheck.compare.sample import Sample, summarise
from reprocheck.compare.verdicts import GOOD
from reprocheck.model import MarginSource, Verdict
from reprocheck.numbers import counted, format_value

SMALL = 10
"""Reruns below which it cannot be seen whether they are normal."""
_STATISTICAL = ("equivalent", "outside", "no_margin", "noise", "shift_detected", "better")


def notes_on(case: Case, ruling: Ruling, look: Look) -> tuple[str, ...]:
    """Sentences that belong to the verdict; none while nothing is decided."""
    if case.sample is None or not look.stopped_by:
        return ()
    if case.rung is not Rung.NONE:
        return tuple(_on_arithmetic(case, ruling))
    return tuple(_notes(case, case.sample, ruling, look))


def _notes(case: Case, sample: Sample, ruling: Ruling, look: Look) -> Iterator[str]:
    if ruling.reason in _STATISTICAL:
        if case.counts is not None:
            yield from _on_counts(case, case.counts)
        elif sample.reruns < SMALL:
            yield "Assumed, as so few cannot show it: normal noise, no rare collapse."
    if sample.originals < len(case.baselines):
        left = len(case.baselines) - sample.originals
        yield f"{left} of {len(case.baselines)} originals has no value here and is left out."
    yield from _on_selection(case, sample)
    yield from _on_spread(case, sample, ruling)
    if case.margin is not None and case.margin.source is MarginSource.SIBLINGS:
        yield f"The margin is {case.margin.text}, and as uncertain as they are few."
    if look.same_seed and not look.same_machine and ruling.verdict not in GOOD:
        yield (
            "Whether this machine is the original's is not known: another one may move the result "
            "even with the same seed."
        )


def _on_arithmetic(case: Case, ruling: Ruling) -> Iterator[str]:
    if ruling.verdict is Verdict.NUMERICALLY_EQUAL and case.max_ulps is not None:
        units = counted(case.max_ulps, "unit")
        yield (
            f"The furthest rerun is {units} in the last place of a {case.tolerance.dtype} away "
            f"from the {'accepted values' if case.accepted else 'original'}."
        )


def _on_counts(case: Case, counts: Counts) -> Iterator[str]:
    yield (
        f"So near a bound the {case.rule.test_size} examples of each run are counted; that their "
        "errors are independent is assumed."
    )
    share = counts.theirs[0] / counts.theirs[1]
    expected = math.sqrt(share * (1 - share) / (case.rule.test_size or 1))
    spread = (case.sample.sd if case.sample else None) or 0.0
    if expected > 0.0 and spread > 2 * expected:
        yield (
            f"The reruns vary by an SD of {words.size(case, spread)}, more than twice what "
            "independent errors let expect: the interval is narrower than it should be."
        )


def _on_selection(case: Case, sample: Sample) -> Iterator[str]:
    chosen = case.selection
    if chosen is None:
        return
    how = " (inferred from the finished runs under its parent)" if chosen.inferred else ""
    lead = chosen.expected_lead * sample.spread
    yield (
        f"The run was chosen as the best of {chosen.best_of}{how}: a selected original is expected "
        f"to beat its reruns, here by about {words.size(case, lead)}."
    )


def _on_spread(case: Case, sample: Sample, ruling: Ruling) -> Iterator[str]:
    if sample.sd is None:
        return
    originals = on_scale([x for x in case.baselines if case.is_value(x)], case.rule.scale)
    if len(originals) < 2:
        originals = [x for x in on_scale(case.siblings, case.rule.scale) if math.isfinite(x)]
    if len(originals) >= 2:
        yield from _against(case, sample, originals)
    elif ruling.verdict is Verdict.CONSISTENT:
        noise = noise_of_proportion(case.rule, case.original)
        if noise is not None and sample.sd > 2 * noise:
            yield (
                f"The reruns vary by an SD of {words.size(case, sample.sd)}, more than twice what "
                f"{case.rule.test_size} examples let expect: CONSISTENT is easy to reach then."
            )


def _against(case: Case, sample: Sample, originals: list[float]) -> Iterator[str]:
    """The reruns' spread beside that of other original runs."""
    theirs, ours = sample.sd or 0.0, summarise(originals, originals).sd or 0.0
    accepted = case.accepted and len(case.baselines) > 1
    if ours == 0.0 and theirs > 0.0:
        named = "" if accepted else ", or one original is named several times"
        yield (
            f"The reruns are noisier than the {'accepted ones' if accepted else 'originals'}, "
            f"which do not vary: nondeterminism was introduced{named}."
        )
        return
    if ours == 0.0 or not (math.isfinite(ours) and math.isfinite(theirs)):
        return
    if not 1e-100 < theirs / ours < 1e100:
        yield "The spreads differ beyond comparison."
        return
    ratio = (theirs / ours) ** 2
    freedom = (sample.reruns - 1, len(originals) - 1)
    p = 2 * min(f_tail(*freedom, ratio), 1 - f_tail(*freedom, ratio))
    if sample.originals > 1 and p < 0.05:
        taken = "pooling takes" if sample.welch is None else "only the test for a difference takes"
        yield (
            f"The spreads differ: the reruns' variance is {format_value(ratio)} times the "
            f"{'accepted ones' if accepted else 'originals'}', and {taken} them for equal."
        )
    elif theirs > 2 * ours:
        yield (
            f"The reruns vary more than twice as much (SD {words.size(case, theirs)}) as the "
            f"{'accepted reruns' if accepted else 'other original runs'} "
            f"(SD {words.size(case, ours)})."
        )
