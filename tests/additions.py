"""What a newcomer would write: a source table, its producer, a mart, a check, a measure and a
rule of law with its output. Path → text of a new file, or what is added to one that is there."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("lakehouse", "igaming_assets")

TABLE = {
    "lakehouse/contracts/floor/hotel_nights.py": '''
"""Nights that patrons stay."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("hotel_nights", layer="source", grain="one row per night", event_time="arrived_at")
class HotelNights(dy.Schema):
    """A night in the hotel."""

    night_id = c.text("Night, unique.", key=True)
    arrived_at = c.utc("When the guest came.", names=("check_in",))
    room_type = c.code(("SUITE", "ROOM"), "Kind of room.", also={"Double": "ROOM"})
    country = c.text("ISO 3166 country of the guest.", upper=True)
    price = c.money("Price of the night.")
    paid = c.money("Paid for it.")
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()
'''
}
PRODUCER = {
    "lakehouse/simulate/floor/hotel_nights.py": '''
"""Nights in the hotel: three a day, of which the last is not paid in full."""

import numpy as np
import polars as pl

from lakehouse.simulate.kernel import frames, ids
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.producers import producer


@producer("hotel_nights")
def nights(world, day):
    at = world.utc(day, np.array([3_600, 7_200, 10_800]))
    days = gaming_days(world.config.start, np.full(3, day))
    money = pl.Decimal(18, 2)
    columns = {
        "night_id": ids.event_ids(world.config.seed, "hotel_nights", day, np.arange(3)),
        "arrived_at": frames.utc(at),
        "room_type": pl.Series(["ROOM", "ROOM", "SUITE"]),
        "country": pl.Series(["US", "US", "CA"]),
        "price": pl.Series(["100.00", "100.01", "300.00"]).cast(money),
        "paid": pl.Series(["100.00", "100.01", "250.00"]).cast(money),
    }
    return frames.frame("hotel_nights", columns | stamp("hotel_nights", days, at))
'''
}
MART = {
    "lakehouse/contracts/floor/hotel_day.py": '''
"""The hotel by gaming day."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("hotel_day", layer="gold", grain="one row per gaming day")
class HotelDay(dy.Schema):
    """Nights and what they bring."""

    gaming_day = c.gaming_day(key=True)
    nights = c.count("Nights.")
    price = c.money("Sum of prices.")
''',
    "lakehouse/gold/floor/hotel_day.py": '''
"""The hotel by gaming day."""

import polars as pl

from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days


@mart(silver("hotel_nights"))
def hotel_day(hotel_nights: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `hotel_day` of `days`, from silver `hotel_nights`."""
    rows = within(hotel_nights, days).group_by("gaming_day")
    return shaped(rows.agg(nights=pl.len(), price=pl.col("price").sum()), "hotel_day")
''',
}
CHECK = {
    "lakehouse/quality/truths.py": '''

def _stayed(hotel_nights: pl.LazyFrame) -> pl.LazyFrame:
    return entries_of(hotel_nights, "night_id", expected=cents("price"), found=cents("paid"))


@truth("silver.hotel_nights", sides=("prices", "payments"), entries=_stayed)
def nights_are_paid(hotel_nights: pl.LazyFrame) -> pl.LazyFrame:
    """Each night is paid at its price."""
    return unequal(_stayed(hotel_nights))
'''
}
MEASURE = {
    "lakehouse/quality/hotel_checks.py": '''
"""Whether anybody stays."""

from lakehouse.quality.registry import declares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.quality.stored_days import rows_held

NIGHTS = ("silver", "hotel_nights")


@declares
def somebody_stays(settings, now):
    about = "A quiet night is possible.", "Ten guests stay every night."
    yield Check("somebody_stays", NIGHTS, Family.VOLUME, "warn", *about, judge)


def judge(lake, days):
    held = rows_held(lake, *NIGHTS)
    inside = {day: rows for day, rows in held.items() if days[0] <= day <= days[1]}
    return {
        day: Judgement(rows >= 10, f"{rows} stay.", float(rows), 10.0)
        for day, rows in inside.items()
    }
'''
}
_RULE = """
[[rule]]
name = "hotel_notice"
effective_from = 2007-06-26
amount = {amount}
operator = ">"
citation = "an invented one"
"""
LAW_RULE = {
    "lakehouse/regulation/us-federal.toml": _RULE.format(amount="100"),
    "lakehouse/regulation/fabric-poc.toml": _RULE.format(amount="50"),
    "lakehouse/contracts/compliance/hotel_notices.py": '''
"""Nights over the amount of the law."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("hotel_notices", layer="gold", grain="one row per night over the amount")
class HotelNotices(dy.Schema):
    """Nights to tell of."""

    night_id = c.text("Night.", key=True)
    gaming_day = c.gaming_day()
    price = c.money("Price of the night.")
''',
    "lakehouse/gold/compliance/hotel_notices.py": '''
"""Nights over the amount of the law."""

import polars as pl

from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law


@mart(silver("hotel_nights"))
def hotel_notices(hotel_nights: pl.LazyFrame, *, days: Days, law: Law) -> pl.LazyFrame:
    """Mart `hotel_notices` of `days`, from silver `hotel_nights`."""
    over = law.over("hotel_notice", pl.col("price"), pl.col("gaming_day"))
    return shaped(within(hotel_nights, days).filter(over), "hotel_notices")
''',
}
ADDITIONS = {
    "source table": TABLE,
    "producer": PRODUCER,
    "mart": MART,
    "check": CHECK,
    "measure": MEASURE,
    "rule of law": LAW_RULE,
}


def project(folder: Path, *added: str) -> Path:
    """A copy of the packages in `folder` with these additions."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package)
    for kind in added:
        for name, text in ADDITIONS[kind].items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(text if path.stat().st_size else text.lstrip())
    return folder


def touched(copy: Path) -> set[str]:
    """Files of the copy that are not as they are here."""
    found = set()
    for package in PACKAGES:
        for path in (copy / package).rglob("*"):
            name = path.relative_to(copy)
            if path.is_file() and path.suffix != ".pyc":
                here = ROOT / name
                if not here.exists() or here.read_bytes() != path.read_bytes():
                    found.add(str(name))
    return found
