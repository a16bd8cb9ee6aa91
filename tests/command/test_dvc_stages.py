from __future__ import annotations

from pathlib import Path

import pytest

from reprocheck import command
from reprocheck.config import Config
from reprocheck.errors import SourceError
from reprocheck.model import Argv, Command, Step
from tests.command.test_command import lines, run_of, tree

PIPELINE = """
stages:
  prepare: {cmd: python prepare.py, deps: [raw.csv], outs: [data.csv]}
  train: {cmd: "python train.py ${lr}", deps: [data.csv], outs: [model]}
  evaluate: {cmd: python evaluate.py, deps: [model], metrics: [scores.json]}
  other: {cmd: python other.py}
"""
SEVERAL = """
stages:
  train:
    matrix: {model: [cnn, mlp], size: [1, 2]}
    cmd: python train.py ${item.model} ${item.size}
"""


def recorded(*words: str, cwd: str = ".") -> Command:
    return Command(steps=(Step(run=Argv(args=words), cwd=cwd),), env={"A": "1"})


def found(root: Path, *words: str, cwd: str = ".") -> list[str]:
    record = run_of(command=recorded(*words, cwd=cwd))
    return lines(command.complete(record, Config(), root))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    sub = "stages: {train: {cmd: python sub.py, deps: [../data.csv], outs: [own]}}"
    files = {"dvc_yaml": PIPELINE, "params_yaml": "lr: 0.1\n", "sub__dvc_yaml": sub}
    return tree(tmp_path, train_py="", **files)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("dvc repro", "prepare train evaluate other"),
        ("/opt/venv/bin/dvc repro --force --no-run-cache -n x", "prepare train evaluate other"),
        ("python -m dvc exp run train", "prepare train"),
        ("/x/site-packages/dvc/__main__.py repro model", "prepare train"),
        ("dvc exp run -S lr=0.1 evaluate", "prepare train evaluate"),
        ("dvc exp run --set-param=params.yaml:lr=0.1 train", "prepare train"),
        ("dvc repro sub/dvc.yaml:train", "prepare sub"),
        ("dvc repro --downstream train", "prepare train evaluate"),
        ("dvc repro -P", "prepare train evaluate other sub"),
    ],
)
def test_dvc_itself_reproduces_these_stages(root: Path, line: str, names: str) -> None:
    scripts = [each.split()[1].removesuffix(".py") for each in found(root, *line.split())]
    assert scripts == names.split()


def test_dvc_in_a_folder_reproduces_that_folders_stages(root: Path) -> None:
    assert found(root, "dvc", "repro", cwd="sub") == ["python prepare.py", "python sub.py"]


def test_variables_and_origin_of_the_recorded_command_are_kept(root: Path) -> None:
    origin = command.complete(run_of(command=recorded("dvc", "repro")), Config(), root)
    assert origin.command.env == {"A": "1"}
    assert "reprocheck.argv: DVC stages prepare, train" in origin.origin.where


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("dvc repro --interactive", "--interactive, whose effect"),
        ("dvc exp run --queue", "--queue, whose effect"),
        ("dvc repro absent", "no stage 'absent'"),
        ("dvc exp run -S lr=0.2", "params.yaml at the commit has 0.1"),
        ("dvc exp run -S ../x.yaml:lr=0.2", "has no such value"),
    ],
)
def test_what_dvc_would_do_otherwise_is_refused(root: Path, line: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        found(root, *line.split())
    assert said in caught.value.message


def test_other_commands_of_dvc_are_no_pipeline(root: Path) -> None:
    assert found(root, "dvc", "run", "x") == ["dvc run x"]


def test_the_run_of_a_matrix_is_told_by_the_values_that_it_logged(tmp_path: Path) -> None:
    root = tree(tmp_path, train_py="", dvc_yaml=SEVERAL)
    record = run_of(parameters={"model": "mlp", "size": "1"})
    assert lines(command.complete(record, Config(), root)) == ["python train.py mlp 1"]
    everything = command.complete(run_of(parameters={"model": "mlp"}), Config(), root)
    assert len(lines(everything)) == 4


def test_of_two_files_the_one_nearer_to_the_script_counts(tmp_path: Path) -> None:
    files = {"a__dvc_yaml": "stages: {t: {cmd: python train.py a}}", "a__train_py": ""}
    root = tree(tmp_path, dvc_yaml="stages: {t: {cmd: python b/train.py}}", b__train_py="", **files)
    assert lines(command.complete(run_of("a/train.py"), Config(), root)) == ["python train.py a"]


def test_a_frozen_stage_is_not_run(tmp_path: Path) -> None:
    frozen = PIPELINE.replace("python prepare.py,", "python prepare.py, frozen: true,")
    root = tree(tmp_path, train_py="", dvc_yaml=frozen, params_yaml="lr: 1")
    chosen = command.complete(run_of(), Config(), root)
    assert lines(chosen) == ["python train.py 1"]
    assert [part.name for part in chosen.skipped] == ["prepare"]
    with pytest.raises(
        SourceError, match=r"every stage of the run is frozen in dvc\.yaml: prepare"
    ):
        found(root, "dvc", "repro", "prepare")
