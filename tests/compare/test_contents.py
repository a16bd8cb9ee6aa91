"""How two products differ."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reprocheck.compare.contents import kinship
from reprocheck.compare.ladder import TOLERANCES, same_number, storable, ulps
from reprocheck.model import Numbers, Product, Tensors


def numbers(*values: float, dtype: str | None = None, skeleton: str = "s") -> Numbers:
    return Numbers(skeleton=skeleton, values=values, dtype=dtype)


def relate(ours: Numbers | Tensors | None, theirs: Numbers | Tensors | None, **more: str):
    one = Product(path="a", sha256="1", size=1, content=ours, **more)
    return kinship(one, Product(path="a", sha256="2", size=1, content=theirs))


def test_equal_digests_or_equal_contents_are_the_same():
    assert kinship(*[Product(path="a", sha256=sha, size=1) for sha in ("aB", "Ab")]).rank == 0
    assert relate(numbers(1.0, math.nan), numbers(1.0, math.nan)).reason == "same"
    assert relate(Tensors(digests={"w": "F:1"}), Tensors(digests={"w": "F:1"})).reason == "same"


def test_float_noise_is_told_in_ulps():
    found = relate(numbers(0.5, 3.0), numbers(0.5, np.nextafter(3.0, 4)))
    assert (found.reason, found.text) == (
        "tolerance",
        "equal to 1e-9, at most 1 ULP apart in float64",
    )
    with_nan = relate(numbers(3.0, math.nan), numbers(np.nextafter(3.0, 0), math.nan))
    assert "at most 1 ULP" in with_nan.text
    near = float(np.nextafter(np.float32(0.1), np.float32(1)))
    found = relate(*(numbers(x, dtype="float32") for x in (float(np.float32(0.1)), near)))
    assert (found.reason, found.text) == (
        "tolerance", "equal to 1.3e-6, at most 1 ULP apart in float32"
    )  # fmt: skip


def test_a_difference_is_told_relatively():
    found = relate(numbers(1.0, 2.0, 4.5), numbers(1.0, 2.5, 4.0))
    assert found.reason == "numbers"
    assert found.text == "2 of 3 numbers differ, the largest relative difference is 0.2"
    assert "inf" in relate(numbers(1.0), numbers(math.inf)).text
    assert relate(numbers(0.0), numbers(-0.0)).reason == "tolerance"


def test_counts_are_equal_or_not():
    assert relate(numbers(1e6, 0.5), numbers(1e6 + 1, 0.5)).reason == "numbers"
    assert relate(numbers(1e6 + 0.5), numbers(1e6 + 1)).reason == "tolerance"  # float32 fractions
    assert relate(numbers(1e6 + 0.5, 0.1), numbers(1e6 + 1, 0.1)).reason == "numbers"


def test_other_text_is_another_structure():
    assert relate(numbers(1.0), numbers(1.0, skeleton="t")).reason == "structure"
    assert relate(numbers(1.0), numbers(1.0, 2.0)).reason == "structure"


def test_tensors_differ_by_count_and_first_names():
    ours = Tensors(digests={name: f"F32[1]:{name}" for name in "abcde"})
    theirs = Tensors(digests={name: f"F32[1]:{name if name == 'b' else 0}" for name in "abcde"})
    found = relate(ours, theirs)
    assert (found.reason, found.text) == ("tensors", "4 of 5 tensors differ (a, c, d, …)")
    for other in ({"a": "F32[2]:a"}, {"b": "F32[1]:a"}, {}):
        assert (
            relate(Tensors(digests={"a": "F32[1]:a"}), Tensors(digests=other)).reason == "structure"
        )


def test_unread_contents_differ_by_digest_and_the_reason_is_told():
    found = relate(None, numbers(1.0), opaque="it is larger than 16 MB")
    assert (found.reason, found.text) == (
        "differs", "other content (compared by digest: it is larger than 16 MB)"
    )  # fmt: skip


FLOATS = st.floats() | st.sampled_from([0.0, -0.0, 1.0, 1e-300, 1e308, 5e-324])


@given(FLOATS, FLOATS | st.just(None), st.floats(-1e-5, 1e-5), st.sampled_from(list(TOLERANCES)))
def test_arrays_are_compared_as_single_values_are(x, y, nudge, dtype):
    y = x * (1 + nudge) if y is None else y
    assume(all(math.isnan(z) or storable(z) == z for z in (x, y)))  # metrics' stores clamp, no file
    found = relate(numbers(x, dtype=dtype), numbers(y, dtype=dtype))
    if not (x.is_integer() and y.is_integer()):
        assert (found.rank <= 1) == same_number(x, y, TOLERANCES[dtype])
    if found.reason == "tolerance" and abs(x) < 1e38:
        assert f"at most {ulps(x, y, dtype)} ULP" in found.text


@pytest.mark.parametrize("values", [(), (1.0,)])
def test_nothing_to_compare_is_no_error(values):
    assert relate(numbers(*values), numbers(*values)).reason == "same"
