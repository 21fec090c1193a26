"""Views under the names that readers of a casino's or a shop's warehouse look for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A view of one table, in the schema of a layer or, where that is empty, in the database's
    own."""

    name: str
    layer: str
    table: str
    schema: str = "gold"


VIEWS = (
    View("stg_clickstream", "silver", "clickstream"),
    View("fct_player_metrics", "gold", "player_metrics"),
)

WAREHOUSE = {
    ("silver", "shop_orders"): "raw_transactions",
    ("gold", "fraud_alerts"): "fraud_alerts",
    ("gold", "sales_windows"): "analytics_results",
    ("gold", "kpi"): "kpi_metrics",
}
"""Tables that the shop's warehouse has under names of its own, in its own schema."""
WAREHOUSE_VIEWS = (
    *VIEWS,
    *(View(name, "gold", name, "") for name in (
        "daily_sales_summary", "fraud_analysis", "product_performance",
    )),
    *(View(table, layer, table, layer) for layer, table in WAREHOUSE),
)  # fmt: skip
"""Of what lies in the warehouse under another name, a view where the lake has it."""
