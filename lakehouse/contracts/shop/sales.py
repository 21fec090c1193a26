"""What the shop sold, by window and day, and how visitors came to buy."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table
from lakehouse.contracts.shop.fraud import IN_FORCE
from lakehouse.contracts.shop.orders import CATEGORIES

ALL = "All"
_SOLD = {
    "sales": dy.Decimal(18, 2, nullable=False),
    "transactions": dy.Int64(nullable=False),
}
_MANY = {"transactions": dy.Int64(nullable=False)}


def _fraud_rate() -> dy.Float64:
    return c.number(
        "Of all payments, refused ones and refunds among them, those that profile "
        f"{IN_FORCE} alerts of; empty without a payment.",
        nullable=True,
        unit="fraction",
    )


@table("funnel", layer="gold", grain="one row per category, or all of them, and gaming day")
class Funnel(dy.Schema):
    """How far visitors went. A session that reached a step counts for all before it. What is in
    the cart is checked out and bought together, and so are its categories."""

    product_category = c.code((*CATEGORIES, ALL), "Category, or all together.", key=True)
    gaming_day = c.gaming_day(key=True)
    sessions_viewed = c.count("Sessions that looked at a product.")
    sessions_carted = c.count("Of them those that put one into the cart.")
    sessions_checked_out = c.count("Of them those that began to pay.")
    sessions_bought = c.count("Of them those that bought.")
    visitors_viewed = c.count("Accounts with such a session, as the next three.")
    visitors_carted = c.count("Accounts that put a product into the cart.")
    visitors_checked_out = c.count("Accounts that began to pay.")
    visitors_bought = c.count("Accounts that bought.")
    conversion_rate = c.number("sessions_bought / sessions_viewed.", unit="fraction")


@table(
    "sales_windows",
    layer="gold",
    grain="one row per window of 60 s, sliding by 30 s, and gaming day, in which anything happened",
)
class SalesWindows(dy.Schema):
    """Sales in sliding windows. A transaction is a completed payment of an order's product. A
    window on the border of two gaming days is there in each, with that day's part."""

    window_start = dy.Datetime(
        primary_key=True,
        time_zone="UTC",
        time_unit="us",
        description="Beginning of the window.",
        metadata={"unit": "UTC"},
    )
    gaming_day = c.gaming_day(key=True)
    window_end = c.utc("Its end, not included.")
    transactions = c.count("Completed payments.")
    sales = c.money("Their sum.")
    orders = c.count("Orders that they belong to.")
    average_order_value = c.money("sales / orders; empty without one.", nullable=True)
    unique_users = c.count("Accounts that paid.")
    unique_products = c.count("Different products that were paid.")
    unique_categories = c.count("Different categories that were paid.")
    top_categories = c.structs(
        {"product_category": dy.String(nullable=False), **_SOLD},
        "The five categories of the highest sales, the highest first.",
    )
    top_products = c.structs(
        {
            "product_id": dy.String(nullable=False),
            "product_name": dy.String(nullable=False),
            **_SOLD,
        },
        "The five products of the highest sales, the highest first.",
    )
    payment_methods = c.structs(
        {"payment_method": dy.String(nullable=False), **_MANY},
        "Transactions by way of payment, most first.",
    )
    devices = c.structs(
        {"device_type": dy.String(nullable=False), **_MANY},
        "Transactions by kind of device, most first.",
    )
    countries = c.structs(
        {"country": dy.String(nullable=False), **_MANY}, "Transactions by country, most first."
    )
    visitors = c.count("Accounts that did anything in the shop, or paid.")
    conversion_rate = c.number(
        "unique_users / visitors; empty without visitors.", nullable=True, unit="fraction"
    )
    fraud_rate = _fraud_rate()
    revenue_per_user = c.money("sales / unique_users; empty without one.", nullable=True)
    transactions_per_user = c.number(
        "transactions / unique_users; empty without one.", nullable=True
    )


@table(
    "shop_hours", layer="gold", grain="one row per hour and gaming day in which anything happened"
)
class ShopHours(dy.Schema):
    """The shop by the hour, of UTC's clock. A transaction is a completed payment."""

    hour_start = dy.Datetime(
        primary_key=True,
        time_zone="UTC",
        time_unit="us",
        description="Beginning of the hour.",
        metadata={"unit": "UTC"},
    )
    gaming_day = c.gaming_day(key=True)
    transactions = c.count("Completed payments.")
    sales = c.money("Their sum.")
    orders = c.count("Orders that they belong to.")
    average_order_value = c.money("sales / orders; empty without one.", nullable=True)
    unique_users = c.count("Accounts that paid.")
    visitors = c.count("Accounts that did anything in the shop, or paid.")
    conversion_rate = c.number("unique_users / visitors.", nullable=True, unit="fraction")
    failed_transactions = c.count("Refused payments.")
    refunded = c.money("Sum of what was given back.")
    fraud_rate = _fraud_rate()


@table("daily_sales_summary", layer="gold", grain="one row per gaming day with a payment")
class DailySalesSummary(dy.Schema):
    """The day's payments at a glance. Revenue is what was completed; what is given back counts
    among the transactions and is in kpi."""

    sale_date = c.day("Gaming day of the sales.", key=True)
    total_transactions = c.count("Payments, refused and pending ones and refunds among them.")
    total_revenue = c.money("Sum of the completed.")
    avg_transaction_value = c.money("Mean of the completed; empty without one.", nullable=True)
    unique_customers = c.count("Accounts with a completed one.")
    categories_sold = c.count("Different categories of the completed.")
    completed_transactions = c.count("Completed payments.")
    failed_transactions = c.count("Refused ones.")
    gaming_day = c.gaming_day()


@table("product_performance", layer="gold", grain="one row per product sold and gaming day")
class ProductPerformance(dy.Schema):
    """What was sold of a product: completed payments only."""

    product_category = c.code(CATEGORIES, "Category.", key=True)
    product_name = c.text("Product.", key=True)
    total_sales = c.count("Completed payments.", minimum=1)
    total_revenue = c.money("Their sum.")
    avg_price = c.money("Revenue by piece.")
    unique_customers = c.count("Accounts that bought it.", minimum=1)
    category_rank = c.count("Place by revenue in its category; equals share the best.", minimum=1)
    gaming_day = c.gaming_day(key=True)


@table("kpi", layer="gold", grain="one row per gaming day with a completed payment")
class Kpi(dy.Schema):
    """Figures by which the shop is led."""

    gaming_day = c.gaming_day(key=True)
    gross_revenue = c.money("Sum of the completed payments.")
    refunded = c.money("Sum of what was given back on the day, of payments of any day.")
    revenue = c.money("gross_revenue - refunded.", minimum=None)
    transactions = c.count("Completed payments.")
    orders = c.count("Orders that they belong to.")
    average_order_value = c.money("gross_revenue / orders.")
    customers = c.count("Accounts that paid.")
    conversion_rate = c.number(
        "Of the sessions that looked at a product, those that bought; empty without one.",
        nullable=True,
        unit="fraction",
    )
    fraud_rate = _fraud_rate()
    top_category = c.code(CATEGORIES, "Category of the highest sales.")
    top_product = c.text("Product of the highest sales.")
    acquisition_rate = c.number(
        "Share of the customers who paid nothing in the 30 gaming days before.",
        unit="fraction",
    )
    growth_rate = c.number(
        "gross_revenue against the gaming day before, less 1; empty without sales on it.",
        nullable=True,
        unit="fraction",
    )
    transactions_per_minute = c.number("transactions / minutes of the gaming day.")
