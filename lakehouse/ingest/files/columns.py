"""Which column of a file gives which column of ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import PROVENANCE, Contract
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.mapping import NUMBERED, ColumnMapping, Mapping
from lakehouse.ingest.files.rows import LINE


@dataclass(frozen=True)
class Match:
    """`taken`: our column → the file's. `ignored`: columns of the file that none takes."""

    taken: dict[str, str]
    ignored: list[str]


def match_columns(c: Contract, mapping: Mapping, columns: Sequence[str]) -> Match:
    """Names are compared without regard to case and outer blanks, unless that is ambiguous."""
    exact = {n: n for n in columns}
    folded: dict[str, list[str]] = {}
    for n in columns:
        folded.setdefault(n.strip().casefold(), []).append(n)
    taken = {}
    for ours in _landed(c):
        rule = mapping.column(ours)
        if rule.constant is not None:
            continue
        names = [rule.source] if rule.source else c.names(ours)
        near = [n for wanted in names for n in _near(wanted, exact, folded)]
        if near:
            taken[ours] = near[0]
    used = set(taken.values())
    return Match(taken, [n for n in columns if n not in used and n not in PROVENANCE])


def _near(wanted: str, exact: dict[str, str], folded: dict[str, list[str]]) -> list[str]:
    place = NUMBERED.fullmatch(wanted)
    if place and wanted not in exact:
        return list(exact)[int(place[1]) - 1 : int(place[1])]
    near = folded.get(wanted.strip().casefold(), [])
    return [exact[wanted]] if wanted in exact else near if len(near) == 1 else []


def refuse_foreign_file(c: Contract, mapping: Mapping, columns: Sequence[str]) -> None:
    """Raises UnreadableFile where the columns without which no row can be placed are missing,
    or where the mapping names a column that the file has not."""
    match = match_columns(c, mapping, columns)
    _refuse_ambiguous(c, mapping, columns, match)
    given = {*match.taken, *(n for n, m in mapping.columns.items() if m.constant is not None)}
    needed = [n for n in (*c.key, c.event_time) if n and n != "gaming_day"]
    missing = unfound(mapping, match.taken) or [n for n in dict.fromkeys(needed) if n not in given]
    if missing:
        ours = sorted(columns.index(n) + 1 for n in match.taken.values())
        known = f"the file has {len(columns)}, of which we know {numbers(ours)}"
        raise UnreadableFile(
            f"lacks column {', '.join(missing)}; {known}; `lakehouse land FILE --infer` shows "
            "them, and a mapping says how foreign columns become ours"
        )


def _refuse_ambiguous(c: Contract, mapping: Mapping, columns: Sequence[str], match: Match) -> None:
    """Of two columns with one name no one is the one that is meant."""
    folded = [n.casefold() for n in columns]
    for ours in _landed(c):
        rule = mapping.column(ours)
        if ours in match.taken or rule.constant is not None:
            continue
        for name in [rule.source] if rule.source else c.names(ours):
            both = [i for i, n in enumerate(folded, 1) if re.fullmatch(_repeated(name), n)]
            if both:
                raise UnreadableFile(
                    f"has columns {', '.join(map(str, both))} of the name {name}; say which is "
                    f'{ours} in the mapping, such as [columns.{ours}] from = "{name}#1", or '
                    f'from = "#{both[0]}" by its place'
                )


def _repeated(name: str) -> str:
    return re.escape(name.strip().casefold()) + r"#\d+"


def unfound(mapping: Mapping, taken: Collection[str]) -> list[str]:
    """Columns that the mapping names and the file has not; `taken` are ours that it gave."""
    return [
        rule.source
        for ours, rule in mapping.columns.items()
        if rule.source and not rule.optional and ours not in taken
    ]


def numbers(positions: Sequence[int]) -> str:
    """Columns by their place in the file. Their names are told nowhere that is kept: the first
    line of a file without a header holds values."""
    return f"number {', '.join(map(str, positions[:50]))}" if positions else "none"


def our_columns(frame: pl.DataFrame, c: Contract, mapping: Mapping, match: Match) -> pl.DataFrame:
    """The rows under our names, still text, with LINE; columns that are not there are null."""
    return frame.select(
        *(_text(n, mapping.column(n), match, mapping.nulls).alias(n) for n in _landed(c)), LINE
    )


def _text(name: str, rule: ColumnMapping, match: Match, nulls: tuple[str, ...]) -> pl.Expr:
    if rule.constant is not None:
        return pl.lit(_constant(rule), dtype=pl.String)
    if name not in match.taken:
        return pl.lit(None, dtype=pl.String)
    value = pl.col(match.taken[name])
    if nulls:
        value = pl.when(~value.str.strip_chars().is_in(nulls)).then(value)
    if rule.codes:
        value = value.str.strip_chars().replace(rule.codes)
    return pl.lit(rule.prefix) + value if rule.prefix else value


def _constant(rule: ColumnMapping) -> str:
    return str(rule.constant).lower() if isinstance(rule.constant, bool) else str(rule.constant)


def _landed(c: Contract) -> list[str]:
    return [n for n in c.columns if n not in PROVENANCE]
