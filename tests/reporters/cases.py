"""One report for each verdict."""

from __future__ import annotations

import dataclasses
import math

from reprocheck.model import (
    Change,
    Failure,
    Finding,
    Interval,
    Margin,
    MarginSource,
    Origin,
    OriginKind,
    Report,
    Require,
    Severity,
    Stage,
    TreeState,
    Verdict,
)
from tests.reporters.builders import (
    make_code,
    make_comparison,
    make_environment,
    make_informational,
    make_patch,
    make_record,
    make_report,
    make_stages,
    make_trial,
)

NOTE = Finding(
    code="missing-repository",
    severity=Severity.NOTE,
    message="the run does not say which repository its commit belongs to",
    hint="run reprocheck inside the repository",
    pointer="/code/repository",
)
WARNING = Finding(
    code="unknown-tree",
    severity=Severity.WARNING,
    message="the run does not say whether its code had uncommitted changes",
    hint="tag the run reprocheck.tree with clean or dirty",
    pointer="/code/tree",
)


def identical() -> Report:
    sentence = "All 2 reruns gave exactly the original value, bit for bit."
    comparison = make_comparison(
        verdict=Verdict.IDENTICAL,
        reason="bits",
        sentence=sentence,
        reruns=(0.9611, 0.9611),
        mean=0.9611,
        sd=0.0,
        difference=0.0,
        interval=None,
        margin=None,
        max_ulps=0,
    )
    return make_report(
        verdict=Verdict.IDENTICAL,
        sentence=sentence,
        comparisons=(comparison,),
        trials=(make_trial(1), make_trial(2)),
        environment=make_environment(cached=True),
    )


def reproduced() -> Report:
    read, validate, *rest = make_stages()
    others = tuple(make_informational(f"layer{i}/grad_norm") for i in range(16))
    return make_report(
        comparisons=(make_comparison(), *others),
        stages=(read, dataclasses.replace(validate, findings=(NOTE, WARNING)), *rest),
    )


def consistent() -> Report:
    sentence = (
        "The reported 0.9611 lies within the run-to-run noise of 5 reruns (SD 0.00057); no margin "
        "was declared, so equivalence was not tested. "
        "The data would support any margin ≥ 0.00121."
    )
    comparison = make_comparison(
        verdict=Verdict.CONSISTENT, reason="noise", sentence=sentence, margin=None, interval=None
    )
    return make_report(
        verdict=Verdict.CONSISTENT,
        sentence=sentence,
        needed="A margin: --margin accuracy=0.00121 would be supported by these reruns.",
        comparisons=(comparison,),
        require=Require.REPRODUCED,
    )


def inconclusive() -> Report:
    sentence = (
        "5 reruns cannot settle it: the mean difference is -0.0041 "
        "(90 % CI -0.0083…0.0001), margin ±0.005; about 12 reruns would."
    )
    comparison = make_comparison(
        verdict=Verdict.INCONCLUSIVE,
        reason="noise",
        sentence=sentence,
        difference=-0.0041,
        interval=Interval(low=-0.0083, high=0.0001, level=90.0),
        reruns_needed=12,
    )
    return make_report(
        verdict=Verdict.INCONCLUSIVE,
        sentence=sentence,
        needed="About 12 reruns: --reruns 12.",
        comparisons=(make_comparison(metric="f1"), comparison),
    )


def not_comparable() -> Report:
    sentence = "loss could not be compared: the reruns did not log it."
    comparison = make_comparison(
        metric="loss",
        verdict=Verdict.NOT_COMPARABLE,
        reason="missing",
        sentence=sentence,
        baseline=(math.nan,),
        reruns=(),
        mean=None,
        sd=None,
        difference=None,
        interval=None,
        margin=None,
    )
    return make_report(
        verdict=Verdict.NOT_COMPARABLE,
        sentence=sentence,
        needed="Log loss in every run, or take it out of the judged metrics.",
        comparisons=(make_comparison(), comparison),
    )


def not_reproduced() -> Report:
    sentence = (
        "The original 0.9611 lies outside what rerunning gives (0.91342 ± 0.00262, 95 % "
        "prediction interval) and differs by more than ±0.005: worse."
    )
    comparison = make_comparison(
        verdict=Verdict.NOT_REPRODUCED,
        change=Change.WORSE,
        reason="difference",
        sentence=sentence,
        mean=0.913420,
        sd=0.000912345,
        difference=-0.0476801,
        interval=Interval(low=-0.0485493, high=-0.0468109, level=90.0),
        margin=Margin(low=0.0096, high=0.0048, source=MarginSource.SIBLINGS, text="4 siblings"),
    )
    code = make_code(tree=TreeState.DIRTY, patch=make_patch())
    return make_report(
        verdict=Verdict.NOT_REPRODUCED,
        sentence=sentence,
        needed="Compare the environments: the recorded one may not be the one that ran.",
        comparisons=(make_comparison(metric="validation/f1_macro"), comparison),
        record=make_record(code=code),
    )


def not_verified() -> Report:
    failure = Failure(
        kind="RebuildError",
        message="installing requirements.txt: no version of scikit-learn matches ==0.99.1",
        hint="correct the pin in the recorded requirements.txt, or name another file under "
        "`environment` in reprocheck.yaml",
        usage=False,
    )
    return make_report(
        verdict=Verdict.NOT_VERIFIED,
        failed_stage=Stage.REBUILD,
        sentence="The environment could not be rebuilt.",
        stages=make_stages(Stage.REBUILD, failure=failure),
        environment=None,
        trials=(),
        gates=None,
        comparisons=(),
    )


def crashed() -> Report:
    failure = Failure(
        kind="RerunError",
        message="rerunning the training: it ended with exit code 1 twice",
        hint="read the log of the rerun; run the command in a fresh checkout of the commit",
        usage=False,
    )
    tail = "epoch 1\nTraceback (most recent call last):\nFileNotFoundError: data/val.csv\n"
    return make_report(
        verdict=Verdict.NOT_VERIFIED,
        failed_stage=Stage.RERUN,
        sentence=failure.message,
        stages=make_stages(Stage.RERUN, failure=failure),
        trials=(make_trial(exit_code=1, log_tail=tail, metrics={}),),
        comparisons=(),
    )


def dry_run() -> Report:
    planned = make_comparison(
        verdict=Verdict.INCONCLUSIVE, reruns=(), mean=None, sd=None, difference=None, interval=None
    )
    command = Origin(kind=OriginKind.INFERRED, where="the recorded script name")
    record = make_record()
    return make_report(
        dry_run=True,
        verdict=Verdict.NOT_VERIFIED,
        sentence="This is what a verification would do.",
        record=make_record(origins={**record.origins, "/command": command}),
        stages=make_stages()[:3],
        environment=None,
        trials=(),
        comparisons=(planned,),
    )


CASES = {
    "identical": identical,
    "reproduced": reproduced,
    "consistent": consistent,
    "inconclusive": inconclusive,
    "not_comparable": not_comparable,
    "not_reproduced": not_reproduced,
    "not_verified": not_verified,
    "crashed": crashed,
    "dry_run": dry_run,
}
