"""The audit of the restricted zone: a row before each access, each sealing the one before."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING

import polars as pl

from lakehouse.contracts import contract
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.storage import Lake

TABLE = "access_log"
FIRST = "0" * 64
SHORTEST_PURPOSE = 8
SCHEMA = contract(TABLE).bronze_schema()


def record(lake: Lake, who: str, purpose: str, query: str, at: dt.datetime) -> pl.DataFrame:
    """Writes the row of one access and returns it; call it before the access.

    Raises BadInput as `entry` does, LakehouseError where the log cannot be written: then the
    access must not happen. Concurrent writers take turns, each with the next number.
    """
    from lakehouse.storage import append_in_turn

    def next_entry(before: pl.DataFrame) -> tuple[str, pl.DataFrame]:
        row = entry(before, who=who, purpose=purpose, query=query, at=at)
        return f"access-{row['entry'].item()}", row

    return append_in_turn(lake, "restricted", TABLE, next_entry, log="the access log")


def read(lake: Lake) -> pl.DataFrame:
    """Reads all entries of the log, oldest first."""
    return lake.scan("restricted", TABLE).collect().sort("entry")


def entry(
    previous: pl.DataFrame, *, who: str, purpose: str, query: str, at: dt.datetime
) -> pl.DataFrame:
    """The log's next row (contract `access_log`), sealed to the last row of `previous`.

    Raises BadInput where nobody is named or the purpose says nothing.
    """
    if not who.strip():
        raise BadInput("an access to the restricted zone needs to say who it is for")
    if len(purpose.strip()) < SHORTEST_PURPOSE:
        raise BadInput(
            f"the purpose {purpose!r} says too little; give at least {SHORTEST_PURPOSE} characters"
        )
    last = previous.sort("entry").tail(1)
    number = last["entry"].item() + 1 if last.height else 1
    before = last["hash"].item() if last.height else FIRST
    fields = (number, at.astimezone(dt.UTC), who.strip(), purpose.strip(), query)
    row = [*fields, before, _seal(*fields, before)]
    return pl.DataFrame([row], schema=SCHEMA, orient="row")


def verify(rows: pl.DataFrame, *, head: str | None = None) -> list[str]:
    """What is wrong with a chain; nothing for a sound one.

    A cut at the end leaves a sound chain: it shows only against a `head` (the last hash) that
    was noted elsewhere.
    """
    found: list[str] = []
    before = FIRST
    for number, row in enumerate(rows.sort("entry").iter_rows(named=True), start=1):
        if row["entry"] != number:
            return [*found, f"entry {number} is missing or there twice"]
        if row["previous_hash"] != before:
            found.append(f"entry {number} does not follow the entry before it")
        if row["hash"] != _seal(*(row[c] for c in SCHEMA.names()[:-1])):
            found.append(f"entry {number} was changed after it was written")
        before = row["hash"]
    if head is not None and head != before:
        found.append(f"the chain ends in {before[:12]}, not in the {head[:12]} that was noted")
    return found


def _seal(
    number: int, at: dt.datetime, who: str, purpose: str, query: str, previous_hash: str
) -> str:
    moment = at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    sealed = json.dumps([number, moment, who, purpose, query, previous_hash])
    return hashlib.sha256(sealed.encode()).hexdigest()
