"""Runs of several steps, trained and verified: DVC stages, and a project that starts projects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import Lab
from tests.test_unprepared import RUN_PROJECT, assert_identical, codes, said


def test_a_dvc_pipeline_is_rerun_whole_or_from_what_the_lock_proves(tmp_path: Path) -> None:
    lab = Lab(tmp_path, "pipeline")
    # Reproducing writes dvc.lock: the one at the run's commit is still that of the run before.
    (run_id,) = lab.logged("-m", "dvc", "repro", "--quiet")
    whole = lab.verify(run_id, "--keep", "--reruns", "1")
    assert_identical(whole, "sh -c 'python prepare.py' && sh -c 'python train.py 0.02'")
    assert [item["path"] for item in whole.report["record"]["data"]] == ["data/train.csv"]
    assert whole.report["scope"] == {"rerun": ["prepare", "train"], "skipped": [], "given": []}
    (kept,) = lab.leftovers
    assert not (kept / "inputs/data/clean.csv").exists()
    assert (kept / "trials/trial-1/tree/data/clean.csv").is_file()
    lab.repo.dvc("push", "--quiet")
    later = lab.verify(run_id, "--from", "train", "--reruns", "1")
    assert_identical(later, "sh -c 'python train.py 0.02'")
    assert [item["path"] for item in later.report["record"]["data"]] == ["data/clean.csv"]
    assert "rerun: train; not rerun: prepare; taken as given: data/clean.csv 4284b4a4" in said(
        later
    )
    assert "started-later" in codes(later)
    unknown = lab.verify(run_id, "--from", "deploy", "--dry-run")
    assert unknown.exit_code == 2
    assert "its steps are: prepare, train" in said(unknown)


def test_a_project_that_starts_its_steps_as_projects_is_rerun_by_its_main_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Lab(tmp_path, "multistep", dvc=False)
    with monkeypatch.context() as patch:
        patch.setenv("STEPS_IN", "local")
        main, load, train = lab.logged(*RUN_PROJECT, ".", "-P", "rate=0.01")
    result = lab.verify(train, "--reruns", "1")
    assert_identical(result, "python main.py 0.01")
    assert [item["metric"] for item in result.report["comparisons"]] == ["loss"]
    for run in (main, load):
        planned = lab.verify(run, "--dry-run")
        assert "python main.py 0.01" in said(planned)
    refused = lab.verify(load, "--dry-run", "--from", "train")
    assert refused.exit_code == 2
    assert "it is one command" in said(refused)
