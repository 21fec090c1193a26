"""The shop's products and what they cost on a day."""

from __future__ import annotations

import functools

import numpy as np
import polars as pl

from lakehouse.contracts.shop.orders import CATEGORIES
from lakehouse.simulate.kernel import frames
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, draw, key
from lakehouse.simulate.kernel.ids import numbered
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World

RANGES = (
    (50, 2000),
    (10, 500),
    (5, 50),
    (20, 800),
    (15, 300),
    (5, 200),
    (10, 150),
    (25, 1000),
)
"""Dollars, by category; gift cards cost what they are good for."""
GIFT_CARDS = CATEGORIES.index("Gift Cards")
_WORDS = (
    "Headphones,Smart Watch,Tablet 11,Laptop 15,Phone Pro,Action Camera,E-Reader,Soundbar,"
    "Router AX,Games Console,Monitor 27,Drone Mini,Keyboard TKL,Portable Drive",
    "Rain Jacket,Wool Coat,Denim Jeans,Running Shoes,Linen Shirt,Leather Belt,Silk Scarf,"
    "Winter Boots,Summer Dress,Hoodie,Dress Shoes,Cap,Evening Suit,Gloves",
    "Crime Novel,Cook Book,Atlas,Poker Theory,Biography,Travel Guide,Fantasy Saga,Picture Book,"
    "History of Chance,Garden Almanac,Poetry,Thriller,Art Monograph,Dictionary",
    "Espresso Machine,Lawn Mower,Desk Lamp,Cast-Iron Pan,Duvet Set,Tool Box,Air Fryer,Rug 160,"
    "Garden Chair,Vacuum Cleaner,Bookshelf,Plant Pots,Knife Set,Patio Heater",
    "Yoga Mat,Tennis Racket,Dumbbells,Bike Helmet,Football,Sleeping Bag,Ski Goggles,Golf Balls,"
    "Swim Fins,Climbing Rope,Hiking Poles,Rowing Handle,Skates,Camping Stove",
    "Perfume,Face Cream,Hair Dryer,Lipstick Set,Beard Oil,Shampoo,Nail Kit,Sun Lotion,"
    "Electric Razor,Bath Salts,Hand Soap,Serum,Make-Up Mirror,Body Butter",
    "Building Bricks,Puzzle 1000,Board Game,Toy Train,Plush Bear,Model Car,Kite,Chess Set,"
    "Doll House,Water Blaster,Magic Kit,Card Game,Robot Kit,Toy Kitchen",
    "Dash Camera,Tyre Set,Roof Box,Battery 70Ah,Seat Covers,Tow Rope,Wiper Blades,Car Charger,"
    "Child Seat,Jump Starter,Floor Mats,Motor Oil,Bike Carrier,Wheel Rims",
)
_CARDS = (
    ("Prepaid Voucher 0.50", 50),
    ("Prepaid Voucher 1", 100),
    ("Prepaid Voucher 5", 500),
    ("Prepaid Voucher 10", 1_000),
    ("Gift Card 25", 2_500),
    ("Gift Card 50", 5_000),
    ("Gift Card 100", 10_000),
    ("Gift Card 200", 20_000),
    ("Prepaid Card 100", 10_000),
    ("Gift Card 500", 50_000),
)
NAMES = tuple(name for line in _WORDS for name in line.split(",")) + tuple(n for n, _ in _CARDS)
COUNT = len(NAMES)
CATEGORY: I64 = np.array(
    [k for k, line in enumerate(_WORDS) for _ in line.split(",")] + [GIFT_CARDS] * len(_CARDS)
)
"""By product."""
FIRST: I64 = np.searchsorted(CATEGORY, np.arange(len(CATEGORIES)))
"""By category, its first product."""
SIZE: I64 = np.bincount(CATEGORY)
VOUCHERS = tuple(range(int(FIRST[GIFT_CARDS]), int(FIRST[GIFT_CARDS]) + 4))
CARDS = tuple(range(VOUCHERS[-1] + 1, COUNT))
_CHANGE_DAYS = 60
"""Between two prices of a product at the least."""


@functools.lru_cache(maxsize=64)
def base_cents(seed: int) -> I64:
    """By product, its first price: the dearer, the fewer, and all end on 99 but for cards."""
    h = _hash(seed, "price")
    part = below(h, 1_000)
    low, high = np.array([*RANGES, (0, 0)])[CATEGORY].T
    dollars = low + (high - low - 1) * part * part // 1_000_000
    cards = np.zeros(COUNT, dtype=np.int64)
    cards[FIRST[GIFT_CARDS] :] = [cents for _, cents in _CARDS]
    return np.where(CATEGORY == GIFT_CARDS, cards, dollars * 100 + 99)


@functools.lru_cache(maxsize=64)
def price_cents(seed: int, day: int) -> I64:
    """By product, the price of a day. It changes rarely, by up to a twelfth, and stays in the
    range of the category."""
    base = base_cents(seed)
    period = _CHANGE_DAYS + below(_hash(seed, "period"), 120)
    turn = (day + below(_hash(seed, "phase"), 180)) // period
    percent = 92 + below(draw(key(seed, "shop:change"), np.arange(COUNT), turn), 17)
    low, high = np.array([*RANGES, (0, 0)])[CATEGORY].T * 100
    return np.where(CATEGORY == GIFT_CARDS, base, np.clip(base * percent // 100, low, high))


def product_ids(product: I64) -> pl.Series:
    return numbered("SKU-", np.asarray(product) + (np.asarray(product) >= 0), 4)


def of_category(category: I64, h: U64) -> I64:
    """A product of each category: the first ones are bought more often."""
    size = SIZE[category]
    return FIRST[category] + below(h, size) * (1 + below(h << np.uint64(31), 1_000)) // 1_000


@producer("products")
def products(world: World, day: int) -> pl.DataFrame:
    """The whole catalogue, as each gaming day opens."""
    config = world.config
    which = np.arange(COUNT)
    event = world.utc(day, np.zeros(COUNT, dtype=np.int64))
    return frames.frame(
        "products",
        {
            "product_id": product_ids(which),
            "product_name": pl.Series(NAMES),
            "product_category": frames.code(CATEGORIES, CATEGORY),
            "price": frames.money(price_cents(config.seed, day)),
            **stamp("products", gaming_days(config.start, np.full(COUNT, day)), event),
        },
    )


def price_of(config: WorldConfig, day: int, product: I64) -> I64:
    """Cents, by product; those below 0 are none and cost 0."""
    return np.where(product >= 0, price_cents(config.seed, day)[product], 0)


def _hash(seed: int, what: str) -> U64:
    return draw(key(seed, f"shop:{what}"), np.arange(COUNT))
