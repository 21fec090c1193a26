"""What the Delta log says of a table: its columns, files and commits."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl
from deltalake import DeltaTable, Field, Schema
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.schema import ArrayType, DataType, StructType

from lakehouse.contracts import Contract
from lakehouse.errors import (
    BadInput,
    ContractError,
    DiskFull,
    LakehouseError,
    StorageError,
    is_disk_full,
)
from lakehouse.paths import is_url
from lakehouse.regulation.gaming_day import Days, each_day
from lakehouse.storage.days import checked_days
from lakehouse.storage.listing import DataFile, listed_files, of_days
from lakehouse.storage.shapes import (
    PARTITION,
    checked_contract,
    partition_columns,
    required_columns,
    shared_schema,
    stored_comments,
)


@dataclass(frozen=True)
class Version:
    """One commit of a table's history."""

    version: int
    at: dt.datetime
    operation: str
    run_id: str | None
    asset: str | None
    code_version: str | None
    days: str | None
    retries: int
    reached: dict[str, int] = field(default_factory=dict)
    """Id → the offset that the commit brought the table to, where it tells of any."""

    def gaming_days(self) -> list[dt.date]:
        """The days that the commit wrote, where it tells of any."""
        first, _, last = (self.days or "").partition("..")
        return each_day((dt.date.fromisoformat(first), dt.date.fromisoformat(last))) if last else []


def version_of(entry: dict[str, Any]) -> Version:
    """Retries are those of the writer and those inside the Delta library."""
    inside = int(entry.get("operationMetrics", {}).get("num_retries", 0) or 0)
    return Version(
        version=entry["version"],
        at=dt.datetime.fromtimestamp(entry["timestamp"] / 1000, dt.UTC),
        operation=entry["operation"],
        run_id=entry.get("run_id"),
        asset=entry.get("asset"),
        code_version=entry.get("code_version"),
        days=entry.get("days"),
        retries=int(entry.get("retries", 0)) + inside,
        reached=json.loads(entry.get("reached", "{}")),
    )


def fields(layer: str, table: str) -> list[Field]:
    """The contract's columns with their meaning, as Delta stores them."""
    return list(_fields(layer, checked_contract(layer, table)))


@functools.cache
def _fields(layer: str, c: Contract) -> list[Field]:
    comments = stored_comments(layer, c.name)
    arrow = pl.DataFrame(schema=shared_schema(layer, c.name)).to_arrow().schema
    return [
        Field(f.name, f.type, nullable=True, metadata={"comment": comments[f.name]})
        for f in Schema.from_arrow(arrow).fields
    ]


def created(address: str, layer: str, table: str, options: dict[str, str] | None) -> DeltaTable:
    """A table of a contract, without rows; the one that is there where somebody was faster."""
    return DeltaTable.create(
        address,
        Schema(fields(layer, table)),
        mode="ignore",
        partition_by=partition_columns(layer, table) or None,
        name=table,
        description=checked_contract(layer, table).description,
        storage_options=options,
    )


_MADE_OF_OTHERS = ("silver", "gold", "truth")
_ANEW = "move its folder away and run its days again"
_LOOK_UP = "see 'Lakes of older versions' in docs/your-own-data.md"


def widen(delta: DeltaTable, layer: str, table: str) -> None:
    """Adds the columns, and fields of structs, that the contract gained since. Raises
    ContractError as `lacking` does."""
    missing, grown = _gained(delta, layer, table)
    if gained := missing + grown:
        delta.alter.add_columns(gained)


def lacking(delta: DeltaTable, layer: str, table: str) -> list[str]:
    """Nullable columns that the contract gained since. Structs may have gained fields, which read
    as null. Raises ContractError for other differences."""
    missing, _ = _gained(delta, layer, table)
    return [f.name for f in missing]


def _gained(delta: DeltaTable, layer: str, table: str) -> tuple[list[Field], list[Field]]:
    """Columns that the contract has and the stored table lacks, and those whose structs do. These
    keep the comment that is stored: Delta takes no other for a column that is there."""
    stored = {f.name: f for f in delta.schema().fields}
    found = {n: f.type for n, f in stored.items()}
    wanted = {f.name: f for f in fields(layer, table)}
    missing = [f for n, f in wanted.items() if n not in found]
    other = [
        Field(n, f.type, nullable=True, metadata=stored[n].metadata)
        for n, f in wanted.items()
        if n in found and found[n] != f.type
    ]
    required = required_columns(layer, table)
    wrong = [f"{f.name} is missing" for f in missing if f.name in required]
    wrong += [f"{n} is not in the contract" for n in found if n not in wanted]
    wrong += [
        f"{f.name} is {found[f.name]}, not {f.type}"
        for f in other
        if not _holds(f.type, found[f.name])
    ]
    if wrong:
        raise ContractError(
            f"stored table {layer}.{table}: {'; '.join(wrong)}. Another version wrote it: "
            + (_ANEW if layer in _MADE_OF_OTHERS else _LOOK_UP)
        )
    return missing, other


def _holds(wanted: DataType, found: DataType) -> bool:
    """Whether a type is another one, or that with more fields in its structs."""
    if isinstance(wanted, ArrayType) and isinstance(found, ArrayType):
        return _holds(wanted.element_type, found.element_type)
    if isinstance(wanted, StructType) and isinstance(found, StructType):
        types = {f.name: f.type for f in wanted.fields}
        return all(f.name in types and _holds(types[f.name], f.type) for f in found.fields)
    return wanted == found


def pruned(
    delta: DeltaTable | None,
    layer: str,
    table: str,
    days: Days | None,
    columns: Sequence[str] | None = None,
    files: Sequence[DataFile] | None = None,
    missing: Sequence[str] | None = None,
) -> pl.LazyFrame:
    """Rows of some days and columns of a table; of one that does not exist, none. `files` are
    the `listed_files` of a plain one, `missing` what is `lacking`, where they are known."""
    schema = shared_schema(layer, table)
    if days is not None and PARTITION not in schema:
        raise BadInput(f"{layer}.{table} has no {PARTITION}")
    span = None if days is None else checked_days(days)
    if delta is None:
        frame = pl.LazyFrame(schema=schema)
    else:
        gained = lacking(delta, layer, table) if missing is None else missing
        frame = _stored(delta, layer, table, span, files, gained)
    return frame.select(columns if columns is not None else list(schema))


def _stored(
    delta: DeltaTable,
    layer: str,
    table: str,
    days: Days | None,
    files: Sequence[DataFile] | None,
    missing: Sequence[str],
) -> pl.LazyFrame:
    """Columns that the contract gained since are null."""
    schema = shared_schema(layer, table)
    held = pl.Schema({n: t for n, t in schema.items() if n not in missing})
    listed = listed_files(delta, layer, table) if files is None and is_plain(delta) else files
    if listed is None:
        frame = pl.scan_delta(delta)
    else:
        frame = _of_files(delta, layer, table, held, days, listed)
    if days is not None and (listed is None or not partition_columns(layer, table)):
        frame = frame.filter(pl.col(PARTITION).is_between(*days))
    return frame.with_columns(pl.lit(None, dtype=schema[n]).alias(n) for n in missing)


def is_plain(delta: DeltaTable) -> bool:
    """Whether the rows of a table are those of its files: without the deletion vectors and renamed
    columns that later protocols have."""
    return delta.protocol().min_reader_version == 1


def _of_files(
    delta: DeltaTable,
    layer: str,
    table: str,
    schema: pl.Schema,
    days: Days | None,
    files: Sequence[DataFile],
) -> pl.LazyFrame:
    """Polars' own reader of Delta asks the log for its files each time that a frame is collected,
    four times what a day of a table takes to read, and looks for a local folder under its name
    as a URI, where a space is %20: so files are named one by one."""
    keys = partition_columns(layer, table)
    asked = files if days is None or not keys else of_days(files, days)
    if not asked:
        return pl.LazyFrame(schema=schema)
    uri = delta.table_uri.rstrip("/")
    folder = unquote(urlsplit(uri).path) if uri.startswith("file:") else uri
    return pl.scan_parquet(
        [f"{folder}/{unquote(file.path)}" for file in asked],
        glob=False,
        storage_options=delta._storage_options,
        schema={n: t for n, t in schema.items() if n not in keys},
        hive_partitioning=bool(keys),
        hive_schema={k: schema[k] for k in keys} or None,
        missing_columns="insert",
        extra_columns="ignore",
        cast_options=_CASTS,
    )


_CASTS = pl.ScanCastOptions(
    integer_cast="upcast",
    float_cast=["upcast", "downcast"],
    datetime_cast=["nanosecond-downcast", "convert-timezone"],
    missing_struct_fields="insert",
    extra_struct_fields="ignore",
)
"""Other engines store the same moments and numbers in other widths."""


def travel(delta: DeltaTable, as_of: int | dt.datetime, subject: str) -> None:
    """Loads an older version, by number or moment. Raises BadInput where there is none, or it is
    kept no longer."""
    with naming(subject, "read the history of"):
        known = {entry["version"]: entry["timestamp"] for entry in delta.history()}
    oldest, is_whole = min(known), 0 in known
    if isinstance(as_of, dt.datetime):
        if as_of.tzinfo is None:
            raise BadInput(f"as of {as_of}: a moment needs its offset, such as {as_of}Z")
        first = min(known.values())
        if as_of.timestamp() * 1000 < first:
            born = dt.datetime.fromtimestamp(first / 1000, dt.UTC)
            said = "did not exist" if is_whole else "is no longer known as it was"
            raise BadInput(
                f"{subject} {said} at {as_of}; it {'does' if is_whole else 'is'} since {born}"
            )
    elif not oldest <= as_of <= delta.version():
        last = delta.version()
        raise BadInput(f"{subject} has no version {as_of}; versions {oldest} to {last}")
    with naming(subject, f"go back to {as_of} in"):
        delta.load_as_version(as_of)


@contextmanager
def naming(uri: str, action: str) -> Iterator[None]:
    """Delta raises a dozen types, plain Exception among them: all become one clear line.
    Commit conflicts pass, for whoever tries again."""
    try:
        yield
    except (LakehouseError, CommitFailedError, TableNotFoundError):
        raise
    except Exception as error:
        raise _named(uri, action, error) from error
    except BaseException as error:
        # A Rust panic is no Exception, lest it be caught by chance.
        if type(error).__name__ != "PanicException":
            raise
        raise _named(uri, action, error) from error


_DECORATION = re.compile(r"\x1b\[\d*m|↳")
"""Delta draws the causes of an error in colour."""
_CAUSES = (
    (r"NoSuchBucket|ContainerNotFound", "there is no such bucket: make it first"),
    (
        r"169\.254\.169\.254|metadata\.google",
        "no credentials are given: name them in [storage_options], as AWS_ACCESS_KEY_ID",
    ),
    (
        r"\b40[13]\b|AccessDenied|SignatureDoesNotMatch|InvalidAccessKeyId",
        "the object store refuses it: see the credentials in [storage_options], and their rights",
    ),
    (r"URL scheme is not allowed", 'the address is not https: set AWS_ALLOW_HTTP = "true"'),
    (
        r"Connection refused|dns error|tcp connect error|timed out",
        "the object store does not answer: see its address in [storage_options], and the network",
    ),
)
"""What an object store's errors mean, which go on for half a page."""


def _named(uri: str, action: str, error: BaseException) -> StorageError:
    said = " ".join(_DECORATION.sub(" ", str(error)).split()) or type(error).__name__
    if is_disk_full(error):
        return DiskFull(f"cannot {action} {uri}: the disk is full; make room and run it again")
    for pattern, cause in _CAUSES if is_url(uri) else ():
        if re.search(pattern, said):
            return StorageError(f"cannot {action} {uri}: {cause}")
    return StorageError(f"cannot {action} {uri}: {said[:300]}")
