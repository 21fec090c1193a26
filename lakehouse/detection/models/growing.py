"""Isolation trees grown in NumPy, the very ones that scikit-learn grows of a seed: that library
weighs more in memory than a month of the floor does, for seconds of work a week.

Its numbers are drawn as it draws them (`IsolationForest`, scikit-learn 1.6 to 1.8): which rows a
tree is of from NumPy's generator, features and cuts from a shift register of 32 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LEAF = -1
CONSTANT = np.float32(1e-7)
"""Values of a feature that lie no further apart are not cut."""
_HIGHEST = 2**31 - 1
F32 = NDArray[np.float32]


@dataclass
class Tree:
    """Nodes in the order in which they were grown, a node before what is left of its cut, and that
    before what is right of it. A leaf has feature -1, and children -1."""

    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)


def grown(rows: F32, trees: int, sample: int, deepest: int, seed: int) -> Iterator[Tree]:
    """So many trees, each of `sample` of the rows (one column a feature) and of so many cuts on the
    longest path; the same for the same rows in the same order."""
    for own in np.random.RandomState(seed).randint(_HIGHEST, size=trees):
        mine = rows[_drawn(len(rows), sample, np.random.RandomState(own))]
        state = np.random.RandomState(own).randint(_HIGHEST)
        first = int(np.random.RandomState(state).randint(0, _HIGHEST))
        yield _tree(mine, deepest, _Draws(first, mine.shape[1]))


def _drawn(count: int, sample: int, numbers: np.random.RandomState) -> NDArray[np.int64]:
    if sample >= count:
        return np.arange(count)
    if sample > 0.01 * count:
        return numbers.permutation(count)[:sample]
    found: dict[int, None] = {}
    while len(found) < sample:
        found[numbers.randint(count)] = None
    return np.array(list(found))


def _tree(rows: F32, deepest: int, draws: _Draws) -> Tree:
    tree = Tree()
    # Rows, depth, node above, whether left of its cut, and how many features are known as constant.
    waiting = [(rows, 0, LEAF, False, 0)]
    while waiting:
        mine, depth, above, is_left, constant = waiting.pop()
        node = len(tree.feature)
        if above != LEAF:
            (tree.left if is_left else tree.right)[above] = node
        cut = None if depth >= deepest or len(mine) < 2 else draws.cut(mine, constant)
        feature, threshold, known = cut or (LEAF, 0.0, constant)
        tree.feature.append(feature)
        tree.threshold.append(threshold)
        tree.left.append(LEAF)
        tree.right.append(LEAF)
        tree.depth.append(depth)
        tree.rows.append(len(mine))
        if cut is not None:
            # In 64 bits, as trees are applied: a number of Python's would be taken as one of 32.
            goes_left = mine[:, feature] <= np.float64(threshold)
            waiting.append((mine[~goes_left], depth + 1, node, False, known))
            waiting.append((mine[goes_left], depth + 1, node, True, known))
    return tree


class _Draws:
    """One tree's random features and cuts. Features are drawn without laying them back until one
    is found that is not constant among a node's rows; those that were constant at a node are so
    beneath it, and stand first for all that grows there."""

    def __init__(self, state: int, features: int) -> None:
        self._state = state or 1
        self._order = list(range(features))
        self._constants = [0] * features

    def _next(self) -> int:
        """Marsaglia's shift register (2003), and of its number the lower 31 bits."""
        s = self._state
        s ^= (s << 13) & 0xFFFFFFFF
        s ^= s >> 17
        s ^= (s << 5) & 0xFFFFFFFF
        self._state = s or 1
        return s & _HIGHEST

    def cut(self, rows: F32, known: int) -> tuple[int, float, int] | None:
        """Feature, threshold and how many features are known as constant now; None where all
        are. `known`: how many were above."""
        low, high = rows.min(axis=0), rows.max(axis=0)
        is_constant = (high <= low + CONSTANT).tolist()
        order, end, drawn, found, chosen = self._order, len(self._order), 0, 0, None
        while chosen is None and end > known + found:
            at = drawn + self._next() % (end - found - drawn)
            if at < known:
                order[drawn], order[at] = order[at], order[drawn]
                drawn += 1
                continue
            at += found
            feature = order[at]
            if is_constant[feature]:
                order[at], order[known + found] = order[known + found], feature
                found += 1
            else:
                order[end - 1], order[at] = order[at], order[end - 1]
                chosen = feature
        cut = None
        if chosen is not None:
            first, last = float(low[chosen]), float(high[chosen])
            threshold = (last - first) * self._next() / _HIGHEST + first
            cut = chosen, first if threshold == last else threshold, known + found
        order[:known] = self._constants[:known]
        self._constants[known : known + found] = order[known : known + found]
        return cut
