"""Impossible travel: one patron, two places, less time than any flight takes."""

from __future__ import annotations

import polars as pl

EARTH_KM = 6371.0088
NOT_A_PLACE = ("vpn", "carrier")
"""Network addresses that say nothing of where a person is."""


def distance_km(lat1: pl.Expr, lon1: pl.Expr, lat2: pl.Expr, lon2: pl.Expr) -> pl.Expr:
    """Great-circle distance of two points in degrees, by the haversine formula."""
    a, b = lat1.radians(), lat2.radians()
    half_lat, half_lon = (b - a) / 2, (lon2 - lon1).radians() / 2
    h = half_lat.sin() ** 2 + a.cos() * b.cos() * half_lon.sin() ** 2
    return 2 * EARTH_KM * h.sqrt().clip(0, 1).arcsin()


def impossible_travel(
    events: pl.LazyFrame, *, km_per_hour: float, km: float = 100.0
) -> pl.LazyFrame:
    """One row per pair of consecutive located events of a patron that are more than `km`
    apart at more than `km_per_hour`.

    `events`: event_id, player_id, at (UTC), latitude, longitude, kind ("property", "network",
    "vpn", "carrier"). Events of kind vpn and carrier are ignored; of two events at one moment
    the one on the property holds. Answers player_id, from_id, to_id, at, km, km_per_hour.
    """
    placed = events.filter(~pl.col("kind").is_in(NOT_A_PLACE) & pl.col("player_id").is_not_null())
    on_property = (pl.col("kind") == "property").cast(pl.Int8)
    one_place = (
        placed.sort("player_id", "at", on_property, descending=[False, False, True])
        .unique(["player_id", "at"], keep="first", maintain_order=True)
        .with_columns(
            pl.col("event_id", "at", "latitude", "longitude")
            .shift(1)
            .over("player_id")
            .name.prefix("_")
        )
        .filter(pl.col("_event_id").is_not_null())
    )
    hours = (pl.col("at") - pl.col("_at")).dt.total_microseconds() / 3.6e9
    way = distance_km(*(pl.col(c) for c in ("_latitude", "_longitude", "latitude", "longitude")))
    return (
        one_place.with_columns(way.alias("km"))
        .with_columns((pl.col("km") / hours).alias("km_per_hour"))
        .filter((pl.col("km") > km) & (pl.col("km_per_hour") > km_per_hour))
        .select(
            "player_id",
            pl.col("_event_id").alias("from_id"),
            pl.col("event_id").alias("to_id"),
            "at",
            "km",
            "km_per_hour",
        )
    )
