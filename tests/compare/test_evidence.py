from __future__ import annotations

from dataclasses import replace

import pytest

from reprocheck.compare.evidence import are_deterministic, is_beyond_chance, same_products
from reprocheck.model import Metric

FINE = 0.34821757311  # no simple share of examples
CURVE = [0.9, 0.71, 0.55, 0.48, 0.45]


@pytest.fixture(scope="session")
def beyond_chance(build_question, build_trial):
    """Whether a trial equal in `accuracy`, the gate, is equal beyond chance."""

    def ask(original, rerun, theirs=None, ours=None, **given):
        question = build_question(
            {"accuracy": 0.975, **original}, gates=["accuracy"], products=theirs or {}, **given
        )
        return is_beyond_chance(question, build_trial(1, {"accuracy": 0.975, **rerun}, ours))

    return ask


def test_a_coarse_value_alone_may_be_equal_by_chance(beyond_chance):
    assert not beyond_chance({}, {})


def test_a_gate_that_is_not_coarse_is_equal_beyond_chance(build_question, build_trial):
    question = build_question({"accuracy": 0.975, "loss": FINE})
    assert is_beyond_chance(question, build_trial(1, {"accuracy": 0.975, "loss": FINE}))


def test_another_metric_that_is_not_coarse_shows_it(beyond_chance):
    assert beyond_chance({"other": FINE}, {"other": FINE})
    assert not beyond_chance({"other": FINE}, {})


@pytest.mark.parametrize(
    "name", ["fit_seconds", "system/cpu", "learning_rate", "lr", "train/epoch"]
)
def test_times_and_schedules_show_nothing(beyond_chance, name):
    assert not beyond_chance({name: FINE}, {name: FINE})


def test_a_measure_that_differs_contradicts(beyond_chance):
    original, rerun = {"other": FINE, "loss": 0.5123}, {"other": FINE, "loss": 0.5124}
    assert not beyond_chance(original, rerun)


def test_a_declared_resolution_makes_a_metric_coarse(build_question, build_rule, build_trial):
    question = build_question({"loss": FINE}, build_rule("loss", resolution=0.01))
    assert not is_beyond_chance(question, build_trial(1, {"loss": FINE}))


def test_a_history_of_five_points_shows_it(beyond_chance):
    assert beyond_chance({"loss": CURVE}, {"loss": CURVE})
    assert not beyond_chance({"loss": CURVE[1:]}, {"loss": CURVE[1:]})
    assert not beyond_chance({"loss": CURVE}, {"loss": [*CURVE[:1], 0.72, *CURVE[2:]]})


@pytest.mark.parametrize(
    "values", [[1.0] * 9, [1.0, 2.0, 3.0, 4.0, 5.0], [0.5, 0.4, 0.3, 0.2, 0.1]]
)
def test_a_constant_or_a_counter_is_no_history(beyond_chance, values):
    assert not beyond_chance({"curve": values}, {"curve": values})


def test_histories_are_compared_at_equal_steps(build_metric, build_question, build_trial):
    question = build_question({"accuracy": 0.975, "loss": CURVE}, gates=["accuracy"])
    trial = build_trial(1, {"accuracy": 0.975, "loss": CURVE})
    assert is_beyond_chance(question, trial)
    points = build_metric("loss", CURVE).history
    later = Metric(name="loss", history=tuple(replace(p, step=p.step + 1) for p in points))
    moved = replace(trial, metrics={**trial.metrics, "loss": later})
    assert not is_beyond_chance(question, moved)


def test_equal_products_show_it(beyond_chance):
    assert beyond_chance({}, {}, {"model.bin": "AB", "gone": "1"}, {"model.bin": "ab", "new": "2"})
    assert not beyond_chance({}, {}, {"model.bin": "ab"}, {"model.bin": "cd"})
    assert not beyond_chance({}, {}, {"a.bin": "ab"}, {"b.bin": "ab"})
    assert not same_products({"a.bin": "1", "b.bin": "2"}, {"a.bin": "1", "b.bin": "3"})


@pytest.mark.parametrize(
    "path", ["requirements.txt", "model/conda.yaml", "model/MLmodel", "config.json", "train.py"]
)
def test_files_that_describe_the_run_show_nothing(path):
    assert not same_products({path: "1"}, {path: "1"})
    assert same_products({path: "1", "model.txt": "2"}, {path: "other", "model.txt": "2"})


def test_reruns_with_equal_products_are_deterministic(build_trial):
    first = build_trial(1, {"accuracy": 0.9, "fit_seconds": 1.0}, {"model.bin": "a"})
    second = build_trial(2, {"accuracy": 0.9, "fit_seconds": 2.0}, {"model.bin": "a"})
    other = build_trial(3, {"accuracy": 0.9}, {"model.bin": "b"})
    assert are_deterministic([first, second])
    assert not are_deterministic([first, second, other])
    assert not are_deterministic([first])


def test_reruns_with_equal_histories_are_deterministic(build_trials):
    assert are_deterministic(build_trials({"loss": CURVE}, {"loss": CURVE}))
    assert not are_deterministic(build_trials({"loss": 0.45}, {"loss": 0.45}))


def test_one_metric_that_differs_refutes_determinism(build_trials):
    assert not are_deterministic(build_trials({"a": CURVE, "b": 1.0}, {"a": CURVE, "b": 2.0}))
