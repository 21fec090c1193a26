"""Proposes a mapping for a foreign file, from its header and a sample of its rows."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lakehouse.contracts import PROVENANCE, Contract, contract, doors
from lakehouse.errors import BadInput
from lakehouse.ingest.files.byte_blocks import UnreadableFile, text_blocks
from lakehouse.ingest.files.delimited import WrappedLines, csv_pieces, read_header
from lakehouse.ingest.files.inspection import Inspected, inspect
from lakehouse.ingest.files.json_rows import json_pieces
from lakehouse.ingest.files.mapping import ColumnMapping, Mapping
from lakehouse.ingest.files.parquet_rows import parquet_pieces
from lakehouse.ingest.files.rows import LINE
from lakehouse.ingest.files.table_lines import table_lines
from lakehouse.ingest.files.values import typed_column

SAMPLE_ROWS = 1_000
ALIKE = 0.72
"""Similarity of two names from which one is proposed for the other."""

_WORDS = {
    "acct": "account",
    "amt": "amount",
    "area": "zone",
    "at": "timestamp",
    "card": "player",
    "cd": "type",
    "cents": "",
    "class": "type",
    "code": "type",
    "created": "",
    "cust": "player",
    "customer": "player",
    "datetime": "timestamp",
    "denom": "denomination",
    "dob": "date of birth",
    "dollars": "",
    "dt": "timestamp",
    "emp": "employee",
    "evt": "event",
    "guest": "player",
    "kind": "type",
    "loc": "location",
    "mach": "machine",
    "mfr": "manufacturer",
    "no": "id",
    "num": "id",
    "number": "id",
    "patron": "player",
    "payment": "transaction",
    "pct": "",
    "ref": "id",
    "seq": "id",
    "tender": "transaction method",
    "time": "timestamp",
    "tran": "transaction",
    "ts": "timestamp",
    "txn": "transaction",
    "usd": "",
    "value": "amount",
}
"""Words of exports → words of ours; both sides are read so."""
_GENERAL = {"id", "type", "timestamp", "amount"}
_MOMENTS = (
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%Y%m%d%H%M%S",
)
_DAYS = (
    *("%m/%d/%Y", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d"),
    *("%m/%d/%y", "%d.%m.%y", "%d/%m/%y"),
)

Reading = tuple[ColumnMapping, str | None]
"""How a column may be read, and the zone of its times."""


@dataclass(frozen=True)
class Proposal:
    """A mapping as TOML, and what it leaves open, one line each."""

    table: str
    toml: str
    unmatched: tuple[str, ...]


def infer(path: Path, table: str | None, *, timezone: str) -> Proposal:
    """Matches the file's columns with a table's by name, and looks at values for cents, day
    forms and zones. `timezone` is proposed where times carry no offset.

    Raises BadInput for a file that cannot be read, or that resembles no table.
    """
    try:
        sample, head = _sample(path.parent.resolve() / path.name)
    except (UnreadableFile, OSError) as error:
        raise BadInput(f"{path}: {error}") from error
    columns = [n for n in sample.columns if n != LINE]
    if table is None:
        scored = {n: len(_matched(c, columns)) for n, c in doors().items()}
        table = max(scored, key=lambda n: scored[n])
        if scored[table] < 2:
            raise BadInput(f"{path}: its columns resemble no table; say which with --table")
    c = contract(table)
    matched = _matched(c, columns)
    blocks = [_head(table, head)]
    blocks += [
        _column(c, ours, theirs, sample[theirs], timezone) for ours, theirs in matched.items()
    ]
    return Proposal(
        table, "\n".join(b for b in blocks if b), tuple(_open_ends(c, columns, matched))
    )


def _sample(path: Path) -> tuple[pl.DataFrame, Mapping]:
    """Rows, and what a mapping has to say of the file as a whole."""
    found = inspect(path)
    encoding = None if found.encoding == "utf-8" else found.encoding
    head = Mapping(encoding=encoding)
    if found.form == "parquet":
        return next(parquet_pieces(path, found.compression)).frame.head(SAMPLE_ROWS), Mapping()
    if found.form == "json":
        blocks = text_blocks(path, found.compression, found.encoding)
        return next(json_pieces(blocks)).frame.head(SAMPLE_ROWS), head
    try:
        return _sample_of_lines(path, found, head)
    except WrappedLines:
        return _sample_of_lines(path, found, head.model_copy(update={"quoted_lines": True}))


def _sample_of_lines(path: Path, found: Inspected, head: Mapping) -> tuple[pl.DataFrame, Mapping]:
    lines, _ = table_lines(text_blocks(path, found.compression, found.encoding), head)
    header, rest, line = read_header(lines, head, ())
    for piece in csv_pieces(rest, header, line):
        if piece.frame.height:
            return piece.frame.head(SAMPLE_ROWS), head.found_in(header.delimiter)
    raise UnreadableFile("has no rows to look at")


def _matched(c: Contract, columns: Sequence[str]) -> dict[str, str]:
    """Our column → theirs: the most alike pairs first, required columns before others, each
    column once."""
    ours = [n for n in c.columns if n not in PROVENANCE]
    pairs = [(max(_alike(n, t) for n in c.names(o)), o, t) for o in ours for t in columns]
    found: dict[str, str] = {}
    ranked = sorted(pairs, key=lambda p: (-p[0], c.columns[p[1]].nullable, p[1], p[2]))
    for score, o, t in ranked:
        if score >= ALIKE and o not in found and t not in found.values():
            found[o] = t
    return {o: found[o] for o in ours if o in found}


def _alike(ours: str, theirs: str) -> float:
    left, right = _words(ours), _words(theirs)
    if left == right:
        return 1.0
    if right and set(right) < set(left):
        # A part of a name is a hint, and a weak one where half of all names have it.
        return 0.75 if set(right) <= _GENERAL else 0.95 - 0.02 * len(left)
    return 0.99 * difflib.SequenceMatcher(None, " ".join(left), " ".join(right)).ratio()


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = [w for w in re.split(r"[^a-z0-9]+", spaced.casefold()) if w]
    return [part for w in words for part in _WORDS.get(w, w).split()]


def _head(table: str, head: Mapping) -> str:
    lines = [f'table = "{table}"']
    if head.delimiter not in (None, ","):
        lines.append(f"delimiter = {_quoted(str(head.delimiter))}")
    if head.encoding is not None:
        lines.append(f'encoding = "{head.encoding}"')
    if head.quoted_lines:
        lines.append("quoted_lines = true")
    return "\n".join(lines) + "\n"


def _column(c: Contract, ours: str, theirs: str, values: pl.Series, timezone: str) -> str:
    lines = [f"from = {_quoted(theirs)}"] if theirs != ours else []
    lines += _reading(c, ours, theirs, values, timezone)
    return "\n".join([f"[columns.{ours}]", *lines, ""]) if lines else ""


def _reading(c: Contract, ours: str, theirs: str, values: pl.Series, timezone: str) -> list[str]:
    dtype = c.columns[ours].dtype
    given = values.drop_nulls()
    if isinstance(dtype, pl.Decimal) and "cents" in re.split(r"[^a-z]+", _spaced(theirs)):
        return ['unit = "cents"']
    if isinstance(dtype, pl.Enum):
        foreign = sorted(set(given.unique()) - set(dtype.categories))
        told = ", ".join(f'{_quoted(code)} = "?"' for code in foreign[:30])
        return [f"# codes = {{ {told} }}"] if foreign else []
    if isinstance(dtype, pl.Datetime):
        return _form(ours, dtype, given, _moments(timezone))
    if dtype == pl.Date:
        return _form(ours, dtype, given, [(rule, None) for rule in _days()])
    return []


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).casefold()


def _moments(timezone: str) -> list[Reading]:
    forms = [f or None for f in ("", *_MOMENTS)]
    timed = [
        (ColumnMapping(format=form, ambiguous="earlier"), zone)
        for zone in (None, timezone)
        for form in forms
    ]
    return [*timed, *((rule.model_copy(update={"date_only": True}), timezone) for rule in _days())]


def _days() -> list[ColumnMapping]:
    return [ColumnMapping(format=form or None) for form in ("", *_DAYS)]


def _form(
    ours: str, dtype: pl.DataType, values: pl.Series, readings: Sequence[Reading]
) -> list[str]:
    """The first reading of every value of the sample, with the zone where it needs one."""
    frame = values.cast(pl.String).alias(ours).to_frame()
    for rule, zone in readings:
        typed = typed_column(ours, dtype, rule, zone)
        if typed is not None and frame.select(typed.value)[ours].null_count() == 0:
            said = [f"format = {_quoted(form)}" for form in rule.formats]
            if rule.date_only:
                return [*said, "date_only = true"]
            return said + ([f'timezone = "{zone}"'] if zone else [])
    return ["# format: no common form reads all values of the sample"]


def _open_ends(c: Contract, columns: Sequence[str], matched: dict[str, str]) -> list[str]:
    used = set(matched.values())
    said = [f"no column of {c.name} for {n!r}" for n in columns if n not in used]
    derived = {"gaming_day", *PROVENANCE}
    required = [n for n, col in c.columns.items() if not col.nullable and n not in derived]
    lacking = [n for n in required if n not in matched]
    return [*said, *(f"nothing in the file for {n}, which {c.name} requires" for n in lacking)]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
