from __future__ import annotations

import math
import struct
import sys

import pytest

from reprocheck.compare.ladder import (
    TOLERANCES,
    is_float32,
    nearest_float32,
    same_bits,
    same_number,
    storable,
    tolerance_of,
    ulps,
)

INF = math.inf
LARGEST = sys.float_info.max


def test_what_a_sql_store_clamped_is_infinite_again():
    assert storable(LARGEST) == INF
    assert storable(-LARGEST) == -INF
    assert storable(1e308) == 1e308


@pytest.mark.parametrize(
    ("original", "rerun", "same"),
    [
        (0.1, 0.1, True),
        (0.1, math.nextafter(0.1, 1), False),
        (math.nan, -math.nan, True),
        (math.nan, 0.1, False),
        (LARGEST, INF, True),
        (INF, -INF, False),
        (0.0, -0.0, True),  # the store may have dropped the sign
        (-0.0, 0.0, False),  # this store keeps signs
        (-0.0, -0.0, True),
    ],
)
def test_bits_are_compared_as_stores_hold_them(original, rerun, same):
    assert same_bits(original, rerun) is same


@pytest.mark.parametrize(
    ("dtype", "relative"), [("float64", 1e-9), ("float32", 1.3e-6), ("bfloat16", 1.6e-2)]
)
def test_numbers_are_equal_up_to_the_relative_tolerance(dtype, relative):
    tolerance = TOLERANCES[dtype]
    assert same_number(100.0, 100 * (1 - 0.99 * relative), tolerance)
    assert not same_number(100.0, 100 * (1 - 1.01 * relative), tolerance)


def test_the_absolute_tolerance_does_not_swallow_a_small_loss():
    assert not same_number(1e-6, 9e-6, TOLERANCES["float32"])  # within 1e-5
    assert same_number(1e-6, 1.0009e-6, TOLERANCES["float32"])


def test_zeros_of_both_signs_are_numerically_equal():
    assert same_number(-0.0, 0.0, TOLERANCES["float64"])
    assert not same_number(0.0, 1e-300, TOLERANCES["float64"])


def test_non_finite_values_are_equal_only_to_their_like():
    assert same_number(INF, LARGEST, TOLERANCES["float64"])
    assert not same_number(1e308, INF, TOLERANCES["bfloat16"])
    assert not same_number(1.0, math.nan, TOLERANCES["float64"])


def test_float32_counts_where_every_logged_value_is_one(build_metric):
    single = build_metric("loss", [nearest_float32(0.1), nearest_float32(0.3), math.nan])
    mixed = build_metric("loss", [nearest_float32(0.1), 0.3])
    assert tolerance_of(None, [single]).dtype == "float32"
    assert tolerance_of(None, [single, mixed]).dtype == "float64"
    assert tolerance_of("float16", [mixed]).dtype == "float16"


def test_what_is_too_large_for_float32_is_none():
    assert not is_float32(1e300)
    assert is_float32(INF)
    assert is_float32(0.5)


def test_distances_are_counted_in_the_last_place_of_the_dtype():
    assert ulps(1.0, math.nextafter(1.0, 2), "float64") == 1
    assert ulps(-0.0, 0.0, "float64") == 0
    assert ulps(-5e-324, 5e-324, "float64") == 2
    following = struct.unpack("<f", struct.pack("<I", 0x3F800001))[0]
    assert ulps(1.0, following, "float32") == 1
    assert ulps(1.0, 1.0078125, "bfloat16") == 1
    assert ulps(1.0, 1.0009765625, "float16") == 1


def test_a_distance_needs_finite_values_and_survives_large_ones():
    assert ulps(1.0, INF, "float64") is None
    assert ulps(1e300, math.nextafter(1e300, INF), "float16") == 1
