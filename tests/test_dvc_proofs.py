"""A dvc.lock that DVC itself wrote, and what may have changed since."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reprocheck import dvc_pipeline, dvc_proofs
from reprocheck.dvc_proofs import Proof
from tests.conftest import shared_folder

PIPELINE = """
stages:
  prepare:
    wdir: prep
    cmd: mkdir -p ../data && sed 's/a/b/' ../raw.csv > ../data/clean.csv
    deps: [../raw.csv, ../src]
    params: [{../params.yaml: [rate]}]
    outs: [../data]
  train:
    cmd: cp data/clean.csv model.txt
    deps: [data/clean.csv]
    outs: [model.txt]
"""


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree as `dvc repro` and a commit leave it, without what DVC keeps out of git."""
    with shared_folder(tmp_path_factory, "proofs") as shared:
        if not shared.exists():
            (shared / "src").mkdir(parents=True)
            (shared / "prep").mkdir()
            for name, text in {
                "dvc.yaml": PIPELINE,
                "params.yaml": "rate: 1e-3\n",
                "raw.csv": "a\r\nb\n",
                "src/a.py": "x = 1\n",
                "src/b.py": "",
            }.items():
                (shared / name).write_bytes(text.encode())
            for words in (("init", "--no-scm", "-q"), ("repro", "-q")):
                argv = [sys.executable, "-m", "dvc", *words]
                subprocess.run(argv, cwd=shared, check=True, capture_output=True)
            for name in ("data", ".dvc"):
                shutil.rmtree(shared / name)
            (shared / "model.txt").unlink()
    return shared


@pytest.fixture
def tree(reproduced: Path, tmp_path: Path) -> Path:
    shutil.copytree(reproduced, tmp_path / "tree")
    return tmp_path / "tree"


def proofs(tree: Path) -> Mapping[str, Proof]:
    stages = dvc_pipeline.stages(tree)
    return dvc_proofs.proofs(tree, dvc_pipeline.upstream(["train"], stages), stages)


def test_a_lock_of_this_commits_code_and_values_proves_what_its_stages_made(tree: Path) -> None:
    found = proofs(tree)
    assert {name: proof.doubt for name, proof in found.items()} == {"prepare": "", "train": ""}
    assert list(found["prepare"].materials) == ["data"]
    assert found["prepare"].materials["data"].digest.endswith(".dir")
    assert list(found["train"].materials) == ["model.txt"]


@pytest.mark.parametrize(
    ("file", "old", "new", "doubt"),
    [
        ("raw.csv", "a", "c", "raw.csv is another at the commit than in dvc.lock"),
        ("src/a.py", "1", "2", "src is another at the commit than in dvc.lock"),
        (
            "params.yaml",
            "1e-3",
            "1e-4",
            "params.yaml at the commit has another rate than dvc.lock",
        ),
        ("dvc.yaml", "s/a/b/", "s/a/c/", "dvc.yaml at the commit has another command for prepare"),
        ("dvc.yaml", "[../data]", "[../data, ../more]", "dvc.lock has no digest of more"),
        ("dvc.yaml", "[rate]", "[rate, lr]", "dvc.lock has no value of lr"),
        ("dvc.yaml", "cmd: mkdir", "always_changed: true\n    cmd: mkdir", "always_changed"),
        ("dvc.lock", "prepare:", "other:", "dvc.lock at the commit has no stage prepare"),
    ],
)
def test_a_lock_of_another_state_proves_nothing_that_depends_on_it(
    tree: Path, file: str, old: str, new: str, doubt: str
) -> None:
    content = (tree / file).read_text()
    assert old in content
    (tree / file).write_text(content.replace(old, new, 1))
    found = proofs(tree)
    assert doubt in found["prepare"].doubt
    assert doubt in found["train"].doubt
    assert "depends on prepare" in found["train"].doubt


def test_what_a_frozen_stage_made_stands_whatever_it_depends_on(tree: Path) -> None:
    (tree / "raw.csv").write_text("changed")
    pipeline = (tree / "dvc.yaml").read_text()
    (tree / "dvc.yaml").write_text(pipeline.replace("wdir: prep", "wdir: prep\n    frozen: true"))
    assert {name: proof.doubt for name, proof in proofs(tree).items()} == {
        "prepare": "",
        "train": "",
    }
