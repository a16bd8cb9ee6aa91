"""A project that starts its steps as projects, trained and verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import Lab
from tests.test_unprepared import RUN_PROJECT, assert_identical, said


def test_a_project_that_starts_its_steps_as_projects_is_rerun_by_its_main_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Lab(tmp_path, "multistep", dvc=False)
    with monkeypatch.context() as patch:
        patch.setenv("STEPS_IN", "local")
        main, _, train = lab.logged(*RUN_PROJECT, ".", "-P", "rate=0.01")
    result = lab.verify(train, "--reruns", "1")
    assert_identical(result, "python main.py 0.01")
    assert [item["metric"] for item in result.report["comparisons"]] == ["loss"]
    assert "python main.py 0.01" in said(lab.verify(main, "--dry-run"))
    refused = lab.verify(train, "--dry-run", "--from", "train")
    assert refused.exit_code == 2
    assert "it is one command" in said(refused)
