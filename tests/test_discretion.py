"""Sensitive runs: planted values show up nowhere."""

import dataclasses
import enum
import json as standard
from collections.abc import Mapping
from pathlib import Path

import pytest

from reprocheck import discretion, report_reading, schema
from reprocheck.check_documents import check_document
from reprocheck.config import Config
from reprocheck.detail import dump
from reprocheck.discretion import is_sensitive, minimal
from reprocheck.exit_codes import exit_code
from reprocheck.model import (
    Command,
    Finding,
    Page,
    ReportDetail,
    RunRef,
    ShellLine,
    Step,
    UntrackedFile,
)
from reprocheck.recorded import RecordedRequest, compare_recorded
from reprocheck.report_store import ReportStore, default_folder
from reprocheck.reporters import comment, json, markdown, terminal
from reprocheck.sides import RecordedRuns
from tests.lab import Lab, copy_of
from tests.reporters import cases
from tests.reporters.builders import make_code, make_definition, make_patch, make_record
from tests.test_check_documents import make_check
from tests.test_report_reading import everything

PLANTED = "PLANTED"
# Names of metrics, and what is made here from bytes and never from a text of the run.
OURS = {"metric", "metrics", "tool_version", "bound", "sha256", "subject", "original", "reruns"}
DIGESTS = {"algorithm", "digest", "commit", "run_id", "python"}  # which may be texts, too
WORDS = {"reason", "stopped_by", "kind"}  # codes of ours, which a sentence is not


def plant(thing, name="", ours=OURS):
    """The same with a planted text for each of its texts, at any depth."""
    if isinstance(thing, enum.Enum) or name in ours:
        return thing
    if isinstance(thing, str):
        return PLANTED if name not in WORDS else f"{thing}; {PLANTED}"
    if isinstance(thing, Mapping):  # hardware has its origins by the names of its fields
        keys = {key: key if name == "origins" else f"{PLANTED}{key}" for key in thing}
        return {keys[key]: plant(each, ours=ours) for key, each in thing.items()}
    return _planted(thing, name, ours)


def _planted(thing, name, ours):
    match thing:
        case bytes():
            return PLANTED.encode()
        case Path():
            return Path(f"/{PLANTED}")
        case tuple() | frozenset():
            return type(thing)(plant(each, name, ours) for each in thing)
        case _ if dataclasses.is_dataclass(thing):
            names = [field.name for field in dataclasses.fields(thing)]
            kept = {"code"} if isinstance(thing, Finding) else set()
            planted = {n: plant(getattr(thing, n), n, ours) for n in names if n not in kept}
            return dataclasses.replace(thing, **planted)
    return thing


def told(report):
    yield json.render(report)
    yield markdown.render(report)
    for render in (comment.render, comment.summary):
        yield render(make_check(report), Page())
    yield dump(check_document(make_check(report)))
    for verbose in (False, True):
        yield terminal.render(report, verbose=verbose)


def full():
    """Also what the other complete report has not."""
    report = everything()
    stages = tuple(
        dataclasses.replace(stage, summary="built", findings=(cases.WARNING,))
        for stage in report.stages
    )
    record = dataclasses.replace(
        report.record,
        code=make_code(
            patch=make_patch(),
            untracked=(UntrackedFile(path="a", sha256="ab" * 32, artifact="b"),),
            stored=("code/",),
        ),
        command=Command(steps=(Step(run=ShellLine(line="x"), cwd="y", name="z"),), env={"A": "b"}),
        definition=make_definition(hypothesis="h", sensitive=("personal",)),
        hardware={"gpus": "A100"},
        description="d",
        url="https://host/x",
        dataset_version="v",
    )
    return dataclasses.replace(report, record=record, stages=stages, workspace=Path("/w"))


@pytest.mark.parametrize("ours", [OURS, OURS | DIGESTS], ids=["no digests", "digests"])
@pytest.mark.parametrize("make", [full, *cases.CASES.values()])
def test_no_text_of_a_sensitive_run_is_told(make, ours):
    planted = plant(make(), ours=ours)
    assert any(PLANTED in text for text in told(planted))  # it would be
    report = minimal(planted)
    for text in told(report):
        assert PLANTED not in text
        assert "minimal" in text or "is reported by verdict" in text
    document = standard.loads(json.render(report))
    assert schema.check(document, "report") == ()
    assert json.render(report_reading.report(document)) == json.render(report)


def test_numbers_digests_and_the_exit_code_stay():
    for make in (full, *cases.CASES.values()):
        report, short = make(), minimal(make())
        assert (exit_code(short), short.verdict) == (exit_code(report), report.verdict)
        assert [each.mean for each in short.comparisons] == [e.mean for e in report.comparisons]
    short = minimal(full())
    assert short.record.code.commit == full().record.code.commit
    assert short.record.data[0].digest == full().record.data[0].digest
    assert short.products[0].original == full().products[0].original
    assert short.environment.digest == full().environment.digest
    assert {each.code for each in short.findings} == {cases.WARNING.code}
    assert minimal(short) == short


def test_it_reads_well():
    shown = terminal.render(minimal(cases.reproduced()))
    assert shown.startswith(
        "REPRODUCED\naccuracy REPRODUCED: the original is 0.9611, 5 reruns with a mean of 0.96078,"
    )
    assert "reported in minimal detail: the run is marked as sensitive" in shown
    crashed = terminal.render(minimal(cases.crashed()))
    assert "The stage rerun could not do its work (RerunError)." in crashed


def test_a_run_id_that_is_a_name_is_told_by_its_digest():
    record = make_record(ref=RunRef(tracker="mlflow", run_id="acme-churn"))
    report = minimal(dataclasses.replace(full(), record=record))
    assert len(report.record.ref.run_id) == 32
    assert report.asked == report.record.ref.run_id


@pytest.mark.parametrize(
    ("changes", "sensitive"),
    [
        ({}, False),
        ({"tags": {"reprocheck.sensitive": "TRUE "}}, True),
        ({"tags": {"reprocheck.sensitive": "false"}}, False),
        ({"definition": make_definition()}, False),
        ({"definition": make_definition(sensitive=("medical",))}, True),
    ],
)
def test_tag_or_definition_mark_a_run(changes, sensitive):
    assert is_sensitive(make_record(**changes)) is sensitive


def test_one_sensitive_side_makes_a_comparison_minimal(tmp_path):
    paths = []
    for number, tags in enumerate(({}, {"reprocheck.sensitive": "true"})):
        record = make_record(ref=RunRef(tracker="mlflow", run_id=f"{number}" * 32), tags=tags)
        report = dataclasses.replace(full(), record=record)
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(json.render(report), encoding="utf-8")
    sides = RecordedRuns(original=str(paths[0]), reruns=(str(paths[1]),))
    compared = compare_recorded(RecordedRequest(sides=sides))
    assert compared.detail is ReportDetail.MINIMAL
    assert "digits-sgd" not in json.render(compared)


def test_the_config_asks_for_it_too(tmp_path):
    sides = RecordedRuns(original=str(tmp_path / "PLANTED.json"), reruns=("x.json",))
    request = RecordedRequest(sides=sides, config=Config(detail=ReportDetail.MINIMAL))
    report = compare_recorded(request)
    assert report.stages[0].failure.kind == "RecordFileError"
    assert exit_code(report) == 2
    for text in told(report):
        assert PLANTED not in text


def test_a_tagged_run_is_verified_discreetly(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # other tests verify it, too
    lab = copy_of(lab, tmp_path)
    lab.set_tag(lab.seeded, "reprocheck.sensitive", "True")
    lab.set_tag(lab.seeded, "team", "planted-team")
    lab.set_tag(lab.seeded, "mlflow.note.content", "planted-note")
    ((name,),) = lab.sql("SELECT name FROM runs WHERE run_uuid = ?", lab.seeded)
    out, reports = tmp_path / "out", tmp_path / "reports"
    out.mkdir()
    result = lab.verify(
        *(lab.seeded, "--json", str(out / "r.json"), "--markdown", str(out / "r.md")),
        *("--reports", str(reports), "--verbose"),
    )
    assert result.exit_code == 0, result.stderr
    assert [path.name for path in sorted(out.iterdir())] == ["r.json", "r.md"]  # no logs
    (kept,) = ReportStore(reports).kept(lab.seeded)
    texts = [path.read_text() for path in (out / "r.json", out / "r.md", kept.path)]
    report = ReportStore(reports).read(kept)
    assert (report.detail, report.verdict.value) == (ReportDetail.MINIMAL, "IDENTICAL")
    assert len(report.subject) == 64
    hidden = ("planted-", "train.py", "train.csv", str(tmp_path), str(lab.root), "pandas", "lr")
    for text in (*texts, result.stdout, result.stderr):
        found = [word for word in (*hidden, str(name)) if word in text]
        assert not found, text
    assert ReportStore(default_folder()).kept(lab.seeded) == ()
    assert discretion.LEFT_OUT in result.stderr
