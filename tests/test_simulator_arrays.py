"""Order and membership, the simulator's own ways against numpy's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lakehouse.simulate.kernel.arrays import distinct, in_parts, narrow, order_of, wide, within
from lakehouse.simulate.kernel.counter import chance, permute, uniform, unpermute

NARROW = st.lists(st.integers(-5, 5))
WIDE = st.lists(st.integers(-(2**63), 2**63 - 1))
HASHES = st.lists(st.sampled_from([0, 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1))


@given(NARROW | WIDE)
def test_equal_numbers_stay_as_they_stand(values: list[int]) -> None:
    found = order_of(np.array(values, dtype=np.int64))
    assert found.tolist() == sorted(range(len(values)), key=lambda k: values[k])


@given(HASHES)
def test_hashes_too(values: list[int]) -> None:
    found = order_of(np.array(values, dtype=np.uint64))
    assert found.tolist() == sorted(range(len(values)), key=lambda k: values[k])


def test_many_hashes_too() -> None:
    """As far apart as hashes are, with a few that share all but their last digits."""
    hashes = np.arange(5_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    near = np.concatenate([hashes, hashes[:3] ^ np.uint64(1)])
    for values in (hashes, near, near.view(np.int64)):
        assert order_of(values).tolist() == np.argsort(values, kind="stable").tolist()


@given(NARROW | WIDE)
def test_distinct_numbers_are_each_once_in_order(values: list[int]) -> None:
    assert distinct(np.array(values, dtype=np.int64)).tolist() == sorted(set(values))


@given(
    HASHES, st.sampled_from([0.0, 2.0**-60, 2.0**-53, 0.5, 1 - 2.0**-53, 1.0]) | st.floats(-1, 2)
)
def test_a_chance_is_a_uniform_number_below_it(values: list[int], p: float) -> None:
    hashes = np.array([*values, (1 << 63) - 1, 1 << 63, 2_047, 2_048], dtype=np.uint64)
    assert chance(hashes, p).tolist() == (uniform(hashes) < p).tolist()


@dataclass(frozen=True)
class Kept:
    number: NDArray[np.int64]
    luck: NDArray[np.uint64]
    is_kept: NDArray[np.bool_]


LIMITS = [-(2**63), -(2**31) - 1, -(2**31), -129, -128, 0, 127, 128, 2**31 - 1, 2**31, 2**63 - 1]


@given(st.lists(st.sampled_from(LIMITS)))
def test_what_is_kept_narrow_is_the_same_when_it_is_wide_again(values: list[int]) -> None:
    number = np.array(values, dtype=np.int64)
    known = Kept(number, number.view(np.uint64), number > 0)
    kept = narrow(known)
    again = wide(kept)
    for name, array in vars(known).items():
        assert getattr(again, name).dtype == array.dtype
        assert getattr(again, name).tolist() == array.tolist()
    assert kept.luck.dtype == np.uint64
    if values and -128 <= min(values) <= max(values) < 128:
        assert kept.number.dtype == np.int8


@pytest.mark.parametrize("count", [0, 1, 40_000, 100_000])
def test_what_is_made_in_parts_is_what_is_made_at_once(count: int) -> None:
    def make(at: slice) -> Kept:
        number = np.arange(count)[at] * 3
        return Kept(number, number.astype(np.uint64), number % 2 > 0)

    whole, parts = make(slice(None)), wide(in_parts(make, count))
    assert all(np.array_equal(v, getattr(parts, n)) for n, v in vars(whole).items())


@given(NARROW, NARROW)
def test_within_is_membership(values: list[int], known: list[int]) -> None:
    found = within(np.array(values, dtype=np.int64), np.array(sorted(known), dtype=np.int64))
    assert found.tolist() == [v in known for v in values]


@pytest.mark.parametrize("n", [1, 2, 3, 16, 17, 1_000, 65_537])
def test_permutations_have_an_inverse(n: int) -> None:
    every = np.arange(n)
    moved = permute(every, n, 77)
    assert sorted(moved.tolist()) == every.tolist()
    assert unpermute(moved, n, 77).tolist() == every.tolist()
