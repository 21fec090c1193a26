"""Defects that are planted in a clean lake, each with the checks that must fail of it.

What fails is worked out from what a defect is: a row too many in silver breaks the books of bronze
and silver; any change of bronze leaves what was derived of it behind. Rows are changed with the
marks of derivation as they were, as a fault of the code or of a disk would.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import dataframely as dy
import polars as pl

from benchmarks.mutations.defects import DERIVED, Damage, Mutation
from benchmarks.mutations.online import ONLINE
from benchmarks.mutations.platform import PLATFORM
from benchmarks.mutations.rows import breaking, framed, sound_row
from benchmarks.mutations.shop import SHOP
from benchmarks.mutations.single import SINGLE
from lakehouse.contracts import contract, contracts
from lakehouse.quality.conformance import stored_rules
from lakehouse.quality.contract_checks import judged_tables
from lakehouse.quality.profiles import profiled_tables
from lakehouse.settings import Settings
from lakehouse.storage import Lake, stored_schema


def every_mutation(settings: Settings) -> list[Mutation]:
    """Of the tables of the parts of the house that a lake has."""
    of_floor = [*_of_contracts(), *_of_texts(), *_of_books(), *_of_history(), *SINGLE]
    every = [*of_floor, *ONLINE, *PLATFORM, *SHOP]
    return [one for one in every if settings.has(one.table)]


COUNTED = {
    "player_levels": ("gold/player_levels:events_are_of_a_level",),
    "server_health": ("gold/server_health:health_is_of_every_minute",),
}
"""Marts whose every row counts something: one made up counts what is not there."""
COUNTED_BY = {
    "player_events": COUNTED["player_levels"],
    "server_metrics": COUNTED["server_health"],
}
"""Sources whose every sound row is counted by a mart."""
NAMED = {"level_engagement": ("gold/level_engagement:active_players_are_of_the_day",)}
"""Marts whose row of another key is counted apart."""


def consequences(layer: str, table: str, *, rows: bool) -> tuple[str, ...]:
    """What fails beside, where a table is changed: of bronze nothing is derived any more; of
    `rows` that come or go the books of bronze and silver differ."""
    books = (f"silver/{table}:conservation",) if rows and layer in ("bronze", "silver") else ()
    counted = COUNTED.get(table, ()) if rows and layer == "gold" else ()
    return (*books, *counted, *((DERIVED,) if layer == "bronze" else ()))


def _of_contracts() -> Iterator[Mutation]:
    for layer, table in judged_tables():
        rule = rule_to_break(layer, table)
        mine = (f"{layer}/{table}:contract", *consequences(layer, table, rows=True))
        defect = "A row is made up that breaks a rule of the contract"
        yield Mutation(defect, layer, table, _adding(layer, table, rule), mine)


def rule_to_break(layer: str, table: str) -> str:
    """The last rule on values of one column; of bronze, that a source is named."""
    if layer == "bronze":
        return "_source|nullability"
    c = contract(table)
    named = [r for r in stored_rules(layer, table) if "|" in r and r.split("|")[0] not in c.key]
    return [r for r in named if r.split("|")[1] != "nullability"][-1]


def _adding(layer: str, table: str, rule: str) -> Damage:
    def damage(rows: pl.DataFrame, _lake: Lake, day: dt.date) -> pl.DataFrame:
        made = breaking(layer, table, rule, sound_row(layer, table, day))
        return pl.concat([rows, framed(layer, table, made)])

    return damage


TEXTS = {
    "an SSN": "123-45-6789",
    "an e-mail address": "ann@example.com",
    "a phone number": "(702) 555-0143",
    "a card number": "4111 1111 1111 1111",
}


def _of_texts() -> Iterator[Mutation]:
    """In the key of a row made up: every table has one."""
    tables = [t for t in profiled_tables() if t[0] != "bronze" and _text_key(*t)]
    kinds = list(TEXTS)
    for n, (layer, table) in enumerate(tables):
        kind = kinds[n % len(kinds)]
        mine = (f"{layer}/{table}:no_personal_data", *consequences(layer, table, rows=True))
        mine += NAMED.get(table, ())
        if _is_code(table, _text_key(layer, table)):
            mine = (f"{layer}/{table}:contract", *mine)
        held = _holding(layer, table, TEXTS[kind])
        yield Mutation(f"A row is made up whose key is {kind}", layer, table, held, mine)


def _text_key(layer: str, table: str) -> str | None:
    key = [n for n in contract(table).key if stored_schema(layer, table)[n] == pl.String]
    return min(key, key=lambda n: _is_code(table, n), default=None)


def _is_code(table: str, column: str | None) -> bool:
    """Whether any text but its own breaks the contract."""
    return column is not None and isinstance(contract(table).columns[column], dy.Enum)


def _holding(layer: str, table: str, text: str) -> Damage:
    def damage(rows: pl.DataFrame, _lake: Lake, day: dt.date) -> pl.DataFrame:
        row = sound_row(layer, table, day) | {str(_text_key(layer, table)): text}
        return pl.concat([rows, framed(layer, table, [row])])

    return damage


def _of_books() -> Iterator[Mutation]:
    for table in contracts("source"):
        mine = (f"silver/{table}:conservation", *COUNTED_BY.get(table, ()))
        yield Mutation("A sound row comes from nowhere", "silver", table, _one_more(table), mine)
    for layer, table in (("silver", "security_events"), ("bronze", "table_games")):
        fails = consequences(layer, table, rows=True)
        yield Mutation("A row is lost", layer, table, lambda r, _l, _d: r.slice(1), fails)


def _one_more(table: str) -> Damage:
    def damage(rows: pl.DataFrame, _lake: Lake, day: dt.date) -> pl.DataFrame:
        return pl.concat([rows, framed("silver", table, [sound_row("silver", table, day)])])

    return damage


def _of_history() -> Iterator[Mutation]:
    for layer, table in (
        ("bronze", "security_events"),
        ("silver", "security_events"),
        ("gold", "player_value"),
    ):
        fails = (f"{layer}/{table}:volume", *consequences(layer, table, rows=True))
        yield Mutation("Ten times the rows", layer, table, _tenfold(layer, table), fails)
    for layer, table, column in (
        ("bronze", "financial_txn", "cashier_id"),
        ("silver", "security_events", "employee_id"),
        ("gold", "player_value", "loyalty_tier"),
    ):
        fails = (f"{layer}/{table}:nulls", *consequences(layer, table, rows=False))
        yield Mutation(f"{column} is empty in all rows", layer, table, _all(column, None), fails)
    for layer, table, column, value in (
        ("silver", "security_events", "security_level", "Restricted"),
        ("silver", "slot_telemetry", "zone", "North"),
        ("gold", "player_value", "is_churned", True),
    ):
        fails = (f"{layer}/{table}:drift",)
        defect = f"{column} is {value} in all rows"
        yield Mutation(defect, layer, table, _all(column, value), fails)
    fails = ("bronze/slot_telemetry:arrival", DERIVED)
    yield Mutation("All rows come in three days late", "bronze", "slot_telemetry", _late, fails)


def _tenfold(layer: str, table: str) -> Damage:
    """Of the same spread, each with a key of its own."""
    key = str(_text_key(layer, table))

    def damage(rows: pl.DataFrame, _lake: Lake, _day: dt.date) -> pl.DataFrame:
        more = (rows.with_columns(pl.format(f"{{}}.{n}", key).alias(key)) for n in range(9))
        return pl.concat([rows, *more])

    return damage


def _all(column: str, value: object) -> Damage:
    return lambda rows, _lake, _day: rows.with_columns(
        pl.lit(value, rows.schema[column]).alias(column)
    )


def _late(rows: pl.DataFrame, _lake: Lake, _day: dt.date) -> pl.DataFrame:
    return rows.with_columns(pl.col("_ingested_at") + pl.duration(days=3))
