"""The web shop's catalogue, what visitors do, and their payments."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

ACTIONS = ("view_product", "add_to_cart", "checkout_start", "purchase", "page_refresh")
CATEGORIES = (
    "Electronics",
    "Clothing",
    "Books",
    "Home & Garden",
    "Sports",
    "Beauty",
    "Toys",
    "Automotive",
    "Gift Cards",
)
PAYMENT_METHODS = ("credit_card", "debit_card", "paypal", "apple_pay", "google_pay")
STATUSES = ("completed", "pending", "failed", "refunded")
BROWSERS = ("chrome", "firefox", "safari", "edge")


@table("products", layer="source", grain="one row per product and gaming day")
class Products(dy.Schema):
    """The shop's catalogue, with the price of the day."""

    product_id = c.text("Product number.", key=True)
    product_name = c.text("Product.")
    product_category = c.code(CATEGORIES, "Category.", names=("category",))
    price = c.money("Price.")
    gaming_day = c.gaming_day(key=True)
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()


@table(
    "shop_actions",
    layer="source",
    grain="one row per action of a visitor",
    event_time="timestamp",
    kind="action",
    monthly_rows=240_000,
    topic="shop_actions",
    topic_key="user_id",
)
class ShopActions(dy.Schema):
    """What visitors of the shop did, from looking at a product to buying it."""

    user_id = c.account()
    action = c.code(ACTIONS, "What was done.", names=("event", "event_type"))
    timestamp = c.utc("When it was done.")
    category = c.code(CATEGORIES, "Category of the product.", nullable=True)
    amount = c.money("Price of the product, or sum of the order.", nullable=True)
    event_id = c.text("Event number, unique.", key=True)
    session_id = c.text("Session, where the client tells it.", nullable=True)
    product_id = c.text("Product.", nullable=True, refs="products.product_id")
    order_id = c.text("Order, of a purchase.", nullable=True)
    device_type = c.code(c.DEVICES, "Kind of device.", nullable=True)
    ip_address = c.ip_address()
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()


@table(
    "shop_orders",
    layer="source",
    grain="one row per payment, refund or failed attempt of an order's product",
    event_time="timestamp",
    kind="status",
    topic="sales_stream",
    topic_key="user_id",
)
class ShopOrders(dy.Schema):
    """Payments of the shop. An order has a row for each attempt to pay a product: failed ones,
    one that went through or is pending, and the refund that may follow, which names it."""

    transaction_id = c.text("Transaction number, unique.", key=True)
    user_id = c.account()
    user_email = c.text("E-mail.", pii="direct", protect="token", token_field="email")
    user_name = c.text("Name.", pii="direct", protect="token")
    product_id = c.text("Product.", refs="products.product_id")
    product_name = c.text("Product's name.")
    product_category = c.code(CATEGORIES, "Category.")
    amount = c.money("What was paid, tried or given back.")
    currency = c.text("ISO 4217 currency.", regex="^[A-Z]{3}$", upper=True)
    payment_method = c.code(PAYMENT_METHODS, "How it was paid.")
    status = c.code(STATUSES, "What became of it.")
    timestamp = c.utc("When it happened.")
    country = c.text("Country that it came from.", regex="^[A-Z]{2}$", upper=True)
    state = c.text("State or region.", nullable=True, pii="quasi")
    city = c.text("City.", nullable=True, pii="quasi")
    zip_code = c.text("Postal code.", nullable=True, pii="quasi", protect="zip3")
    latitude = c.number("Latitude, to a hundredth of a degree.", nullable=True, unit="degrees")
    longitude = c.number("Longitude, to a hundredth of a degree.", nullable=True, unit="degrees")
    session_id = c.text("Session, where the client tells it.", nullable=True)
    device_type = c.code(c.DEVICES, "Kind of device.")
    browser = c.code(BROWSERS, "Browser.")
    ip_address = c.ip_address(nullable=False)
    device_id = c.text(
        "The device, where it is known.",
        nullable=True,
        pii="direct",
        protect="token",
        token_field="device",
    )
    order_id = c.text("Order that the payment is of.")
    quantity = c.count("Pieces.", minimum=1)
    unit_price = c.money("Price of one piece.")
    refund_of = c.text("Transaction that is given back, of a refund.", nullable=True)
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()
