"""Grave alerts become observations of their asset, and are told to whoever is to act."""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.partitions import key_of
from igaming_assets.resources import LakeResource
from lakehouse.contracts.shop.fraud import IN_FORCE
from lakehouse.errors import LakehouseError
from lakehouse.serve.alerts import desk
from lakehouse.serve.alerts.telling import tell
from lakehouse.settings import Settings
from lakehouse.storage import Lake

ALERTS = dg.AssetKey(["gold", "anomalies"])
FRAUD = dg.AssetKey(["gold", "fraud_alerts"])
LIVE = dg.AssetKey(["gold", "live_alerts"])
HOLD = "Hold the order, and ask the account's holder."
Critical = Callable[[Lake, set[dt.date]], list[dict[str, Any]]]
"""CRITICAL alerts of gaming days that are open."""
MOST = 500
"""Materialisations that one look takes; the next look goes on."""
REMEMBERED = 90
"""Gaming days whose alerts are known to have been told; older ones, made again, tell anew."""


def alerts_sensor(settings: Settings) -> dg.SensorDefinition:
    """Looks at each gaming day of alerts once it is made, and tells each CRITICAL one once."""
    return _sensor(
        "critical_alerts",
        ALERTS,
        _critical,
        settings,
        "Observes each CRITICAL alert that is open, says it in the log, and posts it to the "
        "address of the setting alert_webhook.",
    )


def fraud_sensor(settings: Settings) -> dg.SensorDefinition:
    """The same of fraud in the shop, by the tuned profile."""
    return _sensor(
        "critical_fraud",
        FRAUD,
        _critical_fraud,
        settings,
        "Observes each CRITICAL alert of fraud in the shop that is open, says it in the log, and "
        "posts it to the address of the setting alert_webhook.",
    )


def _sensor(
    name: str, asset: dg.AssetKey, critical: Critical, settings: Settings, description: str
) -> dg.SensorDefinition:
    @dg.sensor(
        name=name,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=description,
    )
    def grave_alerts(
        context: dg.SensorEvaluationContext, lake: LakeResource
    ) -> dg.SensorResult | dg.SkipReason:
        cursor = json.loads(context.cursor or "{}")
        made = context.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset, after_storage_id=cursor.get("after")),
            limit=MOST,
            ascending=True,
        ).records
        if not made:
            return dg.SkipReason("no day of alerts was made since the last look")
        days = {dt.date.fromisoformat(r.partition_key) for r in made if r.partition_key}
        standing = critical(lake.lake, days)
        here = {"after": made[-1].storage_id}
        return _raised(context, asset, standing, settings, cursor.get("told", {}), here)

    return grave_alerts


def live_sensor(settings: Settings) -> dg.SensorDefinition | None:
    """The same of alerts that are raised as events come; None where no topic fills a table."""
    if not settings.streamed():
        return None

    @dg.sensor(
        name="critical_live",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Observes each CRITICAL alert that was raised as its event came and still "
        "holds, says it in the log, and posts it to the address of the setting alert_webhook.",
    )
    def grave_events(
        context: dg.SensorEvaluationContext, lake: LakeResource
    ) -> dg.SensorResult | dg.SkipReason:
        cursor = json.loads(context.cursor or "{}")
        version = lake.lake.version("gold", LIVE.path[-1])
        if version == cursor.get("version"):
            return dg.SkipReason("no alert was raised since the last look")
        standing = _critical_live(lake.lake)
        return _raised(
            context, LIVE, standing, settings, cursor.get("told", {}), {"version": version}
        )

    return grave_events


def _raised(
    context: dg.SensorEvaluationContext,
    asset: dg.AssetKey,
    standing: Sequence[dict[str, Any]],
    settings: Settings,
    told: dict[str, list[str]],
    here: Mapping[str, int | None],
) -> dg.SensorResult:
    """Tells those of the alerts that were not `told` (gaming day → ids); the cursor says then
    where the sensor is, and what it told."""
    new = [a for a in standing if a["alert_id"] not in told.get(key_of(a["gaming_day"]), ())]
    try:
        tell(new, settings, context.log)
    except LakehouseError as error:
        # The lake goes on without its listener; the line in the log stands.
        context.log.error(str(error))
    for alert in new:
        told.setdefault(key_of(alert["gaming_day"]), []).append(alert["alert_id"])
    kept = dict(sorted(told.items())[-REMEMBERED:])
    return dg.SensorResult(
        asset_events=[_observed(asset, alert) for alert in new],
        cursor=json.dumps({**here, "told": kept}),
    )


def _critical(lake: Lake, days: set[dt.date]) -> list[dict[str, Any]]:
    if not days:
        return []
    alerts = lake.scan("gold", "anomalies", days=(min(days), max(days))).filter(
        pl.col("gaming_day").is_in(days) & (pl.col("severity") == "CRITICAL")
    )
    return _open(lake, alerts)


def _critical_fraud(lake: Lake, days: set[dt.date]) -> list[dict[str, Any]]:
    """In the words of the other alerts."""
    if not days:
        return []
    alerts = lake.scan("gold", "fraud_alerts", days=(min(days), max(days))).filter(
        pl.col("gaming_day").is_in(days)
        & (pl.col("alert_level") == "CRITICAL")
        & (pl.col("profile") == IN_FORCE)
    )
    told = alerts.select(
        "alert_id",
        "gaming_day",
        pl.col("alert_level").alias("severity"),
        pl.col("rules").list.first().struct.field("rule").alias("rule"),
        pl.lit("account").alias("entity_type"),
        pl.col("user_id").alias("entity_id"),
        pl.col("fraud_score").alias("score"),
        pl.col("fraud_reason").alias("said"),
        pl.lit(HOLD).alias("suggested_action"),
    )
    return _open(lake, told)


def _critical_live(lake: Lake) -> list[dict[str, Any]]:
    """As they were said last, of the newest gaming days; the rule is the profile."""
    days = lake.partitions("gold", LIVE.path[-1])["gaming_day"].drop_nulls().sort()
    if days.is_empty():
        return []
    newest = (days.tail(REMEMBERED)[0], days[-1])
    rows = lake.scan("gold", LIVE.path[-1], days=newest).sort("version")
    stands = rows.unique("alert_id", keep="last", maintain_order=True).filter(
        ~pl.col("is_withdrawn")
        & (pl.col("level") == "CRITICAL")
        & ((pl.col("family") != "fraud") | (pl.col("rule") == IN_FORCE))
    )
    told = stands.select(
        "alert_id",
        "gaming_day",
        "rule",
        "score",
        "said",
        severity="level",
        entity_type=pl.lit("account"),
        entity_id="account",
        suggested_action=pl.lit(HOLD),
    )
    return _open(lake, told)


def _open(lake: Lake, alerts: pl.LazyFrame) -> list[dict[str, Any]]:
    standing = desk.worked(alerts, desk.read(lake))
    return standing.filter(pl.col("state") == "open").to_dicts()


def _observed(asset: dg.AssetKey, alert: Mapping[str, Any]) -> dg.AssetObservation:
    shown = ("severity", "rule", "entity_type", "entity_id", "said", "suggested_action")
    return dg.AssetObservation(
        asset,
        partition=key_of(alert["gaming_day"]),
        description=f"{alert['alert_id']}: {alert['said']}",
        metadata={"alert_id": alert["alert_id"], "score": alert["score"]}
        | {name: alert[name] for name in shown},
    )
