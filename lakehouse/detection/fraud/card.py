"""The card of the learned score of fraud: from the model, and what it did on unseen worlds."""

from __future__ import annotations

import itertools

import polars as pl

from lakehouse.detection.fraud.boosting import FEATURES, FEWEST, LEAVES, SEED, TREES, Boosted

CUTS = (0.0, 0.01, 0.1, 0.4, 0.6, 0.8, 0.95, 1.0)
_TITLE = """# Model card: the learned score of fraud

Written by `python -m benchmarks fraud`; the words are in `lakehouse/detection/fraud/card.py`.
How it does beside the rules: [the page on fraud](fraud.md).
"""
_USES = """## What it may be used for, and what not

It is for the fraud desk of the shop: what to look at first, and what the rules do not name.

- It learned from fraud that was simulated. Its probabilities hold for worlds like those, and for no
  real shop before it is trained and calibrated again on what a desk found there.
- It takes no part in `fraud_score`, level and alerts, and may refuse, hold or end nothing alone.
- It may not be used on anything but payments of the shop, nor to judge suspicion of crime, harm by
  gambling, or what somebody is worth.
- It knows no name, place, network, age or origin: whether a place or a device is new to the account
  is all that it knows of them.
- Accounts without a month of orders have little to be held against: of them it knows amounts and
  counts alone.
"""
_LABELS = """## Labels, and why these

The data has no outcome to learn from. A refund is mostly honest here, a refused payment mostly a
typing error, and there are no chargebacks; a model of either would learn refunds and refusals.
The truth table may be read by the scoring of detectors and by nothing else. So the score is
trained outside the lake, on worlds of other seeds and of the year before, on what was planted
there, and shipped as numbers (`lakehouse/detection/fraud/model.json`). A lake applies it to days
after its training alone; of days before, the score is empty.
"""


def card(model: Boosted, rows: pl.DataFrame) -> str:
    """Markdown. `rows`: `probability` and `is_fraud` of orders that the model has not seen."""
    return "\n".join([_TITLE, _trained(model), _LABELS, _features(), _calibration(rows), _USES])


def _trained(m: Boosted) -> str:
    return f"""## What it is

Gradient boosting (scikit-learn's HistGradientBoostingClassifier): {TREES} trees of at most {LEAVES}
leaves of {FEWEST} orders or more, seed {SEED}; then two numbers that make odds a probability (Platt
1999), fitted on the last third of the training's days. It is applied with NumPy alone.

| | |
|---|---|
| version | {m.version} |
| trained on | {m.trained_on}, {m.trained_from} up to {m.trained_until} |
| orders | {m.orders:,}, of which {m.frauds:,} fraud ({m.frauds / m.orders:.1%}) |
| calibration | odds x {m.slope:.3f} {m.offset:+.3f} |
"""


def _features() -> str:
    names = "\n".join(f"- `{name}`" for name in FEATURES)
    return f"## Features\n\nMeasures of an order against its user's 30 gaming days:\n\n{names}\n"


def _calibration(rows: pl.DataFrame) -> str:
    lines = ["| learned score | orders | mean score | fraud |", "|---" * 4 + "|"]
    score = pl.col("probability")
    for low, high in itertools.pairwise(CUTS):
        inside = rows.filter((score >= low) & ((score < high) | (high == CUTS[-1])))
        told, true = inside.select(pl.col("probability").mean(), pl.col("is_fraud").mean()).row(0)
        if len(inside):
            lines.append(f"| {low:g} to {high:g} | {len(inside):,} | {told:.1%} | {true:.1%} |")
    table = "\n".join(lines)
    return f"## Calibration\n\nOf orders of worlds that it has not seen:\n\n{table}\n"
