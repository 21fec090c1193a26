"""Mappings: how the columns of a foreign file become ours. Data, not code."""

from __future__ import annotations

import codecs
import datetime as dt
import json
import re
import tomllib
from collections.abc import Mapping as Dictionary
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)

from lakehouse.contracts import PROVENANCE, contract
from lakehouse.errors import BadInput
from lakehouse.private_files import is_link, open_file

MAPPING_SUFFIX = ".mapping.toml"
FOLDER_MAPPING = "mapping.toml"

Scalar = str | int | float | bool | dt.date | dt.datetime


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("is no time zone; such as America/Los_Angeles") from error
    return value


def _known_encoding(value: str) -> str:
    try:
        "".encode(value)
        return codecs.lookup(value).name
    except (LookupError, ValueError) as error:
        raise ValueError("is no encoding of text; such as utf-8, utf-16, cp1252 or gbk") from error


def _one_ascii_character(value: str) -> str:
    if len(value) != 1 or not value.isascii() or value in '"\r\n':
        raise ValueError("a delimiter is one ASCII character, and no quote or end of line")
    return value


OnSameKey = Literal["quarantine", "replace", "keep_first"]
Zone = Annotated[str, AfterValidator(_known_zone)]
Encoding = Annotated[str, AfterValidator(_known_encoding)]
Delimiter = Annotated[str, AfterValidator(_one_ascii_character)]


NUMBERED = re.compile(r"#([1-9]\d*)")
"""A column by its place in the file: #3 is the third."""


def _no_name_twice(names: tuple[str, ...]) -> tuple[str, ...]:
    given = [n.strip() for n in names if n.strip()]
    twice = sorted({n for n in given if given.count(n) > 1})
    if twice:
        raise ValueError(f"names {', '.join(twice)} twice; leave a column blank that none takes")
    return tuple(n.strip() for n in names)


def _shows(mark: str) -> str:
    if not mark.strip(' \t"') or "\n" in mark or "\r" in mark:
        raise ValueError("is the beginning of one line, as it stands in the file")
    return mark


Mark = Annotated[str, AfterValidator(_shows)]
Names = Annotated[tuple[str, ...], AfterValidator(_no_name_twice)]


class FileShape(BaseModel):
    """What of a file is its table, before anything is said of columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    skip_rows: int = Field(default=0, ge=0, le=100_000)
    """Lines before the header, or before the first row where there is none."""
    starts_at: Mark | None = None
    """How the header begins: lines above it are left out."""
    starts_after: Mark | None = None
    """How the last line above the header begins."""
    ends_at: Mark | None = None
    """How the first line after the last row begins: it and all below it are left out."""
    header: StrictBool = True
    """Whether the first line names the columns; without it they are #1, #2 and so on."""
    names: Names = ()
    """Names of all columns of a file without a header; a blank one is told by its number."""
    quoted_lines: StrictBool = False
    """Each line stands in quotes as a whole, and those inside it are doubled."""
    rows: str | None = None
    """Of JSON records: the path of the array whose elements are the rows, such as "slip.bets"."""
    snapshot: StrictBool = False
    """A file has all rows there are: it replaces those of the snapshot before it in its folder."""

    @model_validator(mode="after")
    def _names_or_header(self) -> FileShape:
        if self.names and self.header and "header" in self.model_fields_set:
            raise ValueError("names are for a file without a header; leave one of the two out")
        if self.rows is not None and not all(self.rows.split(".")):
            raise ValueError('rows is a path such as "bets" or "slip.bets"')
        return self

    @property
    def has_header(self) -> bool:
        return self.header and not self.names

    @property
    def is_of_lines(self) -> bool:
        """Whether anything is said that a file without lines cannot follow."""
        said = self.model_dump(exclude_defaults=True, include=set(FileShape.model_fields))
        return bool(said.keys() - {"rows", "snapshot"})


class ColumnMapping(BaseModel):
    """Where one of our columns comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    source: str | None = Field(default=None, alias="from")
    """Column of the file; our own name where it is left out."""
    optional: bool = False
    """Whether a file may lack that column; its rows have nothing there then."""
    constant: Scalar | None = None
    """The value of every row; nothing is read then."""
    unit: Literal["cents"] | None = None
    """Unit of the file's whole numbers, where it is not dollars."""
    format: str | None = None
    """Form of a day or time, such as "%m/%d/%Y %I:%M:%S %p"; ISO 8601 where it is left out."""
    latest_year: int | None = Field(default=None, ge=1900, le=2150)
    """Two-digit years (%y) are of the hundred years that end with this one. Where it is left
    out, a birth is the last that makes its patron as old as the table's patrons must be when
    the file lands, and other days are from 1970 to 2069."""
    date_only: bool = False
    """The column of a moment holds days alone: the moment is the opening of the gaming day of
    that date."""
    timezone: Zone | None = None
    """Zone of times that carry no offset."""
    ambiguous: Literal["reject", "earlier", "later"] = "reject"
    """What an hour that happens twice, in November, means."""
    codes: dict[str, str] = Field(default_factory=dict)
    """The file's code → ours; others pass as they are and are judged in silver."""
    prefix: str = ""
    """Namespace put before the value, so that numbers of two systems do not meet."""
    decimal_comma: bool = False
    """1.234,50 instead of 1,234.50."""

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnMapping:
        if self.source is not None and self.constant is not None:
            raise ValueError("give either from or constant, not both")
        return self

    @model_validator(mode="after")
    def _said_of_what_is_there(self) -> ColumnMapping:
        if self.latest_year is not None and not has_short_years(self.format):
            raise ValueError("latest_year is for a format with two-digit years, such as %d.%m.%y")
        if self.date_only and self.timezone is not None:
            raise ValueError("date_only has no time, and so no timezone")
        if self.optional and self.source is None:
            raise ValueError("optional is for a column that from names")
        return self


def has_short_years(form: str | None) -> bool:
    """Whether a form of days has years of two digits: %y, or what stands for it."""
    return form is not None and re.search(r"(?<!%)(?:%%)*%[-_0]?[yDx]", form) is not None


class Mapping(FileShape):
    """How files of one kind are read. Columns that it does not name keep their names."""

    table: str | None = None
    delimiter: Delimiter | None = None
    encoding: Encoding | None = None
    timezone: Zone | None = None
    """Zone of all times that carry no offset, where the column does not say its own."""
    nulls: tuple[str, ...] = ()
    """Texts that stand for nothing, such as "NULL" or "N/A"."""
    on_same_key: OnSameKey = "quarantine"
    """What becomes of rows with a key that a file which came before has too: all are rejected
    where their contents differ; the file's rows replace the others; or the others are kept. A
    file that lay in the same place is always replaced."""
    columns: dict[str, ColumnMapping] = Field(default_factory=dict)

    def column(self, name: str) -> ColumnMapping:
        return self.columns.get(name, ColumnMapping())

    @property
    def sources(self) -> list[str]:
        """Columns or fields of the file that it names."""
        return [m.source for m in self.columns.values() if m.source is not None]

    def text(self) -> str:
        """The mapping as JSON; read back by `mapping_from_text`."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)

    def found_in(self, delimiter: str) -> Mapping:
        """The mapping with the delimiter that a file turned out to have."""
        return self.model_copy(update={"delimiter": delimiter or None})


def load_mapping(path: Path, table: str) -> Mapping:
    """The mapping in a TOML file. Raises BadInput naming the entry that is wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"mapping {path}: {error.strerror}") from error
    return _mapping_in(content, path, table)


def _mapping_in(content: bytes, path: Path, table: str) -> Mapping:
    try:
        given = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"mapping {path}: {error}") from error
    return checked_mapping(given, table, str(path))


def mapping_from_text(text: str, table: str) -> Mapping:
    return checked_mapping(json.loads(text or "{}"), table, "stored mapping")


def checked_mapping(given: Dictionary[str, object], table: str, subject: str) -> Mapping:
    """Raises BadInput for an unknown entry, column or value, or for another table's mapping."""
    try:
        mapping = Mapping.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(p) for p in first["loc"])
        raise BadInput(f"{subject}: {name}: {first['msg']} (got {first['input']!r})") from error
    if mapping.table not in (None, table):
        raise BadInput(f"{subject}: is for table {mapping.table!r}, not {table!r}")
    known = [c for c in contract(table).columns if c not in PROVENANCE]
    unknown = [c for c in mapping.columns if c not in known]
    if unknown:
        raise BadInput(
            f"{subject}: {table} has no column {', '.join(unknown)}; it has {', '.join(known)}"
        )
    moments = [n for n in known if isinstance(contract(table).columns[n].dtype, pl.Datetime)]
    for name, column in mapping.columns.items():
        if column.date_only and name not in moments:
            raise BadInput(
                f"{subject}: columns.{name}.date_only: is for a moment: {', '.join(moments)}"
            )
    return mapping


def mapping_of(path: Path, table_folder: Path, table: str) -> Mapping:
    """The mapping for a landed file: beside it (<file>.mapping.toml), or the nearest
    mapping.toml in its folder or above, up to the table's folder; else an empty one."""
    above = [f for f in path.parents if f.is_relative_to(table_folder)]
    beside = path.with_name(path.name + MAPPING_SUFFIX)
    for place in (beside, *(folder / FOLDER_MAPPING for folder in above)):
        try:
            with open_file(place) as file:
                return _mapping_in(file.read(), place, table)
        except FileNotFoundError:
            continue
        except OSError as error:
            said = "is reached through a link" if is_link(error) else error.strerror
            raise BadInput(f"mapping {place}: {said}") from error
    return Mapping()
