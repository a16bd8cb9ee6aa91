"""Of one report in a comment: the metrics, what stands beside them, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reprocheck.durations import format_duration
from reprocheck.model import (
    Finding,
    HardwareGrade,
    PackageGrade,
    Report,
    Severity,
    Stage,
    StageStatus,
)
from reprocheck.numbers import counted
from reprocheck.reporters import base, beside, plots, used
from reprocheck.reporters.blocks import Block
from reprocheck.reporters.markup import PROSE, code, fence, head, prose, row
from reprocheck.reporters.plans import planned, planned_margins
from reprocheck.reporters.undeclared import UNVERSIONED, names, undeclared

UNJUDGED = 6
NEXT = 4
FACT = 400

_GRADES: tuple[str, ...] = (
    PackageGrade.PYTHON.value,
    HardwareGrade.DIRECT.value,
    PackageGrade.FRAMEWORK.value,
    PackageGrade.NUMERIC.value,
    HardwareGrade.INDIRECT.value,
)
"""How much it matters that something differs, most first; what is of no such grade is folded."""


# --- the metrics --------------------------------------------------------------------------


def metrics(report: Report) -> Iterator[Block]:
    """The table of the judged metrics; none where nothing was judged."""
    rows = base.rows(report)
    if not rows:
        return
    level = base.levels(report)
    reruns = base.common_count(rows)
    difference = f"Difference<br>({_whole(level)} interval)" if level else "Difference"
    baseline = base.baseline_head(report)
    heads = ("Metric", baseline, reruns or "Reruns", difference, "Margin", "Verdict")
    bars = {each.metric: plots.interval_bar(each) for each in report.comparisons}
    lines = [_metric(each, bars, with_count=not reruns) for each in rows]
    legend = plots.LEGEND.replace("original", baseline.lower())
    after = f"\n\n<sub>{legend}</sub>" if any(bars[each.metric] for each in rows) else ""
    yield Block(rank=1, title="metrics", before=head(heads), rows=tuple(lines), after=after)


def _metric(told: base.Row, bars: dict[str, str], *, with_count: bool) -> str:
    bar = bars[told.metric]
    source = prose(base.margin_source(told))
    verdict = f"{base.MARKS[told.judged]}\u00a0{prose(told.judged.value)}"
    return row(
        (
            code(told.metric),
            _lines(*told.original.split(" ", 1)),
            _lines(told.reruns, _whole(told.spread), told.count if with_count else ""),
            _lines(
                told.difference,
                f"<code>{bar}</code>" if bar else "",
                " … ".join(told.interval),
            ),
            _lines(told.margin, source),
            _lines(verdict, f"({told.change})" if told.change else ""),
        )
    )


def _lines(*texts: str) -> str:
    """Lines of one cell."""
    return "<br>".join(text for text in texts if text)


def _whole(text: str) -> str:
    """A number that is not broken at its spaces."""
    return text.replace(" ", "\u00a0")


def planned_metrics(report: Report) -> Iterator[Block]:
    """For a dry run: what would be judged, and by which margin."""
    rows = tuple(
        row((code(metric), value, prose(margin, FACT)))
        for metric, value, margin in planned_margins(report)
    )
    if rows:
        before = head(("Metric", base.baseline_head(report), "Margin"))
        yield Block(rank=1, title="metrics", before=before, rows=rows)


def criteria(report: Report) -> Iterator[Block]:
    """The success criteria, apart from the verdict."""
    lines = tuple(f"- {prose(text)}" for text in beside.criteria(report, every=True))
    if lines:
        yield Block(rank=2, title="success criteria", before="**Success criteria**\n\n", rows=lines)


def undeclared_inputs(report: Report) -> Iterator[Block]:
    """What the trials read that nothing declares, or that they were traced and read none."""
    lines = tuple(f"- {prose(text)}" for text in names(report))
    if lines:
        before = f"**{UNVERSIONED[0].upper()}{UNVERSIONED[1:]}**\n\n"
        yield Block(rank=3, title=UNVERSIONED, before=before, rows=lines)
    for fact in undeclared(report, every=True) if report.undeclared == () else ():
        yield Block(rank=4, title="trace", before=f"**{fact.label}** {prose(fact.text)}")


def found(report: Report) -> Iterator[Block]:
    """What was found of each metric, what could have been, curves, products and predictions."""
    power = beside.power(report, every=True)
    told = [*beside.sentences(report, every=True), *([power] if power else ())]
    lines = [f"- {prose(text)}" for text in (*told, *beside.notes(report))]
    seen = [*beside.curves(report, every=False), *beside.outputs(report, every=False)]
    lines += [f"- **{fact.label}** {prose(fact.text)}" for fact in seen]
    if lines:
        title = "What was found of each metric"
        yield Block(rank=5, title=title, rows=tuple(lines), folded=True)


def unjudged(report: Report) -> Iterator[Block]:
    """The other metrics, on one line."""
    texts = base.unjudged(report)
    if texts:
        more = f" and {len(texts) - UNJUDGED} more" if len(texts) > UNJUDGED else ""
        line = f"Not judged: {', '.join(code(each) for each in texts[:UNJUDGED])}{more}"
        yield Block(rank=4, title="metrics that are not judged", before=line)


def next_steps(report: Report) -> Iterator[Block]:
    """What to do now."""
    for step in base.next_steps(report)[:NEXT]:
        yield Block(rank=2, title="what to do next", before=f"**Next:** {prose(step)}")


# --- what differs -------------------------------------------------------------------------


def differing(report: Report) -> Iterator[Block]:
    """What the reruns had otherwise than the run, what matters most first, or that nothing is."""
    if not report.trials:
        return
    rows = sorted(_differences(report), key=lambda each: _GRADES.index(each[-1]))
    cells = tuple(
        row((what, code(name), code(run), code(reruns), grade))
        for what, name, run, reruns, grade in rows
    )
    before = f"**As recorded?** {prose('; '.join(_sides(report)))}"
    if cells:
        heads = ("What differs", "", "The run", "The reruns", "Matters")
        before += f"\n\n{head(heads)}"
    yield Block(rank=3, title="what differs", before=before, rows=cells)


def _differences(report: Report) -> Iterator[tuple[str, str, str, str, str]]:
    for what, rows in (
        ("environment", used.package_rows(report)),
        ("hardware", used.hardware_rows(report, every=False)),
    ):
        for name, run, reruns, grade in rows:
            if grade in _GRADES:
                yield what, name, run, reruns, grade


def _sides(report: Report) -> Iterator[str]:
    """Code, environment, hardware and data, in a few words each."""
    record = report.record
    if record and record.code.stored:
        yield "code: not the commit's, but what the run stored, unproved"
    if report.packages:
        yield f"environment: {used.packages_told(report.packages)}"
    if report.hardware:
        yield f"hardware: {used.hardware_told(report.hardware, every=False)}"
    yield f"data: {data_told(report)}"


def data_told(report: Report) -> str:
    """How many inputs there are, and whether they were checked, in a few words."""
    materials = report.record.data if report.record else ()
    if not materials:
        return "no digest recorded"
    weak = sum(each.weak for each in materials)
    restored = any(
        each.stage is Stage.RESTORE and each.status is StageStatus.PASSED for each in report.stages
    )
    told = counted(len(materials), "material")
    told += " restored and checked by digest" if restored else " recorded"
    return f"{told}, {weak} by a digest that does not cover the content" if weak else told


# --- what is folded -----------------------------------------------------------------------


def folded(report: Report) -> Iterator[Block]:
    """The log's end, what was used, findings, stages, packages and hardware."""
    lines = base.last_lines(report)
    if lines:
        yield _fenced(5, "Last lines of the output", lines)
    yield _used(report)
    yield from _findings(report)
    if report.stages:
        yield _table("Stages", ("Stage", "Status", "Time", "Summary"), _stages(report))
    packages = used.package_rows(report)
    heads = ("Asked", "Landed", "Grade")
    if packages:
        title = f"{counted(len(packages), 'package')} not as the run had them"
        yield _table(title, ("Package", *heads), _sided(packages))
    machines = used.hardware_rows(report, every=True)
    if machines:
        yield _table("Hardware", ("Hardware", *heads), _sided(machines))
    built = report.environment
    if built is not None and built.packages:
        title = counted(len(built.packages), "package")
        yield _fenced(8, title, [f"{each.name}=={each.version}" for each in built.packages])


def _fenced(rank: int, title: str, lines: Sequence[str]) -> Block:
    before, rows, after = fence(lines)
    return Block(
        rank=rank, title=title, before=f"{before}\n", rows=rows, after=f"\n{after}", folded=True
    )


def _table(title: str, heads: tuple[str, ...], rows: Sequence[str]) -> Block:
    return Block(rank=6, title=title, before=head(heads), rows=tuple(rows), folded=True)


def _used(report: Report) -> Block:
    facts = [*used.used(report), *planned(report)]
    rows = [row((fact.label, code(fact.text, FACT))) for fact in facts]
    return Block(
        rank=5,
        title="What was used",
        before=head(("Used", "")),
        rows=tuple(rows),
        folded=not report.dry_run,  # of which it is the answer
    )


def _sided(rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [
        row((code(name), code(asked), code(landed), grade)) for name, asked, landed, grade in rows
    ]


def _findings(report: Report) -> Iterator[Block]:
    found = base.findings(report, *Severity)
    if found:
        title = counted(len(found), "finding")
        rows = tuple(map(_finding, found))
        yield Block(rank=5, title=title, rows=rows, folded=True)


def _finding(each: Finding) -> str:
    hint = f" *{prose(each.hint)}*" if each.hint.strip() else ""
    return f"- **{each.severity.value}** {code(each.code)} {prose(each.message)}{hint}{_fix(each)}"


def _fix(finding: Finding) -> str:
    """The line that mends it, where it stands there as it is: an escaped @ is not to be pasted."""
    if not finding.fix or len(finding.fix) > PROSE or set("@#") & set(finding.fix):
        return ""
    return f" Mend it: {code(finding.fix, PROSE)}"


def _stages(report: Report) -> list[str]:
    return [
        row(
            (
                each.stage.value,
                each.status.value,
                format_duration(each.duration_s),
                prose(each.summary),
            )
        )
        for each in report.stages
        if each.status is not StageStatus.SKIPPED
    ]
