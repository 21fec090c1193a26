"""What a rule says, in words: what must hold, what makes a row break it, how that is mended.

A rule is named `<column>|<kind>` where it judges one value, `_row|<kind>` where a landed row
could not be told into columns, and by its function in the contract otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import dataframely as dy

from lakehouse.contracts import Contract, contracts

ROW, WHERE = "_row", "where"
_OF_TIMES = (
    "unreadable",
    "no_offset_and_no_timezone",
    "shown_twice_by_the_clock",
    "skipped_by_the_clock",
    "read_in_two_ways",
)
_FOREIGN = "say in the mapping how the file writes it ({mapped}), and run `lakehouse ingest` again"
_CODES = "translate the file's codes in the mapping (codes), or correct the file"
_CLOCK = "say ambiguous in the mapping, or write the offset into the file"
_FILE = "mend the line in the file and land the file again under its name"

_KINDS = {
    "nullability": (
        "{column} is not empty",
        "{column} is empty",
        _FILE + ", or map a column to it",
    ),
    "min_length": ("{column} is not blank", "{column} is blank", _FILE),
    "min": ("{column} is at least {low}", "{column} is under {low}", _FILE + ", or mend the sign"),
    "max": ("{column} is at most {high}", "{column} is over {high}", _FILE + ", or mend the unit"),
    "nan": ("{column} is a number", "{column} is no number", _FILE),
    "inf": ("{column} is finite", "{column} is infinite", _FILE),
    "regex": ("{column} has the form {form}", "{column} has another form", _FILE),
    "domain": ("{column} is one of {codes}", "{column} is none of {codes}", _CODES),
    "orphan": (
        "{column} is known to {parent}",
        "{parent} has no such {column}",
        "land {parent} with it; the next `lakehouse ingest` takes the row up; or say what becomes "
        "of such rows under [orphans] in lakehouse.toml",
    ),
    "dtype": ("{column} is {type}", "{column} cannot be read as {type}", _FILE),
    "unreadable": (
        "{column} is {type} that can be read",
        "{column} is in another form, or there is no such day or time",
        _FOREIGN.format(mapped="format, date_only"),
    ),
    "missing": ("{column} is there: it places the row", "{column} is empty", _FILE),
    "not_a_number": (
        "{column} is a number",
        "{column} has letters, or separators that cannot stand there",
        _FOREIGN.format(mapped="decimal_comma, nulls"),
    ),
    "not_a_whole_number": ("{column} is a whole number", "{column} has other characters", _FILE),
    "too_large": ("{column} fits its type", "{column} has too many digits", _FILE),
    "not_true_or_false": ("{column} is true or false", "{column} is neither", _CODES),
    "more_than_two_decimals": (
        "{column} has at most two decimals: money is never rounded",
        "{column} has more",
        _FOREIGN.format(mapped="unit, decimal_comma"),
    ),
    "more_than_four_decimals": ("{column} has at most four decimals", "{column} has more", _FILE),
    "no_offset_and_no_timezone": (
        "{column} tells its time zone",
        "{column} has no offset and the mapping names no timezone",
        _FOREIGN.format(mapped="timezone"),
    ),
    "shown_twice_by_the_clock": (
        "{column} is one moment",
        "{column} is in the hour of November that clocks show twice",
        _CLOCK,
    ),
    "skipped_by_the_clock": (
        "{column} is a moment that was",
        "{column} is in the hour of March that clocks skip",
        _CLOCK,
    ),
    "read_in_two_ways": (
        "{column} is one day or time in every form that the mapping names",
        "two forms of the mapping read {column} as different times",
        "leave one of the two out of format in the mapping, and run `lakehouse ingest` again",
    ),
}
_WORKED_OUT = {
    "divided_by_zero": (
        "{column} divides by no zero",
        "{column} divides by zero",
        'keep clear of it in the mapping, as "0 if B == 0 else A / B" does',
    ),
    "no_rate": (
        "{column} finds a rate of the day, or of the seven before",
        "the mapping has no rate of that currency for the day",
        "write it under [rates.<currency>] in the mapping, and run `lakehouse ingest` again",
    ),
}
_READ = (
    *_OF_TIMES,
    "not_a_number",
    "not_a_whole_number",
    "too_large",
    "not_true_or_false",
)
"""What may be wrong with the columns that an expression names, whatever it is for."""
_ROWS = {
    "too_few_fields": "the row has fewer fields than the header",
    "too_many_fields": "the row has more fields than the header",
    "unbalanced_quotes": "a quote in the row is not closed",
    "not_utf8": "the row holds bytes that are no text in the file's encoding",
    "null_character": "the row holds a NUL character",
    "unreadable": "the row cannot be told into fields",
    "not_json": "the row is no JSON",
    "not_an_object": "the row is JSON, but no object of names and values",
    "field_named_twice": "the row names a field twice",
    "no_rows_inside": "the object has no array where the mapping says that its rows are",
}
_WHOLE = {
    "key_clash": (
        "a key stands for one content",
        "another row has the same key ({key}) and other content",
        "prefix in the mapping tells sources apart; on_same_key says which file counts",
    ),
    "event_in_gaming_day": (
        "{event} lies in the row's gaming day, 06:00 to 06:00 property time",
        "gaming_day is another day than that of {event}",
        "leave gaming_day out of the mapping, so that it follows; or say timezone, or date_only",
    ),
    "primary_key": ("{key} names one row", "another row has the same {key}", _FILE),
}


@dataclass(frozen=True)
class Explained:
    """A rule of a table. `columns` are those that it looks at."""

    table: str
    rule: str
    holds: str
    broken_by: str
    mend: str
    columns: tuple[str, ...]


def explained(c: Contract, rule: str) -> Explained | None:
    """What a rule of a table says; null where the table has no such rule."""
    column, bar, kind = rule.partition("|")
    if bar and column == ROW:
        return _of_row(c, rule, kind)
    if bar:
        return _of_value(c, rule, column, kind)
    if rule in _WHOLE:
        return _of_key_or_day(c, rule)
    return _of_contract(c, rule)


def in_words(c: Contract, rule: str | None) -> str:
    """Why a row was rejected, in a few words; the rule's own name where nothing else is known."""
    said = explained(c, rule) if rule else None
    return said.broken_by if said else rule or "no rule is named"


def columns_of(c: Contract, rule: str) -> tuple[str, ...]:
    """The columns whose values break a rule."""
    said = explained(c, rule)
    return said.columns if said else ()


def rules_named(name: str, table: str | None = None) -> list[Explained]:
    """Every rule of that name, in all contracts or one. `name` is whole, as in quarantine, or
    the part of it after the column."""
    tables = [c for n, c in contracts().items() if table in (None, n)]
    whole = [found for c in tables if (found := explained(c, name)) is not None]
    if whole or "|" in name or name not in {*_KINDS, *_ROWS, *_WORKED_OUT}:
        return whole
    parts = [(c, n) for c in tables for n in (*c.columns, ROW) if n == ROW or _fits(c, n, name)]
    return [found for c, n in parts if (found := explained(c, f"{n}|{name}")) is not None]


def _fits(c: Contract, column: str, kind: str) -> bool:
    return kind not in _KINDS or _applies(c, column, kind)


def known_rules(c: Contract) -> list[str]:
    """The rules that rows of a table can break once they are typed: the contract's, and those
    of keys, days and references."""
    declared = [n for n in c.rules if n != "primary_key"]
    codes = [f"{n}|domain" for n, column in c.columns.items() if isinstance(column, dy.Enum)]
    if c.layer != "source":
        return sorted({*declared, *codes})
    orphans = [f"{n}|orphan" for n in c.references()]
    placed = ["event_in_gaming_day"] if c.event_time else []
    return sorted({*declared, *codes, *orphans, *placed, "key_clash"})


def _of_row(c: Contract, rule: str, kind: str) -> Explained | None:
    if kind not in _ROWS or c.layer != "source":
        return None
    return Explained(c.name, rule, "a row has the fields of its file", _ROWS[kind], _FILE, ())


def _of_value(c: Contract, rule: str, column: str, kind: str) -> Explained | None:
    if kind.startswith("inner_") and rule in c.rules:
        part = kind.removeprefix("inner_").replace("_", " ")
        said = f"each entry of {column} keeps its {part}", f"an entry of {column} breaks its {part}"
        return Explained(c.name, rule, *said, _FILE, (column,))
    if column not in c.columns or kind not in _KINDS or not _applies(c, column, kind):
        return _of_expression(c, rule, column, kind)
    holds, breaks, mend = (said.format_map(_facts(c, column)) for said in _KINDS[kind])
    return Explained(c.name, rule, holds, breaks, mend, (column,))


def _of_expression(c: Contract, rule: str, column: str, kind: str) -> Explained | None:
    """Of `value` or `where` in a mapping, which may read any columns of the file."""
    told = _WORKED_OUT.get(kind) or (_KINDS[kind] if kind in _READ else None)
    if told is None or c.layer != "source" or column not in (*c.columns, WHERE):
        return None
    subject = f"the mapping's {f'expression for {column}' if column != WHERE else WHERE}"
    if kind in _READ:
        subject = f"what {subject} reads"
    facts = {"column": subject, "type": "of the kind that is needed"}
    holds, breaks, mend = (said.format_map(facts) for said in told)
    return Explained(c.name, rule, holds, breaks, mend, (column,))


def _applies(c: Contract, column: str, kind: str) -> bool:
    declared = c.columns[column]
    if kind in ("nullability", "min_length", "min", "max", "regex", "nan", "inf"):
        return f"{column}|{kind}" in c.rules
    if kind in ("domain", "not_true_or_false"):
        return isinstance(declared, dy.Enum if kind == "domain" else dy.Bool)
    if kind == "orphan":
        return c.layer == "source" and column in c.references()
    if kind == "missing":
        return column in (*c.key, c.event_time)
    if kind == "more_than_two_decimals" or kind == "more_than_four_decimals":
        places = getattr(declared, "scale", None)
        return places == (2 if "two" in kind else 4)
    if kind in _OF_TIMES:
        return declared.dtype.is_temporal()
    return not isinstance(declared, dy.String) and not declared.dtype.is_temporal()


def _facts(c: Contract, column: str) -> dict[str, str]:
    declared = c.columns[column]
    parent = c.references().get(column, ("", ""))[0]
    codes = declared.categories if isinstance(declared, dy.Enum) else ()
    return {
        "column": column,
        "low": str(getattr(declared, "min", None)),
        "high": str(getattr(declared, "max", None)),
        "form": str(getattr(declared, "regex", None)),
        "codes": ", ".join(codes),
        "parent": parent,
        "type": _type_in_words(declared),
    }


def _type_in_words(column: dy.Column) -> str:
    kinds = {dy.Datetime: "a time", dy.Date: "a day", dy.Bool: "true or false", dy.Enum: "a code"}
    return next((said for kind, said in kinds.items() if isinstance(column, kind)), "a number")


def _of_key_or_day(c: Contract, rule: str) -> Explained | None:
    if (rule == "event_in_gaming_day" and not c.event_time) or not c.key or c.layer != "source":
        return None
    named = {"key": ", ".join(c.key), "event": c.event_time or ""}
    holds, breaks, mend = (said.format_map(named) for said in _WHOLE[rule])
    columns = tuple(c.key) if rule != "event_in_gaming_day" else (str(c.event_time), "gaming_day")
    return Explained(c.name, rule, holds, breaks, mend, columns)


def _of_contract(c: Contract, rule: str) -> Explained | None:
    """A rule that the contract declares as a function: its docstring says what must hold."""
    if rule not in c.rules:
        return None
    sentence = (getattr(c.schema, rule).validation_fn.__doc__ or rule.replace("_", " ")).strip()
    columns = tuple(c.rules[rule].meta.root_names())
    looked_at = ", ".join(dict.fromkeys(columns))
    breaks = f"it is not so that {sentence[:1].lower()}{sentence[1:].rstrip('.')}"
    mend = f"mend {looked_at} in the file, or in the mapping, and read it again"
    return Explained(
        c.name, rule, sentence.rstrip("."), breaks, mend, tuple(dict.fromkeys(columns))
    )
