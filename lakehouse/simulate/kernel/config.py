"""What world is simulated: seed, window, volumes, floor; and each day's share of the rows."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from lakehouse.contracts import contracts
from lakehouse.errors import BadInput
from lakehouse.simulate.kernel.counter import I64

ROWS = MappingProxyType({n: c.monthly_rows for n, c in contracts().items() if c.monthly_rows})
"""Rows of the tables with exact counts, over the reference window of 30 days at scale 1."""
PEOPLE = "player_profile"
"""The book of players: who asks for its rows may mean people, one row each."""

WINDOW = 30
# Assumptions, no source read: Friday to Sunday hold 48% of the week; spring and December
# are stronger than late summer.
_WEEKDAY = np.array([130, 125, 130, 135, 155, 175, 150])
_MONTH = np.array([97, 98, 104, 101, 101, 98, 101, 99, 96, 101, 100, 104])


@dataclass(frozen=True)
class Faults:
    """Rates of what is planted: defects per row, errors per filing, and misconduct of each kind.

    A kind's rate is the share of the book's players of whom a case begins within 30 days."""

    retransmit: float = 0.002
    key_clash: float = 0.0004
    null_required: float = 0.0008
    unknown_code: float = 0.0008
    negative_amount: float = 0.0004
    clock: float = 0.0006
    untidy_text: float = 0.004
    late: float = 0.01
    orphan: float = 0.0006
    filing_late: float = 0.04
    filing_missing: float = 0.03
    filing_wrong_amount: float = 0.03
    filing_wrong_person: float = 0.02
    filing_needless: float = 0.02
    filing_amended: float = 0.03
    structuring: float = 0.0010
    minimal_play: float = 0.0008
    chip_walking: float = 0.0008
    bill_stuffing: float = 0.0008
    marker_cycle: float = 0.0004
    pooling: float = 0.0005
    threshold_avoidance: float = 0.0006
    card_sharing: float = 0.0005
    self_excluded_play: float = 0.0005
    agent: float = 0.0004
    escalating_harm: float = 0.0015
    misconduct: float = 1.0
    """Times the rates of patrons' kinds."""
    look_alikes: float = 0.6
    """Honest look-alikes for each case."""
    intensity: float = 1.0
    """Times the intensity of each case; look-alikes stay as they are."""
    hold_drift: float = 0.01
    """From here on the share of machines, dealers, cashiers or badges that a case of the kind
    begins with in 30 days."""
    meter_against_play: float = 0.01
    door_without_badge: float = 0.01
    jackpot_without_play: float = 0.01
    dealer_collusion: float = 0.02
    cashier_overrides: float = 0.03
    cashier_voids: float = 0.03
    tailgating: float = 0.02
    badge_cloning: float = 0.02
    problem_play: float = 0.002
    """From here on the share of online accounts."""
    account_sharing: float = 0.0015
    betting_bot: float = 0.001
    card_testing: float = 0.0006
    """From here on the share of online accounts of whom a case in the shop begins in 30 days."""
    velocity_burst: float = 0.0006
    impossible_travel: float = 0.0006
    account_takeover: float = 0.0008
    refund_abuse: float = 0.0006
    gift_card_drain: float = 0.0006
    missing_time: float = 0.05
    """Actions in the shop whose client tells no time."""
    stuck_point: float = 0.12
    """Share of the game's levels and maps that are too hard in a season."""
    map_crash: float = 1.0
    """From here on the share of maps, servers or accounts that a case begins with in 30 days."""
    server_outage: float = 2.0
    purchase_ring: float = 0.0006

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0:
                raise BadInput(f"faults: {name} {value}; 0 or more is allowed")


NO_FAULTS = Faults(**dict.fromkeys(Faults.__dataclass_fields__, 0.0))


@dataclass(frozen=True)
class WorldConfig:
    """A world at `scale` (1.0: `ROWS` over 30 days), or larger where `rows` asks for more.

    `rows` is the exact number of rows of a table over `days` days from `start`; tables that
    it does not name follow from the scale. Later days go on at the same rate. `players`,
    `machines` and `tables` follow from the volume where they are not given.
    """

    seed: int = 42
    start: dt.date = dt.date(2025, 1, 1)
    days: int = WINDOW
    scale: float = 1.0
    rows: Mapping[str, int] = field(default_factory=dict, hash=False)
    players: int | None = None
    machines: int | None = None
    tables: int | None = None
    timezone: str = "America/Los_Angeles"
    profile: str = "us-federal"
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise BadInput(f"seed {self.seed}: a whole number from 0 to 2**63 - 1 is allowed")
        if self.days < 1:
            raise BadInput(f"days {self.days}: at least 1 is allowed")
        if not 0 < self.scale < 1e5:
            raise BadInput(f"scale {self.scale}: more than 0 and less than 100000 is allowed")
        for name, count in self.rows.items():
            if name not in ROWS:
                raise BadInput(f"rows of {name}: only {', '.join(ROWS)} have exact counts")
            if count < 0:
                raise BadInput(f"rows of {name}: {count}; 0 or more are allowed")
        for name in ("players", "machines", "tables"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInput(f"{name} {value}: at least 1 is allowed")

    @functools.cached_property
    def volume(self) -> float:
        """The scale that the visits follow: no table asked for more than it gives."""
        asked = [n / self.days / (ROWS[t] / WINDOW) for t, n in self.rows.items()]
        return max(self.scale, *asked, 0.0)

    def total(self, table: str) -> int:
        """Rows of `table` over the window."""
        return self.rows.get(table, round(ROWS[table] * self.volume * self.days / WINDOW))

    @property
    def player_count(self) -> int:
        return self.players or max(200, round(10_000 * self.volume))

    def with_people(self, n: int) -> WorldConfig:
        """The world of which `n` people are asked for: the book holds them, and where they are
        few, hardly anybody else comes. Play does not grow with the book."""
        extracts = min(n, self.total(PEOPLE))
        return replace(
            self,
            rows={**self.rows, PEOPLE: extracts},
            players=self.players or max(self.player_count, n),
        )

    @property
    def machine_count(self) -> int:
        return self.machines or max(500, round(110 * self.volume))

    @property
    def table_count(self) -> int:
        return self.tables or max(40, round(14 * self.volume))

    def date(self, day: int) -> dt.date:
        return self.start + dt.timedelta(days=day)

    def index(self, date: dt.date) -> int:
        """Days since the start. Raises BadInput for a day before it."""
        day = (date - self.start).days
        if day < 0:
            raise BadInput(f"{date} is before the world's first gaming day {self.start}")
        return day

    def weight(self, day: int) -> int:
        """Relative business of a day, by weekday and month."""
        date = self.date(day)
        return int(_WEEKDAY[date.weekday()] * _MONTH[date.month - 1])

    def quota(self, table: str, day: int) -> int:
        """Exact rows of `table` on `day`; over the window they add up to `total`."""
        return self.share(self.total(table), day)

    def share(self, total: int, day: int) -> int:
        """The part of a window's `total` that falls on `day`."""
        cumulative = _cumulative(self.start, max(self.days, day + 1))
        window = int(cumulative[self.days])
        return total * int(cumulative[day + 1]) // window - total * int(cumulative[day]) // window


@functools.lru_cache(maxsize=64)
def _cumulative(start: dt.date, days: int) -> I64:
    first = np.datetime64(start, "D")
    dates = first + np.arange(days)
    weekday = (dates.astype(np.int64) + 3) % 7
    month = dates.astype("datetime64[M]").astype(np.int64) % 12
    weights = _WEEKDAY[weekday] * _MONTH[month]
    return np.concatenate([[0], np.cumsum(weights)]).astype(np.int64)
