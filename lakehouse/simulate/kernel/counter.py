"""Counter-based random numbers: a value is a pure function of (seed, stream, entity, day).

Only integers and ratios of integers may be emitted from these: `exp` and `normal` avoid
numpy's exp and log, whose last bit differs between CPUs, but they are still floats.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_MASK = (1 << 64) - 1
_AT_HAND = 1 << 14
"""Numbers that stay in a core's own cache while a chain of steps is taken."""


def mix(x: U64) -> U64:
    """splitmix64's finaliser: a bijection of 64 bits that scatters them."""
    x = x + _GOLDEN
    x ^= x >> np.uint64(30)
    x *= _MIX1
    x ^= x >> np.uint64(27)
    x *= _MIX2
    x ^= x >> np.uint64(31)
    return x


def key(seed: int, stream: str, *parts: int) -> int:
    """A 64-bit key for one stream of one seed, optionally narrowed by a day or the like."""
    x = (seed * 0x9E3779B97F4A7C15 + _number(stream)) & _MASK
    for part in (0, *parts):
        # `mix` of one number, without the cost of an array or of a call.
        x = ((x ^ (part & _MASK)) + 0x9E3779B97F4A7C15) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        x ^= x >> 31
    return x


@functools.lru_cache(maxsize=4_096)
def _number(stream: str) -> int:
    return zlib.crc32(stream.encode())


def draw(base: int, *entities: NDArray[np.generic] | int) -> U64:
    """One hash per entity (or tuple of entities) under `base`; scalars broadcast."""
    h = np.array([base], dtype=np.uint64)
    for entity in entities:
        h = mix(h ^ np.asarray(entity).astype(np.uint64))
    return h


def uniform(h: U64) -> F64:
    """Hashes → [0, 1) with 53 bits; exact."""
    return (h >> np.uint64(11)).astype(np.float64) * 2.0**-53


def below(h: U64, n: int | I64) -> I64:
    """Hashes → integers in [0, n), n < 2**31."""
    found = (h >> np.uint64(33)) * np.asarray(n).astype(np.uint64)
    found >>= np.uint64(31)
    return found.view(np.int64)


def chance(h: U64, p: float | F64) -> NDArray[np.bool_]:
    """Where `uniform` of the hashes is below `p`."""
    if isinstance(p, np.ndarray):
        return uniform(h) < p
    edge = math.ceil(p * 2.0**53)
    return h < np.uint64(max(edge, 0) << 11) if edge < 2**53 else np.ones(h.shape, dtype=bool)


def pick(h: U64, weights: tuple[int, ...]) -> I64:
    """Hashes → index into integer weights, of a few thousand in all."""
    shares = _shares(weights)
    return shares[below(h, len(shares))]


@functools.lru_cache(maxsize=256)
def _shares(weights: tuple[int, ...]) -> I64:
    return np.repeat(np.arange(len(weights)), weights)


@functools.cache
def _normal_tables() -> tuple[F64, F64]:
    inverse = NormalDist().inv_cdf
    body = np.array([inverse(min(max(k / 8192, 2**-14), 1 - 2**-14)) for k in range(8193)])
    tail = np.array([inverse((k + 0.5) / 4096 * 2**-13) for k in range(4096)])
    return body, tail


def normal(h: U64) -> F64:
    """Hashes → standard normals by interpolated quantiles, with a tail to about 6 sigma."""
    body, tail = _normal_tables()
    u = uniform(h)
    z = np.interp(u * 8192, np.arange(8193), body)
    low, high = u < 2**-13, u >= 1 - 2**-13
    z[low] = tail[(u[low] * 2**13 * 4096).astype(np.int64)]
    z[high] = -tail[((1 - u[high]) * 2**13 * 4096 - 1e-9).astype(np.int64)]
    return z


@functools.cache
def _exp2_table() -> F64:
    return np.array([2 ** (k / 256) for k in range(256)])


def exp(x: NDArray[np.floating[Any]]) -> F64:
    """e**x from a table and a short polynomial: the same bits on every CPU."""
    n = np.rint(x * (256 / math.log(2))).astype(np.int64)
    r = x - n * (math.log(2) / 256)
    poly = 1 + r * (1 + r * (0.5 + r * (1 / 6 + r / 24)))
    return np.ldexp(_exp2_table().take(n & 255) * poly, (n >> 8).astype(np.int32))


@functools.cache
def _exponential_table() -> F64:
    return np.array([-math.log1p(-(k + 0.5) / 4096) for k in range(4096)])


def exponential(h: U64) -> F64:
    """Hashes → exponentials of mean 1."""
    return _exponential_table()[(h >> np.uint64(52)).astype(np.int64)]


def fine_exponential(h: U64) -> F64:
    """As `exponential`, which has 4,096 values, but with 2**44: for what tells many apart."""
    edges, widths = _exponential_steps()
    step = (h >> np.uint64(52)).astype(np.int64)
    part = ((h >> np.uint64(20)) & np.uint64(0xFFFFFFFF)).astype(np.float64) * 2.0**-32
    return edges.take(step) + part * widths.take(step)


@functools.cache
def _exponential_steps() -> tuple[F64, F64]:
    edges = _exponential_table()
    return edges, np.diff(edges, append=edges[-1] + 1.0)


@functools.cache
def _poisson_edges(mean_permille: int) -> F64:
    mean, p, total, edges = mean_permille / 1000, math.exp(-mean_permille / 1000), 0.0, []
    for k in range(64):
        total += p
        edges.append(total)
        p *= mean / (k + 1)
    return np.array(edges)


def poisson(h: U64, mean: float) -> I64:
    """Hashes → Poisson counts of a small common mean (below 20)."""
    return np.searchsorted(_poisson_edges(round(mean * 1000)), uniform(h), side="right").astype(
        np.int64
    )


def permute(index: I64, n: int, base: int) -> I64:
    """A keyed bijection of [0, n): four Feistel rounds with cycle walking."""
    bits, mask = _halves(n)

    def scattered(x: U64) -> U64:
        left, right = x >> bits, x & mask
        for round_ in range(4):
            left, right = right, left ^ (mix(right ^ np.uint64(base ^ round_)) & mask)
        return (left << bits) | right

    return _walked(index, n, scattered)


def unpermute(index: I64, n: int, base: int) -> I64:
    """The inverse of `permute`."""
    bits, mask = _halves(n)

    def gathered(x: U64) -> U64:
        left, right = x >> bits, x & mask
        for round_ in range(3, -1, -1):
            left, right = right ^ (mix(left ^ np.uint64(base ^ round_)) & mask), left
        return (left << bits) | right

    return _walked(index, n, gathered)


def _halves(n: int) -> tuple[np.uint64, np.uint64]:
    """Bits of each half of the smallest even number of them that holds `n`, and their mask."""
    half = max(1, ((n - 1).bit_length() + 1) // 2)
    return np.uint64(half), np.uint64((1 << half) - 1)


def _walked(index: I64, n: int, step: Callable[[U64], U64]) -> I64:
    """Steps until each number is below `n`."""
    out = index.astype(np.uint64)
    for first in range(0, len(out), _AT_HAND):
        out[first : first + _AT_HAND] = step(out[first : first + _AT_HAND])
    beyond = np.flatnonzero(out >= np.uint64(n))
    while len(beyond):
        out[beyond] = moved = step(out[beyond])
        beyond = beyond[moved >= np.uint64(n)]
    return out.view(np.int64)
