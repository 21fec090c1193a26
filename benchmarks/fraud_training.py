"""Sets the profile `tuned` and trains the learned score: `python -m benchmarks fraud_training`.

Both come from worlds of the year before the ones that are scored, of other seeds, so of other users
and other days. The same code writes the same files.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path

import polars as pl

from benchmarks.fraud_worlds import shop
from lakehouse.detection import fraud
from lakehouse.detection.fraud.boosting import MODEL, trained
from lakehouse.detection.fraud.measures import REACH
from lakehouse.detection.fraud.quality import labelled
from lakehouse.detection.fraud.tuning import tuned

SEEDS = (11, 12, 13)
START = dt.date(2024, 9, 1)
SAID = f"seeds {', '.join(map(str, SEEDS))}, four weeks from {START + dt.timedelta(days=REACH)}"
FOLDER = Path(fraud.__file__).parent


def main() -> None:
    measures, kinds = _training()
    (FOLDER / "tuned.toml").write_text(tuned(measures, kinds, SAID), encoding="utf-8")
    model = trained(measures, kinds.is_not_null(), SAID)
    text = json.dumps(asdict(model), separators=(",", ":"))
    (FOLDER / MODEL).write_text(text + "\n", encoding="utf-8")
    print(f"{model.version}: {model.orders:,} orders, {model.frauds:,} of them fraud")


def _training() -> tuple[pl.DataFrame, pl.Series]:
    """Measures, and the kind of fraud of each order."""
    parts = []
    for seed in SEEDS:
        measures, plants = shop(seed, START)
        known = labelled(plants)
        parts.append(measures.join(known, on="transaction_id", how="left"))
    rows = pl.concat(parts).sort("gaming_day", "transaction_id")
    return rows, rows.select(pl.when(~pl.col("is_look_alike")).then("kind")).to_series()
