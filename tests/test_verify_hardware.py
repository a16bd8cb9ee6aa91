"""A verification of a run whose record tells its hardware, from end to end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from reprocheck import schema
from tests.lab import Lab, copy_of

LATENCY = 'mlflow.log_metric("latency_ms", 5.0)\n    mlflow.log_metric("loss"'


@pytest.fixture
def measured(lab: Lab, tmp_path: Path) -> tuple[Lab, str]:
    """A run that logged a latency: written into its record, as a training takes seconds."""
    lab = copy_of(lab, tmp_path)
    script = (lab.repo.path / "train.py").read_text()
    commit = lab.repo.commit({"train.py": script.replace('mlflow.log_metric("loss"', LATENCY)})
    lab.set_tag(lab.seeded, "mlflow.source.git.commit", commit)
    own = tmp_path / "artifacts"  # what a copy of the project names is the other tests' too
    if (shared := artifacts(lab, lab.seeded)).exists():
        shutil.copytree(shared, own)
    lab.sql("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", str(own), lab.seeded)
    for table in ("metrics", "latest_metrics"):
        lab.sql(
            f"INSERT INTO {table} (key, value, timestamp, step, is_nan, run_uuid) "
            "VALUES ('latency_ms', 5.0, 1, 0, 0, ?)",
            lab.seeded,
        )
    return lab, lab.seeded


def artifacts(lab: Lab, run_id: str) -> Path:
    ((uri,),) = lab.sql("SELECT artifact_uri FROM runs WHERE run_uuid = ?", run_id)
    folder = Path(str(uri).removeprefix("file://"))
    return folder if folder.is_absolute() else lab.repo.path / folder


def record_hardware(lab: Lab, run_id: str, **told: str) -> None:
    folder = artifacts(lab, run_id) / "reprocheck"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "record.json").write_text(json.dumps({"hardware": told}))


def record_packages(lab: Lab, run_id: str, environment: dict[str, Any]) -> None:
    folder = artifacts(lab, run_id) / "reprocheck/environment"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "freeze.txt").write_text(environment["lock"])


def system_metric(lab: Lab, run_id: str, name: str, value: float) -> None:
    lab.sql(
        "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
        "VALUES (?, ?, 1, 0, 0, ?)",
        *(f"system/{name}", value, run_id),
    )


def test_a_latency_is_judged_only_where_the_machine_is_known_to_be_the_runs(
    measured: tuple[Lab, str],
) -> None:
    lab, run_id = measured
    gate = ("--gate", "latency_ms", "--margin", "latency_ms=50%")
    record_hardware(lab, run_id, cpu_model="Another", blas_core="Zen", isa="avx")
    result = lab.verify(run_id, *gate)
    found = result.report["hardware"]
    assert (result.exit_code, found["same"]) == (3, False), result.stdout
    assert not schema.check(result.report, "report")
    told = [each for each in result.report["findings"] if each["code"] == "other-hardware"]
    assert [each["severity"] for each in told] == ["warning", "note"]
    shown = " ".join(result.stdout.split())
    assert "cpu_model Another" in shown
    assert "direct" in shown

    python = {"python": result.report["environment"]["python"]}
    record_hardware(lab, run_id, **found["landed"], **python)
    record_packages(lab, run_id, result.report["environment"])
    result = lab.verify(run_id, *gate)
    assert result.report["hardware"]["same"] is True, result.report["hardware"]
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout


def test_what_this_machine_has_too_little_of_is_told_and_the_verification_goes_on(
    lab: Lab, tmp_path: Path
) -> None:
    lab = copy_of(lab, tmp_path)
    system_metric(lab, lab.seeded, "system_memory_usage_megabytes", 9e9)
    system_metric(lab, lab.seeded, "gpu_0_utilization_percentage", 70.0)
    planned = lab.reprocheck("plan", lab.seeded, "--tracking-uri", lab.uri)
    assert "used up to 9000 TB of memory" in " ".join(planned.stdout.split())
    result = lab.verify(lab.seeded)
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout
    assert "little-memory" in {each["code"] for each in result.report["findings"]}


def test_gpus_that_are_not_there_are_refused_before_the_build(lab: Lab, tmp_path: Path) -> None:
    lab = copy_of(lab, tmp_path)
    config = (lab.repo.path / "reprocheck.yaml").read_text()
    lab.repo.write({"Dockerfile": "FROM no-such-image\n", "reprocheck.yaml": config + MANY})
    lab.set_tag(lab.seeded, "mlflow.source.git.commit", lab.repo.commit())
    result = lab.verify(lab.seeded)
    assert (result.exit_code, result.report["failed_stage"]) == (3, "rebuild")
    assert "limits.gpus in reprocheck.yaml asks for 99 GPUs" in result.report["sentence"]


MANY = "limits: {gpus: 99}\nenvironment: {kind: docker}\n"
