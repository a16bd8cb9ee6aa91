"""`reprocheck plan` on real runs in MLflow, some of them siblings."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import stdev

import pytest

from reprocheck import schema
from reprocheck.trackers.mlflow_settings import client_settings
from tests.conftest import snapshot
from tests.lab import Lab, Result, copy_of

VALUES = (0.9621, 0.9590, 0.9633, 0.9611)
RECIPE = {
    "mlflow.source.git.commit": "c" * 40,
    "mlflow.source.name": "train.py",
    "reprocheck.tree": "clean",
    "reprocheck.data": json.dumps([{"path": "train.csv", "md5": "a" * 32, "size": 81_920}]),
    "reprocheck.environment.sha256": "e" * 64,
}


@pytest.fixture
def family(lab: Lab, tmp_path: Path) -> Iterator[tuple[Lab, list[str]]]:
    """A store with four runs of one recipe that differ in their seeds, the verified one last."""
    from mlflow import MlflowClient

    lab = copy_of(lab, tmp_path)
    lab.repo.write({"reprocheck.yaml": "version: 1\n"})
    with client_settings():
        client = MlflowClient(tracking_uri=lab.uri)
        experiment = client.create_experiment("family", (tmp_path / "artifacts").as_uri())
        ids = []
        for seed, value in enumerate(VALUES):
            start = 1_700_000_000_000 + seed
            run_id = client.create_run(experiment, start, RECIPE).info.run_id
            client.log_param(run_id, "seed", str(seed))
            client.log_metric(run_id, "accuracy", value)
            for step, used in enumerate((8_000, 9_500)):
                client.log_metric(run_id, "system/system_memory_usage_megabytes", used, step=step)
            client.log_text(run_id, "x" * 1_000, "model.txt")
            client.set_terminated(run_id, "FINISHED", start + 600_000)
            ids.append(run_id)
    yield lab, ids


def plan(lab: Lab, run_id: str, *args: str) -> Result:
    result = lab.reprocheck("plan", run_id, "--tracking-uri", lab.uri, *args)
    if args[-1:] == ("-",) and result.exit_code == 0:
        result.report = json.loads(result.stdout)
        assert not schema.check(result.report, "plan")
    return result


def test_a_plan_is_made_from_the_runs_siblings(family: tuple[Lab, list[str]]) -> None:
    lab, ids = family
    before = snapshot(lab.root / "repo"), (lab.root / "mlflow.db").read_bytes()
    found = plan(lab, ids[-1], "--margin", "accuracy=0.005", "--json", "-").report
    (metric,) = found["metrics"]
    assert metric["sigma"]["text"] == "3 siblings and the run"
    assert metric["sigma"]["value"] == pytest.approx(stdev(VALUES))
    assert metric["reruns"] == {"for_80": 4, "for_90": 6}
    assert metric["chance"]["reproduced"] == pytest.approx(0.93, abs=0.02)
    assert found["joint"] == metric["chance"]
    assert found["cost"]["original_s"] == 600.0
    assert found["cost"]["expected_s"] == pytest.approx(600 * metric["chance"]["mean_reruns"])
    assert found["resources"]["memory_bytes"] == 9.5e9
    assert (found["resources"]["artifacts_bytes"], found["resources"]["data_bytes"]) == (
        1_000,
        81_920,
    )
    assert (snapshot(lab.root / "repo"), (lab.root / "mlflow.db").read_bytes()) == before
    assert lab.leftovers == []


def test_a_plan_starts_with_the_chance_of_a_sure_answer(family: tuple[Lab, list[str]]) -> None:
    lab, ids = family
    result = plan(lab, ids[-1][:12], "--margin", "accuracy=0.005", "--seeds", "fresh", "-q")
    assert (result.exit_code, result.stderr) == (0, "")
    first = result.stdout.splitlines()[0]
    assert first.startswith("An honest run is called REPRODUCED with a chance of 9")
    assert "3 siblings and" in result.stdout
    assert "fresh seeds" in result.stdout
    assert "bit for bit" not in result.stdout


def test_a_given_sigma_wins_and_a_fixed_number_of_reruns_is_judged_once(
    family: tuple[Lab, list[str]],
) -> None:
    lab, ids = family
    args = ("--margin", "accuracy=0.005", "--sigma", "accuracy=0.002/9", "--reruns", "5")
    found = plan(lab, ids[-1], *args, "--json", "-").report
    sigma = {"value": 0.002, "df": 9, "source": "given", "text": "--sigma"}
    assert found["metrics"][0]["sigma"] == sigma
    assert found["joint"]["mean_reruns"] == 5.0


def test_a_file_gets_the_json_and_the_terminal_the_text(
    family: tuple[Lab, list[str]], tmp_path: Path
) -> None:
    lab, ids = family
    out = tmp_path / "plan.json"
    result = plan(lab, ids[0], "--margin", "accuracy=0.005", "--json", str(out))
    assert "An honest run" in result.stdout
    assert json.loads(out.read_text())["run_id"] == ids[0]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("nope",), 2, "has no run nope"),
        (("RUN", "--sigma", "accuracy"), 2, "--sigma accuracy: expected"),
        (("RUN", "--sigma", "loss=0.1"), 2, "given for loss (--sigma), which the run never"),
        (("RUN", "--margin", "los=0.1"), 2, "which the run never logged"),
        (("RUN", "--reruns", "9..3"), 2, "--reruns 9..3"),
        (("RUN", "--json", "/nowhere/plan.json"), 2, "cannot be written"),
        (("UNFINISHED",), 3, "is still running"),
    ],
)
def test_what_cannot_be_planned_is_told(
    family: tuple[Lab, list[str]], args: tuple[str, ...], code: int, words: str
) -> None:
    lab, ids = family
    if args[0] == "UNFINISHED":
        lab.sql("UPDATE runs SET status = 'RUNNING' WHERE run_uuid = ?", ids[-1])
    run_id = args[0] if args[0] == "nope" else ids[-1]
    result = plan(lab, run_id, *args[1:])
    assert result.exit_code == code, result.stdout + result.stderr
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
