from __future__ import annotations

from pathlib import Path

import pytest

from reprocheck import command
from reprocheck.command_templates import StepTemplate
from reprocheck.config import Config
from reprocheck.errors import SourceError
from reprocheck.model import Argv, Command, Origin, OriginKind, RecordedFile, RunRecord, Step
from reprocheck.seeds import reseeded
from tests.command.test_command import PROJECT, run_of, tree

APP = '@hydra.main(version_base=None, config_path="conf", config_name="config")\n'
SETTINGS = """
hydra:
  mode: {mode}
  job: {{name: train, chdir: true, config_name: {config}}}
  overrides:
    hydra: [hydra.run.dir=/tmp/x, hydra.job.chdir=True, hydra.mode=MULTIRUN, hydra/launcher=slurm]
    task: [lr=0.1]
  runtime:
    cwd: {cwd}
    config_sources:
    - {{path: hydra.conf, schema: pkg, provider: hydra}}
    - {{path: /home/ada/proj/special, schema: file, provider: {provider}}}
"""


def kept(path: str, content: str) -> RecordedFile:
    origin = Origin(kind=OriginKind.ARTIFACT, where=path)
    return RecordedFile(path=path, content=content.encode(), origin=origin)


def record(
    overrides: str = "[lr=0.1, 'model=wide net', +seed=7]",
    script: str = "train.py",
    folder: str = ".hydra",
    **settings: str,
) -> RunRecord:
    files = [kept(f"{folder}/overrides.yaml", overrides)]
    if settings:
        defaults = {"mode": "RUN", "config": "config", "cwd": "/elsewhere", "provider": "main"}
        files.append(kept(f"{folder}/hydra.yaml", SETTINGS.format(**{**defaults, **settings})))
    return run_of(script, files=tuple(files), parameters={"seed": "7"}, seeds={"seed": "7"})


def words(run: RunRecord, root: Path, config: Config | None = None) -> tuple[str, ...]:
    (step,) = command.complete(run, config or Config(), root).command.steps
    assert isinstance(step.run, Argv)
    return (step.cwd, *step.run.args)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tree(tmp_path, train_py=APP, src__app_py=APP, special__a_yaml="")


@pytest.mark.parametrize("folder", [".hydra", "hydra", "outputs/2026-01-01/.hydra"])
def test_each_override_is_one_argument(root: Path, folder: str) -> None:
    run = record(folder=folder)
    assert words(run, root) == (
        *(".", "python", "train.py", "lr=0.1", "model=wide net", "+seed=7"),
    )
    found = command.complete(run, Config(), root)
    assert (found.origin.kind, found.origin.where) == (
        *(OriginKind.ARTIFACT, f"{folder}/overrides.yaml"),
    )


def test_overrides_come_after_recorded_arguments_and_before_the_template(root: Path) -> None:
    config = Config(command=(StepTemplate(args=("python", "other.py")),))
    assert words(record(), root, config)[2] == "train.py"
    recorded = Command(steps=(Step(run=Argv(args=("python", "exact.py"))),))
    run = run_of(command=recorded, files=record().files)
    assert words(run, root) == (".", "python", "exact.py")


def test_the_project_that_the_run_was_started_as_comes_first(root: Path) -> None:
    (root / "MLproject").write_text(PROJECT)
    run = run_of("x", entry_point="main", files=record().files)
    assert command.complete(run, Config(), root).given == {"alpha", "l1_ratio"}


def test_only_settings_that_can_change_the_result_are_kept(root: Path) -> None:
    assert words(record(mode="RUN"), root)[-1] == "hydra.job.chdir=True"
    run = record("[]", mode="MULTIRUN")
    assert words(run, root) == (".", "python", "train.py", "hydra.job.chdir=True")
    found = command.complete(run, Config(), root)
    assert [finding.code for finding in found.findings] == ["hydra-job"]


def test_a_config_that_the_script_does_not_declare_is_given(root: Path) -> None:
    run = record("[]", config="big", provider="command-line")
    assert words(run, root)[3:5] == ("--config-name=big", "--config-dir=special")


def test_the_directory_is_that_of_the_run(root: Path) -> None:
    run = record("[]", "/home/ada/proj/src/app.py", cwd="/home/ada/proj/src")
    assert words(run, root)[:3] == ("src", "python", "app.py")
    run = record("[]", "/home/ada/proj/src/app.py", cwd="/home/ada/proj")
    assert words(run, root)[:3] == (".", "python", "src/app.py")
    run = record("[]", "ipykernel_launcher.py", cwd="/home/ada/proj")
    assert words(run, root)[:3] == (".", "python", "train.py"), "by the name of Hydra's job"


def test_a_fresh_seed_replaces_the_one_that_was_overridden(root: Path) -> None:
    assert words(reseeded(record(), "99"), root)[-1] == "+seed=99"


@pytest.mark.parametrize(
    "overrides", ["[--multirun]", "[-cd=/etc]", "{a: 1}", "[1]", "[''", "&a [*a]", "['']"]
)
def test_what_is_no_list_of_overrides_is_refused(root: Path, overrides: str) -> None:
    with pytest.raises(SourceError, match=r"overrides\.yaml"):
        words(record(overrides), root)


def test_several_different_jobs_are_not_guessed_at(root: Path) -> None:
    files = (*record("[a=1]").files, *record("[a=2]", folder="1/.hydra").files)
    found = command.complete(run_of(files=files), Config(), root)
    assert found.origin.kind is OriginKind.INFERRED
