"""Casework on alerts: actions that only append, and how each alert stands that follows."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.alert_shape import SEVERITIES
from lakehouse.contracts.detection.alert_actions import ACTIONS, OUTCOMES
from lakehouse.contracts.shop.fraud import IN_FORCE
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.storage import Lake

TABLE = "alert_actions"
STATES = {"ack": "acknowledged", "close": "closed", "reopen": "open"}
REMEMBERED_DAYS = 30
"""Gaming days of an account that a payment is held against."""
_GRAVITY = {"CRITICAL": "CRITICAL", "HIGH": "WARNING", "MEDIUM": "INFO", "LOW": "INFO"}
_ALIKE = (
    "entity_id",
    "gaming_day",
    "state",
    pl.when(pl.col("family") != "shop").then("rule").alias("of_rule"),
)
"""Alerts are alike that stand the same, of one rule on one entity and gaming day; in the shop,
where each payment is an alert of its own, all of an account on a day."""
_LOG = contract(TABLE).bronze_schema()


def action(
    alert_id: str,
    kind: str,
    *,
    who: str,
    at: dt.datetime,
    reason: str | None = None,
    outcome: str | None = None,
) -> pl.DataFrame:
    """One row for the log (contract `alert_actions`).

    Raises BadInput for an action that lacks what its kind needs.
    """
    if kind not in ACTIONS:
        raise BadInput(f"unknown action {kind!r}; allowed: {', '.join(ACTIONS)}")
    if kind != "ack" and not (reason or "").strip():
        raise BadInput(f"to {kind} alert {alert_id!r} needs a reason")
    if kind == "close" and outcome not in OUTCOMES:
        raise BadInput(
            f"to close alert {alert_id!r} needs an outcome, {outcome!r} is none of "
            f"{', '.join(OUTCOMES)}"
        )
    if not who.strip():
        raise BadInput(f"the action on alert {alert_id!r} does not say who acts")
    row = [alert_id, kind, outcome, reason, who, at.astimezone(dt.UTC)]
    known_by = hashlib.sha256(repr(row).encode()).hexdigest()[:16]
    return pl.DataFrame([[known_by, *row]], schema=_LOG, orient="row")


def act(lake: Lake, rows: pl.DataFrame) -> int:
    """Appends actions of one kind to the log, but for those that change nothing, and says how many.
    Raises BadInput where none does.

    Those who act at the same time take turns: each is judged by all actions before it.
    """
    from lakehouse.storage import append_in_turn

    first = rows.row(0, named=True)
    meant = STATES[first["action"]]

    def changing(before: pl.DataFrame) -> tuple[str, pl.DataFrame]:
        stood = standing(before).select("alert_id", "state")
        left = (
            rows.join(stood, on="alert_id", how="left", maintain_order="left")
            .filter(pl.col("state").fill_null("open") != meant)
            .drop("state")
        )
        if left.is_empty():
            raise BadInput(f"alert {first['alert_id']!r} is {meant} already")
        return first["action_id"], left

    return append_in_turn(lake, "ops", TABLE, changing, log="the log of actions").height


def read(lake: Lake) -> pl.DataFrame:
    """The log, in the order of the actions."""
    return lake.scan("ops", TABLE).collect().sort("acted_at", "action_id")


def standing(actions: pl.DataFrame) -> pl.DataFrame:
    """One row per alert that somebody acted on: alert_id, state, outcome, reason, acted_by,
    acted_at. An alert without a row is open; the last action holds."""
    return (
        actions.sort("acted_at", "action_id")
        .group_by("alert_id", maintain_order=True)
        .last()
        .select(
            "alert_id",
            pl.col("action").replace_strict(STATES, return_dtype=pl.String).alias("state"),
            "outcome",
            "reason",
            "acted_by",
            "acted_at",
        )
    )


def worked(alerts: pl.LazyFrame, actions: pl.DataFrame) -> pl.DataFrame:
    """Alerts with their state, the gravest and newest first."""
    gravest = pl.col("severity").cast(pl.Enum(SEVERITIES))
    return (
        alerts.join(standing(actions).lazy(), on="alert_id", how="left")
        .with_columns(pl.col("state").fill_null("open"))
        .sort(gravest, "gaming_day", "score", "alert_id", descending=[False, True, True, False])
        .collect()
    )


def folded(alerts: pl.DataFrame) -> pl.DataFrame:
    """Of alerts that are alike the gravest, with how many they are (`alerts`)."""
    return alerts.with_columns(pl.len().over(*_ALIKE).alias("alerts")).unique(
        _ALIKE, keep="first", maintain_order=True
    )


def alike(lake: Lake, alert: Mapping[str, Any]) -> list[str]:
    """Ids of the alerts that are like this one (alert_id, entity_id, gaming_day), which comes
    first."""
    given = alert["alert_id"]
    of_day = every(lake).filter(
        pl.col("entity_id") == alert["entity_id"], pl.col("gaming_day") == alert["gaming_day"]
    )
    found = worked(of_day, read(lake))
    mine = found.filter((pl.col("alert_id") == given).any().over(*_ALIKE))["alert_id"]
    return [given, *(other for other in mine if other != given)]


def with_alike(lake: Lake, row: pl.DataFrame, alert: Mapping[str, Any]) -> pl.DataFrame:
    """The action on an alert, and the same on those that are like it."""
    told = row.row(0, named=True)
    same = partial(
        action, kind=told["action"], who=told["acted_by"], at=told["acted_at"],
        reason=told["reason"], outcome=told["outcome"],
    )  # fmt: skip
    return pl.concat([same(other) for other in alike(lake, alert)])


def every(lake: Lake) -> pl.LazyFrame:
    """All alerts in the shape of `anomalies`: those of the floor's rules, and of the shop's
    payments those of the profile in force, by their strongest rule."""
    found = lake.scan("gold", "anomalies")
    strongest = pl.element().sort_by(pl.element().struct.field("score"), descending=True)
    payments = (
        lake.scan("gold", "fraud_alerts")
        .filter(pl.col("profile") == IN_FORCE)
        .select(
            "alert_id",
            "gaming_day",
            "evidence",
            rule=pl.col("rules").list.eval(strongest).list.first().struct.field("rule"),
            entity_id="user_id",
            family=pl.lit("shop"),
            entity_type=pl.lit("account"),
            window_start=pl.col("gaming_day").dt.offset_by(f"-{REMEMBERED_DAYS}d"),
            window_end="gaming_day",
            severity=pl.col("alert_level").replace_strict(_GRAVITY, return_dtype=pl.String),
            score="fraud_score",
            evidence_rows=pl.col("evidence").list.len().cast(pl.Int64),
            said="fraud_reason",
            suggested_action=pl.lit("Hold the payment, and ask the account's holder about it."),
        )
    )
    return pl.concat([found, payments.select(found.collect_schema().names())])


def find(lake: Lake, alert_id: str) -> pl.DataFrame:
    """The one alert of that id, with its state. Raises BadInput for an unknown one."""
    alerts = every(lake).filter(pl.col("alert_id") == alert_id)
    found = worked(alerts, read(lake))
    if found.is_empty():
        raise BadInput(f"unknown alert {alert_id!r}; see `lakehouse alerts list`")
    return found


def source_rows(lake: Lake, alert: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Table as layer.name → its rows that the alert rests on, by the keys and days of its evidence
    (of a lake made before alerts named days, by the keys)."""
    keys = alert.select(pl.col("evidence").explode()).drop_nulls().unnest("evidence")
    days = (alert["window_start"].item(), alert["window_end"].item())
    found = {}
    for (table,), mine in keys.partition_by("table_name", as_dict=True).items():
        about = contract(str(table))
        layer = "silver" if about.layer == "source" else about.layer
        named = pl.concat_str([pl.col(k).cast(pl.String) for k in about.key], separator="/")
        rows = lake.scan(layer, about.name, days=days)
        asked = mine.lazy().select(_record="record_id", _day="gaming_day")
        is_it = (pl.col("_day") == pl.col("gaming_day")).fill_null(value=True)
        named_rows = rows.with_columns(_record=named).join(asked, on="_record").filter(is_it)
        found[f"{layer}.{table}"] = named_rows.drop("_record", "_day").collect()
    return found
