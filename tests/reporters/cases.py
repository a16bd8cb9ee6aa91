"""One report for each verdict."""

from __future__ import annotations

import dataclasses
import math

from reprocheck.model import (
    Change,
    Comparison,
    Cost,
    CriterionResult,
    Failure,
    Finding,
    Gates,
    Interval,
    Margin,
    MarginSource,
    Origin,
    OriginKind,
    Outcome,
    PredictionComparison,
    ProductComparison,
    Report,
    Require,
    RerunPlan,
    Scale,
    Severity,
    Stage,
    TreeState,
    Verdict,
)
from tests.reporters.builders import (
    make_code,
    make_comparison,
    make_criterion,
    make_environment,
    make_history,
    make_informational,
    make_patch,
    make_product,
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
        stopped_by="deterministic",
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
        verdict=Verdict.INFORMATIONAL,
        sentence="",
        reruns=(),
        mean=None,
        sd=None,
        difference=None,
        interval=None,
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
        plan=RerunPlan(),
        stopped_by="",
        cost=Cost(original_s=200.0, reruns=8, trial_timeout_s=1_200.0, longest_s=9_600.0),
    )


ASSUMED = "Assumed, as so few cannot show it: normal noise, no rare collapse."


SEVERAL = (
    "Across 4 reruns the mean differs from the mean 0.9611 of 3 originals by -0.00032 "
    "(97.3 % CI -0.00121…+0.00057), inside the margin -0.01…+0.005 (declared)."
)


def several() -> Report:
    """All that a report may hold, of a run that reproduces and misses a required criterion."""
    return make_report(
        sentence=f"accuracy: {SEVERAL}",
        comparisons=(_several_accuracy(), _several_loss()),
        gates=Gates(
            metrics=("accuracy", "loss"),
            reason="headline metrics by name, since neither --gate nor reprocheck.yaml names any",
        ),
        trials=tuple(make_trial(index) for index in range(1, 5)),
        plan=RerunPlan(),
        stopped_by="decided",
        cost=Cost(original_s=200.0, reruns=8, trial_timeout_s=1_200.0, longest_s=9_600.0),
        require=Require.CRITERIA,
        criteria=(make_criterion(), _missed()),
        products=(_weights(), make_product("a.csv"), make_product("b.csv", "numbers")),
        predictions=PredictionComparison(
            examples=360,
            churn=(0.011, 0.014, 0.008, 0.011),
            agreement=0.989,
            flip_sd=0.0041,
            sentence="The reruns predict 0.833 % to 1.39 % of the 360 examples otherwise.",
        ),
    )


def _several_accuracy() -> Comparison:
    return make_comparison(
        sentence=SEVERAL,
        baseline=(0.9611, 0.9622, 0.96),
        reruns=(0.9608, 0.9614, 0.9599, 0.9611),
        interval=Interval(low=-0.00121, high=0.00057, level=97.3),
        margin=Margin(
            low=0.01, high=0.005, source=MarginSource.DECLARED, text="-0.01, +0.005 (--margin)"
        ),
        history=make_history(),
        detectable=0.0087,
        notes=(ASSUMED,),
    )


def _several_loss() -> Comparison:
    return make_comparison(
        metric="loss",
        sentence="Across 4 reruns the mean differs from the reported 0.1342 by +0.376 % "
        "(97.3 % CI -0.519 %…+1.28 %), inside the margin -1.96 %…+2 % (declared).",
        scale=Scale.LOG,
        baseline=(0.1342,),
        reruns=(0.1345, 0.1349, 0.1342, 0.1352),
        mean=0.134704,
        sd=0.00332,
        difference=math.log(0.134704 / 0.1342),
        interval=Interval(low=-0.0052, high=0.0127, level=97.3),
        margin=Margin(
            low=math.log(1.02), high=math.log(1.02), source=MarginSource.DECLARED, text="2 %"
        ),
        history=make_history(best=None, parted_at=None),
        detectable=0.019,
        notes=(ASSUMED,),
    )


def _missed() -> CriterionResult:
    return make_criterion(
        metric="loss",
        bound="max",
        threshold=0.13,
        outcome=Outcome.MISSES,
        sentence="loss misses its criterion max 0.13: the reruns average 0.134704, at least "
        "0.134175 with 95 % confidence.",
    )


def _weights() -> ProductComparison:
    return make_product(
        "model/model.safetensors",
        gated=True,
        verdict=Verdict.IDENTICAL,
        sentence="model/model.safetensors: the same in all 4 reruns.",
    )


def not_worse() -> Report:
    sentence = (
        "Not worse than the reported 0.9611: across 5 reruns the mean differs by -0.00032 "
        "(90 % CI -0.00121…+0.00057), not by 0.005 or more for the worse (declared). Only that "
        "side was tested."
    )
    comparison = make_comparison(verdict=Verdict.NOT_WORSE, sentence=sentence)
    return make_report(
        verdict=Verdict.NOT_WORSE, sentence=f"accuracy: {sentence}", comparisons=(comparison,)
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
    "several": several,
    "not_worse": not_worse,
}
