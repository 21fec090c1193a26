"""What is live, for pages and dashboards: each view a frame, made of stored results alone.

A window is told as final where each partition that had events in it is past it, or has been silent
for `IDLE` while others of the topic went on: an idle partition holds no window open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.shop.fraud import IN_FORCE
from lakehouse.errors import BadInput
from lakehouse.gold.money import cents, dollars
from lakehouse.gold.platform.health import server_health
from lakehouse.gold.shop.sales_windows import alert_counts, from_parts
from lakehouse.gold.windows import MEASURES, WHOLE, standing
from lakehouse.settings import Settings
from lakehouse.silver import clean
from lakehouse.storage import Lake

IDLE = dt.timedelta(seconds=60)
_WINDOW = ("kind", "window_start", "gaming_day")
_PART = (*_WINDOW, "topic", "partition", "dimension", "value", "name")
Params = Mapping[str, str]


@dataclass(frozen=True)
class View:
    """A question that may be asked. `params`: name → what it means; each is a whole number, or the
    default is taken."""

    name: str
    says: str
    answer: Callable[[Lake, Settings, Mapping[str, int]], pl.DataFrame]
    params: Mapping[str, int] = field(default_factory=dict)
    domain: str | None = None


def views() -> dict[str, View]:
    """All views by name."""
    windows = {"windows": 20}
    found = (
        View("sales", "Sales of the shop, in windows of a minute that slide by half of one.",
             _sales, windows, "shop"),
        View("conversion", "Of the accounts that looked at products, those that paid, by window.",
             _conversion, windows, "shop"),
        View("top_products", "What sold best in the newest windows.", _top_products,
             {"windows": 20, "products": 10}, "shop"),
        View("active_players", "Players by level and map, in windows of 5 s.", _active_players,
             windows, "platform"),
        View("item_sales", "Items bought in the game, in windows of 10 s.", _item_sales, windows,
             "platform"),
        View("server_health", "Servers of the newest day, by five minutes.", _server_health,
             {"periods": 12}, "platform"),
        View("sessions", "Sessions of the online casino that are open.", _sessions,
             {"sessions": 100}, "online"),
        View("alerts", "Newest alerts of fraud and player protection.", _alerts, {"alerts": 100}),
        View("progress", "How far each partition is, and what became of its events.", _progress),
    )  # fmt: skip
    return {v.name: v for v in found}


def answer(lake: Lake, settings: Settings, view: str, params: Params) -> pl.DataFrame:
    """What the view says now. Raises BadInput for an unknown view or parameter."""
    if view not in views():
        raise BadInput(f"no view {view[:80]!r}; there are: {', '.join(views())}")
    found = views()[view]
    unknown = [p for p in params if p not in found.params]
    if unknown:
        known = ", ".join(found.params) or "none"
        raise BadInput(f"view {view} has no parameter {unknown[0][:80]!r}; known: {known}")
    given = {n: _whole(n, text) for n, text in params.items()}
    return found.answer(lake, settings, {**found.params, **given})


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 10_000 and len(text) < 6):
        raise BadInput(f"{name}={text[:80]!r}: a whole number from 1 to 10000 is allowed")
    return int(text)


def newest(lake: Lake, kinds: tuple[str, ...], windows: int) -> pl.LazyFrame:
    """Parts of the newest windows of these kinds as they stand, with `is_settled`."""
    days = lake.partitions("gold", "live_windows").sort("gaming_day")["gaming_day"].to_list()
    rows = lake.scan("gold", "live_windows").filter(pl.col("kind").is_in(kinds))
    for back in (2, len(days)):
        near = rows.filter(pl.col("gaming_day").is_in(days[-back:] if days else []))
        starts = near.select(pl.col("window_start").unique().sort().tail(windows)).collect()
        if len(starts) == windows or back >= len(days):
            break
    mine = near.filter(pl.col("window_start").is_in(starts["window_start"].implode()))
    stands = mine.sort("version").unique(_PART, keep="last", maintain_order=True)
    amounts = standing(stands.with_columns(amount=cents("amount"))).collect().lazy()
    return amounts.join(_settled(lake, amounts), on=_WINDOW, how="left")


def _settled(lake: Lake, parts: pl.LazyFrame) -> pl.LazyFrame:
    """Windows with whether each partition is past them, or silent while others are not."""
    seen = lake.scan("gold", "live_windows").filter(kind="progress")
    last = seen.group_by("topic", "partition").agg(pl.col("written_at").max())
    silent = last.with_columns(
        is_idle=pl.col("written_at").max().over("topic") - pl.col("written_at") >= IDLE
    )
    whole = parts.filter(dimension=WHOLE).join(silent, on=["topic", "partition"], how="left")
    done = (pl.col("is_final") | pl.col("is_idle")).all()
    return whole.group_by(_WINDOW).agg(is_settled=done).drop("kind").group_by(_WINDOW[1:]).agg(
        pl.col("is_settled").all()
    ).join(whole.select(_WINDOW).unique(), on=_WINDOW[1:])  # fmt: skip


def summed(parts: pl.LazyFrame) -> pl.LazyFrame:
    """Parts added up over partitions: window, dimension, value, name, `MEASURES`, is_final."""
    key = [*_WINDOW, "window_end", "dimension", "value", "name"]
    return parts.group_by(key).agg(pl.col(MEASURES).sum(), is_final=pl.col("is_settled").all())


def _sales(lake: Lake, settings: Settings, given: Mapping[str, int]) -> pl.DataFrame:  # noqa: ARG001
    parts = newest(lake, ("sales", "visits"), given["windows"]).collect().lazy()
    sold, seen = (parts.filter(kind=kind) for kind in ("sales", "visits"))
    table = from_parts(sold, seen, _alert_counts(lake))
    final = parts.group_by(_WINDOW[1:]).agg(is_final=pl.col("is_settled").all())
    status = sold.filter(dimension="status").group_by(_WINDOW[1:]).agg(
        payments=pl.col("events").sum(),
        failed=pl.col("events").filter(value="failed").sum(),
        refunds=pl.col("events").filter(value="refunded").sum(),
        refunded=pl.col("amount").filter(value="refunded").sum(),
    )  # fmt: skip
    found = table.join(final, on=_WINDOW[1:]).join(status, on=_WINDOW[1:], how="left")
    told = found.join(_alert_counts(lake), on=_WINDOW[1:], how="left").with_columns(
        pl.col("payments", "failed", "refunds", "refunded", "alerted").fill_null(0),
    )
    done = told.with_columns(refunded=dollars("refunded"))
    return done.sort("window_start", "gaming_day", descending=True).collect()


def _alert_counts(lake: Lake) -> pl.LazyFrame:
    """Payments of each window that the profile in force alerts of, by what stands now."""
    alerts = _standing(lake).filter(rule=IN_FORCE).select("gaming_day", "event_time")
    return alert_counts(alerts, "event_time")


def _conversion(lake: Lake, settings: Settings, given: Mapping[str, int]) -> pl.DataFrame:  # noqa: ARG001
    parts = summed(newest(lake, ("sales", "visits"), given["windows"])).collect().lazy()
    by = list(_WINDOW[1:])
    acted = parts.filter(dimension="action").group_by(by).agg(
        pl.col("users").filter(value=action).sum().alias(name)
        for action, name in (
            ("view_product", "viewed"),
            ("add_to_cart", "carted"),
            ("checkout_start", "checked_out"),
        )
    )  # fmt: skip
    paid = parts.filter(kind="sales", dimension=WHOLE).group_by(by).agg(paid=pl.col("users").sum())
    final = parts.group_by(by).agg(is_final=pl.col("is_final").all())
    found = final.join(acted, on=by, how="left").join(paid, on=by, how="left")
    rate = (pl.col("paid") / pl.col("viewed")).round(6)
    told = found.with_columns(pl.col("viewed", "carted", "checked_out", "paid").fill_null(0))
    told = told.with_columns(conversion_rate=pl.when(pl.col("viewed") > 0).then(rate))
    return told.sort(by, descending=True).collect()


def _top_products(lake: Lake, settings: Settings, given: Mapping[str, int]) -> pl.DataFrame:  # noqa: ARG001
    """Of every second window: those that slide would count twice."""
    parts = summed(newest(lake, ("sales",), 2 * given["windows"])).filter(dimension="product")
    apart = parts.filter(pl.col("window_start").dt.second() == 0)
    sold = apart.group_by(product_id="value", product_name="name").agg(
        pl.col("transactions").sum(), sales=pl.col("amount").sum()
    )
    best = sold.sort("sales", "product_id", "product_name", descending=[True, False, False])
    return best.head(given["products"]).with_columns(sales=dollars("sales")).collect()


def _active_players(lake: Lake, settings: Settings, given: Mapping[str, int]) -> pl.DataFrame:  # noqa: ARG001
    here = summed(newest(lake, ("play",), given["windows"])).filter(dimension="place")
    place = pl.col("value").str.splitn("/", 2).struct
    return (
        here.select(
            "window_start",
            "window_end",
            level_id=place.field("field_0"),
            map_id=place.field("field_1"),
            active_players="users",
            actions="events",
            is_final="is_final",
        )
        .sort("window_start", "level_id", "map_id", descending=[True, False, False])
        .collect()
    )


def _item_sales(lake: Lake, settings: Settings, given: Mapping[str, int]) -> pl.DataFrame:  # noqa: ARG001
    sold = summed(newest(lake, ("items",), given["windows"])).filter(dimension="item")
    return (
        sold.select(
            "window_start",
            "window_end",
            item_id="value",
            purchase_count="transactions",
            total_revenue=dollars("amount"),
            buyers="users",
            is_final="is_final",
        )
        .sort("window_start", "item_id", descending=[True, False])
        .collect()
    )


def _server_health(lake: Lake, settings: Settings, given: Mapping[str, int]) -> pl.DataFrame:
    """The mart's own function over bronze of the newest day: a server tells once a minute."""
    day = lake.partitions("bronze", "server_metrics")["gaming_day"].max()
    if not isinstance(day, dt.date):
        return contract("server_health").empty()
    rows = lake.scan("bronze", "server_metrics", days=(day, day))
    good = clean("server_metrics", rows, timezone=settings.timezone).good.lazy()
    servers = lake.scan("silver", "servers").select(contract("servers").bronze_schema().names())
    told = server_health(good, servers, days=(day, day)).filter(period="five_minutes").collect()
    starts = told["period_start"].unique().sort().tail(given["periods"])
    near = told.filter(pl.col("period_start").is_in(starts.implode()))
    return near.sort("period_start", "server_id", descending=[True, False])


def _sessions(lake: Lake, settings: Settings, given: Mapping[str, int]) -> pl.DataFrame:
    days = lake.partitions("gold", "live_sessions").sort("gaming_day")["gaming_day"].to_list()
    rows = lake.scan("gold", "live_sessions").filter(pl.col("gaming_day").is_in(days[-2:]))
    key = ["partition", "user_id", "gaming_day", "session_id"]
    mine = rows.filter(topic=contract("clickstream").topic)
    stands = mine.sort("version").unique(key, keep="last", maintain_order=True)
    silence = dt.timedelta(minutes=settings.session_silence_minutes)
    going = pl.col("last_seen") + silence > pl.col("last_seen").max()
    opened = stands.filter(~pl.col("is_final"), pl.col("events") > 0).filter(going)
    told = opened.with_columns(
        minutes=(pl.col("last_seen") - pl.col("started")).dt.total_minutes(),
    ).select("user_id", "session_id", "gaming_day", "started", "last_seen", "minutes", "events",
             "rounds", "stakes", "wins")  # fmt: skip
    newest = told.sort("last_seen", "user_id", "session_id", descending=True)
    return newest.head(given["sessions"]).collect()


def _standing(lake: Lake) -> pl.LazyFrame:
    """Alerts as they were said last, without those that were taken back."""
    rows = lake.scan("gold", "live_alerts").sort("version")
    newest = rows.unique("alert_id", keep="last", maintain_order=True)
    return newest.filter(~pl.col("is_withdrawn"))


def _alerts(lake: Lake, settings: Settings, given: Mapping[str, int]) -> pl.DataFrame:  # noqa: ARG001
    told = _standing(lake).sort("detected_at", "event_time", "alert_id", descending=True)
    return told.head(given["alerts"]).drop("_source").collect()


def _progress(lake: Lake, settings: Settings, given: Mapping[str, int]) -> pl.DataFrame:  # noqa: ARG001
    rows = lake.scan("gold", "live_windows").filter(kind="progress")
    told = rows.group_by("topic", "partition").agg(
        offset=pl.col("version").max(),
        watermark=pl.col("watermark").max(),
        written_at=pl.col("written_at").max(),
        events=pl.col("events").sum(),
        late=pl.col("late").sum(),
        copies=pl.col("copies").sum(),
        rejected=pl.col("rejected").sum(),
    )
    return told.sort("topic", "partition").collect()
