"""Mappings: how the columns of a foreign file become ours. Data, not code."""

from __future__ import annotations

import codecs
import datetime as dt
import json
import re
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal
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

from lakehouse.contracts import PROVENANCE, Contract, contract
from lakehouse.errors import BadInput
from lakehouse.ingest.files.expressions import Compiled, ExpressionError, compiled
from lakehouse.ingest.files.rates import held_rates

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
Rate = Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=12)]
Delimiter = Annotated[str, AfterValidator(_one_ascii_character)]


PATRON, PROFILE = "player_id", "player_profile"
"""Whom a row is about, and where it is told who that is; elsewhere a player is an account."""
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
    value: str | None = None
    """Expression over columns of the file, such as "Bet + Profit"; its numbers and times are
    read by the rules of this column."""
    optional: bool = False
    """Whether a file may lack the columns that from or value names; its rows have nothing
    there then."""
    constant: Scalar | None = None
    """The value of every row; nothing is read then."""
    empty: bool = False
    """Nothing in any row, whatever the file has under the name."""
    unit: Literal["cents"] | None = None
    """Unit of the file's numbers, or of what an expression gives, where it is not dollars."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    """Whose sign or code may stand before or after the numbers."""
    scientific: bool = False
    """Whether 1.5E3 is a number, of at most 12 decimals."""
    round: Literal["half_up", "noise"] | None = None
    """What becomes of decimals that money has no room for: rounded, halves away from zero;
    "noise": only where that changes less than a millionth; rejected where it is left out."""
    format: str | tuple[str, ...] | None = None
    """Form of a day or time, such as "%m/%d/%Y %I:%M:%S %p"; "epoch_s", "epoch_ms" or
    "epoch_us", or "epoch" where the size of each tells which; "iso" for ISO 8601, which it is
    where it is left out. One of several, where there is a list; a value that two of them read as
    different times is rejected."""
    latest_year: int | None = Field(default=None, ge=1900, le=2150)
    """Two-digit years (%y) are of the hundred years that end with this one. Where it is left
    out, a birth is the last that makes its patron as old as the table's patrons must be when
    the file lands, and other days are from 1970 to 2069."""
    date_only: bool = False
    """The column of a moment holds days alone: the moment is the opening of the gaming day of
    that date."""
    timezone: Zone | None = None
    """Zone of times that carry no offset."""
    timezone_from: str | None = None
    """Our column that names the zone of each row's time, such as time_zone; rows that name none
    have that of the file."""
    ambiguous: Literal["reject", "earlier", "later"] = "reject"
    """What an hour that happens twice, in November, means."""
    skipped: Literal["reject", "shift"] = "reject"
    """What an hour that no clock shows, in March, means: shifted, as a clock that was not set."""
    codes: dict[str, str] = Field(default_factory=dict)
    """The file's code → ours; others pass as they are and are judged in silver."""
    prefix: str = ""
    """Namespace put before the value, so that numbers of two systems do not meet."""
    decimal_comma: bool | None = None
    """1.234,50 instead of 1,234.50; as the file's other columns where it is left out."""

    @property
    def formats(self) -> tuple[str, ...]:
        return (self.format,) if isinstance(self.format, str) else self.format or ()

    @property
    def expression(self) -> Compiled | None:
        return None if self.value is None else compiled(self.value)

    @property
    def is_made(self) -> bool:
        """Whether no column of the file is taken as it is."""
        return self.constant is not None or self.value is not None or self.empty

    @property
    def fields(self) -> frozenset[str]:
        """Columns of the file that the expression names."""
        return frozenset() if self.value is None else compiled(self.value).fields

    @model_validator(mode="before")
    @classmethod
    def _said_shortly(cls, given: Any) -> Any:
        return {"value": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnMapping:
        origins = {
            "from": self.source is not None,
            "value": self.value is not None,
            "constant": self.constant is not None,
            "empty": self.empty,
        }
        named = [n for n, is_given in origins.items() if is_given]
        if len(named) > 1:
            raise ValueError(f"give either {' or '.join(named)}, not both")
        return self

    @model_validator(mode="after")
    def _said_of_what_is_there(self) -> ColumnMapping:
        if self.latest_year is not None and not any(map(has_short_years, self.formats)):
            raise ValueError("latest_year is for a format with two-digit years, such as %d.%m.%y")
        if self.date_only and self.timezone is not None:
            raise ValueError("date_only has no time, and so no timezone")
        if self.timezone_from is not None and (self.date_only or self.timezone is not None):
            raise ValueError("timezone_from goes with neither timezone nor date_only")
        if self.optional and self.source is None and self.value is None:
            raise ValueError("optional is for a column that from or value names")
        return self


def has_short_years(form: str) -> bool:
    """Whether a form of days has years of two digits: %y, or what stands for it."""
    return re.search(r"(?<!%)(?:%%)*%[-_0]?[yDx]", form) is not None


_SILENT = ColumnMapping()


class Mapping(FileShape):
    """How files of one kind are read. Columns that it does not name keep their names."""

    table: str | None = None
    delimiter: Delimiter | None = None
    encoding: Encoding | None = None
    timezone: Zone | None = None
    """Zone of all times that carry no offset, where the column does not say its own."""
    decimal_comma: bool = False
    """1.234,50 instead of 1,234.50, where the column does not say."""
    where: str | None = None
    """Condition over columns of the file, such as "Status == 'OK'": the other rows are left
    out, and counted."""
    rates: dict[str, dict[dt.date, Rate]] = Field(default_factory=dict)
    """Currency → day → dollars for one of it, from that day on, for usd(…)."""
    nulls: tuple[str, ...] = ()
    """Texts that stand for nothing, such as "NULL" or "N/A"."""
    on_same_key: OnSameKey = "quarantine"
    """What becomes of rows with a key that a file which came before has too: all are rejected
    where their contents differ; the file's rows replace the others; or the others are kept. A
    file that lay in the same place is always replaced."""
    columns: dict[str, ColumnMapping] = Field(default_factory=dict)
    patron: dict[str, ColumnMapping] = Field(default_factory=dict)
    """Columns of player_profile: what a row says of the patron whom it names as player_id, for a
    minimal profile where there is no other."""

    @property
    def rules(self) -> list[ColumnMapping]:
        return [*self.columns.values(), *self.patron.values()]

    def column(self, name: str) -> ColumnMapping:
        """The rules of one of our columns, those that the file's columns share among them."""
        rule = self.columns.get(name, _SILENT)
        if rule.decimal_comma is None and self.decimal_comma:
            return rule.model_copy(update={"decimal_comma": True})
        return rule

    @property
    def condition(self) -> Compiled | None:
        return None if self.where is None else compiled(self.where)

    @property
    def fields(self) -> frozenset[str]:
        """Columns of the file that expressions name, or that tell of a patron."""
        named = [frozenset() if self.condition is None else self.condition.fields]
        told = frozenset(m.source for m in self.patron.values() if m.source is not None)
        return told.union(*named, *(m.fields for m in self.rules))

    @cached_property
    def held_rates(self) -> tuple[pl.Series, pl.Series]:
        return held_rates(self.rates)

    @property
    def numbers_rows(self) -> bool:
        """Whether some key is made of the place of a row in its file."""
        made = (m.expression for m in self.rules)
        return any(e is not None and e.needs_rows for e in (*made, self.condition))

    @property
    def asked(self) -> list[str]:
        """Columns that a file must have, by the file's names."""
        needed = [m for m in self.rules if not m.optional]
        named = [n for m in needed for n in ([m.source] if m.source else sorted(m.fields))]
        if self.condition is not None:
            named += sorted(self.condition.fields)
        return list(dict.fromkeys(named))

    @property
    def sources(self) -> list[str]:
        """Columns or fields of the file that it names, in expressions too."""
        named = [m.source for m in self.columns.values() if m.source is not None]
        return list(dict.fromkeys([*named, *sorted(self.fields)]))

    def text(self) -> str:
        """The mapping as JSON; read back by `mapping_from_text`."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)

    def found_in(self, delimiter: str) -> Mapping:
        """The mapping with the delimiter that a file turned out to have."""
        return self.model_copy(update={"delimiter": delimiter or None})


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
    if mapping.where is not None:
        _check_expression(mapping.where, ("flag",), mapping, f"{subject}: where")
    _check_columns(mapping, mapping.columns, contract(table), (), f"{subject}: columns")
    if mapping.patron:
        parent, key = contract(table).references().get(PATRON, ("", ""))
        if parent != PROFILE:
            raise BadInput(f"{subject}: patron: rows of {table} name nobody as {PATRON}")
        made = (key, "gaming_day")
        _check_columns(mapping, mapping.patron, contract(parent), made, f"{subject}: patron")
    return mapping


def _check_columns(
    mapping: Mapping,
    rules: Dictionary[str, ColumnMapping],
    c: Contract,
    made: Sequence[str],
    subject: str,
) -> None:
    """Raises BadInput for columns that there are none of, or that are `made` of others; for rules
    that their column cannot have; and for expressions that nobody understands or that give what
    their column cannot hold."""
    known = [n for n in c.columns if n not in (*PROVENANCE, *made)]
    unknown = [n for n in rules if n not in known]
    if unknown:
        has = f"{c.name} has no column {', '.join(unknown)}; it has {', '.join(known)}"
        raise BadInput(f"{subject}: {has}")
    for name, rule in rules.items():
        dtype, place = c.columns[name].dtype, f"{subject}.{name}"
        if rule.date_only and not isinstance(dtype, pl.Datetime):
            moments = [n for n, x in c.columns.items() if isinstance(x.dtype, pl.Datetime)]
            held = ", ".join(n for n in moments if n not in PROVENANCE)
            raise BadInput(f"{place}.date_only: is for a moment: {held}")
        if rule.timezone_from is not None:
            _check_zone_column(rule.timezone_from, dtype, c, place)
        if rule.round and not isinstance(dtype, pl.Decimal):
            raise BadInput(f"{place}.round: is for money and rates, and {name} is none")
        if any(f.startswith("epoch") for f in rule.formats) and dtype == pl.Date:
            raise BadInput(f"{place}.format: an epoch is of a moment, and {name} is a day")
        if rule.currency != "USD" and rule.source and isinstance(dtype, pl.Decimal):
            said = f"value = \"usd({rule.source}, '{rule.currency}', day(…))\""
            raise BadInput(f"{place}.currency: amounts are dollars here; say {said}")
        if rule.value is not None:
            _check_expression(rule.value, _kinds(dtype), mapping, f"{place}.value")


def _check_zone_column(name: str, dtype: pl.DataType, c: Contract, place: str) -> None:
    if not isinstance(dtype, pl.Datetime):
        raise BadInput(f"{place}.timezone_from: is for a moment")
    if name not in c.columns or c.columns[name].dtype != pl.String():
        texts = ", ".join(n for n, x in c.columns.items() if x.dtype == pl.String())
        raise BadInput(f"{place}.timezone_from: {c.name} has no text {name!r}; it has {texts}")


def _kinds(dtype: pl.DataType) -> tuple[str, ...]:
    """What an expression may give for a column. A text is read as one of the file would be."""
    typed = {pl.Date: "day", pl.Datetime: "moment", pl.Boolean: "flag"}.get(type(dtype))
    if dtype.is_numeric():
        typed = "number"
    return ("text", "nothing") if typed is None else (typed, "text", "nothing")


def _check_expression(text: str, kinds: tuple[str, ...], mapping: Mapping, place: str) -> None:
    try:
        found = compiled(text)
    except ExpressionError as error:
        raise BadInput(f"{place}: {error}") from error
    if found.kind not in kinds:
        needed = " or ".join(k for k in kinds if k != "nothing")
        raise BadInput(f"{place}: {text!r} gives a {found.kind}; a {needed} is needed")
    if found.needs_rates and not mapping.rates:
        raise BadInput(f"{place}: usd(…) needs [rates.EUR] and the like in the mapping")
