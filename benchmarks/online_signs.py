"""How well the signs of `responsible_gaming` find accounts that two play or a program does: `python
-m benchmarks online_signs` writes its table into docs/online.md.

On worlds that no threshold was set on, of silver as it would be made of clean rows: what is
judged is the signs, not the cleaning. A case is found where one of its days has the sign.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.page import written
from lakehouse.gold.online.hands import hands
from lakehouse.gold.online.play import events
from lakehouse.gold.online.responsible_gaming import EVEN_ROUNDS, SHARED_MINUTES
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World

PAGE = Path(__file__).parents[1] / "docs" / "online.md"
UNSEEN = (101, 202, 303, 404, 505)
SCALE, DAYS = 4.0, range(14, 28)
SIGNS = {
    "account_sharing": ("minutes_at_once", SHARED_MINUTES),
    "betting_bot": ("even_rounds", EVEN_ROUNDS),
}


def world(seed: int) -> pl.DataFrame:
    """A row per account, day and what was planted there, with what the signs measure."""
    one = World(WorldConfig(scale=SCALE, seed=seed))
    days = [one.config.date(day) for day in DAYS]
    clicks = pl.concat([one.clean("clickstream", day) for day in days])
    plants = pl.concat([one.plants(day, ["clickstream"]) for day in days])
    planted = plants.select(
        "kind", "gaming_day", "plant_id", "is_look_alike", user_id="entity_id"
    ).filter(pl.col("kind").is_in(SIGNS.keys()))
    found = hands(events(clicks.lazy(), (days[0], days[-1]))).collect()
    return found.join(planted.unique(), on=["user_id", "gaming_day"], how="left").with_columns(
        plant_id=pl.format("{}:{}", pl.lit(seed), "plant_id")
    )


def main() -> None:
    rows = pl.concat([world(seed) for seed in UNSEEN])
    head = (
        "planted",
        "sign",
        "days of cases",
        "recall",
        "precision",
        "cases",
        "found",
        "look-alikes",
    )
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for kind, (measure, least) in SIGNS.items():
        true = rows.filter(kind=kind, is_look_alike=False)
        alike = rows.filter(kind=kind, is_look_alike=True)
        told = rows.filter(pl.col(measure) >= least)
        hits = true.filter(pl.col(measure) >= least)
        of_alike = alike.filter(pl.col(measure) >= least).height
        lines.append(
            f"| {kind} | `{measure}` from {least} on | {true.height} "
            f"| {hits.height / true.height:.2f} | {hits.height / told.height:.2f} "
            f"| {true['plant_id'].n_unique()} | {hits['plant_id'].n_unique()} "
            f"| {of_alike} of {alike.height} |"
        )
    text = "\n".join(lines)
    print(text)
    written(PAGE, "signs", text)


if __name__ == "__main__":
    main()
