"""What besides the gated values shows that two runs computed the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from reprocheck.compare.coarseness import is_coarse
from reprocheck.compare.ladder import same_bits
from reprocheck.compare.names import MEASURES, is_hardware_bound, is_setting, words
from reprocheck.compare.question import Question
from reprocheck.model import Metric, Product, Trial
from reprocheck.stored_code import FOLDERS

FEWEST_POINTS = 5
"""A history must agree in so many different values."""

Same = Callable[[float, float], bool]

# Files that are equal in every run, whatever the training did.
_DESCRIPTIONS = (
    *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".lock", ".md", ".rst", ".html"),
    *(".py", ".ipynb", ".sh", ".patch", ".diff"),
)
_DESCRIPTION_WORDS = {
    *("mlmodel", "requirements", "constraints", "dockerfile", "license", "readme", "config"),
    *("args", "params", "parameters", "example", "schema", "vocab", "tokenizer", "labels"),
    *("classes", "features", "columns", "environment", "env"),
}


def is_beyond_chance(question: Question, trial: Trial, same: Same = same_bits) -> bool:
    """Whether a trial whose gated metrics equal the original's is equal beyond chance.

    Shown by a value or a history that is not coarse, or by equal products. What is no gate
    shows it only while no other measure contradicts.
    """
    equal = [name for name in question.metrics if _is_equal(question, trial, name, same)]
    telling = [name for name in equal if _is_telling(question, name)]
    if set(telling) & set(question.gates.metrics):
        return True
    if _is_contradicted(question, trial, equal):
        return False
    return (
        bool(telling)
        or any(_same_history(question.metrics[n], trial.metrics[n], same) for n in equal)
        or same_products(_by_path(question.products.values()), _digests(trial))
    )


def are_deterministic(trials: Sequence[Trial]) -> bool:
    """Whether two reruns or more are proven equal to each other: every metric that is not
    hardware-bound is, and besides the final values also the products or a longer history."""
    first, *others = trials
    return bool(others) and all(
        _same_metrics(first.metrics, other.metrics)
        and (
            same_products(_digests(first), _digests(other))
            or any(_same_history(m, other.metrics[m.name]) for m in _judgeable(first.metrics))
        )
        for other in others
    )


def same_products(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Whether all files that both sides have are equal, and one at least is the training's."""
    common = [path for path in ours if path in theirs and is_result(path)]
    return bool(common) and all(ours[path].lower() == theirs[path].lower() for path in common)


def _is_equal(question: Question, trial: Trial, name: str, same: Same) -> bool:
    rerun = trial.metrics.get(name)
    return rerun is not None and all(same(x, rerun.value) for x in question.repeated(name))


def _is_telling(question: Question, name: str) -> bool:
    """Whether equality of the metric's final value tells anything of the training."""
    value, resolution = question.baseline(name)[0], question.rule(name).resolution
    return _speaks_of_training(name) and not is_coarse(value, resolution)


def _is_contradicted(question: Question, trial: Trial, equal: Sequence[str]) -> bool:
    differing = (question.metrics.keys() & trial.metrics.keys()) - set(equal)
    return any(_speaks_of_training(n) and MEASURES & set(words(n)) for n in differing)


def _same_metrics(ours: Mapping[str, Metric], theirs: Mapping[str, Metric]) -> bool:
    return all(
        metric.name in theirs and same_bits(metric.value, theirs[metric.name].value)
        for metric in _judgeable(ours)
    )


def _judgeable(metrics: Mapping[str, Metric]) -> Iterable[Metric]:
    return (metric for metric in metrics.values() if not is_hardware_bound(metric.name))


def _same_history(ours: Metric, theirs: Metric, same: Same = same_bits) -> bool:
    """Equal values at equal steps, enough different ones, and no mere counter or schedule."""
    values = [point.value for point in ours.history]
    return (
        _speaks_of_training(ours.name)
        and len(set(values)) >= FEWEST_POINTS
        and not _is_evenly_spaced(values)
        and [point.step for point in ours.history] == [point.step for point in theirs.history]
        and all(same(a, b.value) for a, b in zip(values, theirs.history, strict=True))
    )


def _speaks_of_training(name: str) -> bool:
    return not is_hardware_bound(name) and not is_setting(name)


def _is_evenly_spaced(values: Sequence[float]) -> bool:
    gap = values[1] - values[0]
    return all(abs(b - a - gap) <= 1e-9 * abs(gap) for a, b in pairwise(values))


def _digests(trial: Trial) -> dict[str, str]:
    return _by_path(trial.products)


def _by_path(products: Iterable[Product]) -> dict[str, str]:
    return {product.path: product.sha256 for product in products}


def is_result(path: str) -> bool:
    """Whether a file of this name is made by the training, and no description of it."""
    file = PurePosixPath(path.lower())
    if path.startswith(FOLDERS):  # sources, and what was read beside them
        return False
    if file.suffix in ("", ".json", ".txt", ".csv"):
        return not _DESCRIPTION_WORDS.intersection(words(file.name))
    return file.suffix not in _DESCRIPTIONS
