"""The draft that an officer starts from: who, what, when, where, how, from the facts alone."""

from __future__ import annotations

import polars as pl

from lakehouse.texts import formatted

PATTERN = {
    "structuring": "moved currency in amounts just below the reporting threshold, again and again",
    "minimal_play": "brought currency, hardly played, and took the money out again",
    "chip_walking": "bought chips with currency, hardly played, and left with the chips",
    "bill_stuffing": "fed bills into a machine, hardly played, and took a ticket within minutes",
    "marker_cycle": "drew markers and repaid them in currency within a week, in parts",
    "pooling": "took a cheque for chips that several patrons had bought with currency",
    "threshold_avoidance": "asked about the reporting threshold or cut a transaction below it",
}


def narrative(timezone: str) -> pl.Expr:
    """Draft text of a case row (typology, player_id, player_ids, amount, evidence, first and
    last activity, `_where`); times are the property's."""
    who = pl.coalesce(formatted("patron {}", "player_id"), pl.lit("an unknown person"))
    others = pl.col("player_ids").list.slice(1)
    with_whom = (
        pl.when((others.list.len() > 0) & pl.col("player_id").is_not_null())
        .then(formatted(", with {}", others.list.join(", ")))
        .otherwise(pl.lit(""))
    )
    what = pl.col("typology").replace_strict(PATTERN, return_dtype=pl.String)
    return formatted(
        "Who: {}{}. What: the person {}; USD {} conducted or attempted. When: gaming days {} to "
        "{}, first detected {}. Where: {}. How: {}. Draft from recorded facts; not reviewed.",
        who,
        with_whom,
        what,
        "amount",
        "first_activity_on",
        "last_activity_on",
        "detected_on",
        "_where",
        _how(timezone),
    )


def _how(timezone: str) -> pl.Expr:
    row = pl.element().struct
    at = row.field("at").dt.convert_time_zone(timezone).dt.strftime("%Y-%m-%d %H:%M")
    money = pl.coalesce(formatted(" USD {}", row.field("amount")), pl.lit(""))
    line = formatted("{} {}{} ({})", at, row.field("what"), money, row.field("record_id"))
    return pl.col("evidence").list.eval(line).list.join("; ")
