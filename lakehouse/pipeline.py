"""From bronze to gold in this process: the functions that the assets call, one after another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal

import polars as pl

from lakehouse.contracts import contract, contracts
from lakehouse.gold import (
    ctr_filings,
    filing_calendar,
    filing_reconciliation,
    logs,
    player_day,
    player_value,
    property_day,
    slot_performance,
    suspicion,
    table_performance,
    tax_forms,
)
from lakehouse.gold.money import within
from lakehouse.gold.obligations import Required
from lakehouse.regulation.law import Law, load
from lakehouse.settings import Settings
from lakehouse.steps import refresh_silver
from lakehouse.storage import Commit, Days, Lake

OPEN_ENDED = dt.date(2999, 12, 31)
WINS_AROUND = 1
"""A win may be booked a gaming day from its payout."""
PLAY = ("slot_telemetry", "table_games", "financial_txn", "gaming_wins")
CURRENCY = ("financial_txn", "slot_telemetry")


@dataclass(frozen=True)
class Run:
    """What a mart is derived from: a lake, the days asked for, and the moment of asking."""

    lake: Lake
    settings: Settings
    days: Days
    as_of: dt.datetime
    tables: dict[tuple[str, str], pl.LazyFrame] = field(default_factory=dict)
    """Tables opened so far, shared by the marts of one run: each Delta log is read once."""

    @property
    def law(self) -> Law:
        return load(self.settings.profile)

    def silver(self, table: str, back: int = 0, ahead: int = 0) -> pl.LazyFrame:
        return within(self.whole("silver", table), _widened(self.days, back, ahead))

    def gold(self, table: str, back: int = 0) -> pl.LazyFrame:
        return within(self.whole("gold", table), _widened(self.days, back, 0))

    def whole(self, layer: str, table: str) -> pl.LazyFrame:
        if (layer, table) not in self.tables:
            self.tables[layer, table] = self.lake.scan(layer, table)
        return self.tables[layer, table]

    @property
    def profiles(self) -> pl.LazyFrame:
        return self.whole("silver", "player_profile")


@dataclass(frozen=True)
class Mart:
    """One table of gold or restricted: how it is derived, and how many gaming days before a
    changed day change with it."""

    layer: str
    name: str
    sources: tuple[str, ...]
    """Source tables without any of which it has no rows."""
    derive: Callable[[Run], pl.LazyFrame]
    changes_before: int = 0


def refresh(
    lake: Lake,
    settings: Settings,
    days: Days,
    *,
    as_of: dt.datetime,
    commit: Commit,
    tables: Sequence[str] | None = None,
) -> None:
    """Brings silver (of `tables`, or of all), gold and the restricted zone of `days` in line
    with bronze."""
    for table in in_order_of_reference(tables):
        refresh_silver(lake, settings, table, days, commit)
    derive(lake, settings, days, as_of=as_of, commit=commit)


def derive(
    lake: Lake,
    settings: Settings,
    days: Days,
    *,
    as_of: dt.datetime,
    commit: Commit,
    only: Collection[str] | None = None,
    keep_empty: bool = True,
) -> None:
    """Derives the marts of `days` from silver and stores them: all, or `only` some, whose
    inputs are then up to date already or among them. Without `keep_empty`, a mart without
    rows that was never stored is left unstored."""
    opened: dict[tuple[str, str], pl.LazyFrame] = {}
    filled = {t for t in contracts("source") if keep_empty or lake.exists("silver", t)}
    for mart in marts(load(settings.profile)):
        if (only is not None and mart.name not in only) or filled.isdisjoint(mart.sources):
            continue
        touched = _widened(days, mart.changes_before, 0)
        rows = mart.derive(Run(lake, settings, touched, as_of, opened)).collect()
        if keep_empty or len(rows) or lake.exists(mart.layer, mart.name):
            mine = replace(commit, asset=f"{mart.layer}/{mart.name}")
            lake.write_days(mart.layer, mart.name, rows, touched, commit=mine)
            opened.pop((mart.layer, mart.name), None)


def in_order_of_reference(tables: Sequence[str] | None = None) -> list[str]:
    """Source tables, each after those that its rows refer to."""
    wanted = list(contracts("source")) if tables is None else list(tables)
    ordered: list[str] = []

    def place(table: str) -> None:
        for parent, _ in contract(table).references().values():
            if parent != table and parent not in ordered:
                place(parent)
        if table not in ordered:
            ordered.append(table)

    for table in wanted:
        place(table)
    return [t for t in ordered if t in wanted]


def marts(law: Law) -> list[Mart]:
    """All marts, each after those that it reads."""
    return [*_value_marts(), *_law_marts(law), *_restricted_marts()]


def _value_marts() -> list[Mart]:
    return [
        Mart("gold", "player_day", PLAY, _player_day),
        Mart(
            "gold",
            "player_value",
            PLAY,
            lambda r: player_value.player_value(
                r.whole("gold", "player_day"), r.profiles, days=r.days
            ),
        ),
        Mart(
            "gold",
            "slot_performance",
            ("slot_telemetry",),
            lambda r: slot_performance.slot_performance(
                r.silver("slot_telemetry"), days=r.days, timezone=r.settings.timezone
            ),
        ),
        Mart(
            "gold",
            "table_performance",
            ("table_games",),
            lambda r: table_performance.table_performance(r.silver("table_games"), days=r.days),
        ),
        Mart("gold", "property_day", tuple(contracts("source")), _property_day),
    ]


def _law_marts(law: Law) -> list[Mart]:
    wins, cage, filed = ("gaming_wins",), ("financial_txn",), ("compliance",)
    every = (*CURRENCY, *wins, *filed)
    look_back = filing_calendar.look_back(law)
    return [
        Mart("gold", "ctr_filings", CURRENCY, lambda r: _currency(ctr_filings.ctr_filings, r)),
        Mart("gold", "w2g_forms", wins, lambda r: _wins(tax_forms.w2g_forms, r)),
        Mart("gold", "filing_exceptions", (*CURRENCY, *wins), _exceptions),
        Mart("gold", "form_1042s", wins, lambda r: _wins(tax_forms.form_1042s, r)),
        Mart("gold", "form_8300_notices", cage, lambda r: _logged(logs.form_8300_notices, r)),
        Mart("gold", "instrument_log", cage, lambda r: _logged(logs.instrument_log, r)),
        Mart("gold", "multiple_transaction_log", cage, _multiple_transaction_log),
        Mart("gold", "filing_retention", filed, lambda r: _kept(logs.filing_retention, r)),
        Mart("gold", "filing_reconciliation", every, _reconciliation, look_back),
        Mart("gold", "filing_calendar", every, _calendar),
    ]


def _restricted_marts() -> list[Mart]:
    seen = (*CURRENCY, "staff_observations")
    return [
        Mart("restricted", "sar_cases", seen, _sar_cases, suspicion.LOOK_AHEAD),
        Mart("restricted", "alerts", CURRENCY, _alerts),
        Mart(
            "restricted",
            "sar_retention",
            ("sar_filings",),
            lambda r: logs.sar_retention(r.silver("sar_filings"), days=r.days, law=r.law),
        ),
    ]


def _widened(days: Days, back: int, ahead: int) -> Days:
    return days[0] - dt.timedelta(days=back), days[1] + dt.timedelta(days=ahead)


def _player_day(r: Run) -> pl.LazyFrame:
    return player_day.player_day(*(r.silver(t) for t in PLAY), days=r.days)


def _property_day(r: Run) -> pl.LazyFrame:
    return property_day.property_day(
        slot_performance=r.gold("slot_performance"),
        table_performance=r.gold("table_performance"),
        player_day=r.gold("player_day"),
        slot_telemetry=r.silver("slot_telemetry"),
        table_games=r.silver("table_games"),
        financial_txn=r.silver("financial_txn"),
        player_profile=r.profiles,
        days=r.days,
    )


def _currency(derive_mart: Callable[..., pl.LazyFrame], r: Run) -> pl.LazyFrame:
    bills = r.silver("slot_telemetry") if r.settings.carded_bill_in_knowledge else None
    return derive_mart(
        r.silver("financial_txn"),
        r.silver("gaming_wins", WINS_AROUND, WINS_AROUND),
        bills,
        r.profiles,
        days=r.days,
        law=r.law,
        timezone=r.settings.timezone,
        as_of=r.as_of,
    )


def _wins(derive_mart: Callable[..., pl.LazyFrame], r: Run) -> pl.LazyFrame:
    return derive_mart(
        r.silver("gaming_wins"),
        r.profiles,
        days=r.days,
        law=r.law,
        timezone=r.settings.timezone,
    )


def _exceptions(r: Run) -> pl.LazyFrame:
    currency = _currency(ctr_filings.ctr_exceptions, r)
    return pl.concat([currency, _wins(tax_forms.w2g_exceptions, r)])


def _logged(derive_mart: Callable[..., pl.LazyFrame], r: Run) -> pl.LazyFrame:
    return derive_mart(r.silver("financial_txn"), days=r.days, law=r.law)


def _kept(derive_mart: Callable[..., pl.LazyFrame], r: Run) -> pl.LazyFrame:
    return derive_mart(r.silver("compliance"), days=r.days, law=r.law)


def _multiple_transaction_log(r: Run) -> pl.LazyFrame:
    limit = r.settings.multiple_transaction_log_over
    return logs.multiple_transaction_log(
        r.silver("financial_txn"),
        r.silver("gaming_wins", WINS_AROUND, WINS_AROUND),
        days=r.days,
        over=None if limit is None else Decimal(limit),
    )


def _filings(r: Run, back: int) -> tuple[Required, pl.LazyFrame]:
    filed = (r.days[0] - dt.timedelta(days=back), OPEN_ENDED)
    required = Required(**{f.name: r.gold(f.name, back) for f in fields(Required)})
    return required, within(r.whole("silver", "compliance"), filed)


def _reconciliation(r: Run) -> pl.LazyFrame:
    return filing_reconciliation.filing_reconciliation(
        *_filings(r, 0), days=r.days, timezone=r.settings.timezone, as_of=r.as_of
    )


def _calendar(r: Run) -> pl.LazyFrame:
    return filing_calendar.filing_calendar(
        *_filings(r, filing_calendar.look_back(r.law)),
        days=r.days,
        law=r.law,
        timezone=r.settings.timezone,
    )


def _silver(r: Run, ahead: int) -> suspicion.Silver:
    tables = ("financial_txn", "gaming_wins", "slot_telemetry", "table_games", "staff_observations")
    frames = {t: r.silver(t, suspicion.LOOK_BACK, ahead) for t in tables}
    return suspicion.Silver(**frames, player_profile=r.profiles)


def _sar_cases(r: Run) -> pl.LazyFrame:
    return suspicion.sar_cases(
        _silver(r, suspicion.LOOK_AHEAD),
        days=r.days,
        law=r.law,
        timezone=r.settings.timezone,
        as_of=r.as_of,
        bills_are_known=r.settings.carded_bill_in_knowledge,
    )


def _alerts(r: Run) -> pl.LazyFrame:
    return suspicion.alerts(
        _silver(r, 0),
        days=r.days,
        law=r.law,
        timezone=r.settings.timezone,
        as_of=r.as_of,
        bills_are_known=r.settings.carded_bill_in_knowledge,
    )
