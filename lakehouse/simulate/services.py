"""What patrons ask of the cage beside chips: deposits, cheques, wires, foreign notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from lakehouse.simulate.config import WorldConfig
from lakehouse.simulate.counter import I64, below, draw, exp, key, pick

if TYPE_CHECKING:
    from lakehouse.simulate.plan import DayPlan

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
_FOREIGN = (("EUR", "DE"), ("CAD", "CA"), ("MXN", "MX"), ("JPY", "JP"), ("GBP", "GB"))
_BACK = {
    "FRONT_MONEY_DEPOSIT": "FRONT_MONEY_WITHDRAWAL",
    "SAFEKEEPING_DEPOSIT": "SAFEKEEPING_WITHDRAWAL",
}


def services(config: WorldConfig, p: DayPlan) -> pl.DataFrame:
    """One service at most per carded, unplanted visit; deposits are withdrawn on leaving."""
    from lakehouse.simulate.cage import entries

    v = p.visits
    weights = [w for _, _, w in _KINDS]
    kind = pick(draw(key(config.seed, "service"), v.key), (*weights, 1000 - sum(weights)))
    asks = np.flatnonzero((kind < len(_KINDS)) & (v.player >= 0) & (v.scenario < 0))
    kind = kind[asks]
    cents = _amounts(config, v.key[asks], v.z[asks])
    names = [_KINDS[k][0] for k in kind]
    foreign = [
        _FOREIGN[k % len(_FOREIGN)] if name == "CURRENCY_EXCHANGE" else ("USD", None)
        for k, name in zip(
            below(draw(key(config.seed, "notes"), v.key[asks]), 97).tolist(), names, strict=True
        )
    ]
    first = entries(
        names,
        [_KINDS[k][1] for k in kind],
        v.player[asks],
        cents,
        np.minimum(v.start[asks] + 240, p.length - 1),
        currency=[c for c, _ in foreign],
        currency_country=[c for _, c in foreign],
        is_new_currency=[True if name == "MONEY_PLAY" else None for name in names],
    )
    back = first.filter(pl.col("transaction_type").is_in(list(_BACK)))
    leaving = pl.Series(p.leave[asks]).filter(first["transaction_type"].is_in(list(_BACK)))
    back = back.with_columns(
        pl.col("transaction_type").replace(_BACK), leaving.cast(pl.Int64).alias("second")
    )
    return pl.concat([first, back])


def _amounts(
    config: WorldConfig,
    keys: np.ndarray[tuple[int], np.dtype[np.uint64]],
    z: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> I64:
    """$100 to about $30,000, by spending level, in steps of $20."""
    base = 20_000 * exp(np.clip(0.9 * z, -1.0, 3.4))
    jitter = 50 + below(draw(key(config.seed, "service-amount"), keys), 100)
    return np.maximum((base * jitter / 100).astype(np.int64) // 2_000 * 2_000, 10_000)
