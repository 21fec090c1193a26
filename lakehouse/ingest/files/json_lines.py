"""Lines that are each one flat JSON object, as most exports write them: cut into columns
together, at a fraction of what it costs to decode each.

Nothing is guessed: a line fits a shape only where it is, to the last character, an object of just
these fields in just this order, with texts in which nothing is escaped. Whatever else there is
(nested, escaped, damaged, over several lines) is left to `json_rows`, which decodes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from lakehouse.ingest.files.line_bytes import (
    QUOTE,
    Bytes,
    Lines,
    Marks,
    Places,
    count_in,
    frame_of,
    runs,
    views,
)
from lakehouse.ingest.files.rows import LINE

_BARE = r"^(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false)$"
_NULL = np.frombuffer(b"\4\0\0\0null", "<u4")
"""As a view of it begins."""
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

    def cut(self, lines: Lines, places: Places) -> tuple[Places, pl.DataFrame]:
        """Those of the lines at these places that fit, and their values: numbers as they were
        written, null for null."""
        places = places[np.diff(lines.first_colons)[places] == len(self.names)]
        values = self._values(lines, places)
        whole = (values.starts[0] == lines.starts[places] + len(self._heads[0])) & values.are_some
        whole &= count_in(lines.control, values.starts[0], values.ends[-1]) == 0
        values, places = values.of(whole), places[whole]
        if not places.size:
            return places, pl.DataFrame()
        fit = self._stands_before(values) & values.are_json
        quotes = 2 * (len(self.names) + values.is_text.sum(axis=0))
        fit[fit] = lines.have_quotes(places[fit], quotes[fit])
        frame = values.frame(self.names)
        return (places, frame) if fit.all() else (places[fit], frame.filter(pl.Series(fit)))

    def _values(self, lines: Lines, places: Places) -> Values:
        """What stands behind the colons, as if the names were these."""
        nth = np.arange(len(self.names))[:, None]
        starts = lines.colons[lines.first_colons[places] + nth] + len(self.after)
        heads = np.array([len(h) for h in self._heads[1:]], dtype=np.int64)[:, None]
        return Values(lines.data, starts, np.vstack([starts[1:] - heads, lines.braces[places]]))

    def _stands_before(self, values: Values) -> Marks:
        """Of which objects each value has its name before it, and nothing else."""
        found = np.ones(values.starts.shape[1], dtype=np.bool_)
        for head, starts in zip(self._heads, values.starts, strict=True):
            there = runs(values.data, starts - len(head), len(head))
            if there.tobytes() != head * found.size:
                same = there.view(np.uint8).reshape(-1, len(head)) == np.frombuffer(head, np.uint8)
                found &= np.all(same, axis=1)
        return found

    @cached_property
    def _heads(self) -> list[bytes]:
        """What stands before each value."""
        befores = [self.indent + "{", *[self.between] * (len(self.names) - 1)]
        named = zip(befores, self.names, strict=True)
        return [f'{before}"{name}"{self.after}'.encode() for before, name in named]


@dataclass(frozen=True)
class Values:
    """Values of objects of one shape: where each begins in `data`, and ends. A field is a row, an
    object a column."""

    data: Bytes
    starts: Places
    ends: Places

    def of(self, objects: Marks) -> Values:
        if objects.all():
            return self
        starts, ends = (np.compress(objects, a, axis=1) for a in (self.starts, self.ends))
        return Values(self.data, starts, ends)

    @property
    def are_some(self) -> Marks:
        """Of which objects each value has a character at least."""
        return np.all(self.starts < self.ends, axis=0)

    @property
    def are_json(self) -> Marks:
        """Of which objects each value is one of JSON, if nothing is escaped and quotes stand only
        around texts."""
        odd = ~(self.is_text | self._is_null)
        seen = np.compress(odd.ravel(), self._views.reshape(odd.size, -1), axis=0)
        texts = frame_of(self.data, seen, [""]).to_series()
        odd[odd] = ~texts.str.contains(_BARE).to_numpy()
        return ~np.any(odd, axis=0)

    @cached_property
    def is_text(self) -> Marks:
        """In quotes."""
        quoted = (self.data[self.starts] == QUOTE) & (self.data[self.ends - 1] == QUOTE)
        return quoted & (self.ends - self.starts > 1)

    @cached_property
    def _views(self) -> npt.NDArray[np.uint32]:
        return views(self.data, self.starts + self.is_text, self.ends - self.is_text)

    @cached_property
    def _is_null(self) -> Marks:
        seen = (self._views[..., 0] == _NULL[0]) & (self._views[..., 1] == _NULL[1])
        return seen & ~self.is_text

    def frame(self, names: tuple[str, ...]) -> pl.DataFrame:
        return frame_of(self.data, self._views, names, self._is_null)


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
    lines = Lines.of_texts(pl.Series([line]))
    return next((s for s in shapes if s.cut(lines, np.arange(1))[0].size), None)


@dataclass(frozen=True)
class Stretch:
    """The lines of a stretch of text that fit a shape, in their order: `frame` has their values,
    `places` the number of each in `lines`, `begins` where each object begins in the text, and
    `ends` where the next line does."""

    lines: Lines
    frame: pl.DataFrame
    places: Places
    begins: Places
    ends: Places

    def run_at(self, at: int) -> tuple[int, int]:
        """The rows whose lines follow each other from this place of the text on: the first, and
        the one after the last. (0, 0) where none begins here."""
        first = int(np.searchsorted(self.begins, at))
        if first == self.begins.size or self.begins[first] != at:
            return 0, 0
        return first, int(self._stops[np.searchsorted(self._stops, first, side="right")])

    @cached_property
    def _stops(self) -> Places:
        return np.append(np.flatnonzero(np.diff(self.places) > 1) + 1, self.places.size)

    def raw(self, row: int) -> str:
        return self.lines.text(int(self.places[row])).strip(" \t\r,")


Cut = tuple[pl.DataFrame, Places, Places]
"""Values of lines, the places of these lines, and how far each object is indented."""


@dataclass
class Shapes:
    """The shapes that were met in a file so far."""

    limit: int = _SHAPES
    known: list[Shape] = field(default_factory=list)

    def stretch(self, text: str) -> Stretch:
        """The lines of a text that fit a shape. The text ends where a line does."""
        lines = Lines.of_text(text)
        frame, places, indents = self.fitting(lines)
        nexts = np.append(lines.starts[1:], lines.ends[-1:] + 1)
        begins = lines.chars(lines.starts[places] + indents)
        # Of the lines, what was looked up in them is not kept.
        return Stretch(replace(lines), frame, places, begins, lines.chars(nexts[places]))

    def fitting(self, lines: Lines) -> Cut:
        """Those of the lines that fit a shape, in their order."""
        cuts = self._cuts(lines)
        if len(cuts) == 1:
            return cuts[0]
        frame = pl.concat([c[0] for c in cuts], how="diagonal") if cuts else pl.DataFrame()
        none = np.zeros(0, dtype=np.int64)
        places, indents = (np.concatenate([none, *(c[n] for c in cuts)]) for n in (1, 2))
        order = np.argsort(places)
        return frame[order], places[order], indents[order]

    def _cuts(self, lines: Lines) -> list[Cut]:
        left, is_left, passed = np.arange(lines.height), np.ones(lines.height, dtype=np.bool_), 0
        cuts: list[Cut] = []
        shapes = list(self.known)
        while passed < min(left.size, self.limit):
            met = shapes.pop(0) if shapes else self._next(lines.text(left[passed]))
            if met is None:
                passed += 1
                continue
            places, frame = met.cut(lines, left)
            if places.size:
                cuts.append((frame, places, np.full(places.size, len(met.indent))))
                is_left[places] = False
                left = left[is_left[left]]
        return cuts

    def _next(self, line: str) -> Shape | None:
        if len(self.known) == self.limit:
            return None
        met = shape_of(line)
        if met is not None:
            self.known.append(met)
        return met
