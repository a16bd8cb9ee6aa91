from __future__ import annotations

import pytest

NOISY = [0.912, 0.931, 0.905, 0.94, 0.922]


@pytest.mark.parametrize(
    ("original", "reruns", "given", "needed"),
    [
        (0.915, NOISY, {"margin": 0.01}, "about 62 reruns: --reruns 62"),
        (0.915, NOISY, {"margin": 0.05}, ""),
        (0.99, NOISY, {"margin": 0.01}, ""),
        (0.9, [0.91], {}, "more reruns: --reruns 5"),
        (0.9, [0.9], {}, "more reruns: --reruns 5"),
        (0.9, [0.91], {"planned": 5}, "the remaining reruns, at most 5 in all"),
    ],
)
def test_the_next_step_is_told_exactly(judge_one, original, reruns, given, needed):
    assert judge_one(original, reruns, **given).needed == needed


@pytest.mark.parametrize(
    ("original", "reruns", "given", "words"),
    [
        (0.915, NOISY, {}, "--margin accuracy="),  # consistent
        (0.955, NOISY, {}, "--margin accuracy="),  # noise
        (1.2, NOISY, {}, "--margin accuracy="),  # shift detected
        (0.97, NOISY, {"margin": 0.04}, "more reruns alone will not"),
        (0.9, [0.9, float("nan"), 0.9], {}, "see the logs"),
        (float("nan"), NOISY, {}, "--gate"),
    ],
)
def test_the_next_step_names_its_option(judge_one, original, reruns, given, words):
    assert words in judge_one(original, reruns, **given).needed
