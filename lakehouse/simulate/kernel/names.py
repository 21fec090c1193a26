"""Words that people are made of: Faker's name and street lists, and a table of places."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import polars as pl

# city, state, ZIP prefix (3 digits), area code; near places first, as they send most patrons
US_PLACES = (
    ("Los Angeles", "CA", "900", "213"),
    ("San Diego", "CA", "921", "619"),
    ("Anaheim", "CA", "928", "714"),
    ("Riverside", "CA", "925", "951"),
    ("San Bernardino", "CA", "924", "909"),
    ("Long Beach", "CA", "908", "562"),
    ("Bakersfield", "CA", "933", "661"),
    ("Fresno", "CA", "937", "559"),
    ("Sacramento", "CA", "958", "916"),
    ("San Francisco", "CA", "941", "415"),
    ("Las Vegas", "NV", "891", "702"),
    ("Henderson", "NV", "890", "702"),
    ("Reno", "NV", "895", "775"),
    ("Phoenix", "AZ", "850", "602"),
    ("Tucson", "AZ", "857", "520"),
    ("Salt Lake City", "UT", "841", "801"),
    ("Denver", "CO", "802", "303"),
    ("Albuquerque", "NM", "871", "505"),
    ("Seattle", "WA", "981", "206"),
    ("Portland", "OR", "972", "503"),
    ("Houston", "TX", "770", "713"),
    ("Dallas", "TX", "752", "214"),
    ("Chicago", "IL", "606", "312"),
    ("New York", "NY", "100", "212"),
    ("Honolulu", "HI", "968", "808"),
)
US_WEIGHTS = (14, 12, 8, 8, 6, 5, 4, 3, 3, 4, 9, 4, 2, 6, 3, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
# city, region, postal code, country, area code of the number they gave
FOREIGN_PLACES = (
    ("Toronto", "ON", "M5H 2N2", "CA", "416"),
    ("Vancouver", "BC", "V6B 1A1", "CA", "604"),
    ("Tijuana", "BCN", "22000", "MX", "619"),
    ("Mexico City", "CMX", "06000", "MX", "213"),
    ("London", "ENG", "SW1A 1AA", "GB", "212"),
    ("Tokyo", "13", "100-0001", "JP", "213"),
    ("Seoul", "11", "04524", "KR", "213"),
    ("Sydney", "NSW", "2000", "AU", "310"),
)
MAIL_DOMAINS = ("example.com", "example.org", "example.net")
OCCUPATIONS = (
    "Retired",
    "Business owner",
    "Engineer",
    "Nurse",
    "Teacher",
    "Real estate agent",
    "Truck driver",
    "Accountant",
    "Software developer",
    "Restaurant manager",
    "Electrician",
    "Attorney",
    "Sales manager",
    "Homemaker",
)
SUFFIXES = ("St", "Ave", "Blvd", "Dr", "Ln", "Ct", "Rd", "Way", "Pl", "Ter")


@dataclass(frozen=True)
class Pools:
    """One text per position; people hold positions."""

    first: pl.Series
    last: pl.Series
    street: pl.Series
    us: pl.DataFrame
    foreign: pl.DataFrame


@functools.cache
def pools() -> Pools:
    """Built once, on first use; importing Faker takes 70 ms."""
    from faker.providers.person.en_US import Provider

    last = pl.Series(sorted(Provider.last_names))
    return Pools(
        first=pl.Series(sorted(Provider.first_names)),
        last=last,
        street=pl.Series([f"{name} {SUFFIXES[i % 10]}" for i, name in enumerate(last)]),
        us=pl.DataFrame(US_PLACES, schema=["city", "state", "zip3", "area"], orient="row"),
        foreign=pl.DataFrame(
            FOREIGN_PLACES, schema=["city", "state", "zip_code", "country", "area"], orient="row"
        ),
    )
