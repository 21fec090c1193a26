"""The lines of a text as places in its bytes, so that all of them are looked at together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

Places = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Marks = npt.NDArray[np.bool_]

ROOM = 16
"""Bytes before a text and behind it, so that one may look that far from any place in it."""
QUOTE = ord('"')
_NEWLINE, _COLON, _BRACE, _BLANK = b"\n:} "
_NEXT_COLON = len('{"":')
"""The least way from one to the next that follows a name."""
_END = r"\}[ \t]*,?[ \t]*\r?$"
_VIEW, _WORDS, _INSIDE = 16, 4, 12
"""Bytes of an Arrow view, and numbers of four: a text's length; then the text, if it has no more
than `_INSIDE` bytes, or four of them, the buffer that has it, and its place there."""
_KEPT = np.zeros((_INSIDE + 2, _VIEW), np.uint8)
_KEPT[:-1, _VIEW - _INSIDE :] = 255 * np.tri(_INSIDE + 1, _INSIDE, -1)
_KEPT[-1] = _KEPT[4]


@dataclass(frozen=True)
class Lines:
    """`data` is a text with ROOM around it; `starts` and `ends` are the places in it of each
    line, without its end of line. `control`: of what no text of JSON may hold, backslashes too.
    `inner`: of bytes that are not the first of their character."""

    data: Bytes
    starts: Places
    ends: Places
    control: Places
    inner: Places

    @classmethod
    def of_text(cls, text: str) -> Lines:
        data, control, inner = _with_room(text)
        newlines = control[data[control] == _NEWLINE]
        starts, ends = np.append(ROOM, newlines + 1), np.append(newlines, data.size - ROOM)
        return cls(data, starts, ends, control, inner)

    @classmethod
    def of_texts(cls, texts: pl.Series) -> Lines:
        """Each text is a line, whatever is in it; null is an empty one."""
        lengths = texts.str.len_bytes().fill_null(0).to_numpy().astype(np.int64)
        ends = ROOM + np.cumsum(lengths)
        data, *places = _with_room("".join(texts.drop_nulls()))
        return cls(data, ends - lengths, ends, *places)

    @property
    def height(self) -> int:
        return self.starts.size

    def text(self, line: int) -> str:
        return self.data[self.starts[line] : self.ends[line]].tobytes().decode()

    def chars(self, places: Places) -> Places:
        """How many characters of the text stand before these places."""
        return places - ROOM - np.searchsorted(self.inner, places)

    def have_quotes(self, places: Places, least: Places) -> Marks:
        """Which of these lines have as many quotes as each has at least, and no more."""
        if np.count_nonzero(self.data == QUOTE) == least.sum():
            return np.ones(places.size, dtype=np.bool_)
        return self._quotes[places] == least

    @cached_property
    def _quotes(self) -> Places:
        """How many there are in each line: several times dearer than how many in all."""
        return count_in(np.flatnonzero(self.data == QUOTE), self.starts, self.ends)

    @cached_property
    def colons(self) -> Places:
        """Places of those that follow a name, as it seems: not of one that begins a text, as that
        itself follows one. In a line with a name that begins with a colon there are too many."""
        found = np.flatnonzero(self.data == _COLON)
        found = found[self.data[found - 1] == QUOTE]
        opens = np.diff(found, prepend=0) < _NEXT_COLON
        return found[~opens] if opens.any() else found

    @cached_property
    def first_colons(self) -> Places:
        """The place in `colons` of the first from each line on, and of the end."""
        return np.append(np.searchsorted(self.colons, self.starts), self.colons.size)

    @cached_property
    def braces(self) -> Places:
        """Where the brace is that ends each line, but for blanks and a comma; 0 where none is."""
        found = self.ends - 1
        others = np.flatnonzero(self.data[found] != _BRACE)
        if others.size:
            seen = views(self.data, self.starts[others], self.ends[others])
            texts = frame_of(self.data, seen, [""]).to_series()
            kept = texts.str.replace(_END, "").str.len_bytes().to_numpy()
            is_ended = kept < texts.str.len_bytes().to_numpy()
            found[others] = np.where(is_ended, self.starts[others] + kept, 0)
        return found


def _with_room(text: str) -> tuple[Bytes, Places, Places]:
    """The bytes of a text, and the places of control characters and backslashes, and of what is
    inside a character."""
    room = bytes(ROOM)
    data = np.frombuffer(b"".join((room, text.encode(), room)), np.uint8)
    control = np.flatnonzero(data < _BLANK)
    if "\\" in text:
        control = np.union1d(control, np.flatnonzero(data == ord("\\")))
    inner = np.flatnonzero([] if text.isascii() else data.view(np.int8) < -64)
    return data, control, inner


def count_in(places: Places, starts: Places, ends: Places) -> Places:
    """How many of the places lie in each stretch."""
    return np.searchsorted(places, ends) - np.searchsorted(places, starts)


def runs(data: Bytes, starts: Places, width: int) -> npt.NDArray[np.void]:
    """So many bytes from each of these places on."""
    every = np.ndarray(data.size - width + 1, dtype=f"V{width}", buffer=data, strides=(1,))
    return every[starts]


def views(data: Bytes, starts: Places, ends: Places) -> npt.NDArray[np.uint32]:
    """Arrow's views of the texts from `starts` until before `ends`, in any shape: four numbers
    each."""
    lengths = ends - starts
    made = runs(data, starts - (_VIEW - _INSIDE), _VIEW).view("<u4").reshape(*starts.shape, _WORDS)
    made &= np.take(_KEPT.view("<u4"), lengths, axis=0, mode="clip")
    made[..., 0] = lengths
    np.copyto(made[..., -1], starts, where=lengths > _INSIDE, casting="unsafe")
    return made


def frame_of(
    data: Bytes, seen: npt.NDArray[np.uint32], names: Sequence[str], nulls: Marks | None = None
) -> pl.DataFrame:
    """The texts of these views, but for `nulls`, without a copy: as many to each name. As a batch,
    because one Arrow array alone makes Polars import what takes a tenth of a second."""
    import pyarrow as pa

    valid = None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    buffers = [valid, pa.py_buffer(seen), pa.py_buffer(data)]
    texts = pa.Array.from_buffers(pa.string_view(), seen.size // _WORDS, buffers)
    height = len(texts) // len(names)
    columns = [texts.slice(n * height, height) for n in range(len(names))]
    return pl.DataFrame(pa.RecordBatch.from_arrays(columns, list(names)))
