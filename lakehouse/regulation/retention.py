"""How long a record must be kept, and what of a person outlives a request for erasure."""

from __future__ import annotations

import polars as pl

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
