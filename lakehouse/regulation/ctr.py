"""Currency transaction reports, per person, side and gaming day (31 CFR 1021.311-313)."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.regulation.currency import ROW
from lakehouse.regulation.law import Law
from lakehouse.regulation.people import by_person, covered, known_at
from lakehouse.texts import formatted

DAY = ["gaming_day", "person"]
OWN, AGENT, PRINCIPAL = "50", "17", "23"


def sides_over(ledger: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """One row per gaming day, person and side whose total is over the threshold."""
    return (
        by_person(ledger)
        .group_by(*DAY, "side")
        .agg(pl.col("amount").sum().alias("total"))
        .filter(law.over("ctr", pl.col("total"), pl.col("gaming_day")))
    )


def reportable_entries(ledger: pl.LazyFrame, law: Law) -> pl.DataFrame:
    """The ledger rows behind each report, one per person, without the reports whose rows all
    stand in another's."""
    over = sides_over(ledger, law).collect(engine="streaming").drop("total")
    rows = by_person(ledger)
    if over.is_empty():
        return pl.DataFrame(schema=rows.collect_schema())
    entries = rows.join(over.lazy(), on=[*DAY, "side"], how="semi").collect(engine="streaming")
    return entries.join(covered(entries, "gaming_day"), on=DAY, how="anti")


def reports(
    ledger: pl.LazyFrame, player_profile: pl.LazyFrame, law: Law, today: dt.date
) -> pl.DataFrame:
    """One row per report with the columns of contract `ctr_filings` and two more:
    `unidentified` (persons without a verified identity) and `is_blocked`.

    `player_profile`: silver's history. An identity (31 CFR 1010.312) counts as it was known
    on the gaming day that the report was due, or on `today` where that is earlier.
    """
    entries = reportable_entries(ledger, law).sort("at", "transaction_id", "side")
    rows = entries.group_by(DAY, maintain_order=True).agg(*_sides(), *_marks(law))
    for part in (_details(entries), _foreign(entries), _parties(entries)):
        rows = rows.join(part, on=DAY, how="left")
    lists = [c for c, t in rows.schema.items() if isinstance(t, pl.List)]
    rows = rows.with_columns(pl.col(lists).fill_null([]), _due(law))
    rows = rows.join(_unidentified(rows, player_profile, today), on=DAY, how="left")
    blocked = (pl.col("unidentified").list.len() > 0) | (
        pl.col("_unknown_agent") & ~pl.col("aggregate")
    )
    return rows.with_columns(
        pl.col("unidentified").fill_null([]),
        formatted("CTR-{}-{}", "gaming_day", "person").alias("filing_id"),
        law.dated("ctr", lambda p: p.citation, pl.col("gaming_day")).alias("citation"),
        blocked.fill_null(value=False).alias("is_blocked"),
    ).rename({"person": "player_id"})


def unknown_over(ledger: pl.LazyFrame, law: Law) -> pl.DataFrame:
    """Rows over the threshold of which nobody is known; nothing ties them to each other."""
    nobody = pl.col("player_id").is_null() & pl.col("on_behalf_of_player_id").is_null()
    over = law.over("ctr", pl.col("amount"), pl.col("gaming_day"))
    return (
        ledger.filter(nobody & over)
        .group_by("gaming_day", "transaction_id")
        .agg(_exact("in"), _exact("out"), pl.col("amount").max())
        .with_columns(_due(law))
        .collect(engine="streaming")
        .sort("gaming_day", "transaction_id")
    )


def whole_dollars(amount: pl.Expr) -> pl.Expr:
    """Dollars rounded up, as the form has them."""
    return ((amount * 100).cast(pl.Int64) + 99) // 100


def _due(law: Law) -> pl.Expr:
    day = pl.col("gaming_day")
    return day.dt.offset_by(law.dated("ctr", lambda p: f"{p.due_days}d", day)).alias("due")


def _exact(side: str) -> pl.Expr:
    mine = pl.col("amount").filter(pl.col("side") == side)
    total = pl.when(mine.len() > 0).then(mine.sum().cast(pl.Decimal(18, 2)))
    return total.alias(f"cash_{side}_exact")


def _sides() -> list[pl.Expr]:
    found: list[pl.Expr] = []
    for side in ("in", "out"):
        mine = pl.col("side") == side
        found += [
            _exact(side),
            whole_dollars(_exact(side)).alias(f"cash_{side}"),
            pl.col("code").filter(mine).unique().sort().alias(f"detail_codes_{side}"),
            pl.col("transaction_id").filter(mine).alias(f"transaction_ids_{side}"),
        ]
    return found


def _marks(law: Law) -> list[pl.Expr]:
    agent, principal = pl.col("player_id"), pl.col("on_behalf_of_player_id")
    for_another = principal.is_not_null() & principal.ne_missing(agent)
    single_over = law.over("ctr", pl.col("amount"), pl.col("gaming_day"))
    nobody_seen = agent.is_null().all() & ~single_over.any()
    rows = pl.struct(ROW).unique(maintain_order=True)
    return [
        rows.struct.field("transaction_id").alias("transaction_ids"),
        (rows.len() > 1).alias("multiple_transactions"),
        (nobody_seen & pl.col("is_face_to_face").any()).alias("aggregate"),
        agent.is_null().any().alias("_unknown_agent"),
        agent.filter(for_another).drop_nulls().unique().sort().alias("conducted_by"),
        principal.filter(for_another).unique().sort().alias("on_behalf_of"),
    ]


def _details(entries: pl.DataFrame) -> pl.DataFrame:
    codes = entries.group_by(*DAY, "side", "code").agg(
        whole_dollars(pl.col("amount").sum()).alias("amount")
    )
    detail = pl.struct(pl.col("side").alias("direction"), "code", "amount")
    return codes.sort("side", "code").group_by(DAY).agg(detail.alias("details"))


def _foreign(entries: pl.DataFrame) -> pl.DataFrame:
    found = (
        entries.filter(pl.col("currency") != "USD")
        .group_by(*DAY, "currency", pl.col("currency_country").alias("country"), "side")
        .agg(whole_dollars(pl.col("amount").sum()).alias("amount"))
    )
    each = pl.struct("currency", "country", pl.col("side").alias("direction"), "amount")
    return found.sort("currency", "country", "side").group_by(DAY).agg(each.alias("foreign"))


def _parties(entries: pl.DataFrame) -> pl.DataFrame:
    """Everyone who takes part in a report, with the role and the dollars of that part."""
    agent, principal = pl.col("player_id"), pl.col("on_behalf_of_player_id")
    for_another = principal.is_not_null() & principal.ne_missing(agent)
    parts = [
        entries.filter(~for_another).with_columns(party=agent, role=pl.lit(OWN)),
        entries.filter(for_another).with_columns(party=agent, role=pl.lit(AGENT)),
        entries.filter(for_another).with_columns(party=principal, role=pl.lit(PRINCIPAL)),
    ]
    each = (
        pl.concat(parts)
        .filter(pl.col("party").is_not_null())
        .group_by(*DAY, "party", "role")
        .agg(whole_dollars(_exact("in")).alias("in"), whole_dollars(_exact("out")).alias("out"))
        .sort("party", "role")
    )
    struct = pl.struct(
        pl.col("party").alias("player_id"),
        "role",
        pl.col("in").alias("cash_in"),
        pl.col("out").alias("cash_out"),
    )
    return each.group_by(DAY).agg(struct.alias("parties"))


def _unidentified(rows: pl.DataFrame, player_profile: pl.LazyFrame, today: dt.date) -> pl.DataFrame:
    everybody = pl.concat_list(pl.concat_list("person"), "conducted_by", "on_behalf_of")
    parties = rows.select(
        *DAY, pl.min_horizontal("due", pl.lit(today)).alias("at"), everybody.alias("player_id")
    ).explode("player_id")
    known = known_at(parties.lazy(), player_profile, "at", ["identity_verified"])
    return (
        known.filter(~pl.col("identity_verified").fill_null(value=False))
        .group_by(DAY)
        .agg(pl.col("player_id").unique().sort().alias("unidentified"))
        .collect()
    )
