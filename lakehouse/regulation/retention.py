"""How long a record must be kept, and what of a person outlives a request for erasure."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.errors import BadInput
from lakehouse.regulation.law import Law

RULES = {
    "CTR": "ctr",
    "SAR": "sar",
    "W2G": "w2g_slot",
    "1042S": "nra_withholding",
    "8300": "form_8300",
    "INSTRUMENT_LOG": "instrument_log",
}
"""Record type → the rule of the law profile that states its years."""


def years_kept(record_type: str, day: dt.date, law: Law) -> int:
    """Years that a record made on a day is kept. Raises BadInput for an unknown type."""
    if record_type not in RULES:
        raise BadInput(f"unknown record type {record_type!r}; known: {', '.join(RULES)}")
    years = law.on(RULES[record_type], day).retain_years
    if years is None:
        raise BadInput(f"profile {law.profile!r} states no retention for {record_type!r}")
    return years


def retain_until(records: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Adds `retain_until`, the earliest day that the law allows, to records with record_type
    and filed_on (31 CFR 1010.430(d); for tax forms the return's instructions). A record of
    29 February is kept to 28 February. A record not yet filed is kept without end (null)."""
    until = pl.lit(None, pl.Date)
    for record_type, rule in RULES.items():
        for period in law.rules.get(rule, ()):
            if period.retain_years is None:
                continue
            holds = (pl.col("record_type") == record_type) & (
                pl.col("filed_on") >= period.effective_from
            )
            until = (
                pl.when(holds)
                .then(pl.col("filed_on").dt.offset_by(f"{period.retain_years}y"))
                .otherwise(until)
            )
    return records.with_columns(until.alias("retain_until"))


def held(records: pl.LazyFrame, law: Law, *, as_of: dt.date) -> pl.LazyFrame:
    """The records that an erasure on a day must leave: kept by law, or not yet filed."""
    kept = pl.col("retain_until").is_null() | (pl.col("retain_until") >= as_of)
    return retain_until(records, law).filter(kept)


def holds_by_player(records: pl.LazyFrame, law: Law, *, as_of: dt.date) -> pl.LazyFrame:
    """Per player with a held record: held_records and held_until (null: without end).

    Marketing data of such a player is erased like anybody's; the filings, their evidence and
    the identity in the vault stay until `held_until` has passed.
    """
    endless = pl.col("retain_until").is_null().any()
    return (
        held(records, law, as_of=as_of)
        .group_by("player_id")
        .agg(
            pl.len().alias("held_records"),
            pl.when(~endless).then(pl.col("retain_until").max()).alias("held_until"),
        )
        .sort("player_id")
    )
