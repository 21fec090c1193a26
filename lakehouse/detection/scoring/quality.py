"""Alerts against the truth: which are true, which cases they find, and how well they rank.

Three kinds of frame go in. `alerts`: gold.anomalies, or restricted.alerts of the same shape.
`plants`: truth/plants. `units`: what there could be an alert of, a row per entity and gaming day:
`entity_id`, `gaming_day`, `entity_type`, and `amount`, what the entity moved that day.

What is ranked are the entities of a window, by their highest score in it: that of their alerts, or
of `scores` for a rule that scores everybody. Average precision is exact: entities without a score,
or with 0, share the last place, so that they are one step of the curve, whose
precision is the base rate (Boyd, Eng and Page 2013, without interpolation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from lakehouse.contracts.columns import STRENGTHS
from lakehouse.contracts.detection.detection_quality import EVERY, LONGEST, WINDOW
from lakehouse.detection.windows import trailing
from lakehouse.regulation.gaming_day import Days

DIGITS = 9
_CASE = ("rule", "plant_id")
_OF = ("as_of", "rule")
_UNIT = (*_OF, "entity_id")
_SCORES = pl.Schema(
    {"rule": pl.String, "entity_id": pl.String, "gaming_day": pl.Date, "score": pl.Float64}
)


def quality(
    alerts: pl.DataFrame,
    plants: pl.DataFrame,
    units: pl.DataFrame,
    days: Days,
    *,
    families: Mapping[str, str],
    window: int = WINDOW,
    scores: pl.DataFrame | None = None,
    strengths: Sequence[str] = STRENGTHS,
) -> pl.DataFrame:
    """Rows in the shape of `detection_quality` for each of `days` in whose `window` gaming days a
    case of a rule shows. The frames hold at least these days, alerts and plants also those of a
    case that ended on the first of them, `LONGEST` at the most; `families`: rule → family, of the
    rules that are scored; `scores`: rows of `rule`, `entity_id`, `gaming_day` and `score`, by which
    the entities of its rules are ranked in place of their alerts; `strengths`: those that have rows
    of their own beside all cases together."""
    cases, shown = _cases(plants), _shown(plants)
    every = pl.DataFrame(schema=_SCORES) if scores is None else scores.cast(_SCORES)
    judged = _judged(alerts, shown)

    def within(frame: pl.DataFrame, on: str = "gaming_day") -> pl.DataFrame:
        return trailing(frame.lazy(), days, window - 1, on=on).collect()

    told, planted = within(judged), within(shown.filter(~pl.col("is_look_alike")), "day")
    ranking, at_risk = within(every), _at_risk(within(units))
    reached = trailing(judged.lazy(), days, window - 1 + LONGEST - 1).collect()
    ended = _ended(within(cases, "ends"), reached)
    parts = [
        _measured(told, ranking, cases, planted, at_risk, ended, strength)
        for strength in (EVERY, *strengths)
    ]
    known = pl.DataFrame(list(families.items()), schema=["rule", "family"], orient="row")
    return pl.concat(parts).join(known, on="rule").sort("gaming_day", "rule", "strength")


def _shown(plants: pl.DataFrame) -> pl.DataFrame:
    """Where each case or look-alike shows: a row per entity and day."""
    return plants.filter(pl.col("intensity").is_not_null()).select(
        pl.col("expected_rule").alias("rule"),
        "plant_id",
        "entity_id",
        pl.col("gaming_day").alias("day"),
        pl.col("strength").cast(pl.String),
        "is_look_alike",
    ).unique()  # fmt: skip


def _cases(plants: pl.DataFrame) -> pl.DataFrame:
    real = plants.filter(~pl.col("is_look_alike") & pl.col("intensity").is_not_null())
    return real.group_by(pl.col("expected_rule").alias("rule"), "plant_id").agg(
        pl.col("strength").cast(pl.String).first(),
        ends=pl.col("window_end").max(),
    )


def _judged(alerts: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """A row per alert and case that it is true of; one without a case for any other. An alert of
    several entities is true where a case shows on one of them."""
    each = alerts.select(
        "alert_id", "rule", "gaming_day", "window_start", "score",
        pl.col("entity_id").str.split("+").alias("entity_id"),
    ).explode("entity_id")  # fmt: skip
    inside = pl.col("day").is_between("window_start", "gaming_day")
    met = each.join(shown, on=["rule", "entity_id"], how="left")
    met = met.with_columns(
        plant_id=pl.when(inside & ~pl.col("is_look_alike")).then("plant_id"),
        strength=pl.when(inside & ~pl.col("is_look_alike")).then("strength"),
        looks=(inside & pl.col("is_look_alike")).fill_null(value=False),
    )
    is_true = pl.col("plant_id").is_not_null()
    keys = ["alert_id", "rule", "gaming_day", "score"]
    return (
        met.group_by(*keys, "plant_id", "strength")
        .agg(pl.col("looks").any(), pl.col("entity_id").unique())
        .with_columns(
            is_true=is_true.any().over("alert_id"), looks=pl.col("looks").any().over("alert_id")
        )
        .filter(is_true | ~pl.col("is_true"))
    )  # fmt: skip


def _measured(
    told: pl.DataFrame,
    ranking: pl.DataFrame,
    cases: pl.DataFrame,
    planted: pl.DataFrame,
    at_risk: pl.DataFrame,
    ended: pl.DataFrame,
    strength: str,
) -> pl.DataFrame:
    wanted = pl.lit(value=True) if strength == EVERY else pl.col("strength") == strength
    # An alert that is true of a case of another strength is neither true nor false here.
    alerts = told.filter(wanted | ~pl.col("is_true"))
    where, others = planted.filter(wanted), planted.filter(~wanted)
    counted = (
        where.group_by(_OF)
        .agg(cases=pl.col("plant_id").n_unique())
        .join(_of_alerts(alerts), on=_OF, how="left")
        .join(_of_cases(alerts, where, cases), on=_OF, how="left")
        .join(_of_ended(ended.filter(wanted)), on=_OF, how="left")
        .join(_ranked(_ranks(alerts, ranking), where, others, at_risk), on=_OF, how="left")
    )
    return _told(counted, strength)


def _of_alerts(alerts: pl.DataFrame) -> pl.DataFrame:
    one = alerts.unique(["as_of", "alert_id"])
    return one.group_by(_OF).agg(
        alerts=pl.len().cast(pl.Int64),
        alerts_true=pl.col("is_true").sum().cast(pl.Int64),
        alerts_on_look_alikes=(pl.col("looks") & ~pl.col("is_true")).sum().cast(pl.Int64),
    )


def _of_cases(alerts: pl.DataFrame, where: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Of cases that show in the window: one before it may still be alerted of."""
    here = where.select("as_of", *_CASE).unique()
    alerted = alerts.filter("is_true").join(here, on=["as_of", *_CASE], how="semi")
    true = alerted.group_by("as_of", *_CASE).agg(first=pl.col("gaming_day").min())
    lead = (pl.col("ends") - pl.col("first")).dt.total_days()
    found = true.join(cases.select(*_CASE, "ends"), on=_CASE).with_columns(lead=lead)
    lead_days = pl.col("lead").cast(pl.Float64).median()
    return found.group_by(_OF).agg(cases_found=pl.col("plant_id").n_unique(), lead_days=lead_days)


def _ended(cases: pl.DataFrame, alerts: pl.DataFrame) -> pl.DataFrame:
    """Cases whose last day is in the window, and whether an alert was ever true of them: of one
    that has only begun there is little to see, and one that is over may have been alerted of
    before the window."""
    met = alerts.filter("is_true").select("as_of", *_CASE, found=pl.lit(value=True)).unique()
    ended = cases.join(met, on=["as_of", *_CASE], how="left")
    return ended.with_columns(pl.col("found").fill_null(value=False))


def _of_ended(ended: pl.DataFrame) -> pl.DataFrame:
    return ended.group_by(_OF).agg(
        cases_ended=pl.len().cast(pl.Int64), cases_ended_found=pl.col("found").sum().cast(pl.Int64)
    )


def _ranks(alerts: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """The highest score of each entity: of its alerts, or of the scores of a rule that has them."""
    columns = [*_UNIT, "score"]
    told = alerts.explode("entity_id").select(columns).join(scores, on="rule", how="anti")
    scored = scores.filter(pl.col("score") > 0).select(columns)
    return pl.concat([told, scored]).group_by(_UNIT).agg(pl.col("score").max())


def _at_risk(units: pl.DataFrame) -> pl.DataFrame:
    """What there could be an alert of in each window: a row per entity, with its `rank` by amount
    among the `units` of its type, and how many `days` have any of them."""
    of_type = ("as_of", "entity_type")
    days = units.group_by(of_type).agg(days=pl.col("gaming_day").n_unique().cast(pl.Int64))
    return (
        units.group_by(*of_type, "entity_id")
        .agg(pl.col("amount").sum().round(2))
        .sort("entity_id")
        .with_columns(
            rank=pl.col("amount").rank("ordinal", descending=True).over(of_type),
            units=pl.len().over(of_type).cast(pl.Float64),
        )
        .join(days, on=of_type)
    )


def _ranked(
    ranks: pl.DataFrame, where: pl.DataFrame, others: pl.DataFrame, at_risk: pl.DataFrame
) -> pl.DataFrame:
    """base_rate, auprc, amount_auprc and days of each rule and day asked for. Entities with a case
    of another strength are left out of the ranking by score."""
    types = at_risk.select("entity_id", "entity_type").unique()
    kinds = where.select("rule", "entity_id").unique().join(types, on="entity_id")
    kind = kinds.group_by("rule").agg(pl.col("entity_type").mode().sort().first())
    positive = (
        where.select(*_UNIT).unique().join(kind, on="rule")
        .join(at_risk, on=["as_of", "entity_type", "entity_id"])
    )  # fmt: skip
    totals = positive.group_by(*_OF, "units", "days").agg(positives=pl.len().cast(pl.Float64))
    scored = (
        ranks.join(kind, on="rule")
        .join(at_risk.select("as_of", "entity_type", "entity_id"),
              on=["as_of", "entity_type", "entity_id"])
        .join(others.select(_UNIT).unique(), on=_UNIT, how="anti")
    )  # fmt: skip
    base = pl.col("positives") / pl.col("units")
    rest = pl.col("positives") - pl.col("scored_hits").fill_null(0)
    return (
        totals.join(_area(scored, positive), on=_OF, how="left")
        .join(_by_amount(positive), on=_OF, how="left")
        .select(
            *_OF,
            "days",
            base_rate=base,
            auprc=(pl.col("area").fill_null(0.0) + rest * base) / pl.col("positives"),
            amount_auprc="by_amount",
        )
    )


def _area(scored: pl.DataFrame, positive: pl.DataFrame) -> pl.DataFrame:
    """The area under the steps of the curve that have a score, times the positives; and how many
    of these it reaches. Equal scores are one step."""
    hits = positive.select(*_UNIT, hit=pl.lit(value=True))
    return (
        scored.join(hits, on=_UNIT, how="left")
        .group_by(*_OF, "score")
        .agg(n=pl.len(), hits=pl.col("hit").fill_null(value=False).sum())
        .sort("score", descending=True)
        .with_columns(
            all_n=pl.col("n").cum_sum().over(_OF), all_hits=pl.col("hits").cum_sum().over(_OF)
        )
        .group_by(_OF)
        .agg(
            area=(pl.col("hits") * pl.col("all_hits") / pl.col("all_n")).sum(),
            scored_hits=pl.col("hits").sum(),
        )
    )


def _by_amount(positive: pl.DataFrame) -> pl.DataFrame:
    """Average precision of the positives' places in the order of amounts."""
    placed = positive.sort("rank").with_columns(k=pl.col("rank").rank("ordinal").over(_OF))
    return placed.group_by(_OF).agg(by_amount=(pl.col("k") / pl.col("rank")).mean())


def _told(counted: pl.DataFrame, strength: str) -> pl.DataFrame:
    zero = (
        "cases_found", "cases_ended", "cases_ended_found",
        "alerts", "alerts_true", "alerts_on_look_alikes", "days",
    )  # fmt: skip
    whole = counted.with_columns(
        pl.col(zero).fill_null(0).cast(pl.Int64), cases=pl.col("cases").cast(pl.Int64)
    )

    def ratio(part: str, of: str) -> pl.Expr:
        return pl.when(pl.col(of) > 0).then(pl.col(part) / pl.col(of))

    return whole.select(
        pl.col("as_of").alias("gaming_day"),
        "rule",
        pl.lit(strength).alias("strength"),
        "days",
        "cases",
        *zero[:-1],
        recall=ratio("cases_found", "cases"),
        recall_ended=ratio("cases_ended_found", "cases_ended"),
        precision=ratio("alerts_true", "alerts"),
        alerts_per_day=ratio("alerts", "days"),
        alerts_per_case=ratio("alerts", "cases_found"),
        lead_days=pl.col("lead_days"),
        # A sum's last digits depend on the order of its rows, and a day made again is the same.
        base_rate=pl.col("base_rate").round(DIGITS),
        auprc=pl.col("auprc").round(DIGITS),
        amount_auprc=pl.col("amount_auprc").round(DIGITS),
    )
