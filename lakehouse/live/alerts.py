"""Alerts as they stand, held against what was said of them before: each change is a version."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts import contract
from lakehouse.texts import packed_from_end

ALERT = pl.Schema(
    {
        n: t
        for n, t in contract("live_alerts").bronze_schema().items()
        if n not in ("version", "detected_at", "topic", "_source")
    }
)
"""An alert as a rule gives it; the engine adds where and when."""
_SAID = ("level", "score", "said", "context", "evidence", "is_withdrawn")
_LONG = ("context", "evidence")
CHUNKS = 64
"""In as many what is remembered may lie."""
SAID = pl.Schema({**{n: t for n, t in ALERT.items() if n not in _LONG}, "digest": pl.UInt64()})
"""What is remembered of an alert that was told: its measures and evidence by a digest, as they
were most of what a day of payments took here."""


def versions(said: pl.DataFrame, stands: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """What is to be said anew (`ALERT`): alerts of `stands` that `said` does not have, or has
    otherwise, and those of the subjects that were `judged` (their `alert_id`) which `said` has and
    `stands` no longer; with `is_first`, whether nothing was said of it before."""
    ids = pl.concat([stands["alert_id"], judged["alert_id"]])
    known = said.filter(pl.col("alert_id").is_in(ids.implode())).rechunk()
    told = stands.with_columns(digest=_digest()).join(known, on=["alert_id", "digest"], how="anti")
    gone = (
        known.filter(~pl.col("is_withdrawn"))
        .join(judged.select("alert_id"), on="alert_id", how="semi")
        .join(stands.select("alert_id"), on="alert_id", how="anti")
        .with_columns(context=pl.lit("{}"), evidence=[], is_withdrawn=True)
    )
    news, back = (f.select(pl.col(n).cast(t) for n, t in ALERT.items()) for f in (told, gone))
    is_first = ~pl.col("alert_id").is_in(known["alert_id"].implode())
    found = pl.concat([news, back]).sort("partition", "offset", "alert_id")
    return found.with_columns(is_first=is_first)


def after(said: pl.DataFrame, news: pl.DataFrame) -> pl.DataFrame:
    """What is said then."""
    if news.is_empty():
        return said
    is_amended = said["alert_id"].is_in(news["alert_id"].implode())
    rest = said.filter(~is_amended) if is_amended.any() else said
    return packed_from_end(pl.concat([rest, remembered(news)]), CHUNKS)


def remembered(alerts: pl.DataFrame) -> pl.DataFrame:
    """Alerts that were told (`ALERT`), as the next ones are held against them (`SAID`)."""
    return alerts.with_columns(digest=_digest()).select(list(SAID))


def _digest() -> pl.Expr:
    return pl.struct(_SAID).hash()


def nothing_said() -> pl.DataFrame:
    return pl.DataFrame(schema=SAID)


def no_alerts() -> pl.DataFrame:
    return pl.DataFrame(schema=ALERT)


def no_news() -> pl.DataFrame:
    return pl.DataFrame(schema={**ALERT, "is_first": pl.Boolean()})
