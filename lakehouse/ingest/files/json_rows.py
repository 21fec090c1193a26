"""JSON arrays, and JSON objects one after the other: rows as text columns.

Numbers keep the text they were written with. A value that cannot be read is set aside up to
the place where the next object begins. Where a mapping says so, the elements of an array inside
an object are the rows: each stands in its place then, beside the object's other fields.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from lakehouse.ingest.files.byte_blocks import LONGEST_RECORD
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.rows import LINE, ROW, Piece, damaged_rows

PIECE_ROWS = 20_000
_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_NEXT_OBJECT = re.compile(r"(?:\n|\}\s*,)\s*(?=\{)")
_AHEAD = 2**20
NUMBER = "#"
"""The field of an element of an array that says which it is, from 1."""
AS_IT_IS = Mapping()

Value = tuple[int, str, dict[str, Any] | str]
"""Line, landed text, and the object, or the rule that it broke."""


def json_pieces(blocks: Iterator[bytes], mapping: Mapping = AS_IT_IS) -> Iterator[Piece]:
    """Rows of a JSON file; a value that is no object is a damaged row."""
    values: list[Value] = []
    for value in rows_inside(json_values(blocks), mapping.rows):
        values.append(value)
        if len(values) == PIECE_ROWS:
            yield _piece(values, mapping)
            values = []
    if values:
        yield _piece(values, mapping)


def rows_inside(values: Iterator[Value], path: str | None) -> Iterator[Value]:
    """The elements of the array at a path, each in its place; the values themselves without."""
    if path is None:
        yield from values
        return
    for line, raw, found in values:
        if isinstance(found, str):
            yield line, raw, found
        else:
            for row in _exploded(found, path.split(".")):
                yield line, raw, row


def _exploded(whole: dict[str, Any], path: list[str]) -> Iterator[dict[str, Any] | str]:
    """The object once for each element, with that in the place of the array; the elements are
    numbered. An empty array has no rows; where there is none, the object is damaged."""
    inner = whole.get(path[0])
    elements = inner if isinstance(inner, list) else [inner]
    for place, element in enumerate(elements, 1):
        if isinstance(element, dict):
            numbered = {NUMBER: str(place), **element}
            for row in _exploded(numbered, path[1:]) if path[1:] else [numbered]:
                yield row if isinstance(row, str) else {**whole, path[0]: row}
        elif isinstance(inner, list) and element is not None and not path[1:]:
            yield {**whole, path[0]: element}
        else:
            yield f"{ROW}|no_rows_inside"


def json_values(blocks: Iterator[bytes]) -> Iterator[Value]:
    """The top-level values, arrays opened up."""
    decoder = json.JSONDecoder(
        parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object
    )
    texts = codecs.iterdecode(blocks, "utf-8", errors="backslashreplace")
    buffer, at, line, ended = "", 0, 1, False
    while True:
        if not ended and len(buffer) - at < _AHEAD:
            text = next(texts, None)
            buffer, at, ended = buffer[at:] + (text or ""), 0, text is None
            continue
        gap = _BETWEEN.match(buffer, at)
        start = gap.end() if gap else at
        line += buffer.count("\n", at, start)
        at = start
        if at == len(buffer):
            if ended:
                return
            continue
        found, end = _decoded(decoder, buffer, at)
        if end == len(buffer) and not ended and end - at < LONGEST_RECORD:
            text = next(texts, None)
            buffer, at, ended = buffer[at:] + (text or ""), 0, text is None
            continue
        yield line, buffer[at:end].rstrip(), found
        line += buffer.count("\n", at, end)
        at = end


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


def _piece(values: list[Value], mapping: Mapping) -> Piece:
    good = [v for v in values if isinstance(v[2], dict) and _is_text(v[1], v[2])]
    bad = [v for v in values if not (isinstance(v[2], dict) and _is_text(v[1], v[2]))]
    objects = [v[2] for v in good if isinstance(v[2], dict)]
    names = dict.fromkeys(n for o in objects for n in o if n != LINE)
    fields = {n: [o.get(n) for o in objects] for n in names}
    fields |= {p: v for p in mapping.sources if p not in names for v in _nested(p, objects)}
    columns = [pl.Series(n, _texts(v), dtype=pl.String) for n, v in fields.items()]
    frame = pl.DataFrame([*columns, pl.Series(LINE, [v[0] for v in good], dtype=pl.Int64)])
    rules = [v[2] if isinstance(v[2], str) else f"{ROW}|not_utf8" for v in bad]
    raws = [v[1].encode(errors="backslashreplace").decode() for v in bad]
    return Piece(
        frame,
        damaged_rows([v[0] for v in bad], raws, rules),
        # A row alone, so that it is one when it is read again.
        lambda at: [good[i][1] if mapping.rows is None else _text(good[i][2]) for i in at],
    )


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
