"""Whether what is stored is what its contract says, by gaming day."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lakehouse.contracts import PROVENANCE, Contract, contract, door_of
from lakehouse.storage import Days, Lake

_DAY = "gaming_day"


def broken_rules(layer: str, table: str, frame: pl.LazyFrame) -> pl.DataFrame:
    """Grain: one row per gaming day and rule that stored rows break: gaming_day, rule, rows.

    Silver's protected columns hold tokens and bands, so only their nulls are judged. A key
    is judged within its gaming day. Bronze is kept as it came: it tells day and origin.
    """
    rules = stored_rules(layer, table)
    # Rules look at a row alone, but for the key's, which all days together break if one does: what
    # keeps them all, as nearly every day does, need not be told apart by day.
    is_any = pl.any_horizontal([_breaks(expr).any() for expr in rules.values()])
    if not frame.select(is_any).collect().item():
        return pl.DataFrame(schema={_DAY: pl.Date, "rule": pl.String, "rows": pl.Int64})
    broken = [_breaks(expr).sum().alias(name) for name, expr in rules.items()]
    return (
        frame.group_by(_DAY)
        .agg(broken)
        .unpivot(index=_DAY, variable_name="rule", value_name="rows")
        .filter(pl.col("rows") > 0)
        .with_columns(pl.col("rows").cast(pl.Int64))
        .sort(_DAY, "rule")
        .collect()
    )


def stored_rules(layer: str, table: str) -> dict[str, pl.Expr]:
    """What every stored row of a table keeps, by the rule's name."""
    c = contract(table)
    if layer == "bronze":
        return {f"{n}|nullability": pl.col(n).is_not_null() for n in (_DAY, *PROVENANCE)}
    return _rules(c, protected=layer == "silver" and c.layer == "source")


def failing_rows(layer: str, table: str, rows: pl.LazyFrame, broken: Sequence[str]) -> pl.DataFrame:
    """The rows of one gaming day that break any of these rules: key, as text."""
    rules = stored_rules(layer, table)
    is_wrong = pl.any_horizontal([_breaks(rules[name]) for name in broken])
    wrong = rows.filter(is_wrong)
    return wrong.select(_key_in_words(contract(table))).collect()


def _key_in_words(c: Contract) -> pl.Expr:
    """Key columns that everybody may see, without the gaming day, which is known."""
    open_ = [
        pl.col(n).cast(pl.String).fill_null("empty")
        for n in c.key
        if n != _DAY and not {"pii", "protect"} & c.metadata(n).keys()
    ]
    said = pl.concat_str(open_, separator=", ") if open_ else pl.lit(None, pl.String)
    return said.alias("key")


def _breaks(rule: pl.Expr) -> pl.Expr:
    return ~rule.fill_null(value=True)


def _rules(c: Contract, *, protected: bool) -> dict[str, pl.Expr]:
    hidden = {n for n in c.columns if protected and c.metadata(n).get("protect")}
    rules = {
        name: rule
        for name, rule in c.rules.items()
        if name.endswith("|nullability") or not hidden & set(rule.meta.root_names())
    }
    domains = {
        f"{name}|domain": pl.col(name).is_in(column.dtype.categories.to_list())
        for name, column in c.columns.items()
        if isinstance(column.dtype, pl.Enum)
    }
    return rules | domains


def conservation(lake: Lake, table: str, days: Days) -> pl.DataFrame:
    """Grain: one row per gaming day of a source table: gaming_day, bronze, silver, quarantine,
    duplicates (rows) and lost, which is 0 where no row vanished or was made up."""
    ingest = pl.col("_stage") == "silver"
    counts = [
        _count(lake.scan(layer, table, days=days).filter(*conditions), layer)
        for layer, conditions in (
            ("bronze", []),
            ("silver", []),
            ("quarantine", [ingest]),
            ("duplicates", []),
        )
    ]
    frame = pl.select(pl.date_range(*days).alias(_DAY)).lazy()
    for one in counts:
        frame = frame.join(one, on=_DAY, how="left")
    kept = pl.col("silver") + pl.col("quarantine") + pl.col("duplicates")
    return (
        frame.with_columns(pl.exclude(_DAY).fill_null(0).cast(pl.Int64))
        .with_columns(lost=pl.col("bronze") - kept)
        .sort(_DAY)
        .collect()
    )


def plants_without_row(lake: Lake, tables: Sequence[str], days: Days) -> pl.DataFrame:
    """Grain: one row per gaming day on which something was planted on a row of these tables that
    bronze does not have: gaming_day, rows. Late rows, and what ends on a later gaming day, as an
    amended filing does, are not counted: they come in days afterwards. A plant names the table
    that its row comes in with."""
    ends_later = (pl.col("window_end") > pl.col(_DAY)).fill_null(value=False)
    plants = lake.scan("truth", "plants", days=days).filter(
        pl.col("row_key").is_not_null(),
        pl.col("table_name").is_in({door_of(table) for table in tables}),
        ~ends_later,
    )
    on = ["table_name", "row_key"]
    late = plants.filter(pl.col("kind") == "late").select(on)
    keys = [
        lake.scan("bronze", table, days=days).select(
            table_name=pl.lit(door_of(table)), row_key=pl.col(contract(table).key[0])
        )
        for table in tables
    ]
    there = pl.concat([late, *keys])
    return plants.join(there, on=on, how="anti").group_by(_DAY).agg(rows=pl.len()).collect()


def _count(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return rows.group_by(_DAY).agg(pl.len().alias(name))
