"""An isolation forest as plain numbers: trained with scikit-learn, applied with NumPy alone.

Liu, Ting and Zhou (2008): what few random cuts set apart from the rest is unusual. The mean path
through the trees is short for it; a path that ends among n rows goes on by c(n) on average.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lakehouse.detection.training import without_pandas

TREES, SAMPLE, SEED = 50, 128, 20_250_101
DEEPEST = 7
"""Cuts on the longest path: the logarithm of `SAMPLE`, as scikit-learn grows these trees."""
STEPS = 200
"""Into which the training's path lengths are divided."""
MOST_RANKED = 2_000
"""Rows of the training by which path lengths become shares."""
F64 = NDArray[np.float64]
LEAF = -1


@dataclass(frozen=True)
class Forest:
    """Trees as lists of nodes, and at which mean path lengths steps of the training's share lie.

    `nodes`: (tree, feature, threshold, left, right, path); a leaf has feature -1, and its whole
    path length. Children are numbered within their tree."""

    nodes: tuple[tuple[int, int, float, int, int, float], ...]
    quantiles: tuple[float, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr((self.nodes, self.quantiles)).encode()).hexdigest()[:8]

    def path(self, rows: F64) -> F64:
        """Mean path length of each row; one column a feature."""
        trees = _padded(self.nodes)
        single = rows.astype(np.float32)
        tree = np.arange(len(trees.feature))[:, None]
        at = np.zeros((len(trees.feature), len(rows)), dtype=np.int64)
        row = np.arange(len(rows))[None, :]
        for _ in range(DEEPEST):
            feature = trees.feature[tree, at]
            goes_left = single[row, np.maximum(feature, 0)] <= trees.threshold[tree, at]
            child = np.where(goes_left, trees.left[tree, at], trees.right[tree, at])
            at = np.where(feature == LEAF, at, child)
        mean: F64 = trees.path[tree, at].mean(axis=0)
        return mean

    def share_less_unusual(self, rows: F64) -> F64:
        """Share of the training that was less unusual than each row, 0 to 1."""
        steps = np.linspace(0.0, 1.0, len(self.quantiles))
        longer: F64 = 1.0 - np.interp(self.path(rows), np.array(self.quantiles), steps)
        return np.round(longer, 6)


def fit(rows: F64) -> Forest:
    """The forest of these rows, the same for the same rows in the same order."""
    with without_pandas():
        from sklearn.ensemble import IsolationForest

    model = IsolationForest(
        n_estimators=TREES, max_samples=min(SAMPLE, len(rows)), random_state=SEED, n_jobs=1
    ).fit(rows)
    nodes = tuple(n for k, e in enumerate(model.estimators_) for n in _nodes(k, e.tree_))
    ranked = Forest(nodes, ()).path(rows[:: max(1, len(rows) // MOST_RANKED)])
    steps = np.quantile(ranked, np.linspace(0.0, 1.0, STEPS + 1))
    return Forest(nodes, tuple(float(s) for s in np.round(steps, 9)))


def _nodes(tree: int, grown: Any) -> list[tuple[int, int, float, int, int, float]]:
    depth = np.zeros(grown.node_count, dtype=np.int64)
    for node in range(grown.node_count):
        for child in (grown.children_left[node], grown.children_right[node]):
            if child != LEAF:
                depth[child] = depth[node] + 1
    path = depth + average_path(grown.n_node_samples)
    is_leaf = grown.children_left == LEAF
    columns: Sequence[Any] = (
        np.where(is_leaf, LEAF, grown.feature),
        np.where(is_leaf, 0.0, grown.threshold),
        grown.children_left,
        grown.children_right,
        np.where(is_leaf, path, 0.0),
    )
    return [
        (tree, int(f), float(t), int(left), int(right), float(p))
        for f, t, left, right, p in zip(*columns, strict=True)
    ]


def average_path(rows: NDArray[Any]) -> F64:
    """c(n): the mean length of an unsuccessful search in a binary tree of n rows."""
    n = np.asarray(rows, dtype=np.float64)
    many = np.maximum(n, 3.0) - 1.0
    found = 2.0 * (np.log(many) + np.euler_gamma) - 2.0 * many / (many + 1.0)
    return np.where(n <= 1, 0.0, np.where(n <= 2, 1.0, found))


@dataclass(frozen=True)
class _Padded:
    feature: NDArray[np.int64]
    threshold: F64
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    path: F64


def _padded(nodes: Sequence[tuple[int, int, float, int, int, float]]) -> _Padded:
    """One row a tree, one column a node."""
    tree = np.array([n[0] for n in nodes])
    counts = np.bincount(tree)
    place = np.arange(len(tree)) - np.repeat(np.cumsum(counts) - counts, counts)

    def laid(column: int, dtype: type) -> NDArray[Any]:
        out = np.zeros((len(counts), counts.max()), dtype=dtype)
        out[tree, place] = [n[column] for n in nodes]
        return out

    return _Padded(
        laid(1, np.int64), laid(2, np.float64), laid(3, np.int64), laid(4, np.int64), laid(5, float)
    )
