"""How each table is stored: columns, meaning and partitions by layer, from its contract."""

from __future__ import annotations

import functools

import polars as pl

from lakehouse.contracts import Contract, contract, contracts
from lakehouse.errors import BadInput, ContractError

SOURCE_LAYERS = ("bronze", "silver", "quarantine", "duplicates")
LAYERS = (*SOURCE_LAYERS, "gold", "restricted", "truth", "ops")
RESTRICTED = "restricted"
OPEN_LAYERS = ("silver", "gold")
PARTITION = "gaming_day"
STAGE = "_stage"

REJECTION = {
    "_stage": (
        pl.String(),
        "Where the row was rejected: ingest, clash (with another file's row of its key) or silver.",
    ),
    "_rules": (pl.List(pl.String()), "Names of all rules that the row broke."),
    "_raw": (pl.String(), "The row as it was landed, where it could not be typed."),
    "_file": (pl.String(), "Landed file that held the row."),
    "_line": (pl.Int64(), "Line of that file."),
}
HISTORY = {
    "valid_from": (pl.Date(), "First gaming day on which this version holds."),
    "valid_to": (pl.Date(), "Gaming day from which the next version holds; null: still holds."),
    "is_current": (pl.Boolean(), "Whether this version still holds."),
}


def keeps_history(c: Contract) -> bool:
    """Whether silver keeps versions (SCD 2): the table has an extract day and no event."""
    return c.layer == "source" and c.event_time is None and PARTITION in c.key


def versioned(table: str) -> list[str]:
    """The key of a table that keeps history, but for the day of the extract."""
    return [n for n in contract(table).key if n != PARTITION]


def _additions(layer: str, c: Contract) -> dict[str, tuple[pl.DataType, str]]:
    if layer == "quarantine":
        return REJECTION
    if layer == "silver" and keeps_history(c):
        return HISTORY
    return {}


def checked_contract(layer: str, table: str) -> Contract:
    """The contract of a table that is stored in this layer; BadInput where it is not."""
    if layer not in LAYERS:
        raise BadInput(f"unknown layer {layer!r}; known: {', '.join(LAYERS)}")
    c = contract(table)
    at_home = layer in SOURCE_LAYERS if c.layer == "source" else layer == c.layer
    if not at_home:
        raise BadInput(f"table {table!r} is not stored in layer {layer!r}; it is {c.layer}")
    return c


def place(layer: str, table: str) -> str:
    """Folder of a table below the root. Restricted sources are in the restricted zone at every
    layer: what one can see of a folder (when it changed, how many days it has) tells too."""
    restricted = checked_contract(layer, table).restricted
    return f"{RESTRICTED}/{layer}/{table}" if restricted else f"{layer}/{table}"


def stored_schema(layer: str, table: str) -> pl.Schema:
    """Columns and types of a stored table. Raises BadInput for an unknown layer or table."""
    return shared_schema(layer, table).copy()


def shared_schema(layer: str, table: str) -> pl.Schema:
    """The same, one object for all who ask often: nobody changes it, as a copy looks at each type
    again."""
    return _schema(layer, checked_contract(layer, table))


@functools.cache
def _schema(layer: str, c: Contract) -> pl.Schema:
    base = c.silver_schema() if layer == "silver" and c.layer == "source" else c.bronze_schema()
    return pl.Schema(dict(base) | {n: t for n, (t, _) in _additions(layer, c).items()})


def stored_comments(layer: str, table: str) -> dict[str, str]:
    """Returns what each stored column means, by its name."""
    c = checked_contract(layer, table)
    return c.descriptions() | {n: text for n, (_, text) in _additions(layer, c).items()}


def partition_columns(layer: str, table: str) -> list[str]:
    """Empty for a table that is stored in one piece."""
    c = checked_contract(layer, table)
    if not c.partitioned or (layer == "silver" and keeps_history(c)):
        return []
    return [PARTITION, STAGE] if layer == "quarantine" else [PARTITION]


def is_private(layer: str, table: str) -> bool:
    """Whether only the owner may enter the folder: all but silver, which holds tokens, and
    gold. What was landed or rejected holds whatever it came with."""
    return checked_contract(layer, table).is_restricted or layer not in OPEN_LAYERS


def stored_tables(*layers: str) -> list[tuple[str, str]]:
    """All (layer, table) pairs that contracts declare, of these layers or of all."""
    pairs = [
        (layer, name)
        for name, c in contracts().items()
        for layer in (SOURCE_LAYERS if c.layer == "source" else (c.layer,))
    ]
    return [p for p in pairs if not layers or p[0] in layers]


def required_columns(layer: str, table: str) -> set[str]:
    """Columns that an older stored table may not lack: the contract does not allow null."""
    c = checked_contract(layer, table)
    return {n for n, column in c.columns.items() if not column.nullable}


def conform(frame: pl.DataFrame, layer: str, table: str) -> pl.DataFrame:
    """The frame in the stored order and types. Only widening casts are made: a text never
    turns into a number here. Raises ContractError naming the columns that differ."""
    schema, found = shared_schema(layer, table), frame.schema
    if found == schema:
        return frame
    refuse_other_columns(found, schema, f"{layer}.{table}: the frame")
    wrong = [f"{n} is {found[n]}, not {t}" for n, t in schema.items() if not _widens(found[n], t)]
    if wrong:
        raise ContractError(f"{layer}.{table}: {'; '.join(wrong)}")
    try:
        return frame.select(pl.col(n).cast(t) for n, t in schema.items())
    except pl.exceptions.InvalidOperationError as error:
        first = str(error).splitlines()[0]
        raise ContractError(f"{layer}.{table}: a value does not fit its column: {first}") from error


def refuse_other_columns(found: pl.Schema, wanted: pl.Schema, subject: str) -> None:
    """Raises ContractError unless both have the same column names."""
    missing = [n for n in wanted if n not in found]
    extra = [n for n in found if n not in wanted]
    said = [f"{word} {', '.join(c)}" for word, c in (("lacks", missing), ("adds", extra)) if c]
    if said:
        raise ContractError(f"{subject} {' and '.join(said)}")


def _widens(found: pl.DataType, wanted: pl.DataType) -> bool:
    if found == wanted or found == pl.Null():
        return True
    if isinstance(wanted, pl.List):
        inner = found.inner if isinstance(found, pl.List) else None
        return isinstance(inner, pl.DataType) and _widens(inner, wanted.inner)  # type: ignore[arg-type]
    if isinstance(wanted, pl.String):
        return isinstance(found, pl.Enum | pl.Categorical)
    if isinstance(wanted, pl.Decimal):
        return isinstance(found, pl.Decimal) and found.scale <= wanted.scale
    if isinstance(wanted, pl.Datetime):
        return isinstance(found, pl.Datetime) and found.time_zone == wanted.time_zone
    whole = found.is_integer() and wanted.is_integer()
    return whole or (found.is_float() and wanted.is_float())


def collected(frame: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    return frame.collect() if isinstance(frame, pl.LazyFrame) else frame
