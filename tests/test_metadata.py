import dataclasses
import json
import math

import pytest

from reprocheck.metadata import validate
from reprocheck.model import (
    Argv,
    Artifact,
    Command,
    EnvironmentSpec,
    Finding,
    Patch,
    RecordedFile,
    RunRef,
    RunStatus,
    Severity,
    Step,
    TreeState,
)
from tests.reporters.builders import make_code, make_metric, make_patch, make_record

RECORD = make_record()
MATERIAL = RECORD.data[0]
NAN = make_metric("loss", math.nan, math.inf)

STORED = {
    "code": make_code(commit=""),
    "artifacts": (Artifact(path="code/train.py", size=1),),
}

DEFECTS = [
    ("unfinished-run", "error", "/status", {"status": RunStatus.RUNNING}),
    ("unfinished-run", "error", "/status", {"status": RunStatus.KILLED}),
    ("missing-commit", "error", "/code/commit", {"code": make_code(commit="")}),
    ("bad-commit", "error", "/code/commit", {"code": make_code(commit="main")}),
    ("bad-commit", "error", "/code/commit", {"code": make_code(commit="012345")}),
    ("bad-commit", "error", "/code/commit", {"code": make_code(commit="0123456\n")}),
    ("missing-repository", "note", "/code/repository", {"code": make_code(repository=None)}),
    ("unknown-tree", "warning", "/code/tree", {"code": make_code(tree=TreeState.UNKNOWN)}),
    ("missing-commit", "warning", "/code/commit", STORED),
    ("missing-patch", "error", "/code/patch", {"code": make_code(tree=TreeState.DIRTY)}),
    ("missing-metrics", "error", "/metrics", {"metrics": {}}),
    ("non-finite-metric", "warning", "/metrics/a~1b", {"metrics": {"a/b": NAN}}),
    ("truncated-parameter", "warning", "/parameters/lr", {"truncated": frozenset({"lr"})}),
    ("missing-seed", "warning", "/seeds", {"seeds": {}}),
    ("missing-data", "note", "/data", {"data": ()}),
    ("missing-command", "note", "/command", {"command": None}),
    ("missing-environment", "note", "/environment", {"environment": None}),
    ("missing-times", "warning", "/ended_at", {"ended_at": None}),
    ("missing-times", "warning", "/started_at", {"started_at": None}),
    (
        "odd-times",
        "warning",
        "/ended_at",
        {"ended_at": RECORD.started_at, "started_at": RECORD.ended_at},
    ),
    (
        "weak-digest",
        "note",
        "/data/0/digest",
        {"data": (dataclasses.replace(MATERIAL, weak=True),)},
    ),
    (
        "invalid-record",
        "error",
        "/data/0/path",
        {"data": (dataclasses.replace(MATERIAL, path=""),)},
    ),
    ("invalid-record", "error", "/run_id", {"ref": RunRef(tracker="mlflow", run_id="")}),
]


def _codes(findings):
    return [finding.code for finding in findings]


def test_a_complete_record_has_no_finding():
    assert validate(make_record()) == ()


@pytest.mark.parametrize(("code", "severity", "pointer", "changes"), DEFECTS)
def test_each_defect_alone_has_its_finding(code, severity, pointer, changes):
    (finding,) = validate(make_record(**changes))
    assert (finding.code, finding.severity, finding.pointer) == (code, severity, pointer)
    assert finding.message
    assert finding.hint


@pytest.mark.parametrize(("code", "severity", "pointer", "changes"), DEFECTS)
def test_each_defect_that_one_line_mends_has_that_line(code, severity, pointer, changes):
    (finding,) = validate(make_record(**changes))
    killed = changes.get("status") is RunStatus.KILLED
    none = code in ("bad-commit", "non-finite-metric", "invalid-record", "unknown-status") or killed
    assert bool(finding.fix) != none
    assert "\n" not in finding.fix


def test_a_dirty_tree_with_its_patch_has_no_finding():
    assert validate(make_record(code=make_code(tree=TreeState.DIRTY, patch=make_patch()))) == ()


def test_a_dirty_tree_with_an_empty_patch_lacks_its_patch():
    code = make_code(tree=TreeState.DIRTY, patch=make_patch(b""))
    assert _codes(validate(make_record(code=code))) == ["missing-patch"]


@pytest.mark.parametrize("digest", ["00" * 32, "not a digest", ""])
def test_a_patch_of_another_digest_is_an_error(digest):
    patch = Patch(content=make_patch().content, sha256=digest)
    (finding,) = validate(make_record(code=make_code(tree=TreeState.DIRTY, patch=patch)))
    assert (finding.code, finding.severity) == ("patch-digest", Severity.ERROR)


def test_a_patch_digest_in_capitals_is_the_same():
    patch = make_patch()
    patch = dataclasses.replace(patch, sha256=patch.sha256.upper())
    assert validate(make_record(code=make_code(tree=TreeState.DIRTY, patch=patch))) == ()


def test_recorded_files_may_hold_the_environment():
    file = RecordedFile(path="requirements.txt", content=b"numpy\n", origin=MATERIAL.origin)
    assert validate(make_record(environment=None, files=(file,))) == ()


def test_a_metric_that_became_finite_is_no_finding():
    assert validate(make_record(metrics={"loss": make_metric("loss", math.nan, 0.5)})) == ()


def test_findings_of_the_reader_come_first_and_once():
    own = Finding(
        code="truncated-parameter",
        severity=Severity.WARNING,
        message="cut at 6000 characters",
        hint="",
        pointer="/parameters/lr",
    )
    findings = validate(make_record(findings=(own,), truncated=frozenset({"lr"}), seeds={}))
    assert findings[0] is own
    assert _codes(findings) == ["truncated-parameter", "missing-seed"]


def test_an_empty_record_has_all_findings_at_once():
    record = make_record(
        code=make_code(commit="", tree=TreeState.UNKNOWN), metrics={}, seeds={}, command=None
    )
    assert _codes(validate(record)) == [
        "missing-commit",
        "unknown-tree",
        "missing-metrics",
        "missing-seed",
        "missing-command",
    ]


def test_no_secret_is_in_a_finding():
    spec = dataclasses.replace(RECORD.environment, file="")
    assert isinstance(spec, EnvironmentSpec)
    record = make_record(environment=spec, parameters={"api_key": "hunter2hunter2"})
    told = json.dumps([dataclasses.asdict(finding) for finding in validate(record)])
    assert "invalid-record" in told
    assert "hunter2" not in told


def test_a_recorded_entry_point_is_a_command() -> None:
    code = dataclasses.replace(make_record().code, entry_point="main")
    found = validate(make_record(command=None, code=code))
    assert "missing-command" not in [finding.code for finding in found]


def test_a_parents_seed_is_the_runs() -> None:
    lineage = dataclasses.replace(RECORD.lineage, parent="p", parent_parameters={"seed": "42"})
    record = dataclasses.replace(RECORD, seeds={}, lineage=lineage)
    assert "missing-seed" not in _codes(validate(record))


@pytest.mark.parametrize(
    ("code", "severity"), [("artifacts-unread", "warning"), ("artifacts-unreachable", "error")]
)
def test_what_was_not_read_is_not_called_missing(code, severity):
    unseen = Finding(
        code=code, severity=Severity.WARNING, message="", hint="", pointer="/artifacts"
    )
    record = make_record(code=make_code(tree=TreeState.DIRTY, patch=None), findings=(unseen,))
    (told,) = (each for each in validate(record) if each.code == "missing-patch")
    assert told.severity.value == severity
    assert "is not known" in told.message


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("papermill", "a.ipynb", "out.ipynb"), False),
        (("python", "lib/ipykernel_launcher.py", "-f", "kernel.json"), True),
        ((), True),
    ],
)
def test_a_kernel_as_source_is_told_where_the_command_is_not_known(argv, told):
    command = Command(steps=(Step(run=Argv(args=argv)),)) if argv else None
    code = make_code(script="ipykernel_launcher.py")
    found = validate(make_record(code=code, command=command))
    assert ("kernel-launcher" in [each.code for each in found]) is told


@pytest.mark.parametrize(
    ("tags", "fix"),
    [
        ({}, "pip install reprocheck-capture"),
        (
            {"reprocheck.schema": "1"},
            'reprocheck_capture.log_provenance(datasets=["data/train.csv"])',
        ),
    ],
)
def test_a_run_that_was_captured_is_not_told_to_install_what_captures(tags, fix):
    found = validate(make_record(tags=tags, data=()))
    assert [each.fix for each in found if each.code == "missing-data"] == [fix]
