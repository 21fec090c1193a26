"""Lines that are each one flat JSON object, as most exports write them: cut into columns
together, at a fraction of what it costs to decode each.

Nothing is guessed: a line fits a shape only where it is, to the last character, an object of just
these fields in just this order, with texts in which nothing is escaped. Whatever else there is
(nested, escaped, damaged, over several lines) is left to `json_rows`, which decodes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from lakehouse.ingest.files.rows import LINE

Offsets = npt.NDArray[np.int64]

_TEXT = r'"[^"\\\x00-\x1f]*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_VALUE = rf"^(?:{_TEXT}|{_NUMBER}|true|false|null)$"
_END = r"\}[ \t]*,?[ \t]*\r?$"
_STYLES = ((", ", ": "), (",", ":"))
_SHAPES = 8
"""Shapes of one file that are known, and lines of a stretch that are looked at for more."""


@dataclass(frozen=True)
class Shape:
    """Objects with these fields in this order, and what stands before and between them."""

    indent: str
    names: tuple[str, ...]
    between: str
    after: str

    def cut(self, lines: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
        """Which lines fit, and the values of those: numbers as they were written, null for
        null."""
        heads = [f'{n}"{self.after}' for n in self.names]
        heads[0] = self.indent + '{"' + heads[0]
        parts = lines.str.splitn(self.between + '"', len(heads)).struct.unnest()
        parts.columns = self.names
        last = pl.col(self.names[-1])
        parts = parts.with_columns(
            pl.when(last.str.contains(_END)).then(last.str.replace(_END, ""))
        )
        values = parts.select(
            pl.when(pl.col(n).str.starts_with(head)).then(pl.col(n).str.strip_prefix(head))
            for n, head in zip(self.names, heads, strict=True)
        )
        fit = values.select(
            pl.all_horizontal(pl.all().str.contains(_VALUE).fill_null(value=False))
        ).to_series()
        values = values if fit.all() else values.filter(fit)
        return fit, values.select(pl.when(pl.all() != "null").then(pl.all().str.strip_chars('"')))


def shape_of(line: str) -> Shape | None:
    """The shape of a line, where it has any."""
    try:
        found = json.loads(line.rstrip("\r, \t"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found or LINE in found:
        return None
    if any(re.search(r'["\\\x00-\x1f]', n) for n in found):
        return None
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    shapes = (Shape(indent, tuple(found), *style) for style in _STYLES)
    return next((s for s in shapes if s.cut(pl.Series([line]))[0].all()), None)


@dataclass(frozen=True)
class Stretch:
    """The lines of a stretch of text that fit a shape, in their order: `frame` has their values,
    `places` the number of each in `lines`, `begins` where each object begins in the text, and
    `ends` where the next line does."""

    lines: Sequence[str]
    frame: pl.DataFrame
    places: Offsets
    begins: Offsets
    ends: Offsets

    def run_at(self, at: int) -> tuple[int, int]:
        """The rows whose lines follow each other from this place of the text on: the first, and
        the one after the last. (0, 0) where none begins here."""
        first = int(np.searchsorted(self.begins, at))
        if first == self.begins.size or self.begins[first] != at:
            return 0, 0
        return first, int(self._stops[np.searchsorted(self._stops, first, side="right")])

    @cached_property
    def _stops(self) -> Offsets:
        return np.append(np.flatnonzero(np.diff(self.places) > 1) + 1, self.places.size)

    def raw(self, row: int) -> str:
        return self.lines[self.places[row]].strip(" \t\r,")


Cut = tuple[pl.DataFrame, Offsets, Offsets]
"""Values of lines, the places of these lines, and how far each object is indented."""


@dataclass
class Shapes:
    """The shapes that were met in a file so far."""

    limit: int = _SHAPES
    known: list[Shape] = field(default_factory=list)

    def stretch(self, text: str) -> Stretch:
        """The lines of a text that fit a shape. The text ends where a line does."""
        lines = text.split("\n")
        frame, places, indents = self.fitting(pl.Series(lines, dtype=pl.String))
        after = np.cumsum([len(line) + 1 for line in lines], dtype=np.int64)
        starts = np.append(0, after)[places]
        return Stretch(lines, frame, places, starts + indents, after[places])

    def fitting(self, lines: pl.Series) -> Cut:
        """Of lines without their ends those that fit a shape, in their order."""
        cuts = self._cuts(lines)
        frame = pl.concat([c[0] for c in cuts], how="diagonal") if cuts else pl.DataFrame()
        none = np.zeros(0, dtype=np.int64)
        places, indents = (np.concatenate([none, *(c[n] for c in cuts)]) for n in (1, 2))
        if len(cuts) > 1:
            order = np.argsort(places)
            frame, places, indents = frame[order], places[order], indents[order]
        return frame, places, indents

    def _cuts(self, lines: pl.Series) -> list[Cut]:
        left, passed = np.arange(lines.len(), dtype=np.int64), 0
        cuts: list[Cut] = []
        shapes = list(self.known)
        while passed < min(left.size, self.limit):
            met = shapes.pop(0) if shapes else self._next(lines[int(left[passed])])
            if met is None:
                passed += 1
                continue
            fit, frame = met.cut(lines.gather(left) if cuts else lines)
            fits = fit.to_numpy()
            if frame.height:
                cuts.append((frame, left[fits], np.full(frame.height, len(met.indent))))
                left = left[~fits]
        return cuts

    def _next(self, line: str) -> Shape | None:
        if len(self.known) == self.limit:
            return None
        met = shape_of(line)
        if met is not None:
            self.known.append(met)
        return met
