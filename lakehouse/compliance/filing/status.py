"""Where each filing stands with FinCEN: exported, accepted or rejected."""

from __future__ import annotations

import datetime as dt

import polars as pl


def status(
    exports: pl.DataFrame, acknowledgements: pl.DataFrame, as_of: dt.datetime, timezone: str
) -> pl.DataFrame:
    """One row per filing that was ever in a batch, by what was known at a moment.

    Columns: form, filing_id, batch_id, is_production, status {Exported, Accepted, Accepted with
    warnings, Rejected}, filed_on (local day of the production batch that FinCEN accepted;
    otherwise null), bsa_id, facts (of the last batch that was not rejected). A production batch
    holds against tests, an accepted one against others; otherwise the last export does.
    """
    sent = exports.filter(pl.col("exported_at") <= as_of)
    answers = acknowledgements.filter(pl.col("acknowledged_at") <= as_of)
    answers = answers.sort("acknowledged_at").group_by("batch_id", "filing_id").last()
    accepted = pl.col("status").str.starts_with("Accepted")
    standing = pl.col("status") != "Rejected"
    order = pl.struct("is_production", "exported_at").filter(standing)
    return (
        sent.join(
            answers.select("batch_id", "filing_id", pl.col("answer").alias("status"), "bsa_id"),
            on=["batch_id", "filing_id"],
            how="left",
        )
        .with_columns(pl.col("status").fill_null("Exported"))
        .with_columns(
            filed_on=pl.when(accepted & pl.col("is_production")).then(
                pl.col("exported_at").dt.convert_time_zone(timezone).dt.date()
            ),
            _rank=accepted.cast(pl.Int8),
        )
        .sort("is_production", "_rank", "exported_at", "batch_id")
        .group_by("form", "filing_id", maintain_order=True)
        .agg(
            pl.col("batch_id", "is_production", "status", "filed_on", "bsa_id").last(),
            pl.col("facts").filter(standing).sort_by(order).last(),
        )
        .select(
            "form",
            "filing_id",
            "batch_id",
            "is_production",
            "status",
            "filed_on",
            "bsa_id",
            "facts",
        )
        .sort("form", "filing_id")
    )


def batches(
    exports: pl.DataFrame, acknowledgements: pl.DataFrame, as_of: dt.datetime
) -> pl.DataFrame:
    """One row per batch, newest first, by what was known at a moment.

    Columns: batch_id, form, is_production, exported_at, exported_by, filings, amount (USD),
    accepted (with warnings too), rejected, unanswered, answered_at (the last answer).
    """
    answers = acknowledgements.filter(pl.col("acknowledged_at") <= as_of)
    answers = answers.sort("acknowledged_at").group_by("batch_id", "filing_id").last()
    answer = pl.col("answer")
    return (
        exports.filter(pl.col("exported_at") <= as_of)
        .join(answers.drop("form", "bsa_id"), on=["batch_id", "filing_id"], how="left")
        .group_by("batch_id", "form", "is_production", "exported_at", "exported_by")
        .agg(
            pl.len().alias("filings"),
            pl.col("amount").sum(),
            answer.str.starts_with("Accepted").sum().alias("accepted"),
            (answer == "Rejected").sum().alias("rejected"),
            answer.null_count().alias("unanswered"),
            pl.col("acknowledged_at").max().alias("answered_at"),
        )
        .sort("exported_at", "batch_id", descending=True)
    )
