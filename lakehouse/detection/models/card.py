"""The card of the learned score of protection: what it is made of, how it holds up, what it is not
for. Written from what a lake holds; nothing here knows what was planted."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.detection.models.forest import SAMPLE, SEED, TREES
from lakehouse.detection.models.protection import FEWEST_DAYS, FEWEST_ROWS, TRAINING

CUTS = (0.5, 0.9, 0.95, 0.99)
NEWEST = 28
AHEAD = 60
"""Days within which a later self-exclusion is looked for."""
_TITLE = """# Model card: the learned score of protection

Written by `lakehouse detection card` from a lake; the words are in
`lakehouse/detection/models/card.py`. What the score stands beside, and what an officer does with
either: [the page on protection](player_protection.md).
"""
_USES = """## What it may be used for, and what not

It says how unusual a patron's last day of play is, in the markers above, among the days of play of
the twelve weeks before. It is for a protection officer who looks for play that the rules do not
name.

- It is no diagnosis and no probability of harm: unusual play is mostly harmless.
- It may not refuse, exclude, limit or end anything, and takes no part in score, level, alerts,
  budget and marketing.
- It may not be used to find patrons to market to, to set credit, or to judge suspicion of crime.
- It knows nothing of sex, age, origin, address, tier or worth, and may not be joined with them to
  sort people.
- It knows carded and rated play alone. Who plays without a card, or elsewhere, is not in it.
"""


def card(models: pl.DataFrame, standing: pl.DataFrame, excluded: pl.DataFrame) -> str:
    """Markdown. `models`: protection_model. `standing`: of player_protection `player_id`,
    `gaming_day`, `last_play`, `score`, `learned_score`, on days of play. `excluded`: `player_id`
    and `joined`, the first gaming day on the self-exclusion list. Of no model: that there is
    none, and what it takes."""
    if models.is_empty():
        return f"{_TITLE}\nThis lake has no model: it takes {_needs()}.\n\n{_USES}"
    scored = standing.filter(pl.col("learned_score").is_not_null())
    parts = [_TITLE, _trained(models), _features(models), _calibration(scored)]
    return "\n".join([*parts, _later(scored, excluded), _USES])


def _needs() -> str:
    return f"{FEWEST_ROWS} days of play on {FEWEST_DAYS} gaming days before a Monday"


def _trained(models: pl.DataFrame) -> str:
    last = models.sort("gaming_day").row(-1, named=True)
    end = last["trained_until"] - dt.timedelta(days=1)
    first, rows = models["gaming_day"].to_list(), last["trained_rows"]
    return f"""## What it is

An isolation forest (Liu, Ting, Zhou 2008), grown as scikit-learn grows it: {TREES} trees of
{SAMPLE} days of play each, seed {SEED}. One is trained each Monday on the {TRAINING} gaming days
before it, once there are {_needs()}. A day of play is scored by the
model of the Monday on or before it, and keeps that score. Models are kept as numbers in
`gold.protection_model`, and are trained and applied without that library.

| | |
|---|---|
| models in this lake | {len(models)}, of {min(first)} to {last["gaming_day"]} |
| newest | {last["version"]} |
| trained on | {rows:,} days of play, {last["trained_from"]} to {end} |
| labels | none: it is unsupervised |
"""


def _features(models: pl.DataFrame) -> str:
    names = "\n".join(f"- `{f}`" for f in models.sort("gaming_day")["features"][-1])
    return f"""## Features

Of `gold.player_markers`, on the day of play. Shares of few are shrunk, and of what is measured
against the patron's own days only more than usual counts. No amount of money is among them.

{names}
"""


def _calibration(scored: pl.DataFrame) -> str:
    """Whether as many of the days after training lie over a cut as in training."""
    score = pl.col("learned_score")
    newest = pl.col("gaming_day") > pl.col("gaming_day").max() - dt.timedelta(days=NEWEST)
    rows = []
    for cut in CUTS:
        found, late = scored.select(
            (score > cut).mean(), (score.filter(newest) > cut).mean().alias("late")
        ).row(0)
        rows.append(f"| over {cut} | {1 - cut:.1%} | {found:.1%} | {late:.1%} |")
    rank = scored.select(pl.corr("score", "learned_score", method="spearman")).item()
    return f"""## Calibration

Scores are shares of the training. Of {len(scored):,} days of play after it, that no model had seen:

| learned score | expected | found | found in the newest {NEWEST} days |
|---|---|---|---|
{chr(10).join(rows)}

More than expected where a lake is young: markers of 30 and 90 days grow while their history
does.

Rank correlation with the score of the rules: {rank:.2f}.
"""


def _later(scored: pl.DataFrame, excluded: pl.DataFrame) -> str:
    """What the house itself came to know: who joined the list soon after."""
    last = scored["gaming_day"].max()
    assert isinstance(last, dt.date)
    seen = scored.filter(pl.col("gaming_day") <= last - dt.timedelta(days=AHEAD))
    if seen.is_empty():
        return f"## What came later\n\nLess than {AHEAD} days have passed since the first scores.\n"
    players = seen.group_by("player_id").agg(
        pl.col("learned_score").max(), since=pl.col("gaming_day").min()
    )
    known = players.join(excluded, on="player_id", how="left")
    after = (pl.col("joined") - pl.col("since")).dt.total_days()
    joined = after.is_between(1, AHEAD).fill_null(value=False)
    told = []
    groups = {"over 0.99": pl.col("learned_score") > 0.99, "all": pl.lit(value=True)}
    for name, group in groups.items():
        mine = known.filter(group).select(n=pl.len(), joined=joined.sum()).row(0)
        told.append(f"| {name} | {mine[0]:,} | {mine[1]:,} |")
    return f"""## What came later

Patrons by their highest score, and how many are known to have joined the self-exclusion list
within {AHEAD} days of their first one. Profiles tell it as they are extracted, of many who stay
away late. In a simulated casino people join at random, so that no score can foretell it; in a real
one the score must show here that it is worth its place.

| highest learned score | patrons | joined |
|---|---|---|
{chr(10).join(told)}
"""
