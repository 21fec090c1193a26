"""Where people live and buy from: places with coordinates and clocks."""

from __future__ import annotations

import datetime as dt
import functools
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.simulate.kernel.counter import I64

# city, region, postal code, country, latitude and longitude in hundredths of a degree, zone
ABROAD = (
    ("Tallinn", "Harju", "10111", "EE", 5944, 2475, "Europe/Tallinn"),
    ("Tartu", "Tartu", "51003", "EE", 5838, 2672, "Europe/Tallinn"),
    ("Parnu", "Parnu", "80010", "EE", 5838, 2450, "Europe/Tallinn"),
    ("Helsinki", "Uusimaa", "00100", "FI", 6017, 2494, "Europe/Helsinki"),
    ("Tampere", "Pirkanmaa", "33100", "FI", 6150, 2379, "Europe/Helsinki"),
    ("Oulu", "North Ostrobothnia", "90100", "FI", 6501, 2547, "Europe/Helsinki"),
    ("Stockholm", "Stockholm", "11120", "SE", 5933, 1807, "Europe/Stockholm"),
    ("Gothenburg", "Vastra Gotaland", "41101", "SE", 5771, 1197, "Europe/Stockholm"),
    ("Malmo", "Skane", "21115", "SE", 5560, 1300, "Europe/Stockholm"),
    ("Riga", "Riga", "1050", "LV", 5695, 2411, "Europe/Riga"),
    ("Daugavpils", "Latgale", "5401", "LV", 5587, 2654, "Europe/Riga"),
    ("Vilnius", "Vilnius", "01100", "LT", 5469, 2528, "Europe/Vilnius"),
    ("Kaunas", "Kaunas", "44001", "LT", 5490, 2390, "Europe/Vilnius"),
)
WEIGHTS = (10, 5, 2, 14, 5, 3, 12, 5, 4, 12, 3, 12, 6)
"""How many people without a card live in each."""
# Coordinates in hundredths of a degree, and zones, of the cities that patrons come from.
CITIES = {
    "Los Angeles": (3405, -11824, "America/Los_Angeles"),
    "San Diego": (3272, -11716, "America/Los_Angeles"),
    "Anaheim": (3384, -11791, "America/Los_Angeles"),
    "Riverside": (3395, -11740, "America/Los_Angeles"),
    "San Bernardino": (3411, -11729, "America/Los_Angeles"),
    "Long Beach": (3377, -11819, "America/Los_Angeles"),
    "Bakersfield": (3537, -11902, "America/Los_Angeles"),
    "Fresno": (3674, -11979, "America/Los_Angeles"),
    "Sacramento": (3858, -12149, "America/Los_Angeles"),
    "San Francisco": (3777, -12242, "America/Los_Angeles"),
    "Las Vegas": (3617, -11514, "America/Los_Angeles"),
    "Henderson": (3604, -11498, "America/Los_Angeles"),
    "Reno": (3953, -11981, "America/Los_Angeles"),
    "Phoenix": (3345, -11207, "America/Phoenix"),
    "Tucson": (3222, -11097, "America/Phoenix"),
    "Salt Lake City": (4076, -11189, "America/Denver"),
    "Denver": (3974, -10499, "America/Denver"),
    "Albuquerque": (3508, -10665, "America/Denver"),
    "Seattle": (4761, -12233, "America/Los_Angeles"),
    "Portland": (4552, -12268, "America/Los_Angeles"),
    "Houston": (2976, -9537, "America/Chicago"),
    "Dallas": (3278, -9680, "America/Chicago"),
    "Chicago": (4188, -8763, "America/Chicago"),
    "New York": (4071, -7401, "America/New_York"),
    "Honolulu": (2131, -15786, "Pacific/Honolulu"),
    "Toronto": (4365, -7938, "America/Toronto"),
    "Vancouver": (4928, -12312, "America/Vancouver"),
    "Tijuana": (3251, -11704, "America/Tijuana"),
    "Mexico City": (1943, -9913, "America/Mexico_City"),
    "London": (5151, -13, "Europe/London"),
    "Tokyo": (3568, 13969, "Asia/Tokyo"),
    "Seoul": (3757, 12698, "Asia/Seoul"),
    "Sydney": (-3387, 15121, "Australia/Sydney"),
}


@functools.cache
def places() -> pl.DataFrame:
    """One row per place: city, state, zip_code, country, latitude, longitude (degrees),
    time_zone; first those of `ABROAD`, then those that patrons come from."""
    from lakehouse.simulate.kernel.names import FOREIGN_PLACES, US_PLACES

    home = [(city, state, f"{zip3}01", "US") for city, state, zip3, _ in US_PLACES]
    home += [
        (city, state, zip_code, country) for city, state, zip_code, country, _ in FOREIGN_PLACES
    ]
    rows = [*ABROAD, *((*place, *CITIES[place[0]]) for place in home)]
    names = ("city", "state", "zip_code", "country", "latitude", "longitude", "time_zone")
    degrees = pl.col("latitude", "longitude") / 100
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(degrees)


@functools.lru_cache(maxsize=512)
def offsets(date: dt.date) -> NDArray[np.int64]:
    """By place, seconds that its clock is ahead of UTC at noon UTC of a date."""
    noon = dt.datetime.combine(date, dt.time(12), dt.UTC)
    zones = places()["time_zone"].to_list()
    known = {zone: noon.astimezone(ZoneInfo(zone)).utcoffset() for zone in set(zones)}
    return np.array([int((known[z] or dt.timedelta()).total_seconds()) for z in zones])


def at_local(date: dt.date, opens: int, length: int, place: I64, local: I64) -> NDArray[np.int64]:
    """Seconds since a gaming day opened (`opens`: its first second of the UTC day, `length`: its
    seconds) at which a place's clock shows `local` seconds since midnight, by the clock of the
    day's date."""
    return (local - offsets(date)[place] - opens) % 86_400 % length
