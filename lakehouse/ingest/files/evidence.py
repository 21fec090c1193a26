"""Where a rejected row stands in its landed file, and what it has there.

Bronze keeps the file of a row and not its line, so that a row which silver rejected is looked up:
its file is read again, as it was read before, and told by all its values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.contracts import PROVENANCE, contract, door_of
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.columns import match_columns, our_columns
from lakehouse.ingest.files.delimited import Header, csv_pieces
from lakehouse.ingest.files.derived import WHERE
from lakehouse.ingest.files.headers import header_of
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.json_rows import json_pieces
from lakehouse.ingest.files.ledger import batch_prefix, file_identity, read_ledger
from lakehouse.ingest.files.mapping import Mapping, mapping_from_text
from lakehouse.ingest.files.reading import open_file
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX, STAGE, judge
from lakehouse.ingest.files.rows import LINE, NTH, Piece
from lakehouse.ingest.files.supersede import prefix_of
from lakehouse.ingest.files.zone import landing_zone
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Lake

ROW_NUMBER, PLACE, _FILE, _KNOWN = "_number", "_place", "_prefix", "_known_line"
_RETRIED = r"/(\d+)\.[0-9a-f]+$"
"""Of a row that a retry brought to bronze the batch tells the line."""


@dataclass(frozen=True)
class Met:
    """A piece of a landed file that has rows which are looked for. `lines`: their `_number` among
    those, their place in the piece, which is its LINE, and their line in the file."""

    file: dict[str, Any]
    piece: Piece
    lines: pl.DataFrame


def files_of(lake: Lake, table: str) -> dict[str, dict[str, Any]]:
    """Prefix of the batch → ledger row of the file, for files that have ended."""
    rows = read_ledger(lake).rows.filter(
        pl.col("table_name") == door_of(table), pl.col("state") == "ingested"
    )
    return {batch_prefix(r["file_id"]): r for r in rows.to_dicts()}


def looked_up(
    lake: Lake, settings: Settings, table: str, rows: pl.DataFrame, *, copies: bool = False
) -> Iterator[Met]:
    """Rows of bronze, found in their files; of files that are no longer there none. With
    `copies` on every line that says the same, not on the first alone."""
    files = files_of(lake, table)
    numbered = rows.with_row_index(ROW_NUMBER).with_columns(
        prefix_of().alias(_FILE),
        pl.col("_batch_id").str.extract(_RETRIED, 1).cast(pl.Int64).alias(_KNOWN),
    )
    for (prefix,), wanted in numbered.group_by(_FILE, maintain_order=True):
        file = files.get(str(prefix))
        if file is not None:
            yield from _in_file(landing_zone(lake), settings, table, file, wanted, copies=copies)


def _in_file(
    zone: Path,
    settings: Settings,
    table: str,
    file: dict[str, Any],
    wanted: pl.DataFrame,
    *,
    copies: bool,
) -> Iterator[Met]:
    used = mapping_from_text(file["mapping"], file["table_name"])
    day = gaming_day_of(file["at"], settings.timezone)
    c = contract(file["table_name"])
    origin = Origin(
        c, used, file["path"], day, file["at"], settings.timezone, file_id=file["file_id"]
    )
    left = wanted
    for piece in pieces_of(zone, file):
        placed = _placed(piece)
        in_file = pl.DataFrame({PLACE: placed.frame[LINE], LINE: piece.frame[LINE]})
        lines = _places(placed, in_file, origin, table, left).join(in_file, on=PLACE).sort(PLACE)
        if lines.height:
            first = lines.unique(ROW_NUMBER, keep="first", maintain_order=True)
            yield Met(file, placed, lines if copies else first)
        if lines.height and not copies:
            left = left.join(lines, on=ROW_NUMBER, how="anti")
            if left.is_empty():
                return


def _placed(piece: Piece) -> Piece:
    """Its rows by their place, as they may share a line."""
    nth = pl.col(NTH) if NTH in piece.frame.columns else pl.col(LINE).cast(pl.String).alias(NTH)
    places = pl.int_range(pl.len(), dtype=pl.Int64).alias(LINE)
    return replace(piece, frame=piece.frame.with_columns(nth, places))


def _places(
    piece: Piece, in_file: pl.DataFrame, origin: Origin, table: str, wanted: pl.DataFrame
) -> pl.DataFrame:
    alone = in_file.filter(pl.col(LINE).is_unique())
    known = wanted.join(alone, left_on=_KNOWN, right_on=LINE).select(ROW_NUMBER, PLACE)
    values = [n for n in contract(table).bronze_schema() if n not in PROVENANCE]
    good = judge(piece, origin, keep_line=True).good.select(*values, pl.col(LINE).alias(PLACE))
    met = wanted.filter(pl.col(_KNOWN).is_null()).select(ROW_NUMBER, *values)
    found = met.join(good, on=values, nulls_equal=True).select(ROW_NUMBER, PLACE)
    return pl.concat([known, found])


def pieces_of(zone: Path, file: dict[str, Any]) -> Iterator[Piece]:
    """A landed file again, as it was told into rows; nothing where it is gone or another."""
    path, table = zone / file["path"], file["table_name"]
    used = mapping_from_text(file["mapping"], table)
    try:
        inspected = inspect(path, used)
        if file_identity(table, inspected.digest) == file["file_id"]:
            yield from open_file(path, inspected, contract(table), used).pieces
    except (FileNotFoundError, UnreadableFile):
        return


def placed(lake: Lake, settings: Settings, table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows with `_file` and `_line` filled in for those that were typed."""
    landed = pl.col("_source").str.starts_with(SOURCE_PREFIX)
    file = pl.when(landed).then(pl.col("_source").str.strip_prefix(SOURCE_PREFIX))
    named = rows.with_columns(_file=pl.coalesce("_file", file)).with_row_index("_at")
    typed = named.filter(landed, pl.col("_stage") != STAGE)
    met = (
        [m.lines for m in looked_up(lake, settings, table, typed.drop("_at"))]
        if typed.height
        else []
    )
    if not met:
        return named.drop("_at")
    at = typed["_at"].gather(pl.concat(met)[ROW_NUMBER])
    lines = pl.DataFrame({"_at": at, "_found": pl.concat(met)[LINE]})
    found = named.join(lines, on="_at", how="left", maintain_order="left")
    return found.with_columns(pl.coalesce(LINE, "_found").alias(LINE)).drop("_at", "_found")


Columns = Callable[[str], Sequence[str]]
"""Rule → the columns that it looks at."""


def offending(
    lake: Lake, table: str, rows: pl.DataFrame, columns_of: Columns, *, openly: bool
) -> list[str]:
    """Of each rejected row, the values that broke its rules, as `amount = 12,50`. Unless `openly`
    personal ones are not told, and of text that was never typed its form alone: whatever stands
    in a row that is misread may be personal."""
    c = contract(table)
    hidden = ("pii", "protect")
    closed = {n for n in c.columns if any(c.metadata(n).get(word) for word in hidden)}
    texts = _landed_texts(lake, table, rows)
    told = []
    for row, text in zip(rows.iter_rows(named=True), texts, strict=True):
        names = dict.fromkeys(n for rule in row["_rules"] or () for n in columns_of(rule))
        told.append(
            "; ".join(f"{n} = {_told(n in closed, row[n], text.get(n), openly)}" for n in names)
        )
    return told


def _told(is_personal: bool, typed: object, text: str | None, openly: bool) -> str:
    value = typed if typed is not None else text
    if value is None:
        return "(empty)"
    if openly:
        return str(value)
    if is_personal:
        return "(personal)"
    return form_of(str(value)) if typed is None else str(value)


def form_of(text: str) -> str:
    """How a text is written, without what it says: 12,50 is 99,99 and lots is aaaa."""
    return "".join("9" if ch.isdigit() else "a" if ch.isalpha() else ch for ch in text)


def _landed_texts(lake: Lake, table: str, rows: pl.DataFrame) -> list[dict[str, str]]:
    """Of each row that could not be typed, the text of our columns in its file."""
    found: list[dict[str, str]] = [{} for _ in range(rows.height)]
    numbered = rows.with_row_index(ROW_NUMBER).with_columns(prefix_of().alias(_FILE))
    untyped = numbered.filter(pl.col("_stage") == STAGE, pl.col("_raw").is_not_null())
    if untyped.is_empty():
        return found
    files, zone = files_of(lake, table), landing_zone(lake)
    for (prefix, number), row in untyped.group_by([_FILE, ROW_NUMBER]):
        file = files.get(str(prefix))
        if file is not None:
            found[int(str(number))] = _text_of(zone, file, row["_raw"].item())
    return found


def _text_of(zone: Path, file: dict[str, Any], raw: str) -> dict[str, str]:
    c = contract(file["table_name"])
    used = mapping_from_text(file["mapping"], c.name)
    for piece in read_again([raw], header_of(zone, file), used.delimiter, used):
        match = match_columns(c, used, [n for n in piece.frame.columns if n != LINE])
        taken = our_columns(piece.frame, c, used, match, {}).drop(LINE)
        for row, theirs in zip(taken.to_dicts(), piece.frame.to_dicts(), strict=True):
            named = {n: rule.fields for n, rule in used.columns.items() if rule.fields}
            if used.condition is not None:
                named[WHERE] = used.condition.fields
            for name, fields in named.items():
                texts = (theirs[match.fields[n]] for n in sorted(fields) if n in match.fields)
                row[name] = " | ".join(t or "" for t in texts)
            return {n: v for n, v in row.items() if v is not None}
    return {}


def read_again(
    raws: list[str], columns: list[str], delimiter: str | None, mapping: Mapping
) -> Iterator[Piece]:
    """Landed texts below each other, as rows of their file."""
    text = iter(["\n".join(raws).encode()])
    if delimiter:
        return csv_pieces(text, Header(tuple(columns), delimiter), 1)
    return json_pieces(text, mapping)
