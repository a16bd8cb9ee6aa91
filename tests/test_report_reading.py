"""Reports back out of their documents: the same texts, and no file that breaks the reader."""

import dataclasses
import json as standard
import math
import os

import pytest

from reprocheck import model, record_reading, report_reading, schema
from reprocheck.documents import LARGEST_REPORT
from reprocheck.errors import ReportFileError
from reprocheck.model import (
    Difference,
    Failure,
    Given,
    Hardware,
    HardwareDifference,
    HardwareGrade,
    HardwareSides,
    Origin,
    OriginKind,
    PackageDifference,
    PackageGrade,
    PackageLists,
    PredictionComparison,
    Scope,
    Seal,
    SealedMetric,
    Setting,
    StageStatus,
    UndeclaredInput,
)
from reprocheck.reporters import json, markdown, terminal
from tests.reporters import cases
from tests.reporters.builders import (
    make_code,
    make_comparison,
    make_criterion,
    make_definition,
    make_history,
    make_metric,
    make_patch,
    make_product,
    make_record,
    make_report,
    make_trial,
)
from tests.reporters.exhibits import make_exhibit, make_picture

TAG = Origin(kind=OriginKind.TAG, where="hardware.gpus")


def everything():
    """A report in which every noun has a value that is not its default."""
    here = Hardware(cpu_model="B", gpus=("A100", "A100"), gpu_count=2, threads={"blas": 8})
    seal = Seal(
        at=cases.make_report().created_at,
        parameters={"lr": "0.1"},
        metrics={"accuracy": SealedMetric(value=math.inf, step=1, timestamp_ms=2, points=2)},
        tags={"team": "vision"},
    )
    record = make_record(
        code=make_code(patch=make_patch(), upstream=make_patch(b"x"), stored=("code/",)),
        definition=make_definition(hypothesis="better", sensitive=("personal",)),
        metrics={
            "accuracy": make_metric("accuracy", *map(float, range(2_000))),
            "nan": make_metric("nan", math.nan),
        },
        extra={"team": {"a": (1, "b")}},
        sealed=seal,
    )
    comparison = make_comparison(history=make_history(), baseline=(math.nan, 1.0), notes=("n",))
    stages = list(cases.make_stages())
    failure = Failure(kind="RerunError", message="m\nlog\x00", hint="h", usage=True)
    stages[-1] = dataclasses.replace(stages[-1], status=StageStatus.FAILED, failure=failure)
    return make_report(
        record=record,
        stages=tuple(stages),
        comparisons=(comparison,),
        trials=(
            make_trial(
                log_tail="\x00 é " * 9,
                differences=(Difference(name="a", original=None, trial="1", excuse="a path"),),
            ),
        ),
        criteria=(make_criterion(limit=-math.inf),),
        products=(make_product("model.pkl", gated=True, reruns=(None,)),),
        predictions=PredictionComparison(
            examples=3, churn=(0.5,), agreement=None, flip_sd=0.1, sentence="s"
        ),
        packages=PackageLists(
            source="freeze.txt",
            asked=(("numpy", "2"),),
            whole=True,
            frameworks=("torch",),
            differences=(
                PackageDifference(name="numpy", asked="2", landed=None, grade=PackageGrade.NUMERIC),
            ),
        ),
        settings=(Setting(name="A", value="1", origin=TAG),),
        hardware=HardwareSides(
            asked=Hardware(gpus=("V100",), gpu_count=1, cpu_count=4),
            origins={"gpus": TAG, "gpu_count": TAG, "cpu_count": TAG},
            landed=here,
            differences=(
                HardwareDifference(
                    name="gpus", asked="V100", landed="A100", grade=HardwareGrade.DIRECT
                ),
            ),
            lacking=("isa",),
        ),
        scope=Scope(rerun=("b",), skipped=("a",), given=(Given(path="p", digest="", made_by="a"),)),
        undeclared=(UndeclaredInput(path="/x", sha256="", size=None, hint="h"),),
        exhibits=(
            make_exhibit("a.png", make_picture(), make_picture("blue"), pixels=0.5),
            make_exhibit("b.csv", missing=True),
        ),
        subject="ab" * 32,
        detail=model.ReportDetail.MINIMAL,
        seeds=("1", None),
    )


CASES = {**cases.CASES, "everything": everything}


def back(report):
    document = standard.loads(json.render(report))
    assert schema.check(document, "report") == ()
    return report_reading.report(document)


@pytest.mark.parametrize("name", CASES)
def test_a_report_of_a_file_is_rendered_as_the_original(name):
    report = CASES[name]()
    again = back(report)
    assert json.render(again) == json.render(report)
    assert markdown.render(again) == markdown.render(report)
    for verbose in (False, True):
        shown = terminal.render(report, verbose=verbose, color=True)
        assert terminal.render(again, verbose=verbose, color=True) == shown


def test_a_report_that_was_cut_still_says_so():
    trials = tuple(make_trial(i, log_tail="x" * 65_536) for i in range(1, 101))
    report = make_report(trials=trials)
    again = back(report)
    assert again.kept["log_bytes"] == 16_384
    assert json.render(again) == json.render(report)


def test_a_history_in_part_is_shown_but_never_judged_by():
    record = make_record(metrics={"loss": make_metric("loss", *map(float, range(2_000)))})
    document = standard.loads(json.render(make_report(record=record)))
    shown = report_reading.report(document).record.metrics["loss"]
    assert (len(shown.history), shown.points) == (500, 2_000)
    assert len(record_reading.record(document["record"]).metrics["loss"].history) == 1


def test_a_report_without_the_newer_keys_is_read():
    document = standard.loads(json.render(make_report(subject="ab" * 32)))
    del document["subject"], document["detail"]
    assert schema.check(document, "report") == ()
    older = report_reading.report(document)
    assert (older.subject, older.detail) == ("", model.ReportDetail.FULL)


# --- files of strangers -------------------------------------------------------------------


@pytest.fixture
def document():
    return standard.loads(json.render(make_report()))


def said(path):
    with pytest.raises(ReportFileError) as caught:
        report_reading.read_report(path)
    assert caught.value.usage
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value.message


def test_a_report_is_read_from_its_file(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.render(make_report()), encoding="utf-8")
    assert json.render(report_reading.read_report(path)) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not JSON"),
        (b"[]", "no mapping"),
        (b"{}", "is missing"),
        (b"\xff\xfe{\x00", "UTF-16"),
        (b"\xe9", "UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 1' + b"0" * 400 + b"}", "the number is too large"),
        (b'{"a": 1' + b"0" * 5_000 + b"}", "digits"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\ud800": 1}', "surrogate"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", "nested too deep"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a": [' + b"0," * 100_001 + b"0]}", "100002 items"),
        (b'{"a": "' + b"x" * (LARGEST_REPORT + 1_000_000) + b'"}', "over 6 MB"),
        (b'{"schema_version": 2}', "version 2"),
        (b'{"schema_version": 1, "record": {"schema_version": 7}}', "version 7"),
    ],
)
def test_a_file_that_is_no_report_is_refused(tmp_path, content, why):
    path = tmp_path / "report.json"
    path.write_bytes(content)
    assert why in said(path)


def test_what_is_no_regular_file_is_refused(tmp_path):
    real, link, pipe = tmp_path / "real.json", tmp_path / "link.json", tmp_path / "pipe.json"
    real.write_text(json.render(make_report()), encoding="utf-8")
    link.symlink_to(real)
    os.mkfifo(pipe)
    assert "symbolic link" in said(link)
    assert "no regular file" in said(pipe)
    assert "directory" in said(tmp_path)
    assert "No such file" in said(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("plan", "most"), 10**300),
        (("stages", 0, "duration_s"), "NaN"),
        (("trials", 0, "duration_s"), 1e300),
        (("created_at",), "0001-01-01T00:00:00+14:00"),
        (("record", "metrics", "accuracy", "history"), [[5, 0, 1.0], [1, 0, 0.9611]]),
        (("record", "metrics", "accuracy", "value"), 7),
        (("subject",), "ab" * 32 + "\n"),
        (("settings",), [{"name": "a", "value": "b", "origin": {"kind": "x", "where": ""}}]),
    ],
)
def test_what_no_schema_can_tell_is_refused(tmp_path, document, place, value):
    part = document
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    path = tmp_path / "report.json"
    path.write_text(standard.dumps(document), encoding="utf-8")
    assert "is a broken report" in said(path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("comparisons",), []),
        (("comparisons", 0, "gated"), False),
        (("comparisons", 0, "verdict"), "NOT_REPRODUCED"),
        (("comparisons", 0, "reruns"), []),
        (("failed_stage",), "rerun"),
        (("dry_run",), True),
    ],
)
def test_a_good_verdict_without_what_it_rests_on_is_refused(tmp_path, document, place, value):
    del document["comparisons"][1:]
    test_what_no_schema_can_tell_is_refused(tmp_path, document, place, value)


def _refused(tmp_path, report):
    path = tmp_path / "report.json"
    path.write_text(json.render(report), encoding="utf-8")
    with pytest.raises(ReportFileError) as caught:
        report_reading.read_report(path)
    return caught.value.message


def test_a_good_verdict_of_a_metric_without_reruns_is_refused(tmp_path):
    hollow = make_comparison(gated=True, reruns=())
    report = make_report(comparisons=(hollow, make_comparison(metric="loss", gated=False)))
    assert "no rerun has a value" in _refused(tmp_path, report)


def test_a_good_verdict_of_no_run_is_refused(tmp_path):
    assert "it has no run" in _refused(tmp_path, make_report(record=None))


def test_more_secrets_than_can_be_looked_for_everywhere_are_refused(tmp_path):
    path = tmp_path / "report.json"
    document = standard.loads(json.render(make_report()))
    document["record"]["parameters"] = {f"a{i}_token": f"value-{i:05}" for i in range(20_000)}
    path.write_text(standard.dumps(document), encoding="utf-8")
    with pytest.raises(ReportFileError, match="over 100 secrets"):
        report_reading.read_report(path)


def test_facts_that_follow_from_others_need_no_origin_of_their_own(document):
    origin = {"kind": "tag", "where": "x"}
    document["hardware"] = {
        "asked": [{"name": "gpus", "value": "A100", "origin": origin}],
        "landed": {"memory_bytes": "²"},
        "differences": [{"name": "memory_bytes", "asked": "²", "landed": "1", "grade": "speed"}],
        "lacking": [],
        "same": True,
    }
    read = report_reading.report(document)
    json.render(read)
    assert "²" in terminal.render(read, verbose=True)
