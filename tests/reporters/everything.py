"""Reports that are large, hostile or rare, for pages."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

from reprocheck.model import (
    Argv,
    Command,
    Difference,
    Exhibit,
    ExhibitKind,
    ExhibitSide,
    Finding,
    Grid,
    Metric,
    Picture,
    Point,
    Report,
    ReportDetail,
    Severity,
    ShellLine,
    Sibling,
    Step,
    UntrackedFile,
)
from tests.reporters.builders import (
    make_acceptance,
    make_code,
    make_comparison,
    make_history,
    make_informational,
    make_record,
    make_report,
    make_stages,
    make_trial,
)
from tests.reporters.cases import CASES, not_reproduced
from tests.reporters.checks import whole

METRICS = tuple(f"metric_{i}" for i in range(8))
HISTORIES = (*METRICS, "loss", "gradient_norm")
POINTS, TRIALS = 500, 8

EVIL = "</script></style><script>window.hacked = 1</script><img src=x onerror=hacked=1>{{ 7 * 7 }}"
TURNED = "abc\u202edcba\u2066\x1b[31m\x00"
HUGE = "x" * 20_000


def large() -> Report:
    """Eight judged metrics and ten histories of 500 points, of the original and of each rerun."""
    names = {name: _history(name, i) for i, name in enumerate(HISTORIES)}
    comparisons = tuple(
        make_comparison(metric=name, history=make_history(steps=POINTS, parted_at=40))
        for name in METRICS
    )
    siblings = tuple(
        Sibling(run_id=f"{i:032x}", metrics=dict.fromkeys(METRICS, 0.96 + i / 2000))
        for i in range(20)
    )
    log = "".join(f"epoch {i}: loss {1 / (i + 1):.6f}, all is well\n" for i in range(1600))
    trials = tuple(
        make_trial(
            index,
            metrics={name: _history(name, i + index / 50) for i, name in enumerate(HISTORIES)},
            log_tail=log,
        )
        for index in range(1, TRIALS + 1)
    )
    record = make_record(metrics=names, siblings=siblings)
    return make_report(record=record, comparisons=comparisons, trials=trials)


def _history(name: str, phase: float) -> Metric:
    points = (
        Point(step=i, timestamp_ms=i, value=0.9611 - math.exp(-i / 60 - phase / 9))
        for i in range(POINTS)
    )
    return Metric(name=name, history=tuple(points))


def accepted() -> Report:
    """Judged against an accepted baseline, with another one proposed."""
    told = make_acceptance(old=(0.96,), new=(0.9134, 0.9136))
    later = dataclasses.replace(told, by="Grace Example", reason="it looks better")
    return dataclasses.replace(not_reproduced(), acceptance=told, proposed=later)


def minimal() -> Report:
    """Of a sensitive run: full inside, to be told in minimal detail."""
    return dataclasses.replace(whole(), detail=ReportDetail.MINIMAL)


def hostile() -> Report:
    """Every text of a run is one that means something elsewhere."""
    text = f"{EVIL} {TURNED}"
    record = make_record(
        name=text,
        experiment=HUGE,
        url="javascript:window.hacked=1",
        code=make_code(
            repository="--upload-pack=touch hacked",
            untracked=(UntrackedFile(path="-rf", sha256=None, artifact="$(touch hacked)"),),
        ),
        command=Command(
            steps=(
                Step(run=Argv(args=("python", "$(touch hacked)", "; touch hacked", EVIL))),
                Step(run=ShellLine(line=f"echo {TURNED}"), cwd="-x"),
            ),
            env={"A": "$(touch hacked)", "B; touch hacked": "1"},
        ),
        parameters={text: text, HUGE: HUGE},
        tags={},
        seeds={text: text},
    )
    finding = Finding(
        code=f"{EVIL}-code",
        severity=Severity.ERROR,
        message=text,
        hint=text,
        pointer="",
        fix=text,
    )
    differing = Difference(name=text, original=text, trial=HUGE, excuse=text)
    return make_report(
        record=record,
        comparisons=(
            make_comparison(metric=text, sentence=text, notes=(text,)),
            make_comparison(metric=HUGE, sentence=HUGE),
            make_informational(text),
        ),
        sentence=text,
        needed=text,
        stages=(*make_stages()[:6], dataclasses.replace(make_stages()[6], findings=(finding,))),
        trials=(
            make_trial(
                1,
                log=Path("</pre><script>hacked=1</script>"),
                log_tail=f"</pre>{text}\n{HUGE}\n",
                differences=(differing,),
            ),
        ),
    )


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def everything() -> Report:
    """Something to see in every part of a page."""
    report = whole()
    return dataclasses.replace(
        CASES["several"](),
        stages=make_stages()[:6] + report.stages[6:],
        record=report.record,
        packages=report.packages,
        settings=report.settings,
        hardware=report.hardware,
        undeclared=report.undeclared,
        acceptance=accepted().acceptance,
        proposed=accepted().proposed,
        exhibits=tuple(_exhibits()),
    )


def _exhibits() -> Iterator[Exhibit]:
    names = ("cat", "dog")
    for path, kind, ours, theirs in (
        ("confusion.csv", ExhibitKind.MATRIX, ((9.0, 1.0), (2.0, 8.0)), ((8.0, 2.0), (2.0, 8.0))),
        ("roc.json", ExhibitKind.CURVE, ((0.0, 0.0), (1.0, 1.0)), ((0.0, 0.1), (1.0, 1.0))),
    ):
        grids = [
            Grid(columns=names, rows=names if ours[0][0] else (), values=v) for v in (ours, theirs)
        ]
        sides = [ExhibitSide(sha256=f"{i}a" * 32, size=9, content=g) for i, g in enumerate(grids)]
        yield Exhibit(path=path, kind=kind, original=sides[0], rerun=sides[1], trial=1)
    picture = Picture(png=PNG, width=1, height=1)
    image = ExhibitSide(sha256="cc" * 32, size=70, content=picture)
    yield Exhibit(path="a.png", kind=ExhibitKind.IMAGE, original=image, rerun=image, trial=1)
    absent = ExhibitSide(sha256="dd" * 32, size=10**9)
    yield Exhibit(
        path="huge.png",
        kind=ExhibitKind.IMAGE,
        original=absent,
        rerun=absent,
        trial=1,
        left_out="it is too large",
    )


PAGES = {
    "everything": everything,
    "large": large,
    "accepted": accepted,
    "minimal": minimal,
    "hostile": hostile,
}
"""What a page shows beside `tests.reporters.cases.CASES`."""
