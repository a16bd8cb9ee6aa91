"""What may be told of sensitive runs: verdict, metric names, numbers and digests, and nothing else.

Every part of a report is made anew from what may stay: a field that is added to a noun one day is
not told until it is named here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from reprocheck.bare_record import bare_record
from reprocheck.model import (
    Acceptance,
    BuiltEnvironment,
    CodeState,
    Comparison,
    CriterionResult,
    Failure,
    Finding,
    Gates,
    Margin,
    Material,
    Metric,
    Origin,
    OriginKind,
    Outcome,
    Patch,
    ProductComparison,
    Report,
    ReportDetail,
    RunRecord,
    RunRef,
    Stage,
    StageResult,
    Trial,
    UndeclaredInput,
    Verdict,
)
from reprocheck.numbers import (
    counted,
    format_change,
    format_percent,
    format_spread,
    format_value,
    format_width,
)
from reprocheck.progress import Progress

TAG = "reprocheck.sensitive"
LEFT_OUT = "the details are left out"

_YES = {"true", "yes", "1", "on"}
_DEFINITION = "experiment.yaml"
_HEX = re.compile(r"[0-9a-fA-F]{6,128}")
_RUN_ID = re.compile(r"[0-9a-f]{8,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,40}")
_VERSION = re.compile(r"[0-9][0-9.]{0,20}[0-9A-Za-z.+-]{0,12}")
_ALGORITHMS = {"md5", "sha1", "sha256", "sha512"}
_TRACKERS = {"mlflow", "file"}


def is_sensitive(record: RunRecord) -> bool:
    """Whether only little may be told of a run: by its tag, or by its experiment's definition.

    Of a definition that cannot be read, the word alone says so.
    """
    if record.tags.get(TAG, "").strip().casefold() in _YES:
        return True
    definition = record.definition
    if definition is not None:
        return bool(definition.sensitive) or any(each.sensitive for each in definition.data)
    files = (each for each in record.files if each.path.endswith(_DEFINITION))
    return any(b"sensitive" in each.content for each in files)


class Discreet:
    """Progress that says no more than the report will, once `is_on`.

    What is said (`say`) is what verifications cost and how trials ended, in numbers.
    """

    def __init__(self, progress: Progress, *, is_on: bool) -> None:
        self._progress = progress
        self.is_on = is_on

    def start(self, stage: Stage, doing: str) -> None:
        """A stage begins."""
        self._progress.start(stage, LEFT_OUT if self.is_on else doing)

    def update(self, doing: str) -> None:
        """What the running stage does now."""
        if not self.is_on:
            self._progress.update(doing)

    def say(self, text: str) -> None:
        """A line worth keeping."""
        self._progress.say(text)

    def finish(self, result: StageResult) -> None:
        """The stage ended."""
        self._progress.finish(_stage(result) if self.is_on else result)


def minimal(report: Report) -> Report:
    """The report with verdict, metric names, numbers and digests only; its exit code is the same.

    Told besides: stages and kinds of failures, codes and severities of findings, the kind of the
    environment and Python's version, and how often there was what is left out.
    """
    comparisons = tuple(map(_comparison, report.comparisons))
    products = tuple(_product(i, each) for i, each in enumerate(report.products, start=1))
    return Report(
        schema_version=report.schema_version,
        tool_version=report.tool_version,
        created_at=report.created_at,
        asked=_run_id(report.record.ref.run_id if report.record else report.asked),
        record=report.record and _record(report.record),
        stages=tuple(map(_stage, report.stages)),
        environment=report.environment and _environment(report.environment),
        cost=report.cost,
        trials=tuple(map(_trial, report.trials)),
        gates=report.gates and Gates(metrics=report.gates.metrics, reason=""),
        comparisons=comparisons,
        verdict=report.verdict,
        failed_stage=report.failed_stage,
        sentence=_sentence(report, comparisons, products),
        needed=_needed(comparisons),
        require=report.require,
        dry_run=report.dry_run,
        workspace=None,
        plan=report.plan,
        stopped_by=_word(report.stopped_by),
        criteria=tuple(map(_criterion, report.criteria)),
        products=products,
        undeclared=_undeclared(report.undeclared),
        subject=report.subject,
        detail=ReportDetail.MINIMAL,
        kept=report.kept,
        acceptance=_accepted(report.acceptance),
        proposed=_accepted(report.proposed),
    )


# --- the answer in numbers ----------------------------------------------------------------


def _sentence(
    report: Report, comparisons: Iterable[Comparison], products: Iterable[ProductComparison]
) -> str:
    if report.failed_stage is not None:
        kinds = [stage.failure.kind for stage in report.stages if stage.failure]
        kind = f" ({_word(kinds[0])})" if kinds else ""
        return f"The stage {report.failed_stage.value} could not do its work{kind}."
    if report.dry_run:
        return "nothing was run: this is the plan"
    judged: list[Comparison | ProductComparison] = [*comparisons, *products]
    worst = [e.sentence for e in judged if e.gated and e.verdict is report.verdict]
    return worst[0] if worst else f"{report.verdict.value}: {LEFT_OUT}."


def _needed(comparisons: Iterable[Comparison]) -> str:
    """What would decide it, as far as that is a number."""
    told = []
    for each in comparisons:
        if each.gated and each.verdict is Verdict.INCONCLUSIVE and each.reruns_needed:
            told.append(f"about {counted(each.reruns_needed, 'rerun')} for {each.metric}")
        elif each.gated and each.verdict is Verdict.CONSISTENT and each.smallest_margin:
            size = format_spread(each.smallest_margin, each.scale)
            told.append(f"a margin for {each.metric}: the reruns would support {size}")
    return "; ".join(told)


def _comparison(judged: Comparison) -> Comparison:
    return dataclasses.replace(
        judged,
        reason=_word(judged.reason),
        margin=judged.margin and _margin(judged.margin),
        notes=(),
        sentence=_in_numbers(judged) if judged.sentence else "",
    )


def _margin(margin: Margin) -> Margin:
    return dataclasses.replace(margin, text=margin.source.value)


def _in_numbers(judged: Comparison) -> str:
    """What was found of a metric, with its name, as for one that could not be compared."""
    values = judged.reruns
    mean = values[0] if judged.mean is None and len(values) == 1 else judged.mean
    originals = judged.baseline
    parts = [
        f"the original is {format_value(originals[0])}"
        if len(originals) == 1
        else counted(len(originals), "baseline value"),
        f"{counted(len(values), 'rerun')}"
        + ("" if mean is None else f" with a mean of {format_value(mean)}"),
    ]
    if judged.difference is not None:
        told = f"the difference is {format_change(judged.difference, judged.scale)}"
        if interval := judged.interval:
            ends = (format_change(end, judged.scale) for end in (interval.low, interval.high))
            told += f" ({format_percent(interval.level)} CI {'…'.join(ends)})"
        parts.append(told)
    if found := judged.margin:
        parts.append(f"the margin {format_width(found.low, found.high, judged.scale)}")
    return f"{judged.metric} {judged.verdict.value}: {', '.join(parts)}."


def _criterion(result: CriterionResult) -> CriterionResult:
    words = {
        Outcome.MEETS: "meets its criterion",
        Outcome.MISSES: "misses its criterion",
        Outcome.UNDECIDED: "may or may not meet its criterion",
    }
    bound = f"{result.bound} {format_value(result.threshold)}"
    mean = "" if result.mean is None else f": the reruns average {format_value(result.mean)}"
    sentence = f"{result.metric} {words[result.outcome]} {bound}{mean}."
    return dataclasses.replace(result, sentence=sentence)


def _product(number: int, product: ProductComparison) -> ProductComparison:
    reason = _word(product.reason)
    return ProductComparison(
        path=f"product {number}",
        gated=product.gated,
        verdict=product.verdict,
        reason=reason,
        sentence=f"product {number}: {product.verdict.value} ({reason}).",
        original=product.original,
        reruns=product.reruns,
    )


def _accepted(found: Acceptance | None) -> Acceptance | None:
    """Ids, times and numbers: who and why are words."""
    return found and dataclasses.replace(found, run_id=_run_id(found.run_id), by="", reason="")


# --- the run and its reruns ---------------------------------------------------------------


def _record(record: RunRecord) -> RunRecord:
    tracker = record.ref.tracker if record.ref.tracker in _TRACKERS else "other"
    bare = bare_record(RunRef(tracker=tracker, run_id=_run_id(record.ref.run_id)))
    return dataclasses.replace(
        bare,
        status=record.status,
        code=_code(bare.code, record.code),
        data=_data(record.data),
        metrics=_metrics(record.metrics),
        findings=without_words(record.findings),
    )


def _code(bare: CodeState, code: CodeState) -> CodeState:
    return dataclasses.replace(
        bare,
        commit=_hex(code.commit) or "",
        patch=code.patch and _patch(code.patch),
        tree=code.tree,
        stored=("its artifacts",) if code.stored else (),
    )


def _patch(patch: Patch) -> Patch:
    digest = _hex(patch.sha256 or "") or hashlib.sha256(patch.content).hexdigest()
    size = len(patch.content) if patch.size is None else patch.size
    return Patch(content=b"", sha256=digest, size=size)


def _data(data: Iterable[Material]) -> tuple[Material, ...]:
    """The inputs by their digests; what is no digest by its form is text."""
    known = [
        each
        for each in data
        if each.algorithm in _ALGORITHMS and _hex(each.digest.removesuffix(".dir"))
    ]
    return tuple(
        Material(
            path=f"input {number}",
            algorithm=each.algorithm,
            digest=each.digest,
            size=each.size,
            files=each.files,
            origin=Origin(kind=OriginKind.TRACKER, where=""),
            weak=each.weak,
        )
        for number, each in enumerate(known, start=1)
    )


def _metrics(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    return {
        name: Metric(name=name, history=each.history, points=each.points)
        for name, each in metrics.items()
    }


def _stage(result: StageResult) -> StageResult:
    failure = result.failure
    return StageResult(
        stage=result.stage,
        status=result.status,
        duration_s=result.duration_s,
        findings=without_words(result.findings),
        failure=failure
        and Failure(kind=_word(failure.kind), message="", hint="", usage=failure.usage),
    )


def without_words(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by code and severity alone."""
    return tuple(
        Finding(code=each.code, severity=each.severity, message=LEFT_OUT, hint="", pointer="")
        for each in findings
    )


def _environment(built: BuiltEnvironment) -> BuiltEnvironment:
    return BuiltEnvironment(
        kind=built.kind,
        digest=_hex(built.digest) or hashlib.sha256(built.digest.encode()).hexdigest(),
        python=built.python if _VERSION.fullmatch(built.python) else "",
        asked="",
        lock="",
        packages=(),
        isolation="",
        cached=built.cached,
    )


def _trial(trial: Trial) -> Trial:
    return Trial(
        index=trial.index,
        seed=None,
        metrics=_metrics(trial.metrics),
        parameters={},
        differences=(),
        exit_code=trial.exit_code,
        duration_s=trial.duration_s,
        log=Path(),
        log_tail="",
        products=(),
    )


def _undeclared(
    inputs: tuple[UndeclaredInput, ...] | None,
) -> tuple[UndeclaredInput, ...] | None:
    """Their number tells that there were some."""
    if inputs is None:
        return None
    return tuple(
        UndeclaredInput(path=f"file {i}", sha256=each.sha256, size=each.size, hint="")
        for i, each in enumerate(inputs, start=1)
    )


# --- texts that may stay ------------------------------------------------------------------


def _run_id(text: str) -> str:
    """The id where it is one by its form, else its digest: a name may say what it is of."""
    return text if _RUN_ID.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()[:32]


def _hex(text: str) -> str | None:
    return text if _HEX.fullmatch(text) else None


def _word(text: str) -> str:
    """A short code of ours, as a reason or an error's class."""
    return text if _WORD.fullmatch(text) else ""
