import dataclasses
import json
import os
import subprocess
import sys

import pytest

from reprocheck import cli, metadata, schema
from reprocheck.command_templates import StepTemplate
from reprocheck.config import Config
from reprocheck.documents import record_document
from reprocheck.model import (
    Approval,
    Argv,
    Command,
    Grade,
    Origin,
    OriginKind,
    RecordedFile,
    RecordRules,
    Requirement,
    RunStatus,
    Step,
)
from reprocheck.record_files import read_record_file
from reprocheck.validation import Around, Request, findings_of, judge, located
from tests.lab import Lab, copy_of
from tests.reporters.builders import make_code, make_record

AROUND = Around(config=Config(), root=None, env={})


def request(config=None, file=None):
    return Request(
        asked="r", file=file, tracking_uri="", config=config or Config(), root=None, env={}
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of its own to work in, with a record that has a warning."""
    monkeypatch.chdir(tmp_path)
    record = record_document(make_record(seeds={}))
    (tmp_path / "record.json").write_text(json.dumps(record, indent=1))
    return tmp_path


def run(*args):
    return cli.run(["validate", *map(str, args)])


# --- what is found ------------------------------------------------------------------------


def test_the_findings_are_those_of_the_stage_validate_the_worst_first():
    record = make_record(seeds={}, command=None, code=make_code(commit=""))
    found = findings_of(record, AROUND)
    assert set(found) == set(metadata.validate(record))
    assert [each.severity.value for each in found] == ["error", "warning", "note"]


def test_approvals_are_told_here_and_do_not_stop_a_verification():
    record = make_record(approvals=(Approval(by="ann", what="", commit="f" * 40),))
    assert metadata.validate(record) == ()
    answer = judge(record, request())
    assert [each.code for each in answer.findings] == ["unbound-approval"]
    assert answer.grade is Grade.CAVEATS


def test_what_is_required_is_said_once():
    rules = RecordRules(
        require=(Requirement.SEED, Requirement.DATA_HASH), place="reprocheck.yaml:2"
    )
    weak = dataclasses.replace(make_record().data[0], weak=True)
    record = make_record(seeds={}, data=(weak,))
    answer = judge(record, request(Config(record=rules)))
    assert [each.code for each in answer.findings] == ["required-seed", "required-data-hash"]


def test_a_command_of_the_config_is_no_caveat():
    record = make_record(command=None)
    assert judge(record, request()).grade is Grade.CAVEATS
    config = Config(command=(StepTemplate(args=("python", "train.py")),))
    assert judge(record, request(config)).grade is Grade.VERIFIABLE


@pytest.mark.parametrize(
    ("argv", "script", "code"),
    [
        (None, None, "missing-command"),
        (None, "/usr/lib/python3/ipykernel_launcher.py", "kernel-launcher"),
        (("/usr/lib/python3/ipykernel_launcher.py", "-f", "k.json"), None, "kernel-launcher"),
        (("python", "-c", "train()"), None, "kernel-launcher"),
    ],
)
def test_a_run_of_which_no_file_at_the_commit_can_tell_the_command_is_not_verifiable(
    argv, script, code
):
    command = argv and Command(steps=(Step(run=Argv(args=argv)),))
    record = make_record(command=command, code=make_code(script=script))
    answer = judge(record, request())
    assert answer.grade is Grade.NOT_VERIFIABLE
    assert (answer.findings[0].code, answer.findings[0].severity.value) == (code, "error")
    given = Config(command=(StepTemplate(args=("python", "train.py")),))
    assert judge(record, request(given)).grade is not Grade.NOT_VERIFIABLE


def test_an_extract_without_a_command_is_no_error(tmp_path):
    extract = {"run_id": "x", "git_commit": "a" * 40, "metrics": {"accuracy": 0.9}}
    (tmp_path / "record.json").write_text(json.dumps(extract))
    answer = judge(read_record_file(tmp_path / "record.json"), request())
    assert answer.grade is Grade.CAVEATS


def test_a_commit_without_an_environment_is_told_where_it_is_here(repo):
    lacking = make_record(
        environment=None, files=(), code=make_code(commit=repo.commit({"train.py": "print()"}))
    )
    having = make_record(
        environment=None, files=(), code=make_code(commit=repo.commit({"a/pylock.toml": ""}))
    )
    here = dataclasses.replace(request(), root=repo.path, env=dict(os.environ))
    found = [judge(each, here) for each in (lacking, having)]
    assert [each.grade for each in found] == [Grade.NOT_VERIFIABLE, Grade.CAVEATS]
    assert judge(lacking, request()).grade is Grade.CAVEATS


def test_a_file_that_defines_no_environment_is_none():
    origin = Origin(kind=OriginKind.ARTIFACT, where=".hydra/overrides.yaml")
    file = RecordedFile(path=origin.where, content=b"- lr=0.1", origin=origin)
    answer = judge(make_record(environment=None, files=(file,)), request())
    assert "missing-environment" in {each.code for each in answer.findings}
    assert answer.grade is Grade.CAVEATS


def test_a_run_without_a_result_is_judged():
    answer = judge(make_record(status=RunStatus.KILLED), request())
    assert answer.grade is Grade.NOT_VERIFIABLE
    assert answer.findings[0].code == "unfinished-run"


# --- where --------------------------------------------------------------------------------


def test_findings_have_their_lines_in_the_file(folder):
    file = folder / "record.json"
    answer = located(judge(make_record(seeds={}), request(file=file)))
    line = answer.lines["/seeds"]
    assert file.read_text().splitlines()[line - 1].strip().startswith('"seeds"')


def test_in_a_report_the_record_is_further_down(folder):
    record = json.loads((folder / "record.json").read_text())
    report = folder / "report.json"
    document = {"verdict": "IDENTICAL", "tool_version": "1", "record": record}
    report.write_text(json.dumps(document, indent=1))
    answer = located(judge(make_record(seeds={}), request(file=report)))
    assert '"seeds"' in report.read_text().splitlines()[answer.lines["/seeds"] - 1]


def test_a_file_that_went_away_costs_the_lines_only(tmp_path):
    answer = judge(make_record(seeds={}), request(file=tmp_path / "gone.json"))
    assert located(answer) == answer


# --- the command --------------------------------------------------------------------------


def test_a_warning_exits_0_and_with_strict_3(folder, capsys):
    assert run("record.json") == 0
    told = capsys.readouterr().out
    assert told.startswith("Verifiable with caveats\n")
    assert '    mlflow.log_param("seed", seed)\n' in told
    assert run("record.json", "--strict") == 3


def test_an_error_exits_3(folder, capsys):
    document = record_document(make_record(code=make_code(commit="")))
    (folder / "bad.json").write_text(json.dumps(document))
    assert run("bad.json") == 3
    assert capsys.readouterr().out.startswith("Not verifiable\n")


def test_the_json_has_its_published_shape(folder, capsys):
    assert run("record.json", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert schema.check(document, "validation") == ()
    assert document["asked"] == "record.json"
    assert run("record.json", "--json", "v.json", "--format", "github") == 0
    assert json.loads((folder / "v.json").read_text()) == document
    assert capsys.readouterr().out.startswith("::warning file=record.json,line=")


def test_what_a_team_requires_is_in_its_config(folder, capsys):
    (folder / "reprocheck.yaml").write_text("version: 1\nrecord: {require: [seed]}\n")
    assert run("record.json") == 3
    assert "reprocheck.yaml:2 requires seed" in " ".join(capsys.readouterr().out.split())


def test_a_record_may_come_from_standard_input(folder):
    command = (sys.executable, "-m", "reprocheck", "validate", "-", "--format", "github")
    content = (folder / "record.json").read_bytes()
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"::warning title=missing-seed::")
    done = subprocess.run(command, input=b"[]", capture_output=True, check=False)
    assert done.returncode == 2
    assert b"standard input is no record of a run: it is a list" in done.stderr


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["nothing.json"], "nothing.json"),
        (["."], "directory"),
        (["3f2a91"], "no tracker is named"),
        (["record.json", "--json", "-", "--format", "github"], "standard output"),
        (["record.json", "--json", "none/v.json"], "none/v.json"),
        (["record.json", "--config", "none.yaml"], "none.yaml"),
        (["record.json", "--format", "xml"], "xml"),
        ([], "RUN_ID|FILE"),
    ],
)
def test_wrong_usage_exits_2_with_one_message(folder, capsys, args, told):
    assert run(*args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err


def test_a_file_is_judged_without_mlflow_which_takes_seconds_to_import(folder):
    code = (
        "import sys; from reprocheck import cli; code = cli.run(['validate', 'record.json']);"
        "sys.exit('mlflow' in sys.modules or code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


# --- a run of a tracker -------------------------------------------------------------------


def test_a_run_is_judged_as_verify_does_and_a_late_metric_leaves_it_verified(lab: Lab, tmp_path):
    own = copy_of(lab, tmp_path)
    for table in ("metrics", "latest_metrics"):
        own.sql(f"UPDATE {table} SET timestamp = timestamp + 7200000 WHERE key = 'accuracy'")
    answer = own.reprocheck("validate", own.seeded, "--tracking-uri", own.uri, "--json", "-")
    assert answer.exit_code == 0
    document = json.loads(answer.stdout)
    assert document["grade"] == "verifiable with caveats"
    assert ("late-metric", "/metrics/accuracy") in named(document["findings"])

    verified = own.verify(own.seeded, "--verbose")
    assert (verified.exit_code, verified.verdict) == (0, "IDENTICAL")
    told = [each for each in verified.report["findings"] if each["stage"] == "validate"]
    assert ("late-metric", "/metrics/accuracy") in named(told)
    assert named(told) <= named(document["findings"])
    assert "mlflow.start_run(run_id=" in verified.stdout


def named(findings):
    return {(each["code"], each["pointer"]) for each in findings}
