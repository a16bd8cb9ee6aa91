"""In a comment: how it was judged, in plain words, and how to do the same elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from reprocheck.hostile import cut, printable
from reprocheck.model import (
    Comparison,
    MarginSource,
    Report,
    Require,
    RerunPlan,
    SeedPolicy,
    Verdict,
)
from reprocheck.numbers import format_percent
from reprocheck.reporters import checked
from reprocheck.reporters.blocks import Block
from reprocheck.reporters.markup import fence, prose
from reprocheck.reporters.plans import ended, looks
from reprocheck.seeds import is_no_seed, recorded_seeds

WIDE = 80
AT_HAND = "In a clone of the repository, with its tracker and data at hand"
LONGEST = 200
"""Characters of one argument that is shown to be pasted; none is cut: it is left out."""


def method(report: Report) -> Iterator[Block]:
    """What was tested, at which level, when, and what would have counted as reproduced."""
    lines = tuple(f"- {prose(text)}" for text in judged_how(report))
    if lines:
        yield Block(rank=5, title="How it was judged", rows=lines, folded=True)


def judged_how(report: Report) -> tuple[str, ...]:
    """The same as plain sentences; none where nothing was judged."""
    plan = report.plan
    gated = [each for each in report.comparisons if each.gated]
    return tuple(_method(report, plan, gated)) if plan and gated and report.trials else ()


def _method(report: Report, plan: RerunPlan, gated: list[Comparison]) -> Iterator[str]:
    yield _trained(report)
    asked = f"{looks(plan, [each.margin for each in gated])}, {_level(plan, gated)}"
    end = "" if report.stopped_by == "planned" else ended(report, plan)
    was = "was " if report.stopped_by == "decided" else ""
    told = f"to be {asked}; it {was}{end}" if end else asked
    yield f"It was {told}. {_seeds(report, plan)}."
    if any(each.margin for each in gated):
        yield (
            "REPRODUCED: the interval of the difference between the reruns' mean and the original "
            "lies wholly inside the margin (two one-sided tests for equivalence). More noise makes "
            "this harder, never easier."
        )
        yield (
            "NOT_REPRODUCED: the original lies outside of what one more rerun would give, and the "
            "whole interval lies outside of the margin. INCONCLUSIVE: neither."
        )
    if any(each.verdict is Verdict.NOT_WORSE for each in gated):
        yield "NOT_WORSE: the same, but only of a change for the worse."
    if not all(each.margin for each in gated):
        yield (
            "Without a margin nothing can be called reproduced, unless it is the same number: "
            "CONSISTENT says that the original lies within the reruns' noise."
        )
    yield "IDENTICAL: the same 64 bits. NUMERICALLY_EQUAL: the same up to rounding of arithmetic."


def _level(plan: RerunPlan, gated: list[Comparison]) -> str:
    told = f"at a level of {format_percent(100 * plan.alpha)}"
    several = plan.is_sequential and any(each.margin for each in gated)
    return f"{told} that is shared by all looks" if several else told


def _trained(report: Report) -> str:
    """From what the reruns were made, and what they are compared with."""
    record, against = report.record, "the original's value"
    stored = record is not None and record.code.stored
    code = "from what the run stored of its code" if stored else "at the recorded commit"
    data = "with the recorded data and a rebuilt environment"
    if record is None or not record.data:
        data = "with a rebuilt environment; no digest proves that its data are the run's"
    if report.acceptance:
        against = "its accepted baseline, and with the original's value where none was accepted"
    return (
        f"The training was rerun in a clean tree {code}, {data}. Of each judged metric the reruns "
        f"are compared with {against}."
    )


def _seeds(report: Report, plan: RerunPlan) -> str:
    if plan.seeds is SeedPolicy.FRESH:
        return "Each rerun had another seed, so that the spread is the recipe's"
    seeds = recorded_seeds(report.record).values() if report.record else ()
    if not seeds:
        return "No seed is recorded, so that the spread may be that of seeds too"
    if all(map(is_no_seed, seeds)):
        return "The run had no seed, so that the spread is the recipe's"
    return "All reruns had the recorded seed, so that the spread is the training's nondeterminism"


# --- the same elsewhere ---------------------------------------------------------------------


def locally(report: Report) -> Iterator[Block]:
    """The command that does the same in a clone, with the options that counted."""
    lines = verify_again(report)
    if not lines:
        return
    before, rows, after = fence(lines, "sh")
    needed = " ".join((f"{AT_HAND}.", *beside_command(report)))
    text = "\n".join((needed, "", before, *rows))
    yield Block(
        rank=5,
        title="How to do the same locally",
        before=f"{text}\n{after}",
        folded=True,
    )


def verify_again(report: Report) -> list[str]:
    """The command that verifies the run once more with the options that counted, to be pasted."""
    run = checked.run_id(report)
    if not is_plain(run):
        return []
    arguments = ["reprocheck", "verify", *_options(report)]
    return pasted([*arguments, "--", run] if run.startswith("-") else [*arguments, run])


def beside_command(report: Report) -> Iterator[str]:
    """What counted, and the command cannot give: the report has values of it, and no names."""
    if report.acceptance:
        yield "The clone's reprocheck.baseline.json has to hold the acceptance that counted."
    accepted = {each.metric for each in report.acceptance.metrics} if report.acceptance else ()
    gated = (each for each in report.comparisons if each.gated)
    if any(len(each.baseline) > 1 and each.metric not in accepted for each in gated):
        yield "Add --baseline RUN_ID for each of the further originals."


def pasted(arguments: list[str]) -> list[str]:
    """A command on one line, or an option on a line where that would be long."""
    line = shlex.join(arguments)
    if len(line) <= WIDE:
        return [line]
    lines = [shlex.join(arguments[:2]), *(f"  {shlex.quote(each)}" for each in arguments[2:])]
    return [f"{each} \\" for each in lines[:-1]] + lines[-1:]


def is_plain(text: str) -> bool:
    """Whether the text may stand in a command that is pasted into a terminal."""
    return bool(text) and len(text) <= LONGEST and printable(text) == text


def _options(report: Report) -> Iterator[str]:
    gates = report.gates.metrics if report.gates else ()
    for name in filter(is_plain, gates):
        yield f"--gate={name}"
    for each in report.comparisons:
        margin = _margin(each)
        if each.gated and margin and is_plain(each.metric):
            yield f"--margin={each.metric}={margin}"
    plan = report.plan
    if plan is not None:
        yield (
            f"--reruns={plan.least}..{plan.most}" if plan.is_sequential else f"--reruns={plan.most}"
        )
        yield f"--seeds={plan.seeds.value}"
    if report.require is not Require.CONSISTENT:
        yield f"--require={report.require.value}"


def _margin(comparison: Comparison) -> str:
    """The declared margin as `--margin` takes it; one of two forms is its file's, and applies."""
    found = comparison.margin
    if found is None or found.source is not MarginSource.DECLARED:
        return ""
    told = found.text.partition(" (")[0]
    return "" if " or " in told else cut(told.replace(" ", ""), LONGEST)
