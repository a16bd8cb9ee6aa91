"""Which seed a record knows, the fresh ones, and the arguments that carry one."""

from itertools import islice

import pytest

from reprocheck.model import Argv, Command, Lineage, RunRef, Step
from reprocheck.seeds import (
    LARGEST,
    fresh_seeds,
    is_unseeded,
    recorded_seed,
    recorded_seeds,
    reseeded,
)
from tests.reporters.builders import make_record


def below(**parameters: str) -> Lineage:
    return Lineage(parent="p", depth=1, place=0, parent_parameters=parameters)


def test_fresh_seeds_are_the_same_in_every_verification() -> None:
    # SHA-256 of "{run id}:1", its first four bytes without the sign.
    record = make_record(ref=RunRef(tracker="mlflow", run_id="3f" * 16))
    assert list(islice(fresh_seeds(record), 3)) == list(islice(fresh_seeds(record), 3))
    assert next(fresh_seeds(record)) == "1371634485"


def test_fresh_seeds_are_all_different_and_of_31_bits() -> None:
    seeds = [int(seed) for seed in islice(fresh_seeds(make_record()), 500)]
    assert len(set(seeds)) == 500
    assert all(0 <= seed <= LARGEST for seed in seeds)
    assert max(seeds) > LARGEST * 0.9


def test_a_recorded_seed_is_never_fresh() -> None:
    first, second = islice(fresh_seeds(make_record()), 2)
    assert next(fresh_seeds(make_record(seeds={"seed": first}))) == second
    assert next(fresh_seeds(make_record(seeds={}, lineage=below(seed=first)))) == second


def test_another_run_has_other_seeds() -> None:
    other = make_record(ref=RunRef(tracker="mlflow", run_id="0" * 32))
    assert next(fresh_seeds(other)) != next(fresh_seeds(make_record()))


@pytest.mark.parametrize(
    ("seeds", "seed"),
    [
        ({}, None),
        ({"seed": "7", "data_seed": "1"}, "7"),
        ({"torch": "5", "numpy": "5"}, "5"),
        ({"torch": "5", "numpy": "6"}, None),
    ],
)
def test_the_recorded_seed_is_the_one_named_so_or_the_only_one(
    seeds: dict[str, str], seed: str | None
) -> None:
    assert recorded_seed(make_record(seeds=seeds, parameters={})) == seed


def test_a_parents_seed_is_the_commands() -> None:
    record = make_record(seeds={"seed": "1042"}, lineage=below(seed="42", random_state="None"))
    assert recorded_seeds(record) == {"seed": "42"}
    assert reseeded(record, "9").lineage.parent_parameters == {"seed": "9", "random_state": "None"}


def test_a_parameter_with_the_tags_seed_is_the_seed_too() -> None:
    record = make_record(seeds={"torch": "42"}, parameters={"seed": "42", "random_state": "0"})
    assert recorded_seeds(record) == {"torch": "42", "seed": "42"}
    assert reseeded(record, "9").parameters == {"seed": "9", "torch": "9", "random_state": "0"}


@pytest.mark.parametrize(
    ("recorded", "replaced"),
    [
        ("train.py --seed 42 --n 42", "train.py --seed 9 --n 42"),
        ("train.py --seed=42 -n=42", "train.py --seed=9 -n=42"),
        ("train.py seed=42 n=42", "train.py seed=9 n=42"),
        ("train.py +training.seed=42", "train.py +training.seed=9"),
        ("train.py --random-seed 42", "train.py --random-seed 9"),
        ("train.py --seed 43", "train.py --seed 43"),
        ("train.py seed 42", "train.py seed 42"),
        ("train.py --seeds 42 42", "train.py --seeds 42 42"),
    ],
)
def test_a_recorded_argument_is_replaced_where_it_is_surely_the_seed(
    recorded: str, replaced: str
) -> None:
    command = Command(steps=(Step(run=Argv(args=tuple(recorded.split()))),))
    seeds = {"seed": "42", "random_seed": "42"}
    (step,) = reseeded(make_record(command=command, seeds=seeds), "9").command.steps
    assert " ".join(step.run.args) == replaced


@pytest.mark.parametrize(
    ("seeds", "unseeded"),
    [({"seed": "None"}, True), ({"seed": "none"}, True), ({"seed": "0"}, False), ({}, False)],
)
def test_a_record_may_say_that_there_was_no_seed(seeds: dict[str, str], unseeded: bool) -> None:
    assert is_unseeded(make_record(seeds=seeds, parameters=seeds)) is unseeded
