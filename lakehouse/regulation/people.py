"""What is known of a person on a day, and who takes part in a transaction."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.currency import ROW


def known_at(
    rows: pl.LazyFrame, player_profile: pl.LazyFrame, day: str, columns: list[str]
) -> pl.LazyFrame:
    """`rows` with columns of the profile version that held on each row's `day`, or of the
    first version that tells where none did yet."""
    versions = player_profile.select("player_id", "gaming_day", *columns).sort("gaming_day")
    told = (pl.col(c).drop_nulls().first() for c in columns)
    first = versions.group_by("player_id", maintain_order=True).agg(told)
    held = rows.sort(day).join_asof(
        versions.rename({"gaming_day": "_from"}),
        left_on=day,
        right_on="_from",
        by="player_id",
        strategy="backward",
        check_sortedness=False,
    )
    return (
        held.join(first, on="player_id", how="left", suffix="_first")
        .with_columns(pl.coalesce(c, f"{c}_first").alias(c) for c in columns)
        .drop("_from", *(f"{c}_first" for c in columns))
    )


def by_person(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """One row per ledger row and person by whom or for whom it was done (31 CFR 1021.313),
    adding `person`; rows of which nobody is known are left out."""
    principal = pl.col("on_behalf_of_player_id")
    other = principal.is_not_null() & principal.ne_missing(pl.col("player_id"))
    return pl.concat(
        [
            ledger.filter(pl.col("player_id").is_not_null()).with_columns(
                pl.col("player_id").alias("person")
            ),
            ledger.filter(other).with_columns(principal.alias("person")),
        ]
    )


def covered(entries: pl.DataFrame, group: str) -> pl.DataFrame:
    """The persons of each `group` whose rows (ROW and side) all stand among another's:
    the principal stays before the agent, then the lower number. Columns: group, person."""
    if entries["on_behalf_of_player_id"].null_count() == len(entries):
        return entries.select(group, "person").clear()
    sizes = entries.group_by(group, "person").agg(
        pl.len().alias("size"),
        (pl.col("person") == pl.col("on_behalf_of_player_id")).sum().alias("as_principal"),
    )
    row = list(dict.fromkeys((group, *ROW, "side")))
    other = entries.select(row, other="person")
    shared = (
        entries.join(other, on=row)
        .filter(pl.col("person") != pl.col("other"))
        .group_by(group, "person", "other")
        .agg(pl.len().alias("shared"))
        .join(sizes, on=[group, "person"])
        .join(sizes, left_on=[group, "other"], right_on=[group, "person"], suffix="_other")
        .filter(pl.col("shared") == pl.col("size"))
    )
    rank, rank_other = pl.col("as_principal"), pl.col("as_principal_other")
    behind = (rank < rank_other) | ((rank == rank_other) & (pl.col("other") < pl.col("person")))
    hidden = (pl.col("size") < pl.col("size_other")) | behind
    return shared.filter(hidden).select(group, "person").unique()
