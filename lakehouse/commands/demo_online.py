"""What `lakehouse demo` shows of the parts of the house that are not the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.settings import Settings
    from lakehouse.storage import Days, Lake

PATRONS = 5


def online_days(settings: Settings, lake: Lake, days: Days) -> pl.DataFrame | None:
    """Grain: gaming day: what the casino, the game platform and the shop did, of those that the
    lake has; None where it has none."""
    parts = {"online": _casino, "platform": _platform, "shop": _shop}
    found = [told(lake, days) for domain, told in parts.items() if domain in settings.domains]
    if not found:
        return None
    whole = found[0]
    for part in found[1:]:
        whole = whole.join(part, on="gaming_day", how="full", coalesce=True)
    return whole.sort("gaming_day").collect()


def patrons_online(settings: Settings, lake: Lake, days: Days) -> pl.DataFrame | None:
    """Patrons who played on the floor and online, by what both brought; None without either."""
    import polars as pl

    if "online" not in settings.domains:
        return None
    floor = (
        lake.scan("gold", "player_day", days=days)
        .group_by("player_id")
        .agg(
            floor_days=pl.col("gaming_day").n_unique(),
            floor_theo=pl.col("theo").sum(),
        )
    )
    online = lake.scan("gold", "player_metrics", days=days).drop_nulls("player_id")
    played = online.group_by("player_id").agg(
        online_days=pl.col("gaming_day").n_unique(),
        online_rounds=pl.col("rounds").sum(),
        online_ngr=pl.col("ngr").sum(),
    )
    both = floor.join(played, on="player_id")
    order = ["floor_theo", "player_id"]
    return both.sort(order, descending=[True, False]).head(PATRONS).collect()


def _casino(lake: Lake, days: Days) -> pl.LazyFrame:
    import polars as pl

    played = lake.scan("gold", "player_metrics", days=days)
    return played.group_by("gaming_day").agg(
        casino_players=pl.len(),
        sessions=pl.col("sessions").sum(),
        stakes=pl.col("stakes").sum(),
        ggr=pl.col("ggr").sum(),
        ngr=pl.col("ngr").sum(),
    )


def _platform(lake: Lake, days: Days) -> pl.LazyFrame:
    import polars as pl

    sold = lake.scan("gold", "item_sales", days=days)
    return sold.group_by("gaming_day").agg(
        items_sold=pl.col("purchases").sum(), item_revenue=pl.col("revenue").sum()
    )


def _shop(lake: Lake, days: Days) -> pl.LazyFrame:
    import polars as pl

    return lake.scan("gold", "kpi", days=days).select(
        "gaming_day",
        "orders",
        shop_revenue="revenue",
        conversion=pl.col("conversion_rate").round(4),
    )
