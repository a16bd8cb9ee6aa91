"""What decides whether a command starts, and commands that are recorded for real."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reprocheck import __version__, cli
from reprocheck.config import Config
from reprocheck.model import RecordRules, Requirement, RunStatus, TreeState
from reprocheck.recording import capture_files as folders
from reprocheck.recording import refused, requirements
from reprocheck.recording.base import Asked, Lack, lack, not_known
from reprocheck.trackers import open_tracker
from tests.lab import Lab, copy_of

SEED, TREE = Requirement.SEED, Requirement.CLEAN_TREE
GOOD = "version: 1\nmetrics: {primary: {accuracy: {direction: higher}}}\n"


def asked(strict: bool = False, *required: Requirement) -> Asked:
    config = Config(record=RecordRules(require=required))
    return Asked(argv=("python",), cwd=Path(), env={}, config=config, strict=strict)


def test_what_is_required_and_known_to_lack_is_refused() -> None:
    lacks: tuple[Lack, ...] = (
        lack(SEED, "no-seed", "none", hint=""),
        not_known(TREE, "unknown-remote", "not known", ""),
        lack(None, "capture-off", "off", hint=""),
    )
    assert refused(lacks, asked()) == ()
    assert refused(lacks, asked(False, SEED, TREE)) == lacks[:1]
    assert refused(lacks, asked(True)) == lacks


def test_each_requirement_has_its_check() -> None:
    assert set(requirements.CHECKS) == set(Requirement)


def installed(folder: Path) -> None:
    """The package as pip leaves it among others."""
    shutil.copytree(folders._TREE / folders.MODULE, folder / folders.MODULE)
    info = folder / f"{folders.MODULE}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {folders.NAME}\nVersion: 1.2\n")
    entry = "reprocheck_capture.provider:CaptureContext"
    (info / "entry_points.txt").write_text(f"[{folders.GROUP}]\nreprocheck = {entry}\n")
    (folder / "another.py").touch()


@pytest.mark.parametrize("version", [__version__, "1.2"])
def test_capture_can_be_put_on_the_path_of_an_environment_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    if version == "1.2":
        installed(tmp_path)
        monkeypatch.setattr(folders, "_TREE", tmp_path / "gone")
        monkeypatch.syspath_prepend(str(tmp_path))
    made = folders.capture_folder(tmp_path)
    code = (
        "import reprocheck_capture, importlib.metadata as m\n"
        "(e,) = m.distribution('reprocheck-capture').entry_points\n"
        "print(e.group, e.load().__name__, m.version('reprocheck-capture'))\n"
    )
    told = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(made)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.split() == ["mlflow.run_context_provider", "CaptureContext", version]
    names = sorted(path.name.partition("-")[0] for path in made.iterdir())
    assert names == ["reprocheck_capture"] * 2


# --- the command --------------------------------------------------------------------------


@pytest.fixture
def ready(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A project of which a record lacks nothing but what a remote has."""
    lab = copy_of(lab, tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", lab.uri)
    lab.repo.commit({"experiment.yaml": GOOD})
    lab.repo.git("init", "--quiet", "--bare", str(lab.root / "origin.git"))
    lab.repo.git("remote", "add", "origin", str(lab.root / "origin.git"))
    return lab


TRAIN = ("python", "train.py", "--seed", "7")


def test_a_training_that_would_verify_is_run_and_its_own_run_has_the_record(ready: Lab) -> None:
    before = ready.runs()
    result = ready.reprocheck("record", "--strict", "--keep-ref", "--", *TRAIN)
    assert result.exit_code == 0, result.stderr
    (run_id,) = set(ready.runs()) - set(before)
    assert f"recorded run {run_id} in {ready.uri}" in result.stderr
    assert "Warning" not in result.stderr
    refs = ready.repo.git("ls-remote", "origin").split()
    assert refs == [ready.repo.git("rev-parse", "HEAD"), f"refs/reprocheck/{run_id}"]
    tracker = open_tracker(ready.uri, {}, ready.root / "scratch")
    record = tracker.read(run_id)
    tracker.close()
    assert record.command is not None
    assert record.command.steps[0].run.args == TRAIN  # type: ignore[union-attr]
    assert (record.code.tree, dict(record.seeds)) == (TreeState.CLEAN, {"seed": "7"})
    assert [item.path for item in record.data] == ["data/train.csv"]
    assert ready.leftovers == []


def test_a_training_that_would_not_verify_is_refused_with_the_mends(ready: Lab) -> None:
    ready.repo.write({"train.py": "import extra\n", "extra.py": "", "data/train.csv": "x,y\n"})
    ready.repo.write({"experiment.yaml": "version: 1\n"})
    before = ready.runs()
    result = ready.reprocheck("record", "--strict", "--", "python", "train.py")
    assert (result.exit_code, ready.runs()) == (3, before)
    told = {line.partition(":")[0].strip() for line in result.stderr.splitlines()}
    assert {each.value for each in Requirement} - told <= {Requirement.PINNED_ENVIRONMENT}
    assert "nothing was run" in result.stderr
    dry = ready.reprocheck("record", "--dry-run", "--", "python", "train.py")
    assert dry.exit_code == 0
    assert "would lack" in dry.stderr


def test_what_the_config_requires_is_refused_and_the_rest_told(ready: Lab) -> None:
    text = (ready.repo.path / "reprocheck.yaml").read_text()
    ready.repo.commit({"reprocheck.yaml": text + "record: {require: [seed]}\n"})
    result = ready.reprocheck("record", "--dry-run", "--", "python", "train.py")
    assert result.exit_code == 3
    first, rest = result.stderr.split("It would also lack:")
    assert "Refused by record.require" in first
    assert "reprocheck record -- python train.py --seed 7" in first
    assert "pushed-commit" in rest


def test_a_run_is_created_for_a_command_that_logs_none(ready: Lab) -> None:
    before = ready.runs()
    result = ready.reprocheck("record", "--experiment", "shell", "--", "sh", "-c", "exit 7")
    assert result.exit_code == 7
    (run_id,) = set(ready.runs()) - set(before)
    assert f"recorded run {run_id}" in result.stderr
    (row,) = ready.sql("SELECT status, artifact_uri FROM runs WHERE run_uuid = ?", run_id)
    assert row[0] == "FAILED"
    document = json.loads((Path(row[1]) / "reprocheck/record.json").read_text())
    assert (document["run_id"], document["status"]) == (run_id, RunStatus.FAILED.value)
    tags = dict(ready.sql("SELECT key, value FROM tags WHERE run_uuid = ?", run_id))
    assert shlex.join(json.loads(tags["reprocheck.argv"])) == "sh -c 'exit 7'"
    assert tags["reprocheck.exit_code"] == "7"


def test_wrong_usage_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["record"]) == 2
    assert cli.run(["record", "--init"]) == 0
    assert cli.run(["record", "--init", "experiment.yaml"]) == 2
    assert cli.run(["record", "--", "no-such-program"]) == 2
    told = capsys.readouterr().err
    for words in ("no command is named", "it exists", "starting no-such-program", "no-repository"):
        assert words in told
