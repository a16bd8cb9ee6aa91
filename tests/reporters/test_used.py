"""used: what was not installed as the run had it, and what was restored."""

from __future__ import annotations

import html

import pytest

from reprocheck import hardware
from reprocheck.documents import report_document
from reprocheck.model import (
    Given,
    Hardware,
    Origin,
    OriginKind,
    PackageDifference,
    PackageGrade,
    PackageLists,
    Report,
    Scope,
    Setting,
    Stage,
    TreeState,
)
from reprocheck.reporters import markdown, terminal
from reprocheck.reporters.html_sides import sides
from reprocheck.reporters.used import used
from reprocheck.schema import check
from tests.reporters.builders import make_code, make_record, make_report


@pytest.fixture
def report() -> Report:
    differences = [
        PackageDifference(name="torch", asked="2.1.0", landed="2.2.0", grade=PackageGrade.FRAMEWORK)
    ]
    differences += [
        PackageDifference(name=f"p|{i}", asked=None, landed="1", grade=PackageGrade.OTHER)
        for i in range(7)
    ]
    lists = PackageLists(
        source="freeze.txt",
        asked=(("torch", "2.1.0"),),
        whole=True,
        frameworks=("torch",),
        differences=tuple(differences),
    )
    setting = Setting(
        name="PYTHONHASHSEED", value="7", origin=Origin(kind=OriginKind.TAG, where="tags")
    )
    return make_report(packages=lists, settings=(setting,))


def test_the_terminal_shows_the_worst_differences(report):
    text = terminal.render(report)
    assert "1 package asked for by freeze.txt; 8 differ" in text
    assert "torch    2.1.0  2.2.0   framework" in text
    assert "and 3 more" in text
    assert "PYTHONHASHSEED=7 (tags)" in text
    assert "and 3 more" not in terminal.render(report, verbose=True)


def test_markdown_has_the_whole_table_and_escapes_it(report):
    text = markdown.render(report)
    assert "8 packages not as the run had them" in text
    assert "<code>torch</code> | <code>2.1.0</code> | <code>2.2.0</code> | framework |" in text
    assert "p|6" not in text


def test_the_document_holds_both(report):
    document = report_document(report)
    assert check(document, "report") == ()
    assert document["packages"]["differences"][0]["grade"] == "framework"
    assert document["settings"][0]["value"] == "7"


HERE = Hardware(
    cpu_model="Intel Xeon",
    cpu_count=2,
    blas_core=("SkylakeX",),
    threads={"blas": 2},
    memory_bytes=24_000_000_000,
    gpus=(),
    gpu_count=0,
)


def machines(**asked) -> Report:
    origin = Origin(kind=OriginKind.ARTIFACT, where="record.json")
    origins = dict.fromkeys(asked, origin)
    return make_report(hardware=hardware.beside(Hardware(**asked), origins, HERE))


def test_hardware_that_is_not_recorded_is_told_once():
    text, verbose = terminal.render(machines()), terminal.render(machines(), verbose=True)
    assert "Hardware     not recorded with the run\n" in text
    assert "Landed" not in text
    here = "Intel Xeon, 2 CPUs, SkylakeX kernels, threads: blas 2, no GPU"
    assert f"not recorded with the run; the reruns compute on {here}" in " ".join(verbose.split())
    assert "SkylakeX" in verbose.split("Landed")[1]


def test_other_hardware_is_a_table_without_what_only_takes_time():
    report = machines(
        cpu_model="Intel Xeon", blas_core=("Haswell",), memory_bytes=61_000_000_000, cuda="12|1"
    )
    text = terminal.render(report)
    words = " ".join(text.split())
    assert "4 facts recorded (record.json), 1 differ here" in words
    assert "blas_core Haswell SkylakeX direct" in words
    assert "61 GB" not in text
    verbose = " ".join(terminal.render(report, verbose=True).split())
    assert "memory_bytes 61 GB 24 GB speed" in verbose
    assert "cpu_model Intel Xeon Intel Xeon same" in verbose
    assert "12|1" not in markdown.render(report)
    assert "<code>Haswell</code> | <code>SkylakeX</code> | direct |" in markdown.render(report)


def test_the_document_holds_the_hardware_of_both_sides():
    document = report_document(machines(blas_core=("Haswell",)))
    assert not check(document, "report")
    told = document["hardware"]
    assert told["asked"][0]["origin"] == {"kind": "artifact", "where": "record.json"}
    assert (told["landed"]["gpus"], told["same"]) == ("none", False)
    assert "isa" in told["lacking"]


def test_a_run_of_several_steps_says_what_was_rerun_and_what_was_given():
    given = (Given(path="data/clean.csv", digest="4284b4a486d9", made_by="prepare"),)
    later = make_report(scope=Scope(rerun=("train", "test"), skipped=("prepare",), given=given))
    for render in (terminal.render, markdown.render):
        words = " ".join(html.unescape(render(later)).split())
        assert "rerun: train, test; not rerun: prepare" in words
        assert "taken as given: data/clean.csv 4284b4a4 of prepare" in words
    whole = make_report(scope=Scope(rerun=("prepare", "train")))
    assert "rerun: prepare, train; nothing taken as given" in " ".join(
        terminal.render(whole).split()
    )
    assert "Steps" not in terminal.render(make_report())


def test_code_that_is_not_the_commits_is_labelled_in_every_report():
    code = make_code(tree=TreeState.UNKNOWN, stored=("code/",))
    report = make_report(record=make_record(code=code))
    label = f"NOT the commit's ({code.commit[:12]}): what the run stored in code/, unproved"
    for text in (terminal.render(report), terminal.render(report, verbose=True)):
        assert label in " ".join(text.split())
    assert "NOT the commit" in markdown.render(report)
    document = report_document(report)
    assert check(document, "report") == ()
    assert document["record"]["code"]["stored"] == ["code/"]


@pytest.mark.parametrize(
    ("stage", "said"), [(Stage.VALIDATE, "not looked for"), (Stage.REBUILD, "not recorded")]
)
def test_what_the_commit_may_hold_is_not_called_unrecorded_before_it_was_looked_at(stage, said):
    early = make_report(
        record=make_record(environment=None, command=None),
        environment=None,
        trials=(),
        failed_stage=stage,
    )
    facts = {each.label: each.text for each in used(early)}
    assert facts["Environment"].startswith(said)
    assert facts["Command"].startswith(said)
    rows = next(sides(early)).tables[0].rows
    asked = {row[0].text: row[1].text for row in rows}
    assert asked["Environment"].startswith(said)
    assert asked["Command"].startswith(said)
