"""Audits as the reporters get them."""

from __future__ import annotations

import random

from reprocheck.audit.causes import causes, rescue
from reprocheck.audit.together import Together
from reprocheck.model import Audit, AuditedRun, Grade, RunStatus, Severity
from tests.audit.builders import make_audit, make_dataset, make_finding, make_run, make_summary

HOSTILE = (
    "</td><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{7*7}}{% raw %}"
    "\x1b[2J\u202eevil\r\n=cmd()"
)

FOUND = (
    make_finding(
        "missing-command",
        message="the run records no command, and no file at the commit tells one",
        hint="give `command` in reprocheck.yaml, or start runs with `mlflow run`",
        fix='command: "python train.py --lr {params.lr}"',
    ),
    make_finding("missing-metrics", message="the run has no metrics: there is nothing to compare"),
    make_finding(
        "unpushed-commit",
        message="the commit 0123abcd is on no remote: only this machine has it",
        fix="git push origin 0123abcd:refs/reprocheck/0123abcd",
    ),
    make_finding(
        "missing-seed",
        Severity.WARNING,
        message="the run records no random seed: the reruns may differ by their seeds too",
    ),
    make_finding(
        "unknown-tree",
        Severity.WARNING,
        message="the run does not say whether its code had uncommitted changes; "
        "the code at the commit may be another",
    ),
    make_finding("missing-repository", Severity.NOTE),
)


def a_run(index: int, *numbers: int, **changes: object) -> AuditedRun:
    found = tuple(FOUND[i] for i in sorted(numbers))
    severities = {each.severity for each in found}
    grade = Grade.CAVEATS if Severity.WARNING in severities else Grade.VERIFIABLE
    grade = Grade.NOT_VERIFIABLE if Severity.ERROR in severities else grade
    return make_run(index, grade, found, **changes)


def audited(runs: tuple[AuditedRun, ...], uri: str = "sqlite:///mlflow.db") -> Audit:
    together = Together(uri, {})
    for i, run in enumerate(runs):
        digest = "1a2b3c4d" if i % 3 else "9f8e7d6c"
        name = "acc" if i % 5 == 1 else "accuracy"
        together.add(
            make_summary(
                i,
                experiment=run.experiment,
                metrics={name: 0.9, **({"f1": 0.8} if i % 7 else {})},
                parameters={"lr": "0.1"},
                datasets=(make_dataset(digest),),
                artifact_uri=f"file:///home/ann/mlruns/1/{i:032x}/artifacts",
            )
        )
    step, lifted = rescue(runs)
    return make_audit(runs, causes(runs), together.findings(), rescue=step, rescued=lifted)


def none() -> Audit:
    return make_audit(filter="metrics.accuracy > 0.99")


def good() -> Audit:
    return audited(tuple(a_run(i, 5) for i in range(3)), uri="https://mlflow.example")


def three() -> Audit:
    return audited((a_run(0), a_run(1, 3, 4), a_run(2, 0, 3)))


def many(count: int = 40) -> Audit:
    chance = random.Random(1)
    picks = ((), (3,), (3, 4), (0, 3), (0, 2), (0,), (1, 0), (2, 3), (5,))
    runs = (a_run(i, *chance.choice(picks)) for i in range(count))
    return audited(tuple(runs))


def hostile() -> Audit:
    finding = make_finding(HOSTILE, message=HOSTILE, hint=HOSTILE, fix=HOSTILE)
    run = make_run(
        0,
        Grade.NOT_VERIFIABLE,
        (finding,),
        name=HOSTILE,
        experiment=HOSTILE,
        commit=HOSTILE,
        metrics={HOSTILE: float("nan")},
        status=RunStatus.FAILED,
        started_at=None,
    )
    return make_audit(
        (run,),
        causes([run]),
        (finding,),
        rescue=HOSTILE,
        rescued=1,
        experiments=(HOSTILE,),
        filter=HOSTILE,
        tool_version=HOSTILE,
    )


CASES = {"none": none, "good": good, "three": three, "many": many, "hostile": hostile}
