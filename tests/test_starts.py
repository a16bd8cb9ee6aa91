"""How each trial is started under both policies of seeds."""

import dataclasses
from itertools import islice
from pathlib import Path

import pytest

from reprocheck.command_templates import StepTemplate
from reprocheck.config import Config
from reprocheck.errors import ConfigError, SourceError, UsageError
from reprocheck.model import (
    Argv,
    Command,
    Lineage,
    RerunPlan,
    RunRecord,
    SeedPolicy,
    ShellLine,
    Step,
)
from reprocheck.seeds import fresh_seeds
from reprocheck.starts import Start, Starts, find_starts
from tests.reporters.builders import make_code, make_record

PROJECT = """
name: wine
entry_points:
  main:
    parameters: {lr: float, seed: {type: int, default: 0}}
    command: "python train.py {lr} {seed}"
"""


def recorded(line: str) -> Command:
    return Command(steps=(Step(run=Argv(args=tuple(line.split()))),))


def run_of(**changes: object) -> RunRecord:
    code = make_code(script="train.py", entry_point=changes.pop("entry_point", None))
    return make_record(**{"command": None, "code": code, **changes})


def config(template: str = "", seeds: SeedPolicy = SeedPolicy.FRESH, **changes: object) -> Config:
    command = (StepTemplate(args=tuple(template.split())),) if template else ()
    return Config(command=command, reruns=RerunPlan(seeds=seeds), **changes)


def line(start: Start) -> str:
    (step,) = start.command.steps
    return step.run.line if isinstance(step.run, ShellLine) else " ".join(step.run.args)


def starts_of(record: RunRecord, asked: Config, tree: Path, most: int = 8) -> Starts:
    return find_starts(record, asked, tree, most)


def lines(record: RunRecord, asked: Config, tree: Path) -> list[str]:
    return [line(start) for start in starts_of(record, asked, tree).trials]


@pytest.fixture
def seeds() -> list[str]:
    return list(islice(fresh_seeds(make_record()), 8))


@pytest.mark.parametrize("placeholder", ["{seed}", "{params.seed}"])
def test_the_template_carries_a_fresh_seed_to_every_trial(
    tmp_path: Path, seeds: list[str], placeholder: str
) -> None:
    starts = starts_of(run_of(), config(f"train.py {placeholder}"), tmp_path)
    assert [line(start) for start in starts.trials] == [f"train.py {seed}" for seed in seeds]
    assert list(starts.seeds) == seeds
    assert starts.found.command == starts.trials[0].command


def test_the_recorded_seed_goes_to_every_trial_under_same(tmp_path: Path) -> None:
    asked = config("train.py {seed}", SeedPolicy.SAME, seed_env="SEED")
    starts = starts_of(run_of(), asked, tmp_path)
    assert {line(start) for start in starts.trials} == {"train.py 42"}
    assert (len(starts.trials), set(starts.seeds)) == (8, {"42"})
    assert starts.trials[0].command.env == {"SEED": "42"}


def test_a_variable_stays_unset_where_no_seed_is_recorded(tmp_path: Path) -> None:
    asked = config("train.py", SeedPolicy.SAME, seed_env="SEED")
    starts = starts_of(run_of(seeds={}, parameters={}), asked, tmp_path)
    assert starts.trials[0].command.env == {}


def test_a_variable_carries_fresh_seeds_to_any_command(tmp_path: Path, seeds: list[str]) -> None:
    record = run_of(command=recorded("python train.py --lr 1"))
    starts = starts_of(record, config(seed_env="SEED"), tmp_path)
    assert [start.command.env["SEED"] for start in starts.trials] == seeds
    assert line(starts.trials[0]) == "python train.py --lr 1"


def test_a_template_wins_over_recorded_arguments_without_the_seed(
    tmp_path: Path, seeds: list[str]
) -> None:
    record = run_of(command=recorded("python train.py --lr 1"))
    for more in ({}, {"seed_env": "SEED"}):
        asked = config("train.py --seed {seed}", **more)
        assert lines(record, asked, tmp_path)[0] == f"train.py --seed {seeds[0]}"


def test_recorded_arguments_with_the_seed_win_as_they_always_do(
    tmp_path: Path, seeds: list[str]
) -> None:
    record = run_of(command=recorded("python train.py --seed 42"))
    assert lines(record, config("other.py {seed}"), tmp_path)[1] == (
        f"python train.py --seed {seeds[1]}"
    )


@pytest.mark.parametrize("known", [{"seed": "42"}, {}])
def test_an_entry_point_with_a_seed_carries_fresh_ones(
    tmp_path: Path, seeds: list[str], known: dict[str, str]
) -> None:
    (tmp_path / "MLproject").write_text(PROJECT)
    record = run_of(entry_point="main", parameters={"lr": "0.1", **known}, seeds=known)
    assert lines(record, config(), tmp_path)[:2] == [
        f"python train.py 0.1 {seed}" for seed in seeds[:2]
    ]


def test_a_variable_does_not_make_a_guess_better_than_the_record(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text(PROJECT)
    (tmp_path / "train.py").touch()
    record = run_of(command=recorded("python train.py --lr 1"))
    assert lines(record, config(seed_env="SEED"), tmp_path)[0] == "python train.py --lr 1"


def test_a_childs_command_gets_the_seed_as_its_parents(tmp_path: Path, seeds: list[str]) -> None:
    above = Lineage(parent="p", depth=1, place=0, parent_parameters={"seed": "42", "k": "3"})
    record = run_of(parameters={"fold": "1"}, seeds={}, lineage=above)
    for placeholder in ("{params.seed}", "{seed}"):
        asked = config(f"train.py {placeholder} {{params.k}} {{params.fold}}")
        assert lines(record, asked, tmp_path)[0] == f"train.py {seeds[0]} 3 1"
    asked = config("train.py {seed}", SeedPolicy.SAME)
    assert lines(record, asked, tmp_path)[0] == "train.py 42"


@pytest.mark.parametrize("template", ["", "python train.py --lr {params.lr}"])
def test_where_nothing_takes_a_seed_it_is_said_how_to_pass_one(
    tmp_path: Path, template: str
) -> None:
    record = run_of(command=recorded("python train.py --lr 1"))
    with pytest.raises(ConfigError, match="seeds: fresh, but nothing") as caught:
        starts_of(record, config(template), tmp_path)
    assert "{seed}" in caught.value.hint
    assert "seed_env" in caught.value.hint


def test_without_any_command_its_lack_is_told_first(tmp_path: Path) -> None:
    record = dataclasses.replace(run_of(), code=make_code(script=None))
    with pytest.raises(SourceError, match="missing-command"):
        starts_of(record, config(), tmp_path)


def test_one_rerun_has_one_start(tmp_path: Path) -> None:
    assert len(starts_of(run_of(), config("train.py {seed}"), tmp_path, most=1).trials) == 1


STAGES = """
stages:
  prepare: {cmd: python prepare.py, outs: [data.csv]}
  train: {cmd: python train.py, deps: [data.csv]}
"""


@pytest.mark.parametrize("seeds", [SeedPolicy.SAME, SeedPolicy.FRESH])
def test_all_trials_start_at_the_step_that_was_asked_for(tmp_path: Path, seeds: SeedPolicy) -> None:
    (tmp_path / "dvc.yaml").write_text(STAGES)
    (tmp_path / "train.py").write_text("")
    asked = Config(reruns=RerunPlan(seeds=seeds), seed_env="SEED")
    starts = find_starts(run_of(), asked, tmp_path, 2, "train")
    assert [len(start.command.steps) for start in starts.trials] == [1, 1]
    assert [part.name for part in starts.found.skipped] == ["prepare"]
    with pytest.raises(UsageError, match="no such step"):
        find_starts(run_of(), asked, tmp_path, 2, "deploy")
