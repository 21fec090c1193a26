"""What a request brings: bytes within a limit, and the events that they are."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NoReturn

import polars as pl

from lakehouse.contracts import contract
from lakehouse.ingest.streams.topics import MESSAGES
from lakehouse.serve.http.refusals import Refusal

JSON = "application/json"
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
LARGEST_EVENT = 500_000
"""Bytes; Kafka takes a million in a message."""
_ENVELOPES = (("user_data", "user_id"), ("parameters", "server_id"))
"""Where clients of the game platform tell whose an event is."""
_BLANK = " \t\n\r"
_BLANKS = re.compile(r"[ \t\n\r]*")


async def read_body(
    parts: AsyncIterator[bytes], most: int, encoding: str, announced: str | None
) -> bytes:
    """The whole body, unpacked. Raises Refusal for one that is over `most` bytes, packed or not,
    or packed in another way than by gzip."""
    if announced is not None and announced.isdecimal() and int(announced) > most:
        _refuse_size(most)
    if encoding not in ("", "identity", "gzip"):
        raise Refusal(415, f"content-encoding {encoding[:40]!r}: gzip is taken, or none")
    found = bytearray()
    async for part in parts:
        found += part
        if len(found) > most:
            _refuse_size(most)
    return _unpacked(bytes(found), most) if encoding == "gzip" else bytes(found)


def is_lines(content_type: str) -> bool:
    """Whether a body is NDJSON, and not JSON. Raises Refusal for any other type."""
    kind, _, rest = content_type.partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if charset not in ("", "utf-8", "utf8"):
        raise Refusal(415, f"content-type {content_type[:80]!r}: UTF-8 is taken")
    kind = kind.strip().lower()
    if kind != JSON and kind not in LINES:
        raise Refusal(
            415,
            f"content-type {kind[:80]!r}: {JSON} (an object or an array of them) and {LINES[0]} "
            "(an object a line) are taken",
        )
    return kind != JSON


def events_in(body: bytes, table: str, *, lines: bool) -> pl.DataFrame:
    """The events of a body as messages (`MESSAGES`), each as it was written. Raises Refusal for
    what is no JSON, no object, or has no key; it names the first."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refusal(422, f"the body is no UTF-8 at byte {error.start}") from error
    try:
        found = list(_lines(text) if lines else _values(text))
    except RecursionError as error:
        raise Refusal(422, "the body is nested too deeply") from error
    if not found:
        raise Refusal(422, "the body has no event")
    names = contract(table).names(contract(table).topic_key)
    keys = [_key(k, event, names) for k, (event, _) in enumerate(found)]
    values = pl.Series([raw for _, raw in found], dtype=pl.String)
    largest = values.str.len_bytes().max()
    if isinstance(largest, int) and largest > LARGEST_EVENT:
        raise Refusal(413, f"an event of {largest} bytes; at most {LARGEST_EVENT} are taken")
    plain = values.str.replace_all("[\\r\\n]", " ")  # between tokens: in a text they are escaped
    return pl.DataFrame({"key": keys, "value": plain}, schema_overrides=_TEXTS).cast(MESSAGES)


def _values(text: str) -> Iterator[tuple[Any, str]]:
    """A value, or those of an array."""
    at = _past_blanks(text, 0)
    if text[at : at + 1] != "[":
        value, end = _value(text, at, 0)
        _refuse_rest(text, end)
        yield value, text[at:end]
        return
    at, k = _past_blanks(text, at + 1), 0
    if text[at : at + 1] == "]":
        return _refuse_rest(text, at + 1)
    while True:
        value, end = _value(text, at, k)
        yield value, text[at:end]
        at, k = _past_blanks(text, end), k + 1
        sign = text[at : at + 1]
        if sign == "]":
            return _refuse_rest(text, at + 1)
        if sign != ",":
            raise Refusal(422, f"event {k}: a comma or the array's end is missing at letter {at}")
        at = _past_blanks(text, at + 1)


def _lines(text: str) -> Iterator[tuple[Any, str]]:
    for k, line in enumerate(text.split("\n")):
        at = _past_blanks(line, 0)
        if at < len(line):
            value, end = _value(line, at, k)
            _refuse_rest(line, end)
            yield value, line[at:end]


def _value(text: str, at: int, k: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except ValueError as error:
        raise Refusal(422, f"event {k} is no JSON: {error}") from error


def _key(k: int, event: Any, names: Sequence[str]) -> str:
    if not isinstance(event, dict):
        raise Refusal(422, f"event {k} is no JSON object")
    found = next((event[n] for n in names if event.get(n) is not None), None)
    for outer, inner in _ENVELOPES:
        if found is None and isinstance(event.get(outer), dict):
            found = event[outer].get(inner)
    if not isinstance(found, str) or not found.strip():
        raise Refusal(422, f"event {k} has no {names[0]}: events are kept in order by it")
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise Refusal(422, f"event {k}: its {names[0]} is no text") from error
    return found.strip()


def _past_blanks(text: str, at: int) -> int:
    if text[at : at + 1] not in _BLANK:
        return at
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _refuse_rest(text: str, at: int) -> None:
    if _past_blanks(text, at) < len(text):
        raise Refusal(422, f"the JSON ends at letter {at}, and more follows")


def _refuse_size(most: int) -> NoReturn:
    raise Refusal(413, f"the body is larger than {most} bytes")


def _unpacked(packed: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(packed, most + 1)
    except zlib.error as error:
        raise Refusal(422, f"the body is no gzip: {error}") from error
    if len(found) > most:
        _refuse_size(most)
    if not unpacker.eof or unpacker.unused_data:
        raise Refusal(422, "the body is no whole gzip")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


_TEXTS = {"key": pl.String(), "value": pl.String()}
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=str, parse_int=str)
"""Numbers stay as they are written: a user 007 is none, and 7 is the text 7."""
