"""What patrons ask of the cage beside chips: deposits, cheques, wires, foreign notes."""

from __future__ import annotations

import dataclasses

import numpy as np

from lakehouse.simulate.floor.plan import DayPlan
from lakehouse.simulate.kernel.arrays import join, take
from lakehouse.simulate.kernel.cash import CURRENCIES, METHOD, TYPE, Cash, cash_rows
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import F64, I64, U64, below, draw, exp, key, pick

# Kinds with their weights per mille of carded visits [assumption]; the rest ask for nothing.
_KINDS = (
    ("FRONT_MONEY_DEPOSIT", "Cash", 20),
    ("FRONT_MONEY_DEPOSIT", "Wire", 8),
    ("SAFEKEEPING_DEPOSIT", "Cash", 8),
    ("CHECK_CASHING", "Cash", 20),
    ("WIRE_TRANSFER_IN", "Cash", 5),
    ("WIRE_TRANSFER_OUT", "Cash", 4),
    ("CURRENCY_EXCHANGE", "Cash", 14),
    ("INSTRUMENT_SALE", "Cash", 5),
    ("CHECK_PURCHASE", "Cash", 4),
    ("NON_GAMING_PAYMENT", "Cash", 15),
    ("MONEY_PLAY", "Cash", 6),
)
_TYPES = np.array([TYPE[kind] for kind, _, _ in _KINDS])
_METHODS = np.array([METHOD[method] for _, method, _ in _KINDS])
_WEIGHTS = (*(w for _, _, w in _KINDS), 1000 - sum(w for _, _, w in _KINDS))
_FRONT, _SAFE = TYPE["FRONT_MONEY_DEPOSIT"], TYPE["SAFEKEEPING_DEPOSIT"]


def services(config: WorldConfig, p: DayPlan) -> Cash:
    """One service at most per carded, unplanted visit; deposits are withdrawn on leaving."""
    v = p.visits
    asked = pick(draw(key(config.seed, "service"), v.key), _WEIGHTS)
    asks = np.flatnonzero((asked < len(_KINDS)) & (v.player >= 0) & (v.scenario < 0))
    kind = _TYPES[asked[asks]]
    notes = below(draw(key(config.seed, "notes"), v.key[asks]), 97) % (len(CURRENCIES) - 1)
    first = cash_rows(
        kind,
        _METHODS[asked[asks]],
        v.player[asks],
        _amounts(config, v.key[asks], v.z[asks]),
        np.minimum(v.start[asks] + 240, p.length - 1),
        currency=np.where(kind == TYPE["CURRENCY_EXCHANGE"], 1 + notes, 0),
    )
    kept = (kind == _FRONT) | (kind == _SAFE)
    front, safe = TYPE["FRONT_MONEY_WITHDRAWAL"], TYPE["SAFEKEEPING_WITHDRAWAL"]
    back = dataclasses.replace(
        take(first, kept),
        kind=np.where(kind[kept] == _FRONT, front, safe),
        second=p.leave[asks][kept],
    )
    return join([first, back])


def _amounts(config: WorldConfig, keys: U64, z: F64) -> I64:
    """$100 to about $30,000, by spending level, in steps of $20."""
    base = 20_000 * exp(np.clip(0.9 * z, -1.0, 3.4))
    jitter = 50 + below(draw(key(config.seed, "service-amount"), keys), 100)
    return np.maximum((base * jitter / 100).astype(np.int64) // 2_000 * 2_000, 10_000)
