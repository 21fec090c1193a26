"""JSON arrays, and JSON objects one after the other: rows as text columns.

Numbers keep the text they were written with. A value that cannot be read is set aside up to
the place where the next object begins. Where a mapping says so, the elements of an array inside
an object are the rows: each stands in its place then, beside the object's other fields.
"""

from __future__ import annotations

import codecs
import json
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from typing import Any

import numpy as np
import polars as pl

from lakehouse.ingest.files.byte_blocks import LONGEST_RECORD
from lakehouse.ingest.files.json_lines import Shapes, Stretch
from lakehouse.ingest.files.line_bytes import Lines
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.rows import LINE, ROW, Piece, damaged_rows
from lakehouse.prefetch import prefetched

PIECE_ROWS = 10_000
_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_NEXT_OBJECT = re.compile(r"(?:\n|\}\s*,)\s*(?=\{)")
_AHEAD = 2**20
NUMBER = "#"
"""The field of an element of an array that says which it is, from 1."""
AS_IT_IS = Mapping()

Value = tuple[int, str, dict[str, Any] | str]
"""Line, landed text, and the object, or the rule that it broke."""


@dataclass(frozen=True)
class Run:
    """Lines that follow each other and are each an object of a known shape: the rows of `stretch`
    from `first` until before `stop`; `line` is the number of the first."""

    stretch: Stretch
    first: int
    stop: int
    line: int

    @property
    def height(self) -> int:
        return self.stop - self.first

    def split(self, rows: int) -> tuple[Run, Run]:
        cut = self.first + rows
        return replace(self, stop=cut), replace(self, first=cut, line=self.line + rows)


def json_pieces(blocks: Iterator[bytes], mapping: Mapping = AS_IT_IS) -> Iterator[Piece]:
    """Rows of a JSON file; a value that is no object is a damaged row."""
    held: list[Value | Run] = []
    room = PIECE_ROWS
    for found in _rows(blocks, mapping.rows):
        rest = found
        while isinstance(rest, Run) and rest.height >= room:
            part, rest = rest.split(room)
            yield _piece([*held, part], mapping)
            held, room = [], PIECE_ROWS
        height = rest.height if isinstance(rest, Run) else 1
        if height:
            held.append(rest)
            room -= height
        if room == 0:
            yield _piece(held, mapping)
            held, room = [], PIECE_ROWS
    if held:
        yield _piece(held, mapping)


def rows_of_texts(texts: pl.Series, shapes: Shapes, mapping: Mapping = AS_IT_IS) -> Piece:
    """Rows of texts that are one JSON object each; LINE is the place of the text among them.
    One that is anything else is a damaged row."""
    frame, places, _ = shapes.fitting(Lines.of_texts(texts))
    frames = [frame.with_columns(pl.Series(LINE, places))] if frame.height else []
    others = np.delete(np.arange(texts.len()), places).tolist()
    values = [v for n in others for v in _of_text(n, texts[n], mapping.rows)]
    good = [v for v in values if _is_good(v)]
    if good or not frames:
        frames.append(_decoded_frame(good, frame.columns, mapping))
    whole = pl.concat(frames, how="diagonal").sort(LINE, maintain_order=True)
    raw = texts.gather(whole[LINE])
    return Piece(
        whole, _damaged([v for v in values if not _is_good(v)]), lambda at: raw[at].to_list()
    )


def _of_text(place: int, text: str, path: str | None) -> Iterator[Value]:
    found, end = _decoded(_decoder(), text, len(text) - len(text.lstrip()))
    if isinstance(found, dict) and text[end:].strip():
        found = f"{ROW}|not_json"
    rows = exploded(found, path.split(".")) if path and isinstance(found, dict) else [found]
    yield from ((place, text, row) for row in rows)


def _rows(blocks: Iterator[bytes], path: str | None) -> Iterator[Value | Run]:
    if path is None:
        yield from json_values(blocks, Shapes())
        return
    for value in json_values(blocks, Shapes(limit=0)):
        if isinstance(value, Run):
            yield value
        else:
            line, raw, whole = value
            rows = exploded(whole, path.split(".")) if isinstance(whole, dict) else [whole]
            yield from ((line, raw, row) for row in rows)


def exploded(whole: dict[str, Any], path: list[str]) -> Iterator[dict[str, Any] | str]:
    """The object once for each element, with that in the place of the array; the elements are
    numbered. An empty array has no rows; where there is none, the object is damaged."""
    inner = whole.get(path[0])
    elements = inner if isinstance(inner, list) else [inner]
    for place, element in enumerate(elements, 1):
        if isinstance(element, dict):
            numbered = {NUMBER: str(place), **element}
            for row in exploded(numbered, path[1:]) if path[1:] else [numbered]:
                yield row if isinstance(row, str) else {**whole, path[0]: row}
        elif isinstance(inner, list) and element is not None and not path[1:]:
            yield {**whole, path[0]: element}
        else:
            yield f"{ROW}|no_rows_inside"


def json_values(blocks: Iterator[bytes], shapes: Shapes) -> Iterator[Value | Run]:
    """The top-level values, arrays opened up."""
    decoder = _decoder()
    decoded = codecs.iterdecode(blocks, "utf-8", errors="backslashreplace")
    text = _Text(prefetched(decoded), shapes)
    line = 1
    while True:
        if text.is_short and text.fill():
            continue
        line += text.skip()
        if text.at == len(text.buffer):
            if text.ended:
                return
            continue
        first, stop = text.stretch.run_at(text.at)
        if stop:
            yield Run(text.stretch, first, stop, line)
            text.at, line = int(text.stretch.ends[stop - 1]), line + stop - first
            continue
        found, end = _decoded(decoder, text.buffer, text.at)
        if end == len(text.buffer) and end - text.at < LONGEST_RECORD and text.fill():
            continue
        yield line, text.buffer[text.at : end].rstrip(), found
        line += text.buffer.count("\n", text.at, end)
        text.at = end


def _decoder() -> json.JSONDecoder:
    """Numbers keep the text they were written with."""
    return json.JSONDecoder(
        parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object
    )


class _Text:
    """What is in hand of a text, and the place `at` up to which it has been read."""

    def __init__(self, texts: Iterator[str], shapes: Shapes) -> None:
        self.buffer, self.at, self.ended = "", 0, False
        self.stretch = shapes.stretch("")
        self._texts, self._shapes = texts, shapes

    @property
    def is_short(self) -> bool:
        return len(self.buffer) - self.at < _AHEAD and not self.stretch.run_at(self.at)[1]

    def fill(self) -> bool:
        """Takes in more, or learns that the text has ended; whether either is news."""
        if self.ended:
            return False
        text = next(self._texts, None)
        self.buffer, self.at, self.ended = self.buffer[self.at :] + (text or ""), 0, text is None
        cut = len(self.buffer) if self.ended else self.buffer.rfind("\n")
        self.stretch = self._shapes.stretch(self.buffer[: max(cut, 0)])
        return True

    def skip(self) -> int:
        """Passes over what stands between values; the lines that end there."""
        gap = _BETWEEN.match(self.buffer, self.at)
        begun, self.at = self.at, gap.end() if gap else self.at
        return self.buffer.count("\n", begun, self.at)


class _NameTwiceError(ValueError):
    """An object names a field twice: as a rule, two rows that damage ran together."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _NameTwiceError
    return made


def _decoded(decoder: json.JSONDecoder, text: str, at: int) -> tuple[dict[str, Any] | str, int]:
    try:
        value, end = decoder.raw_decode(text, at)
    except _NameTwiceError:
        return f"{ROW}|field_named_twice", _next_object(text, at)
    except (ValueError, RecursionError):
        return f"{ROW}|not_json", _next_object(text, at)
    if not isinstance(value, dict):
        return f"{ROW}|not_an_object", max(end, at + 1)
    return value, end


def _next_object(text: str, at: int) -> int:
    found = _NEXT_OBJECT.search(text, at + 1)
    return len(text) if found is None else found.end()


def _piece(parts: list[Value | Run], mapping: Mapping) -> Piece:
    rows = [p for p in parts if isinstance(p, Run) or _is_good(p)]
    bad = [p for p in parts if not isinstance(p, Run) and not _is_good(p)]
    ends = list(accumulate(p.height if isinstance(p, Run) else 1 for p in rows))

    def raw(row: int) -> str:
        n = bisect_right(ends, row)
        part = rows[n]
        if isinstance(part, Run):
            return part.stretch.raw(part.stop - (ends[n] - row))
        # A row alone, so that it is one when it is read again.
        return part[1] if mapping.rows is None else _text(part[2])

    return Piece(
        _frame(rows, ends, mapping),
        _damaged(bad),
        lambda at: [raw(i) for i in at],
    )


def _damaged(values: list[Value]) -> pl.DataFrame:
    rules = [v[2] if isinstance(v[2], str) else f"{ROW}|not_utf8" for v in values]
    raws = [v[1].encode(errors="backslashreplace").decode() for v in values]
    return damaged_rows([v[0] for v in values], raws, rules)


def _is_good(value: Value) -> bool:
    return isinstance(value[2], dict) and _is_text(value[1], value[2])


def _frame(rows: list[Value | Run], ends: list[int], mapping: Mapping) -> pl.DataFrame:
    """The rows in their order, whichever way they were read."""
    frames, order = [], []
    runs = [(r, end - r.height) for r, end in zip(rows, ends, strict=True) if isinstance(r, Run)]
    for _, of_one in groupby(runs, key=lambda r: id(r[0].stretch)):
        same = list(of_one)
        line = np.concatenate([np.arange(r.line, r.line + r.height) for r, _ in same])
        frames.append(_of_stretch([r for r, _ in same]).with_columns(pl.Series(LINE, line)))
        order += [np.arange(begin, begin + r.height) for r, begin in same]
    values = [(v, end - 1) for v, end in zip(rows, ends, strict=True) if not isinstance(v, Run)]
    if frames and not values:
        return pl.concat(frames, how="diagonal")
    known = {n for frame in frames for n in frame.columns}
    frames.append(_decoded_frame([v for v, _ in values], known, mapping))
    order.append(np.array([at for _, at in values], dtype=np.int64))
    return pl.concat(frames, how="diagonal")[np.argsort(np.concatenate(order))]


def _of_stretch(runs: list[Run]) -> pl.DataFrame:
    frame = runs[0].stretch.frame
    if len(runs) == 1:
        return frame.slice(runs[0].first, runs[0].height)
    return frame[np.concatenate([np.arange(r.first, r.stop) for r in runs])]


def _decoded_frame(values: list[Value], known: Collection[str], mapping: Mapping) -> pl.DataFrame:
    """`known`: fields of the rows that stand among these."""
    objects = [v[2] for v in values if isinstance(v[2], dict)]
    names = dict.fromkeys(n for o in objects for n in o if n != LINE)
    fields = {n: [o.get(n) for o in objects] for n in names}
    paths = [p for p in mapping.sources if p not in names and p not in known]
    fields |= {p: v for p in paths for v in _nested(p, objects)}
    columns = [pl.Series(n, _texts(v), dtype=pl.String) for n, v in fields.items()]
    return pl.DataFrame([*columns, pl.Series(LINE, [v[0] for v in values], dtype=pl.Int64)])


def _nested(path: str, objects: list[dict[str, Any]]) -> Iterator[list[Any]]:
    """The values at a path such as user.address.0.city; nothing where no object has it."""
    steps = path.split(".")
    if len(steps) > 1:
        found = [_at(o, steps) for o in objects]
        if any(there for there, _ in found):
            yield [value for _, value in found]


def _at(value: Any, steps: list[str]) -> tuple[bool, Any]:
    for step in steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return False, None
    return True, value


def _is_text(raw: str, value: dict[str, Any]) -> bool:
    r"""Whether no half of a surrogate pair (\ud800) is in it: no file can store one."""
    if "\\u" not in raw and "\\x" not in raw:
        return True
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(values: list[Any]) -> list[str | None]:
    if all(v is None or type(v) is str for v in values):
        return values
    return [v if v is None or type(v) is str else _text(v) for v in values]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
