"""Checks and pages for tests, and one for each thing that a comment may have to say."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

from reprocheck.model import (
    Check,
    CodeState,
    Earlier,
    Finding,
    Hardware,
    HardwareDifference,
    HardwareGrade,
    HardwareSides,
    Material,
    Origin,
    OriginKind,
    Package,
    PackageDifference,
    PackageGrade,
    PackageLists,
    Page,
    Problem,
    Report,
    ReportDetail,
    RuleChange,
    RunRef,
    Setting,
    Severity,
    Stage,
    UndeclaredInput,
    Verdict,
)
from tests.reporters.builders import (
    COMMIT,
    RUN_ID,
    make_code,
    make_comparison,
    make_criterion,
    make_environment,
    make_history,
    make_informational,
    make_metric,
    make_product,
    make_record,
    make_report,
    make_stages,
    make_trial,
)
from tests.reporters.cases import (
    consistent,
    identical,
    inconclusive,
    not_reproduced,
    not_verified,
    reproduced,
)

HEAD, BEFORE = "ab" * 20, "cd" * 20
OTHER = "9b" * 16
SOUGHT = (
    "the description of the pull request",
    "the file reprocheck.runs",
    "runs of the tracker at the 3 commits of the pull request",
)


def make_check(*reports: Report, **changes: Any) -> Check:
    check = Check(
        schema_version=1,
        tool_version="0.1.0",
        created_at=datetime(2026, 2, 1, 9, 30, 0, tzinfo=UTC),
        head_sha=HEAD,
        reports=reports,
        sought=SOUGHT,
    )
    return dataclasses.replace(check, **changes)


def make_page(**changes: Any) -> Page:
    page = Page(
        server="https://github.com",
        repository="example/digits",
        number=7,
        head_sha=HEAD,
        workflow_url="https://github.com/example/digits/actions/runs/5",
        artifact_url="https://github.com/example/digits/actions/runs/5/artifacts/6",
        run_id=5,
        tracker_hosts=("mlflow.example",),
    )
    return dataclasses.replace(page, **changes)


def dvc_material(**changes: Any) -> Material:
    material = Material(
        path="data/train.csv",
        algorithm="md5",
        digest="9e107d9d372bb6826bd81d3542a419d6",
        size=81_920,
        files=None,
        origin=Origin(kind=OriginKind.FILE, where="data/train.csv.dvc at the commit"),
    )
    return dataclasses.replace(material, **changes)


def make_packages(**changes: Any) -> PackageLists:
    differences = (
        PackageDifference(
            name="scikit-learn", asked="1.5.1", landed="1.5.2", grade=PackageGrade.FRAMEWORK
        ),
        PackageDifference(name="tqdm", asked="4.66", landed="4.67", grade=PackageGrade.OTHER),
    )
    lists = PackageLists(
        source="requirements.txt",
        asked=(("numpy", "2.1.3"), ("scikit-learn", "1.5.1"), ("tqdm", "4.66")),
        whole=True,
        frameworks=("sklearn",),
        differences=differences,
    )
    return dataclasses.replace(lists, **changes)


def make_hardware() -> HardwareSides:
    return HardwareSides(
        asked=Hardware(cpu_model="EPYC 7763", cpu_count=8, gpus=()),
        origins={"cpu_model": Origin(kind=OriginKind.TAG, where="reprocheck.hardware")},
        landed=Hardware(cpu_model="Xeon 8370C", cpu_count=2, gpus=()),
        differences=(
            HardwareDifference(
                name="cpu_model", asked="EPYC 7763", landed="Xeon 8370C", grade=HardwareGrade.DIRECT
            ),
            HardwareDifference(name="cpu_count", asked="8", landed="2", grade=HardwareGrade.SPEED),
        ),
        lacking=("isa",),
    )


def whole() -> Report:
    """A report that has something to say everywhere; every text of it is more than nothing."""
    findings = (
        Finding(
            code="unknown-tree",
            severity=Severity.WARNING,
            message="the run does not say whether its code had uncommitted changes",
            hint="tag the run reprocheck.tree with clean or dirty",
            pointer="/code/tree",
            fix="mlflow runs set-tag",
        ),
    )
    record = make_record(
        description="Half the learning rate, as in the paper.",
        url="https://mlflow.example/#/experiments/1/runs/5f0c",
        data=(dvc_material(), dvc_material(path="data/test.csv")),
        metrics={
            "accuracy": make_metric("accuracy", 0.6, 0.81, 0.9, 0.94, 0.9611),
            "loss": make_metric("loss", 1.9, 0.9, 0.5, 0.2, 0.1342),
        },
    )
    return make_report(
        record=record,
        stages=make_stages(Stage.COMPARE, findings=findings, summary="nothing left to compare"),
        sentence=f"{make_comparison().sentence}\nThe log ends here.",
        needed="More reruns.",
        trials=tuple(
            make_trial(
                i,
                metrics={"accuracy": make_metric("accuracy", 0.6, 0.8, 0.91, 0.94, 0.96 + i / 1e4)},
            )
            for i in range(1, 4)
        ),
        comparisons=(
            make_comparison(history=make_history(), detectable=0.0087, notes=("It is assumed.",)),
            make_comparison(metric="f1", sentence="The other one is, too."),
            make_informational("latency_ms"),
        ),
        criteria=(make_criterion(),),
        products=(make_product("model/model.pkl", gated=True),),
        packages=make_packages(),
        settings=(
            Setting(
                name="OMP_NUM_THREADS",
                value="1",
                origin=Origin(kind=OriginKind.TAG, where="reprocheck.settings"),
            ),
        ),
        hardware=make_hardware(),
        undeclared=(
            UndeclaredInput(path="/data/words.txt", sha256="ef" * 32, size=12, hint="declare it"),
        ),
        subject="ee" * 32,
    )


def on_base() -> Report:
    """The base branch's run, with other parameters, data and packages."""
    record = make_record(
        ref=RunRef(tracker="mlflow", run_id=OTHER),
        parameters={"lr": "0.2", "seed": "42", "momentum": "0.9"},
        data=(dvc_material(digest="0a" * 16),),
    )
    built = make_environment(
        packages=(Package(name="numpy", version="2.1.2"), Package(name="tqdm", version="4.66"))
    )
    comparison = make_comparison(reruns=(0.951, 0.9522, 0.9508), mean=0.951333, sd=0.0007)
    return make_report(record=record, environment=built, comparisons=(comparison,))


def named(report: Report, run: str, name: str, code: CodeState | None = None) -> Report:
    """The report as that of another run."""
    record = report.record or make_record()
    record = dataclasses.replace(
        record, ref=RunRef(tracker="mlflow", run_id=run), name=name, code=code or record.code
    )
    return dataclasses.replace(report, record=record)


PROBLEMS = (
    Problem(
        asked="deadbeef",
        message="reading the run deadbeef: the tracker has no such run",
        hint="correct the id in the description of the pull request",
        exit_code=2,
    ),
    Problem(
        asked="report.json",
        message="reading report.json: it is of a later version of reprocheck",
        hint="update reprocheck in the job that reports",
        exit_code=3,
    ),
)
RULES = (
    RuleChange(key="metrics.accuracy.margin", base='{"abs":0.005}', head='{"abs":0.05}'),
    RuleChange(key="metrics.loss.gate", base="true", head=""),
)
EARLIER = Earlier(
    head_sha=BEFORE,
    run_id=4,
    attempt=1,
    verdicts={RUN_ID: Verdict.REPRODUCED, "0f" * 16: Verdict.INCONCLUSIVE},
    values={RUN_ID: {"accuracy": 0.96078, "validation/f1_macro": 0.96078}},
)


def several_runs() -> Check:
    return make_check(
        named(reproduced(), "1" * 32, "digits-sgd"),
        named(not_reproduced(), "2" * 32, "digits-adam"),
        named(consistent(), "3" * 32, "digits-wide"),
    )


def whole_check() -> tuple[Check, Page]:
    check = make_check(
        whole(), problems=PROBLEMS, rule_changes=RULES, waiting="waiting for a maintainer's fetch"
    )
    shown = "https://github.com/example/digits/actions/runs/9/artifacts/8"
    return check, make_page(
        base={RUN_ID: on_base()}, earlier=EARLIER, untrusted=True, html_url=shown
    )


COMMENTS: dict[str, tuple[Check, Page]] = {
    "reproduced": (make_check(reproduced()), make_page()),
    "identical": (make_check(identical()), make_page()),
    "not-reproduced": (make_check(not_reproduced()), make_page()),
    "inconclusive": (make_check(inconclusive()), make_page()),
    "not-verified": (make_check(not_verified()), make_page()),
    "several-runs": (several_runs(), make_page()),
    "nothing-verified": (make_check(), make_page()),
    "waiting": (make_check(waiting="waiting for a maintainer's fetch"), make_page()),
    "problems": (make_check(problems=PROBLEMS), make_page()),
    "against-base": (
        make_check(make_report(record=make_record(data=(dvc_material(),)))),
        make_page(base={RUN_ID: on_base()}),
    ),
    "changed-rules": (make_check(reproduced(), rule_changes=RULES), make_page()),
    "untrusted": (
        make_check(reproduced()),
        make_page(untrusted=True, head_repository="someone/digits"),
    ),
    "minimal": (
        make_check(dataclasses.replace(whole(), detail=ReportDetail.MINIMAL)),
        make_page(),
    ),
    "since-last-push": (make_check(not_reproduced()), make_page(earlier=EARLIER)),
    "whole": whole_check(),
}
"""By the name of its golden file."""

__all__ = ["COMMENTS", "COMMIT", "make_check", "make_code", "make_page", "whole_check"]
