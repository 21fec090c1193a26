"""Truths in SQL, for those who want to see a day's breaches: one row for each.

Only of truths that are not of patrons: whose books differ is told to those with the grant.
"""

from __future__ import annotations

import datetime as dt

from lakehouse.contracts import contract
from lakehouse.contracts.floor.slots import DENOMINATIONS
from lakehouse.gold.floor.slot_performance import Z99
from lakehouse.quality.findings import Truth
from lakehouse.quality.hold import FEWEST_GAMES, deviate_of

_READINGS = """WITH held AS (
  SELECT machine_id, event_type, event_timestamp, coin_in, coalesce(meter_coin_in,
    CASE WHEN event_type = 'METER_UPDATE' THEN coin_in END) AS meter
  FROM silver.slot_telemetry WHERE gaming_day = DATE '{day}'),
readings AS (
  SELECT machine_id, event_timestamp, meter,
    lag(meter) OVER (PARTITION BY machine_id ORDER BY event_timestamp, meter) AS meter_before
  FROM held WHERE meter IS NOT NULL)"""
_SUMS = """SELECT sum(expected) AS {left}, sum(found) AS {right} FROM ({sides})
HAVING sum({less}) {sign} sum({more})"""
_SIDE = (
    "SELECT {expected} AS expected, {found} AS found FROM {table} WHERE gaming_day = DATE '{day}'"
)


def breaches(truth: Truth, day: dt.date) -> str | None:
    """A query of the day's breaches; null where none is written."""
    written = _WRITTEN.get(truth.name)
    return written.replace("{day}", str(day)) if written else None


def _sums(left: tuple[str, ...], right: str, column: str, other: str, *, may_exceed: bool) -> str:
    sides = [_side(table, f"coalesce({column}, 0)", "0") for table in left]
    sides.append(_side(right, "0", f"coalesce({other}, 0)"))
    return _SUMS.format(
        left="_and_".join(table.partition(".")[2] for table in left),
        right=right.partition(".")[2],
        sides=" UNION ALL ".join(sides),
        less="found" if may_exceed else "expected",
        sign="<" if may_exceed else "<>",
        more="expected" if may_exceed else "found",
    )


def _side(table: str, expected: str, found: str) -> str:
    return _SIDE.format(expected=expected, found=found, table=table, day="{day}")


def _differences() -> str:
    """A row for each column of the day's report that is to be 0."""
    columns = [n for n in contract("property_day").columns if n.endswith("_difference")]
    each = " UNION ALL ".join(
        f"SELECT '{n}' AS difference, {n} AS amount FROM gold.property_day "
        "WHERE gaming_day = DATE '{day}'"
        for n in columns
    )
    return f"SELECT * FROM ({each}) WHERE amount <> 0"


def _by(subject: str, table: str) -> str:
    """The clickstream against a mart of it, for each subject."""
    return f"""WITH sides AS (
  SELECT {subject}, bet_amount - win_amount AS staked_less_won, 0 AS ggr
  FROM silver.clickstream WHERE gaming_day = DATE '{{day}}'
  UNION ALL SELECT {subject}, 0, ggr FROM gold.{table} WHERE gaming_day = DATE '{{day}}')
SELECT {subject}, sum(staked_less_won) AS staked_less_won, sum(ggr) AS ggr FROM sides
GROUP BY {subject} HAVING sum(staked_less_won) <> sum(ggr)"""


def _counted(subject: str, sides: dict[str, str], *, of: tuple[str, str]) -> str:
    """Two counts for each subject, where they differ. `sides`: table → what it gives, as
    `subject, first, second`."""
    first, second = of
    entries = "\n  UNION ALL ".join(
        f"SELECT {given} FROM {table} WHERE gaming_day = DATE '{{day}}'"
        for table, given in sides.items()
    )
    return f"""WITH sides AS ({entries})
SELECT {subject}, sum({first}) AS {first}, sum({second}) AS {second} FROM sides
WHERE {subject.split(", ", maxsplit=1)[0]} IS NOT NULL
GROUP BY {subject} HAVING sum({first}) <> sum({second})"""


_DEVIATES = [deviate_of(n + 1) for n in range(len(DENOMINATIONS))]
_WRITTEN = {
    "hold_is_inside_its_interval": f"""WITH held AS (
  SELECT denomination, sum(theo) AS theo, sum(win) AS win, sum(jackpot_amount) AS by_hand,
    sqrt(sum(pow((theoretical_hold - hold_low) / {Z99} * coin_in, 2))) AS deviation
  FROM gold.slot_performance WHERE gaming_day = DATE '{{day}}' AND hold_low IS NOT NULL
  GROUP BY denomination HAVING sum(games_played) >= {FEWEST_GAMES}),
bounded AS (
  SELECT *, deviation * list_extract({_DEVIATES}, count(*) OVER ()) AS within FROM held)
SELECT * FROM bounded WHERE win - theo > within OR win + by_hand - theo < -within""",
    "excluded_do_not_play": """SELECT d.*
FROM (SELECT * FROM gold.player_day WHERE gaming_day = DATE '{day}' AND visits > 0) AS d
JOIN gold.player_value AS v ON v.gaming_day = d.gaming_day AND v.player_id = d.player_id
WHERE v.is_excluded""",
    "raised_are_protected": """SELECT v.*
FROM (SELECT * FROM gold.player_protection
  WHERE gaming_day = DATE '{day}' AND is_marketing_suppressed) AS p
JOIN gold.player_value AS v ON v.gaming_day = p.gaming_day AND v.player_id = p.player_id
WHERE v.may_be_marketed_to OR v.reinvestment_budget <> 0 OR NOT v.is_protected""",
    "behaviour_is_of_the_day": _sums(
        ("gold.player_day",),
        "gold.player_behaviour",
        "coin_in + actual",
        "coin_in + loss",
        may_exceed=False,
    ),
    "purchases_are_paid": """WITH bought AS (
  SELECT order_id, sum(amount) AS bought FROM silver.shop_actions
  WHERE gaming_day = DATE '{day}' AND action = 'purchase' AND order_id IS NOT NULL
  GROUP BY order_id),
paid AS (
  SELECT order_id, sum(amount) AS paid FROM silver.shop_orders
  WHERE gaming_day = DATE '{day}' AND status IN ('completed', 'pending') GROUP BY order_id)
SELECT order_id, bought, coalesce(paid, 0) AS paid FROM bought LEFT JOIN paid USING (order_id)
WHERE bought > 0 AND bought <> coalesce(paid, 0)""",
    "refunds_are_of_a_payment": """SELECT * FROM gold.refunds
WHERE gaming_day = DATE '{day}' AND NOT is_covered""",
    "shop_revenue_is_in_every_mart": """WITH entries AS (
  SELECT unnest(['product_performance', 'daily_sales_summary', 'kpi']) AS mart,
    amount AS silver, 0 AS gold
  FROM silver.shop_orders WHERE gaming_day = DATE '{day}' AND status = 'completed'
  UNION ALL SELECT 'refunds', amount, 0 FROM silver.shop_orders
  WHERE gaming_day = DATE '{day}' AND status = 'refunded'
  UNION ALL SELECT 'product_performance', 0, total_revenue FROM gold.product_performance
  WHERE gaming_day = DATE '{day}'
  UNION ALL SELECT 'daily_sales_summary', 0, total_revenue FROM gold.daily_sales_summary
  WHERE gaming_day = DATE '{day}'
  UNION ALL SELECT 'kpi', 0, gross_revenue FROM gold.kpi WHERE gaming_day = DATE '{day}'
  UNION ALL SELECT 'refunds', 0, amount FROM gold.refunds WHERE gaming_day = DATE '{day}')
SELECT mart, sum(silver) AS silver, sum(gold) AS gold FROM entries
GROUP BY mart HAVING sum(silver) <> sum(gold)""",
    "online_play_is_its_accounts": _by("user_id", "player_metrics"),
    "online_play_is_its_games": _by("game_name", "game_day"),
    "rounds_are_settled_once": """SELECT round_id,
  count(*) FILTER (event_type = 'bet_placed') AS stakes,
  count(*) FILTER (event_type = 'bet_result') AS results
FROM silver.clickstream WHERE gaming_day = DATE '{day}' AND round_id IS NOT NULL
GROUP BY round_id HAVING results > stakes OR (results = stakes AND stakes > 1)""",
    "told_sessions_hold_together": """WITH told AS (
  SELECT session_id, user_id, timestamp - lag(timestamp) OVER (
    PARTITION BY session_id ORDER BY timestamp) AS silence
  FROM silver.clickstream WHERE gaming_day = DATE '{day}' AND session_id IS NOT NULL)
SELECT session_id, count(DISTINCT user_id) AS accounts, max(silence) AS longest_silence
FROM told GROUP BY session_id
HAVING accounts > 1 OR longest_silence >= INTERVAL 30 MINUTE""",
    "disconnections_are_in_the_metrics": _counted(
        "server_id",
        {
            "(SELECT * FROM silver.player_events WHERE event_type = 'disconnect')": (
                "server_id, 1 AS events, 0 AS measured"
            ),
            "silver.server_metrics": "server_id, 0, coalesce(disconnections, 0)",
        },
        of=("events", "measured"),
    ),
    "sales_are_the_purchases": _counted(
        "item_id",
        {
            "silver.purchases": "item_id, price AS paid, 0 AS revenue",
            "gold.item_sales": "item_id, 0, revenue",
        },
        of=("paid", "revenue"),
    ),
    "events_are_of_a_level": _counted(
        "level_id",
        {
            "silver.player_events": "level_id, 1 AS happened, 0 AS counted",
            "gold.player_levels": "level_id, 0, events",
        },
        of=("happened", "counted"),
    ),
    "active_players_are_of_the_day": _counted(
        "level_id, map_id",
        {
            "gold.player_levels": "level_id, map_id, 1 AS there, 0 AS active",
            "gold.level_engagement": "level_id, map_id, 0, active_players",
        },
        of=("there", "active"),
    ),
    "health_is_of_every_minute": _counted(
        "server_id, period",
        {
            "(SELECT *, unnest(['five_minutes', 'day']) AS period FROM silver.server_metrics)": (
                "server_id, period, 1 + coalesce(disconnections, 0) AS measured, 0 AS held"
            ),
            "gold.server_health": "server_id, period, 0, measurements + disconnections",
        },
        of=("measured", "held"),
    ),
    "purchases_lie_in_their_session": """WITH sessions AS (
  SELECT player_id, session_id, min(timestamp) - INTERVAL 30 MINUTE AS since,
    max(timestamp) + INTERVAL 30 MINUTE AS until
  FROM silver.player_events WHERE gaming_day = DATE '{day}' GROUP BY player_id, session_id)
SELECT p.transaction_id, p.purchase_timestamp, s.since, s.until
FROM (SELECT * FROM silver.purchases
  WHERE gaming_day = DATE '{day}' AND session_id IS NOT NULL) AS p
LEFT JOIN sessions AS s ON s.player_id = p.player_id AND s.session_id = p.session_id
WHERE NOT coalesce(p.purchase_timestamp BETWEEN s.since AND s.until, false)""",
    "excluded_are_not_marketed_to": """SELECT * FROM silver.player_profile
WHERE gaming_day = DATE '{day}' AND self_excluded AND
  (marketing_opt_in OR marketing_channel <> 'None')""",
    "meters_never_fall": f"{_READINGS}\nSELECT * FROM readings WHERE meter < meter_before",
    "meters_equal_the_play": f"""{_READINGS},
played AS (
  SELECT p.machine_id, r.event_timestamp, sum(p.coin_in) AS coin_in
  FROM (SELECT * FROM held WHERE event_type = 'GAME_PLAY' AND coin_in > 0) AS p
  ASOF JOIN (SELECT DISTINCT machine_id, event_timestamp FROM readings) AS r
  ON p.machine_id = r.machine_id AND p.event_timestamp <= r.event_timestamp GROUP BY ALL)
SELECT readings.*, coalesce(coin_in, 0) AS coin_in FROM readings
LEFT JOIN played USING (machine_id, event_timestamp)
WHERE meter_before IS NOT NULL AND meter - meter_before <> coalesce(coin_in, 0)""",
    "play_is_what_meters_advanced": """WITH machines AS (
  SELECT abs(meter_variance) * 2 > greatest(coin_in, coin_in + meter_variance) AS is_apart
  FROM gold.slot_performance
  WHERE gaming_day = DATE '{day}' AND meter_variance IS NOT NULL)
SELECT count(*) FILTER (is_apart) AS apart, count(*) AS machines FROM machines
HAVING count(*) FILTER (is_apart) * 2 > count(*)""",
    "property_day_reconciles": _differences(),
    "win_of_the_day_adds_up": _sums(
        ("gold.slot_performance", "gold.table_performance"),
        "gold.property_day",
        "win",
        "win",
        may_exceed=False,
    ),
    "carded_play_is_in_both_marts": _sums(
        ("gold.slot_performance",), "gold.player_day", "carded_coin_in", "coin_in", may_exceed=False
    ),
    "rated_theo_is_in_both_marts": _sums(
        ("gold.player_day",), "gold.table_performance", "table_theo", "theo", may_exceed=True
    ),
    "value_ends_in_the_day": """SELECT d.player_id, d.visits, v.last_visit
FROM (SELECT * FROM gold.player_day WHERE gaming_day = DATE '{day}' AND visits > 0) AS d
LEFT JOIN gold.player_value AS v ON v.gaming_day = d.gaming_day AND v.player_id = d.player_id
WHERE NOT coalesce(v.last_visit = d.gaming_day, false)""",
    "protected_receive_nothing": """SELECT * FROM gold.player_value
WHERE gaming_day = DATE '{day}' AND reinvestment_budget <> 0 AND
  (is_excluded OR is_protected OR account_status IN ('Closed', 'Suspended'))""",
}
