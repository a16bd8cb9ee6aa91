"""Which differences between two records make them other recipes."""

import dataclasses

import pytest

from reprocheck.recipe import other_recipe
from tests.reporters.builders import COMMIT, make_code, make_record

RECORD = make_record()
DATA = RECORD.data[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": make_code(commit="f" * 40)}, "its commit is ffffffffffff, not 0123456789ab"),
        ({"parameters": {"lr": "0.2", "seed": "42"}}, "lr is 0.2, not 0.1"),
        ({"parameters": {"seed": "42"}}, "lr is not set, not 0.1"),
        ({"data": (dataclasses.replace(DATA, digest="0" * 32),)}, "other data in data/train.csv"),
    ],
)
def test_another_recipe_is_told(changes, words):
    (finding,) = other_recipe(RECORD, make_record(**changes))
    assert (finding.code, finding.severity.value) == ("other-recipe", "warning")
    assert words in finding.message


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"code": make_code(commit=COMMIT[:8].upper())},
        {"code": make_code(commit="")},
        {"parameters": {"lr": "0.1", "seed": "7"}},
        {"parameters": {"lr": "0.1", "seed": "42", "rng": "7"}, "seeds": {"rng": "7"}},
        {"parameters": {"lr": "0.1", "seed": "42", "out_dir": "b"}},
        {"data": ()},
        {"data": (dataclasses.replace(DATA, algorithm="sha256", digest="0" * 64),)},
    ],
)
def test_seeds_ignored_parameters_and_what_is_unknown_make_none(changes):
    assert other_recipe(RECORD, make_record(**changes), ("out_*",)) == ()


def test_many_parameters_are_told_shortly():
    many = {f"p{i}": "x" * 5000 for i in range(100)}
    (finding,) = other_recipe(RECORD, make_record(parameters=many))
    assert len(finding.message) < 800
    assert "and 96 parameters more" in finding.message
