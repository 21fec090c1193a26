"""Discrepancies explained: the rows kept out of silver that settle a finding to the cent.

A row in quarantine leaves a gap in the books. Put back, as far as it can be read, it closes
that gap exactly; what no row closes is unexplained, and news.
"""

from __future__ import annotations

from functools import partial

import dataframely as dy
import polars as pl
import polars.selectors as cs

from lakehouse.contracts import Contract, contract
from lakehouse.contracts.columns import coded
from lakehouse.gold.money import cents
from lakehouse.texts import formatted

OPEN_ROWS = 6
"""Rows of one finding that are tried in every combination; further ones stay out."""
KEPT = cs.by_name("_row", "_rules", "_moment", "_is_open", require_all=False)
"""Columns that rows put back have beside silver's."""


def put_back(table: str, quarantine: pl.LazyFrame) -> pl.LazyFrame:
    """Quarantined rows of `table` as silver might have had them: amounts without a sign that
    they may not have, and a row for every kind that an unreadable kind may stand for. With
    `_row` (table and key), `_rules`, `_moment` (null where the clock is at fault) and
    `_is_open` (whether the kind is unknown)."""
    c = contract(table)
    decimals = {n: k for n, k in c.columns.items() if isinstance(k, dy.Decimal)}
    key = pl.col(c.key[0]).fill_null("without a key")
    clock = pl.col("_rules").list.contains("event_in_gaming_day")
    rows = quarantine.filter(pl.col("_stage") == "silver").with_columns(
        cs.string().exclude(c.kind).str.strip_chars(),
        pl.col([n for n, k in decimals.items() if k.min == 0]).abs(),
        _row=formatted(f"{table} {{}}", key),
        _moment=pl.when(~clock).then(c.event_time),
        _is_open=pl.lit(value=False),
    )
    return _of_every_kind(rows, c) if c.kind else rows


def _of_every_kind(rows: pl.LazyFrame, c: Contract) -> pl.LazyFrame:
    column = c.columns[c.kind]
    codes = list(column.dtype.categories)  # type: ignore[attr-defined]
    kind = pl.col(c.kind).map_batches(partial(coded, column=column), return_dtype=pl.String())
    either = pl.when(kind.is_null()).then(pl.lit(codes)).otherwise(pl.concat_list(kind))
    return rows.with_columns(either.alias(c.kind), _is_open=kind.is_null()).explode(c.kind)


def explained(findings: pl.DataFrame, entries: pl.LazyFrame, hidden_by: str) -> pl.DataFrame:
    """`findings` of one truth with `rows`, that settle each when they are put back, and the
    `rules` that kept these out; both empty for a finding that nothing settles.

    `entries` are what rows put back add to both sides. A row belongs to a finding by its
    subject and moment. Where the kind or the moment is unknown it may belong or not: such
    rows settle in any combination. A row whose subject is unknown (it broke a rule on column
    `hidden_by`) settles one finding of its day, by the exact amount that those leave.
    """
    gap = cents("expected") - cents("found")
    numbered = findings.with_row_index("finding").with_columns(gap.alias("left"))
    options = _options(entries, hidden_by)
    rules = options.select("_row", "_rules").unique("_row")
    by_finding = (
        _settled(numbered, options)
        .explode("rows")
        .join(rules, left_on="rows", right_on="_row")
        .group_by("finding")
        .agg(pl.col("rows").sort(), rules=pl.col("_rules").explode().unique().sort())
    )
    nothing = pl.lit([], pl.List(pl.String))
    return (
        numbered.join(by_finding, on="finding", how="left", maintain_order="left")
        .with_columns(pl.col("rows", "rules").fill_null(nothing))
        .drop("finding", "left")
    )


def _options(entries: pl.LazyFrame, hidden_by: str) -> pl.DataFrame:
    """What each row may add to the gap: several options of an unknown kind, or of a clash."""
    hidden = pl.col("_rules").list.eval(pl.element().str.starts_with(f"{hidden_by}|")).list.any()
    given = entries.with_columns(
        delta=pl.col("found") - pl.col("expected"), subject=pl.when(~hidden).then("subject")
    ).filter(pl.col("delta") != 0)
    apart = given.unique(["gaming_day", "_row", "subject", "delta"], keep="any")
    several = pl.len().over("gaming_day", "_row") > 1
    return (
        apart.with_columns(pl.col("_is_open") | several)
        .sort("gaming_day", "_row", "delta")
        .collect()
    )


def _settled(findings: pl.DataFrame, options: pl.DataFrame) -> pl.DataFrame:
    """Findings that rows settle: finding, rows."""
    windowed = pl.col("since").is_not_null()
    pairs = (
        findings.join(options, on=["gaming_day", "subject"])
        .filter(_in_window())
        .with_columns(pl.col("_is_open") | (windowed & pl.col("_moment").is_null()))
    )
    sure = pairs.filter(~pl.col("_is_open")).group_by("finding")
    sums = findings.join(
        sure.agg(pl.col("delta").sum(), rows=pl.col("_row").unique()), on="finding", how="left"
    ).with_columns(
        pl.col("left") - pl.col("delta").fill_null(0),
        pl.col("rows").fill_null(pl.lit([], pl.List(pl.String))),
    )
    combined = _combined(sums.drop("delta"), pairs.filter("_is_open"))
    keyed = _closed(combined)
    nameless = options.filter(pl.col("subject").is_null())
    rest = combined.join(keyed, on="finding", how="anti")
    return pl.concat([keyed, _by_amount(rest, nameless)])


def _in_window() -> pl.Expr:
    moment = pl.col("_moment")
    inside = (moment > pl.col("since")) & (moment <= pl.col("until"))
    return pl.col("since").is_null() | moment.is_null() | inside


def _closed(sums: pl.DataFrame) -> pl.DataFrame:
    """Those that nothing is left of, each by the fewest rows."""
    left = pl.col("left")
    even = (left == 0) | (pl.col("may_exceed") & (left < 0))
    done = sums.filter(even & (pl.col("rows").list.len() > 0)).sort(
        "finding", pl.col("rows").list.len(), maintain_order=True
    )
    return done.unique("finding", keep="first", maintain_order=True).select("finding", "rows")


def _combined(sums: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """`sums`, and what is left of them after each combination of open rows."""
    ranked = pairs.select(
        "finding", "_row", "delta", rank=pl.col("_row").rank("dense").over("finding")
    )
    for rank in range(1, OPEN_ROWS + 1):
        more = sums.join(ranked.filter(rank=rank).drop("rank"), on="finding")
        if more.is_empty():
            break
        added = more.with_columns(
            pl.col("left") - pl.col("delta"), pl.concat_list("rows", "_row").alias("rows")
        )
        sums = pl.concat([sums, added.select(sums.columns)])
    return sums


def _by_amount(findings: pl.DataFrame, nameless: pl.DataFrame) -> pl.DataFrame:
    """One nameless row for one finding of its day: exactly what is left of it, by itself or
    after the fewest open rows."""
    turn = pl.int_range(pl.len()).over("gaming_day", "left").alias("turn")
    right = nameless.select("gaming_day", "_row", "_moment", left="delta").with_columns(turn)
    return (
        findings.sort(pl.col("rows").list.len(), "finding", maintain_order=True)
        .unique(["finding", "left"], keep="first", maintain_order=True)
        .with_columns(turn)
        .join(right, on=["gaming_day", "left", "turn"], maintain_order="left")
        .filter(_in_window(), ~pl.col("rows").list.contains("_row"))
        .unique("finding", keep="first", maintain_order=True)
        .unique(["gaming_day", "_row"], keep="first", maintain_order=True)
        .select("finding", pl.concat_list("rows", "_row").alias("rows"))
    )
