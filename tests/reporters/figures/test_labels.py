import pytest

from reprocheck.reporters.figures.base import named
from reprocheck.reporters.figures.labels import apart, swarm, width


@pytest.mark.parametrize(
    ("places", "moved"),
    [
        ([], []),
        ([0.0, 50.0], [0.0, 50.0]),
        ([10.0, 10.0], [5.0, 15.0]),
        ([12.0, 10.0], [16.0, 6.0]),
        ([0.0, 1.0, 2.0], [-9.0, 1.0, 11.0]),
        ([0.0, 9.0, 14.0], [-2.3333, 7.6667, 17.6667]),
    ],
)
def test_labels_move_as_little_as_it_takes(places, moved):
    assert apart(places, 10.0, (-99.0, 99.0)) == pytest.approx(moved, abs=1e-3)


def test_labels_stay_within_the_ends():
    assert apart([0.0, 0.0, 50.0], 10.0, (0.0, 100.0)) == [0.0, 10.0, 50.0]
    assert apart([100.0, 99.0], 10.0, (0.0, 100.0)) == [100.0, 90.0]


def test_marks_at_one_place_lie_above_one_another():
    assert len(set(swarm([1.0, 1.0, 1.0, 50.0], 8.0)[:3])) == 3
    assert swarm([1.0, 20.0, 40.0], 8.0) == [0.0] * 3


def test_wide_letters_count_twice():
    assert width("丽丽") == width("abcd")


def test_of_long_names_both_ends_are_shown():
    assert named("class number 17", 10) == "class…r 17"
    assert named("x" * 100 + "17", 10).endswith("17") and named("short", 10) == "short"
