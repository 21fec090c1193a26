"""Marts of the law: what must be filed and logged. Suspicion is in suspicion.py, apart."""

import functools
from dataclasses import fields
from decimal import Decimal
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.assets import Run, mart
from igaming_assets.io import reads
from lakehouse.gold.filing_calendar import look_back
from lakehouse.gold.obligations import Required
from lakehouse.pipeline import WINS_AROUND
from lakehouse.regulation.law import load
from lakehouse.settings import Settings

# A win may be booked a gaming day from its payout.
_WINS = reads("silver", "gaming_wins", back=WINS_AROUND, ahead=WINS_AROUND)
_PROFILES = reads("silver", "player_profile", until=True, since=True)
_CASH = reads("silver", "financial_txn")


def _currency_inputs(settings: Settings) -> dict[str, dg.AssetIn]:
    """Carded bills are read only where they count as knowledge (FinCEN Ruling 2005-1)."""
    inputs = {"financial_txn": _CASH, "gaming_wins": _WINS, "player_profile": _PROFILES}
    bills = {"slot_telemetry": reads("silver", "slot_telemetry")}
    return inputs | (bills if settings.carded_bill_in_knowledge else {})


def _currency_arguments(run: Run, frames: dict[str, pl.LazyFrame]) -> dict[str, Any]:
    given = {"slot_telemetry": None, **frames}
    zone = run.settings.timezone
    return {**given, "days": run.days, "law": run.law, "timezone": zone, "as_of": run.as_of}


def filing_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Reports, forms and logs, each from silver and the dated law of the profile."""
    filing = functools.partial(mart, settings, group="filings")
    currency = functools.partial(
        filing, before=WINS_AROUND, after=WINS_AROUND, **_currency_inputs(settings)
    )

    @currency()
    def ctr_filings(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.ctr_filings import ctr_filings

        return ctr_filings(**_currency_arguments(run, frames))

    @currency()
    def filing_exceptions(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.ctr_filings import ctr_exceptions
        from lakehouse.gold.tax_forms import w2g_exceptions

        wins = w2g_exceptions(
            frames["gaming_wins"],
            frames["player_profile"],
            days=run.days,
            law=run.law,
            timezone=run.settings.timezone,
        )
        return pl.concat([ctr_exceptions(**_currency_arguments(run, frames)), wins])

    @filing(gaming_wins=_WINS, player_profile=_PROFILES)
    def w2g_forms(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.tax_forms import w2g_forms

        return w2g_forms(**frames, days=run.days, law=run.law, timezone=run.settings.timezone)

    @filing(gaming_wins=_WINS, player_profile=_PROFILES)
    def form_1042s(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.tax_forms import form_1042s

        return form_1042s(**frames, days=run.days, law=run.law, timezone=run.settings.timezone)

    return [
        ctr_filings,
        filing_exceptions,
        w2g_forms,
        form_1042s,
        *log_assets(settings),
        *reconciliation_assets(settings),
    ]


def log_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Logs that must be kept, and how long."""
    filing = functools.partial(mart, settings, group="filings")

    @filing(financial_txn=_CASH)
    def form_8300_notices(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.logs import form_8300_notices

        return form_8300_notices(**frames, days=run.days, law=run.law)

    @filing(financial_txn=_CASH)
    def instrument_log(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.logs import instrument_log

        return instrument_log(**frames, days=run.days, law=run.law)

    @filing(before=WINS_AROUND, after=WINS_AROUND, financial_txn=_CASH, gaming_wins=_WINS)
    def multiple_transaction_log(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.logs import multiple_transaction_log

        limit = run.settings.multiple_transaction_log_over
        return multiple_transaction_log(
            **frames, days=run.days, over=None if limit is None else Decimal(limit)
        )

    @filing(compliance=reads("silver", "compliance"))
    def filing_retention(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.logs import filing_retention

        return filing_retention(**frames, days=run.days, law=run.law)

    return [form_8300_notices, instrument_log, multiple_transaction_log, filing_retention]


def reconciliation_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Required against filed. A day's filings change what is said of the days before it."""
    names = [f.name for f in fields(Required)]
    required = {t: reads("gold", t) for t in names}
    back = look_back(load(settings.profile))
    filing = functools.partial(mart, settings, group="filings")

    @filing(before=back, after=1, compliance=reads("silver", "compliance", since=True), **required)
    def filing_reconciliation(
        run: Run, compliance: pl.LazyFrame, **required: pl.LazyFrame
    ) -> pl.LazyFrame:
        from lakehouse.gold.filing_reconciliation import filing_reconciliation

        zone = run.settings.timezone
        return filing_reconciliation(
            Required(**required), compliance, days=run.days, timezone=zone, as_of=run.as_of
        )

    earlier = {t: reads("gold", t, back=back) for t in names}

    @filing(
        before=1,
        after=back,
        compliance=reads("silver", "compliance", back=back, since=True),
        **earlier,
    )
    def filing_calendar(
        run: Run, compliance: pl.LazyFrame, **required: pl.LazyFrame
    ) -> pl.LazyFrame:
        from lakehouse.gold.filing_calendar import filing_calendar

        return filing_calendar(
            Required(**required),
            compliance,
            days=run.days,
            law=run.law,
            timezone=run.settings.timezone,
        )

    return [filing_reconciliation, filing_calendar]
