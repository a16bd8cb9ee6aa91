"""Of a whole check in a comment: who computed it, its runs, what went wrong, changed rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reprocheck.model import Check, Page, Problem, Report, RuleChange
from reprocheck.numbers import counted
from reprocheck.reporters import base, checked
from reprocheck.reporters.blocks import Block
from reprocheck.reporters.markup import alert, code, head, prose, row

NAME = 80
REASON = 160
TEXT = 400

FORK = (
    "**Computed by the code of a fork.** Whoever wrote it could have made it write any number. "
    "To rely on the answer, verify the run again with code that you trust."
)
HOW_TO_NAME = (
    "Name a run by a line `reprocheck: <run-id>` in the description of the pull request, or by its "
    "id on a line of a file `reprocheck.runs`."
)


def around(check: Check, reports: Sequence[Report], page: Page) -> Iterator[Block]:
    """What stands between the answer and the single runs."""
    if page.untrusted:
        yield Block(rank=0, title="", before=alert("IMPORTANT", FORK))
    if check.waiting.strip():
        told = check.waiting.strip()
        text = prose(f"{told[0].upper()}{told[1:]}.", TEXT)
        yield Block(rank=0, title="", before=alert("NOTE", text))
    if not reports:
        yield from _nothing(check)
    elif len(reports) > 1:
        yield _runs(reports)
    if check.problems:
        yield _problems(check.problems)
    if check.rule_changes:
        yield from _rules(check.rule_changes)


def _nothing(check: Check) -> Iterator[Block]:
    """Where runs are looked for, and how to name one."""
    if check.problems:
        return
    if check.sought:
        rows = tuple(f"- {prose(each, TEXT)}" for each in check.sought)
        before = "Runs were looked for in:\n\n"
        yield Block(rank=1, title="where runs were looked for", before=before, rows=rows)
    if not check.waiting.strip():
        yield Block(rank=1, title="how to name a run", before=f"None was found. {HOW_TO_NAME}")


def _runs(reports: Sequence[Report]) -> Block:
    rows = tuple(
        row((_answer(each), code(_name(each), NAME), prose(base.reason(each), REASON)))
        for each in reports
    )
    return Block(rank=0, title="runs", before=head(("Verdict", "Run", "Reason")), rows=rows)


def _answer(report: Report) -> str:
    return f"{base.mark(report)}{prose(checked.answer(report))}"


def _name(report: Report) -> str:
    name = report.record.name if report.record else ""
    return name if name.strip() else checked.run_id(report)


def _problems(problems: Sequence[Problem]) -> Block:
    rows = tuple(
        row(
            (
                code(each.asked),
                prose(each.message, TEXT),
                prose(each.hint, TEXT),
                str(each.exit_code),
            )
        )
        for each in problems
    )
    before = f"**{counted(len(problems), 'problem')}: no report of these**\n\n"
    before += head(("Asked for", "What happened", "What to do", "Exit code"))
    return Block(rank=1, title="problems", before=before, rows=rows)


def _rules(changes: Sequence[RuleChange]) -> Iterator[Block]:
    rows = tuple(row((code(each.key), _rule(each.base), _rule(each.head))) for each in changes)
    before = (
        "**Changed rules of judging.** The base branch's were used; what is changed here takes "
        "effect after the merge.\n\n"
    )
    before += head(("Rule", "Base branch", "Here"))
    yield Block(rank=2, title="changed rules", before=before, rows=rows)


def _rule(text: str) -> str:
    return code(text) or base.NOTHING
