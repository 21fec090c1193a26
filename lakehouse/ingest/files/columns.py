"""Which column of a file gives which column of ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import PROVENANCE, Contract
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.mapping import NUMBERED, ColumnMapping, Mapping
from lakehouse.ingest.files.rows import LINE


@dataclass(frozen=True)
class Match:
    """`taken`: our column → the file's. `fields`: a name in expressions → the file's. `ignored`:
    columns of the file that nothing takes."""

    taken: dict[str, str]
    fields: dict[str, str]
    ignored: list[str]

    def found(self, mapping: Mapping) -> set[str]:
        """The names that were asked for and are there."""
        return {*self.fields, *(mapping.column(n).source or n for n in self.taken)}


def match_columns(c: Contract, mapping: Mapping, columns: Sequence[str]) -> Match:
    """Names are compared without regard to case and outer blanks, unless that is ambiguous."""
    exact = {n: n for n in columns}
    folded: dict[str, list[str]] = {}
    for n in columns:
        folded.setdefault(n.strip().casefold(), []).append(n)
    taken = {}
    for ours in _landed(c):
        rule = mapping.column(ours)
        if rule.is_made:
            continue
        names = [rule.source] if rule.source else c.names(ours)
        near = [n for wanted in names for n in _near(wanted, exact, folded)]
        if near:
            taken[ours] = near[0]
    wanted = {n: _near(n, exact, folded) for n in mapping.fields}
    fields = {n: near[0] for n, near in wanted.items() if near}
    used = {*taken.values(), *fields.values()}
    return Match(taken, fields, [n for n in columns if n not in used and n not in PROVENANCE])


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
    made = {n for n, m in mapping.columns.items() if m.is_made and not m.empty}
    given = {*match.taken, *made}
    needed = [n for n in (*c.key, c.event_time) if n and n != "gaming_day"]
    unplaced = [n for n in dict.fromkeys(needed) if n not in given]
    missing = unfound(mapping, match.found(mapping)) or unplaced
    if missing:
        used = {*match.taken.values(), *match.fields.values()}
        ours = sorted(columns.index(n) + 1 for n in used)
        known = f"the file has {len(columns)}, of which we know {numbers(ours)}"
        raise UnreadableFile(
            f"lacks column {', '.join(missing)}; {known}; `lakehouse land FILE --infer` shows "
            "them, and a mapping says how foreign columns become ours"
        )


def _refuse_ambiguous(c: Contract, mapping: Mapping, columns: Sequence[str], match: Match) -> None:
    """Of two columns with one name no one is the one that is meant."""
    folded = [n.casefold() for n in columns]
    for name, meant in _meant(c, mapping, match):
        both = [i for i, n in enumerate(folded, 1) if re.fullmatch(_repeated(name), n)]
        if both:
            raise UnreadableFile(
                f"has columns {', '.join(map(str, both))} of the name {name}; say which is "
                f'{meant.format(name)}, or "#{both[0]}" by its place'
            )


def _meant(c: Contract, mapping: Mapping, match: Match) -> Iterator[tuple[str, str]]:
    """Names that are asked for and not there as they are; how a mapping says which is meant."""
    for ours in _landed(c):
        rule = mapping.column(ours)
        if ours not in match.taken and not rule.is_made:
            said = f'{ours} in the mapping, such as [columns.{ours}] from = "{{}}#1"'
            yield from ((n, said) for n in ([rule.source] if rule.source else c.names(ours)))
    for name in sorted(mapping.fields - match.fields.keys()):
        yield name, "meant in the expression, such as col('{}#1')"


def _repeated(name: str) -> str:
    return re.escape(name.strip().casefold()) + r"#\d+"


def unfound(mapping: Mapping, found: Collection[str]) -> list[str]:
    """Columns that the mapping names and the file has not; `found` are names that it has."""
    return [name for name in mapping.asked if name not in found]


def numbers(positions: Sequence[int]) -> str:
    """Columns by their place in the file. Their names are told nowhere that is kept: the first
    line of a file without a header holds values."""
    return f"number {', '.join(map(str, positions[:50]))}" if positions else "none"


def our_columns(
    frame: pl.DataFrame,
    c: Contract,
    mapping: Mapping,
    match: Match,
    made: Dictionary[str, pl.Series],
) -> pl.DataFrame:
    """The rows under our names, still text, with LINE; columns that are not there are null.
    `made`: texts that expressions gave."""
    origins = {n: pl.col(theirs) for n, theirs in match.taken.items()}
    origins |= {n: pl.lit(text) for n, text in made.items()}
    return frame.select(
        *(_text(mapping.column(n), origins.get(n), mapping.nulls).alias(n) for n in _landed(c)),
        LINE,
    )


def _text(rule: ColumnMapping, value: pl.Expr | None, nulls: tuple[str, ...]) -> pl.Expr:
    if rule.constant is not None:
        return pl.lit(_constant(rule), dtype=pl.String)
    if value is None:
        return pl.lit(None, dtype=pl.String)
    if nulls:
        value = pl.when(~value.str.strip_chars().is_in(nulls)).then(value)
    if rule.codes:
        value = value.str.strip_chars().replace(rule.codes)
    return pl.lit(rule.prefix) + value if rule.prefix else value


def _constant(rule: ColumnMapping) -> str:
    return str(rule.constant).lower() if isinstance(rule.constant, bool) else str(rule.constant)


def _landed(c: Contract) -> list[str]:
    return [n for n in c.columns if n not in PROVENANCE]
