"""Defects of the game platform's tables that the truths between them must find."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from benchmarks.mutations.defects import Mutation, first

_ANY = pl.lit(value=True)
_MOVES = pl.col("event_type") == "move"

PLATFORM = [
    Mutation(
        "A session is cut that the server does not know of",
        "silver",
        "player_events",
        first(_MOVES, event_type="disconnect"),
        ("silver/server_metrics:disconnections_are_in_the_metrics",),
    ),
    Mutation(
        "An item is bought in a session that is not the player's",
        "silver",
        "purchases",
        first(_ANY, session_id="nowhere"),
        ("silver/purchases:purchases_lie_in_their_session",),
    ),
    Mutation(
        "An item brings a dollar more than was paid",
        "gold",
        "item_sales",
        first(_ANY, revenue=pl.col("revenue") + pl.lit(Decimal(1), pl.Decimal(18, 2))),
        ("gold/item_sales:sales_are_the_purchases",),
    ),
    Mutation(
        "An event of a level is counted twice",
        "gold",
        "player_levels",
        first(_ANY, events=pl.col("events") + 1),
        ("gold/player_levels:events_are_of_a_level",),
    ),
    Mutation(
        "A player is active who was not there",
        "gold",
        "level_engagement",
        first(_ANY, active_players=pl.col("active_players") + 1),
        ("gold/level_engagement:active_players_are_of_the_day",),
    ),
    Mutation(
        "A measurement is in no period of five minutes",
        "gold",
        "server_health",
        first(
            (pl.col("period") == "five_minutes") & (pl.col("measurements") > 1),
            measurements=pl.col("measurements") - 1,
        ),
        ("gold/server_health:health_is_of_every_minute",),
    ),
]
