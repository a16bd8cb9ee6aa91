"""End to end: real repositories, remotes, stores, environments and trainings."""

import json
import shutil
from pathlib import Path

import pytest

from reprocheck import schema
from tests.conftest import snapshot
from tests.lab import ROWS, Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{name}_NAME", "Test")
            patch.setenv(f"GIT_{name}_EMAIL", "test@example.com")
        made = Lab(tmp_path_factory.mktemp("lab"))
        made.seeded = made.train("--seed", "7")  # type: ignore[attr-defined]
        made.unseeded = made.train()  # type: ignore[attr-defined]
    return made


def copy_of(lab: Lab, tmp_path: Path) -> Lab:
    """The same project and runs in a folder that the test may change."""
    shutil.copytree(lab.root, tmp_path / "lab", symlinks=True)
    copy = object.__new__(Lab)
    copy.__dict__.update(lab.__dict__)
    copy.root = tmp_path / "lab"
    copy.repo = object.__new__(type(lab.repo))
    copy.repo.path = copy.root / "repo"
    copy.uri = f"sqlite:///{copy.root / 'mlflow.db'}"
    return copy


def test_an_honest_seeded_run_is_identical_after_one_trial(lab: Lab) -> None:
    before = snapshot(lab.root / "repo"), snapshot(lab.root / "remote")
    store = (lab.root / "mlflow.db").read_bytes()
    result = lab.verify(lab.seeded[:10])
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stderr
    assert len(result.report["trials"]) == 1
    assert not schema.check(result.report, "report")
    assert result.stdout.startswith("IDENTICAL")
    assert (snapshot(lab.root / "repo"), snapshot(lab.root / "remote")) == before
    assert (lab.root / "mlflow.db").read_bytes() == store
    assert lab.leftovers == []


def test_an_honest_unseeded_run_is_reproduced_by_statistics(lab: Lab) -> None:
    result = lab.verify(lab.unseeded)
    assert (result.exit_code, result.verdict) == (0, "REPRODUCED"), result.stdout
    assert len(result.report["trials"]) == 5


def test_without_a_margin_an_unseeded_run_is_at_best_consistent(lab: Lab, tmp_path: Path) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text(
        'version: 1\ncommand: "python train.py --lr {params.lr} --seed {params.seed}"\n'
        "metrics: {loss: {gate: false}}\n"
    )
    result = lab.verify(lab.unseeded, "--config", str(bare), "--require", "reproduced")
    assert result.verdict in ("CONSISTENT", "INCONCLUSIVE")
    assert result.exit_code == 11


def test_an_inflated_metric_is_not_reproduced(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    lab.add_to_metric(lab.seeded, "accuracy", 0.05)
    result = lab.verify(lab.seeded)
    assert (result.exit_code, result.verdict) == (10, "NOT_REPRODUCED")
    assert "worse" in result.stdout
    assert len(result.report["trials"]) == 2


def test_data_that_changed_since_is_restored_at_the_commits_hash(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    lab.set_data(ROWS.replace(",2\n", ",9\n"))
    assert lab.verify(lab.seeded).verdict == "IDENTICAL"


def test_data_at_a_tags_hash_wins_over_the_commits(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    other = ROWS.replace(",2\n", ",9\n")
    lab.set_data(other)
    pointer = (lab.repo.path / "data/train.csv.dvc").read_text()
    md5 = next(line.split(": ")[1] for line in pointer.splitlines() if "md5: " in line)
    lab.set_tag(lab.seeded, "data_md5", md5)
    config = (lab.repo.path / "reprocheck.yaml").read_text()
    config += 'data:\n  - {path: data/train.csv, hash: "{tags.data_md5}"}\n'
    (lab.repo.path / "reprocheck.yaml").write_text(config)
    result = lab.verify(lab.seeded)
    assert result.exit_code != 0
    assert "data-differs" in json.dumps(result.report)


def test_a_dry_run_tells_everything_and_runs_nothing(lab: Lab) -> None:
    result = lab.verify(lab.seeded, "--dry-run")
    assert result.exit_code == 0
    for words in ("python train.py --lr 0.005 --seed 7", "requirements.txt", "data/train.csv",
                  "accuracy", "0.03", "reprocheck.yaml"):  # fmt: skip
        assert words in result.stdout.replace("\n", " "), words
    assert result.report["trials"] == []
    assert lab.leftovers == []


def test_standard_output_holds_only_what_a_dash_asks_for(lab: Lab) -> None:
    result = lab.verify(lab.seeded, "--json", "-", "--dry-run")
    assert json.loads(result.stdout)["dry_run"] is True
    result = lab.verify(lab.seeded, "--markdown", "-", "--dry-run", "-q")
    assert result.stdout.startswith("#")
    assert result.stderr == ""
    result = lab.reprocheck("verify", lab.seeded, "--json", "-", "--markdown", "-")
    assert (result.exit_code, result.stdout) == (2, "")


def test_the_workspace_is_kept_on_request(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    result = lab.verify(lab.seeded, "--keep")
    (kept,) = lab.leftovers
    assert (kept / "trials/trial-1/tree/train.py").is_file()
    assert str(kept) in result.stdout.replace("\n", "")


BAD = {
    "unknown-run": (2, "read", "no run"),
    "missing-store": (2, "read", "does not exist"),
    "running-run": (3, "read", "running"),
    "failed-run": (3, "read", "failed"),
    "deleted-run": (3, "read", "deleted"),
    "missing-commit": (3, "validate", "commit"),
    "unknown-commit": (3, "checkout", "not found"),
    "no-metrics": (3, "validate", "metric"),
    "missing-environment": (3, "checkout", "environment"),
    "docker-environment": (3, "rebuild", "Docker"),
    "missing-data": (3, "restore", "data/train.csv"),
    "missing-parameter": (3, "checkout", "params.lr"),
    "wrong-parameter": (3, "rerun", "momentum"),
    "crashing-training": (3, "rerun", "boom"),
    "silent-training": (3, "rerun", "nothing was measured"),
    "unknown-metric-in-margin": (2, "validate", "acuracy"),
    "endless-training": (3, "rerun", "time limit"),
    "missing-metric": (3, None, "NOT_COMPARABLE"),
}


def spoil(lab: Lab, defect: str) -> tuple[str, list[str]]:
    """Gives the seeded run a defect; returns what to verify, and with which options."""
    run, repo = lab.seeded, lab.repo
    status = {"running-run": "RUNNING", "failed-run": "FAILED"}
    if defect == "unknown-run":
        return "0" * 32, []
    if defect == "missing-store":
        return run, ["--tracking-uri", f"sqlite:///{lab.root / 'gone.db'}"]
    if defect in status:
        lab.sql("UPDATE runs SET status = ? WHERE run_uuid = ?", status[defect], run)
    if defect == "deleted-run":
        lab.sql("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", run)
    if defect == "missing-commit":
        lab.sql("DELETE FROM tags WHERE key = 'mlflow.source.git.commit'")
    if defect == "unknown-commit":
        lab.set_tag(run, "mlflow.source.git.commit", "deadbeef" * 5)
    if defect == "no-metrics":
        lab.sql("DELETE FROM metrics")
        lab.sql("DELETE FROM latest_metrics")
    if defect == "missing-data":
        shutil.rmtree(lab.root / "remote")
        shutil.rmtree(repo.path / ".dvc/cache")
    if defect == "missing-parameter":
        lab.sql("DELETE FROM params WHERE key = 'lr'")
    if defect == "wrong-parameter":
        lab.sql("INSERT INTO params (run_uuid, key, value) VALUES (?, 'momentum', '0.9')", run)
    if defect == "unknown-metric-in-margin":
        return run, ["--margin", "acuracy=0.1"]
    if defect == "missing-metric":
        columns = "key, value, timestamp, run_uuid, step, is_nan"
        for table in ("metrics", "latest_metrics"):
            lab.sql(f"INSERT INTO {table} ({columns}) VALUES ('f1', 0.5, 1, ?, 0, 0)", run)
        return run, ["--gate", "f1"]
    at_commit = {
        "missing-environment": {"requirements.txt": None},
        "docker-environment": {"requirements.txt": None, "Dockerfile": "FROM python:3.11\n"},
        "crashing-training": {"train.py": "raise SystemExit('boom')\n"},
        "silent-training": {"train.py": "print('done')\n"},
        "endless-training": {"train.py": "import time\nwhile True: time.sleep(1)\n"},
    }
    if defect in at_commit:
        for name, content in at_commit[defect].items():
            if content is None:
                (repo.path / name).unlink()
            else:
                repo.write({name: content})
        lab.set_tag(run, "mlflow.source.git.commit", repo.commit())
    return run, ["--timeout", "2s"] if defect == "endless-training" else []


@pytest.mark.parametrize("defect", list(BAD))
def test_a_bad_record_has_its_exit_code_and_message_and_leaves_nothing(
    lab: Lab, tmp_path: Path, defect: str
) -> None:
    lab = copy_of(lab, tmp_path)
    asked, options = spoil(lab, defect)
    exit_code, stage, words = BAD[defect]
    result = lab.verify(asked, *options)
    text = " ".join(result.stdout.split())
    assert result.exit_code == exit_code, result.stdout + result.stderr
    assert words in text
    assert "Traceback" not in result.stdout + result.stderr or defect == "crashing-training"
    assert result.report["failed_stage"] == stage
    assert not schema.check(result.report, "report")
    assert lab.leftovers == []
