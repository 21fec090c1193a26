"""Payments of the shop as its payment system sends them, and what was planted among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.contracts.columns import DEVICES
from lakehouse.contracts.shop.orders import (
    BROWSERS,
    CATEGORIES,
    PAYMENT_METHODS,
    STATUSES,
)
from lakehouse.simulate.kernel import accounts, frames
from lakehouse.simulate.kernel.addresses import addresses
from lakehouse.simulate.kernel.arrays import join_at, narrow, order_of, take, wide
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.ids import event_ids, hexadecimal
from lakehouse.simulate.kernel.memory import by_day, in_work
from lakehouse.simulate.kernel.places import places
from lakehouse.simulate.kernel.plants import nothing, planted
from lakehouse.simulate.kernel.producers import label, producer
from lakehouse.simulate.kernel.scenario import Scenario
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.shop import actions, catalogue, visits
from lakehouse.simulate.shop.cases import acted
from lakehouse.simulate.shop.payments import (
    Payments,
    order_ids,
    payments,
    refunds,
    returned,
    session_ids,
    transaction_ids,
)
from lakehouse.simulate.shop.script import LAGS

TABLE = "shop_orders"
CURRENCY = "USD"


@dataclass(frozen=True)
class Rows:
    """Payments of a day in order of time."""

    payments: Payments
    day: I64
    event: I64

    def __len__(self) -> int:
        return len(self.day)


def dress(config: WorldConfig, r: Rows) -> pl.DataFrame:
    """Turns the numbers of a stretch into rows of bronze."""
    p, seed = r.payments, config.seed
    who, at = np.unique(p.account, return_inverse=True)
    names = accounts.names(config, who)[at]
    where = places()[p.origin.place]
    return frames.frame(
        TABLE,
        {
            "transaction_id": transaction_ids(seed, p),
            "user_id": accounts.account_ids(p.account),
            "user_email": names["email"],
            "user_name": names["first_name"] + " " + names["last_name"],
            "product_id": catalogue.product_ids(p.product),
            "product_name": frames.code(catalogue.NAMES, p.product),
            "product_category": frames.code(CATEGORIES, catalogue.CATEGORY[p.product]),
            "amount": frames.money(p.unit_cents * p.quantity),
            "currency": CURRENCY,
            "payment_method": frames.code(PAYMENT_METHODS, p.method),
            "status": frames.code(STATUSES, p.status),
            "timestamp": frames.utc(r.event),
            **{c: where[c] for c in ("country", "state", "city", "zip_code")},
            "latitude": pl.Series(p.origin.latitude / 100),
            "longitude": pl.Series(p.origin.longitude / 100),
            "session_id": frames.only(session_ids(seed, p.made, p.session), p.session >= 0),
            "device_type": frames.code(DEVICES, p.origin.kind),
            "browser": frames.code(BROWSERS, p.origin.browser),
            "ip_address": addresses(p.origin.network),
            "device_id": hexadecimal(p.origin.device, "D-"),
            "order_id": order_ids(seed, p.made, p.order),
            "quantity": frames.count(p.quantity),
            "unit_price": frames.money(p.unit_cents),
            "refund_of": frames.only(transaction_ids(seed, p, paid=True), p.is_refund),
            **stamp(TABLE, gaming_days(config.start, r.day), r.event),
        },
    )


@by_day(in_work)
def evidence(world: World, day: int) -> dict[str, pl.Series]:
    """Rows on which a case rests, those that are given back, and what is given back."""
    p = rows_of(world, day).payments
    kept = wide(take(p, (p.case >= 0) | (p.back > 0) | p.is_refund))
    return {"transaction_id": transaction_ids(world.config.seed, kept)}


@producer(TABLE, dress=dress, clashing="product_name", evidence=evidence)
@by_day(in_work)
def rows_of(world: World, day: int) -> Rows:
    """A day's payments, refused attempts and refunds in order of time."""
    returned(world, day)
    every = [payments(world, day), narrow(refunds(world, day))]
    payments.let_go(world)
    p = join_at(every, order_of(np.concatenate([p.ms for p in every])))
    event = world.utc(day, np.zeros(1, dtype=np.int64)) + p.ms.astype(np.int64) * 1_000
    return narrow(Rows(p, np.full(len(p), day), event))


@label(TABLE)
def shop_fraud(world: World, day: int) -> pl.DataFrame:
    """One plant per payment and refund of the day that is part of a case or of a look-alike."""
    p = rows_of(world, day).payments
    p = wide(take(p, np.flatnonzero((p.case >= 0) & p.is_evidence)))
    of = zip(p.made.tolist(), p.case.tolist(), strict=True)
    cases = [acted(world, made)[k] for made, k in of]
    return planted_in(world, day, p, cases) if cases else nothing()


def planted_in(world: World, day: int, p: Payments, cases: list[Scenario]) -> pl.DataFrame:
    """One plant per payment, of the case that it is part of."""
    config = world.config
    kinds = pl.Series([c.kind for c in cases])
    keys = transaction_ids(config.seed, p)
    lasts = np.where(p.back > 0, p.made + max(LAGS), p.made)
    return planted(
        kinds,
        pl.Series([f"shop:{c.number}" for c in cases]),
        entity_type="account",
        entity=accounts.account_ids(p.account),
        table=TABLE,
        key=keys,
        rule=kinds,
        day=config.date(day),
        until=gaming_days(config.start, lasts),
        intensity=pl.Series([c.intensity for c in cases]),
        is_look_alike=pl.Series([c.is_look_alike for c in cases]),
    ).with_columns(window_start=gaming_days(config.start, p.made))


@label(visits.TABLE)
def shop_bursts(world: World, day: int) -> pl.DataFrame:
    """One plant per run of actions in quick succession; `row_key` is its first."""
    r = actions.rows_of(world, day)
    first = take(r, np.flatnonzero(r.burst == 0))
    table = visits.TABLE
    keys = event_ids(world.config.seed, table, first.day, first.ordinal)
    return planted(
        "high_frequency",
        "burst:" + keys,
        entity_type="account",
        entity=accounts.account_ids(first.account),
        table=table,
        key=keys,
        rule="high_frequency",
        day=world.config.date(day),
    )
