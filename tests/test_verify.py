"""End to end: real repositories, remotes, stores, environments and trainings."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reprocheck import schema
from reprocheck.trackers.mlflow_settings import client_settings
from tests.conftest import snapshot
from tests.lab import ROWS, Lab, copy_of


def test_an_honest_seeded_run_is_identical_after_one_trial(lab: Lab) -> None:
    before = snapshot(lab.root / "repo"), snapshot(lab.root / "remote")
    store = (lab.root / "mlflow.db").read_bytes()
    result = lab.verify(lab.seeded[:10])
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stderr
    assert len(result.report["trials"]) == 1
    assert not schema.check(result.report, "report")
    assert "IDENTICAL" in result.stdout.splitlines()[0]
    assert (snapshot(lab.root / "repo"), snapshot(lab.root / "remote")) == before
    assert (lab.root / "mlflow.db").read_bytes() == store
    assert lab.leftovers == []


def test_an_honest_unseeded_run_is_reproduced_by_statistics(lab: Lab) -> None:
    result = lab.verify(lab.unseeded)
    assert (result.exit_code, result.verdict) == (0, "REPRODUCED"), result.stdout
    assert 3 <= len(result.report["trials"]) <= 8


def test_without_a_margin_an_unseeded_run_is_at_best_consistent(lab: Lab, tmp_path: Path) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text(
        'version: 1\ncommand: "python train.py --lr {params.lr} --seed {params.seed}"\n'
        "metrics: {loss: {gate: false}}\n"
    )
    result = lab.verify(lab.unseeded, "--config", str(bare), "--require", "reproduced")
    assert result.verdict in ("CONSISTENT", "INCONCLUSIVE")
    assert result.exit_code == 11


def test_a_spread_known_from_elsewhere_judges_a_single_rerun(lab: Lab, tmp_path: Path) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text(
        'version: 1\ncommand: "python train.py --lr {params.lr} --seed {params.seed}"\n'
        "metrics: {accuracy: {gate: true}}\n"
    )
    args = ("--config", str(bare), "--reruns", "1", "--sigma", "accuracy=0.4")
    report = lab.verify(lab.unseeded, *args).report
    (judged,) = (each for each in report["comparisons"] if each["gated"])
    assert (judged["verdict"], judged["reason"]) == ("CONSISTENT", "known_noise")
    wrong = lab.verify(lab.unseeded, *args[:-1], "acuracy=0.4")
    assert (wrong.exit_code, wrong.report["trials"]) == (2, [])
    assert "acuracy (--sigma), which the run never logged" in wrong.stdout.replace("\n", " ")


def test_the_spread_of_a_runs_siblings_is_its_margin(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    log_siblings(lab, lab.seeded, [0.89, 0.9, 0.91])
    lab.add_to_metric(lab.seeded, "accuracy", 0.02)
    bare = tmp_path / "bare.yaml"
    command = "python train.py --lr {params.lr} --seed {params.seed}"
    bare.write_text(f'version: 1\ncommand: "{command}"\nmetrics: {{accuracy: {{gate: true}}}}\n')
    result = lab.verify(lab.seeded, "--config", str(bare))
    (judged,) = (each for each in result.report["comparisons"] if each["gated"])
    assert (judged["verdict"], judged["reason"]) == ("REPRODUCED", "deterministic"), result.stdout
    assert judged["margin"]["high"] == pytest.approx(0.028)
    assert judged["margin"]["source"] == "siblings"
    assert judged["margin"]["text"] == "2.8 standard deviations of 3 siblings"
    assert judged["detectable"] == pytest.approx(0.028)


def log_siblings(lab: Lab, run_id: str, values: list[float]) -> None:
    """Runs of the same recipe with other seeds and these accuracies, and what shows that."""
    from mlflow import MlflowClient

    pointer = (lab.repo.path / "data/train.csv.dvc").read_text()
    md5 = next(line.split(": ")[1] for line in pointer.splitlines() if "md5: " in line)
    recipe = {
        "reprocheck.tree": "clean",
        "reprocheck.data": json.dumps([{"path": "data/train.csv", "md5": md5}]),
        "reprocheck.environment.sha256": "e" * 64,
    }
    for tag, value in recipe.items():
        lab.set_tag(run_id, tag, value)
    with client_settings():
        client = MlflowClient(tracking_uri=lab.uri)
        original = client.get_run(run_id)
        for seed, value in enumerate(values, start=100):
            tags = original.data.tags
            made = client.create_run(original.info.experiment_id, tags=tags).info.run_id
            for name, parameter in {**original.data.params, "seed": str(seed)}.items():
                client.log_param(made, name, parameter)
            client.log_metric(made, "accuracy", value)
            client.set_terminated(made, "FINISHED")


def test_fresh_seeds_measure_the_spread_of_the_recipe(lab: Lab) -> None:
    planned = lab.verify(lab.seeded, "--seeds", "fresh", "--dry-run").report["seeds"]
    result = lab.verify(lab.seeded, "--seeds", "fresh")
    assert (result.exit_code, result.verdict) == (0, "REPRODUCED"), result.stdout
    trials = result.report["trials"]
    assert [trial["seed"] for trial in trials] == planned[: len(trials)]
    assert [trial["parameters"]["seed"] for trial in trials] == planned[: len(trials)]
    assert len({trial["metrics"]["accuracy"]["value"] for trial in trials}) == len(trials)
    assert f"spread): {planned[0]}, {planned[1]}" in result.stdout.replace("\n", " ")
    assert not schema.check(result.report, "report")


def test_a_fresh_seed_that_the_training_ignores_is_not_verified(lab: Lab, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed.yaml"
    fixed.write_text(
        'version: 1\ncommand: "python train.py --lr {params.lr} --seed 7"\n'
        "metrics: {accuracy: {gate: true}}\nreruns: {seeds: fresh, seed_env: SEED}\n"
    )
    result = lab.verify(lab.seeded, "--config", str(fixed))
    assert (result.exit_code, result.report["failed_stage"]) == (3, "rerun")
    assert "the seed did not arrive" in result.stdout.replace("\n", " ")
    fixed.write_text(fixed.read_text().replace(", seed_env: SEED", ""))
    result = lab.verify(lab.seeded, "--config", str(fixed))
    assert (result.exit_code, result.report["environment"]) == (2, None)


def test_a_variable_carries_a_fresh_seed_also_where_the_caller_has_set_it(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEED", "7")
    by_variable = tmp_path / "variable.yaml"
    by_variable.write_text(
        'version: 1\ncommand: [sh, -c, "python train.py --lr {params.lr} --seed $SEED"]\n'
        "metrics: {accuracy: {gate: true}}\npass_env: [SEED]\n"
        "reruns: {seeds: fresh, seed_env: SEED, min: 1, max: 1}\n"
    )
    report = lab.verify(lab.seeded, "--config", str(by_variable)).report
    (trial,) = report["trials"]
    assert [trial["seed"]] == report["seeds"]
    assert trial["parameters"]["seed"] == trial["seed"] != "7"


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
    result = lab.spawn("verify", lab.seeded, "--json", "-", "--markdown", "-")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_verification_in_a_process_of_its_own_ends_with_its_exit_code(lab: Lab) -> None:
    result = lab.spawn("verify", lab.seeded, "--tracking-uri", lab.uri, "-q")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "IDENTICAL" in result.stdout.splitlines()[0]


@pytest.mark.parametrize("ends", ["print(token)\n", "raise SystemExit(token)\n"])
def test_a_secret_that_the_training_prints_is_not_told(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    lab = copy_of(lab, tmp_path)
    monkeypatch.setenv("HUB_TOKEN", "hunter2-hunter2")
    script = (lab.repo.path / "train.py").read_text().replace("sys.exit(0)", ends)
    script = f"import os\ntoken = os.environ['HUB_TOKEN']\n{script}"
    config = (lab.repo.path / "reprocheck.yaml").read_text() + "pass_env: [HUB_TOKEN]\n"
    lab.repo.write({"reprocheck.yaml": config})
    at_commit(lab, train_py=script)
    result = lab.verify(lab.seeded)
    assert result.exit_code == (0 if "print" in ends else 3), result.stdout
    assert "hunter2" not in json.dumps(result.report) + result.stdout + result.stderr


def test_the_workspace_is_kept_on_request(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    result = lab.verify(lab.seeded, "--keep")
    (kept,) = lab.leftovers
    assert (kept / "trials/trial-1/tree/train.py").is_file()
    assert kept.name in result.stdout


def at_commit(lab: Lab, **files: str | None) -> None:
    """Lets the run's record name a commit with other files."""
    for name, content in files.items():
        path = name.replace("_", ".")
        if content is None:
            (lab.repo.path / path).unlink()
        else:
            lab.repo.write({path: content})
    lab.set_tag(lab.seeded, "mlflow.source.git.commit", lab.repo.commit())


def set_run(lab: Lab, column: str, value: str) -> None:
    lab.sql(f"UPDATE runs SET {column} = ? WHERE run_uuid = ?", value, lab.seeded)


def lose_data(lab: Lab) -> None:
    shutil.rmtree(lab.root / "remote")
    shutil.rmtree(lab.repo.path / ".dvc/cache")


def lose_metrics(lab: Lab) -> None:
    lab.sql("DELETE FROM metrics")
    lab.sql("DELETE FROM latest_metrics")


def use_other_python(lab: Lab) -> None:
    line = f"exec {sys.executable} train.py --lr 0.005 --seed 7"
    config = f"version: 1\ncommand: [sh, -c, '{line}']\npass_env: [OTHER_PYTHON]\n"
    lab.repo.write({"reprocheck.yaml": config})


def add_metric(lab: Lab, name: str) -> None:
    columns = "key, value, timestamp, run_uuid, step, is_nan"
    for table in ("metrics", "latest_metrics"):
        lab.sql(f"INSERT INTO {table} ({columns}) VALUES (?, 0.5, 1, ?, 0, 0)", name, lab.seeded)


def add_parameter(lab: Lab, name: str) -> None:
    query = "INSERT INTO params (run_uuid, key, value) VALUES (?, ?, '0.9')"
    lab.sql(query, lab.seeded, name)


def hide_arguments(lab: Lab) -> None:
    """A run with arguments that nothing records."""
    script = (lab.repo.path / "train.py").read_text()
    lines = [line for line in script.splitlines(keepends=True) if "log_params" not in line]
    lab.repo.commit({"train.py": "".join(lines)})
    (lab.repo.path / "reprocheck.yaml").unlink()
    lab.seeded = lab.train("--lr", "0.02", "--seed", "7")


@dataclass
class Bad:
    """A defect: how it is made, and what a verification says of it."""

    spoil: Callable[[Lab], object]
    exit_code: int
    stage: str | None
    words: str
    options: tuple[str, ...] = ()
    asked: str | None = None


BAD = {
    "unknown-run": Bad(lambda lab: None, 2, "read", "no run", asked="0" * 32),
    "missing-store": Bad(
        lambda lab: (lab.root / "mlflow.db").unlink(), 2, "read", "no MLflow store"
    ),
    "running-run": Bad(lambda lab: set_run(lab, "status", "RUNNING"), 3, "read", "running"),
    "failed-run": Bad(lambda lab: set_run(lab, "status", "FAILED"), 3, "read", "failed"),
    "deleted-run": Bad(
        lambda lab: set_run(lab, "lifecycle_stage", "deleted"), 3, "read", "deleted"
    ),
    "missing-commit": Bad(
        lambda lab: lab.sql("DELETE FROM tags WHERE key = 'mlflow.source.git.commit'"),
        *(3, "validate", "missing-commit"),
    ),
    "unknown-commit": Bad(
        lambda lab: lab.set_tag(lab.seeded, "mlflow.source.git.commit", "deadbeef" * 5),
        *(3, "checkout", "not found"),
    ),
    "no-metrics": Bad(lose_metrics, 3, "validate", "missing-metrics"),
    "missing-environment": Bad(
        lambda lab: at_commit(lab, requirements_txt=None), 3, "checkout", "missing-environment"
    ),
    "docker-environment": Bad(
        lambda lab: at_commit(lab, requirements_txt=None, Dockerfile="FROM python:3.11\n"),
        *(3, "rebuild", "Docker"),
    ),
    "missing-data": Bad(lose_data, 3, "restore", "data/train.csv"),
    "missing-parameter": Bad(
        lambda lab: lab.sql("DELETE FROM params WHERE key = 'lr'"), 3, "checkout", "params.lr"
    ),
    "wrong-parameter": Bad(lambda lab: add_parameter(lab, "momentum"), 3, "rerun", "momentum"),
    "crashing-training": Bad(
        lambda lab: at_commit(lab, train_py="raise SystemExit('boom')\n"), 3, "rerun", "boom"
    ),
    "other-python": Bad(use_other_python, 3, "rerun", "not in the one that was rebuilt for it"),
    "guessed-command": Bad(
        hide_arguments, 3, "rerun", "only inferred", options=("--margin", "loss=1%")
    ),
    "silent-training": Bad(
        lambda lab: at_commit(lab, train_py="print('done')\n"),
        *(3, "rerun", "nothing was measured"),
    ),
    "endless-training": Bad(
        lambda lab: at_commit(lab, train_py="import time\nwhile True: time.sleep(1)\n"),
        *(3, "rerun", "time limit"),
        options=("--timeout", "1s"),
    ),
    "unknown-metric-in-margin": Bad(
        lambda lab: None, 2, "validate", "acuracy", options=("--margin", "acuracy=0.1")
    ),
    "missing-metric": Bad(
        lambda lab: add_metric(lab, "f1"), 3, None, "NOT_COMPARABLE", options=("--gate", "f1")
    ),
}


@pytest.mark.parametrize("defect", list(BAD))
def test_a_bad_record_has_its_exit_code_and_message_and_leaves_nothing(
    lab: Lab, tmp_path: Path, defect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_PYTHON", sys.prefix)  # in a sandbox it can be seen only if named
    lab, bad = copy_of(lab, tmp_path), BAD[defect]
    bad.spoil(lab)
    result = lab.verify(bad.asked or lab.seeded, *bad.options)
    assert result.exit_code == bad.exit_code, result.stdout + result.stderr
    assert bad.words in " ".join(result.stdout.split())
    assert "Traceback" not in result.stdout + result.stderr
    assert result.report["failed_stage"] == bad.stage
    assert not schema.check(result.report, "report")
    assert lab.leftovers == []


def test_a_setup_of_the_project_and_recorded_settings_reach_the_trials(
    lab: Lab, tmp_path: Path
) -> None:
    own = tmp_path / "setup.yaml"
    text = (lab.repo.path / "reprocheck.yaml").read_text()
    command = text.partition("command: ")[2].partition("\n")[0]
    proof = "import os; assert os.environ['PYTHONHASHSEED'] == '7'"
    steps = f"[{{run: [python, -c, {json.dumps(proof)}]}}, {{run: {command}}}]"
    setup = "environment: {kind: script, run: pip install -q -r requirements.txt}\n"
    own.write_text(text.replace(command, steps) + setup)
    lab.set_tag(lab.seeded, "env.PYTHONHASHSEED", "7")
    result = lab.verify(lab.seeded, "--config", str(own))
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout
    report = result.report
    assert not schema.check(report, "report")
    assert report["environment"]["kind"] == "script"
    assert "mlflow-skinny==" in report["environment"]["lock"]
    assert [each["value"] for each in report["settings"]] == ["7"]
