"""How good each rule of detection is, on worlds that its thresholds were not set on: `python -m
benchmarks detection`. Writes its tables into docs/detection.md.

Worlds are simulated and derived by the library alone, bronze to alerts; the last four of their six
weeks are scored. A figure is that of all seeds together, with the least and most of one seed.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import polars as pl

from benchmarks.lake import START
from benchmarks.page import written
from benchmarks.stored import AS_OF, COMMIT, filled
from lakehouse.contracts import contract
from lakehouse.contracts.columns import STRENGTHS
from lakehouse.contracts.detection.detection_quality import WINDOW
from lakehouse.detection.registry import rules
from lakehouse.detection.scoring.definitions import BY_DEFINITION, structuring_by_definition
from lakehouse.detection.scoring.quality import quality
from lakehouse.gold.detection.detection_quality import units_of_players
from lakehouse.gold.marts import marts
from lakehouse.pipeline.marts import made
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.law import load
from lakehouse.regulation.suspicion.hits import watched
from lakehouse.settings import Settings
from lakehouse.simulate.kernel.config import Faults, WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Days, Lake, Portion

PAGE = Path(__file__).parents[1] / "docs" / "detection.md"
NUMBER = 42
DAYS: Days = (START, START + dt.timedelta(NUMBER - 1))
SET_ON = (42, 7, 11, 13, 17, 19, 404, 505, 606, 707, 909)
"""Seeds that were looked at while thresholds were set."""
UNSEEN = (1101, 1202, 1303, 1404, 1505)
OTHER_RATES = 3.0
DETERMINED = ("self_excluded_play", "meter_against_play", "jackpot_without_play")
"""Kinds that the records determine: found or not found, whatever their strength. Structuring is
one by its definition."""
_WHOLE = ("all", BY_DEFINITION)
_COUNTS = (
    "cases", "cases_found", "cases_ended", "cases_ended_found", "alerts", "alerts_true",
    "alerts_on_look_alikes",
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """A kind of world."""

    name: str
    faults: Faults
    seeds: tuple[int, ...] = UNSEEN

    @property
    def marker(self) -> str:
        return self.name.split(" ", 1)[0]


def _cash_rules() -> tuple[str, ...]:
    column = contract("alerts").columns["rule"]
    return tuple(getattr(column, "categories", ()))


def _rates(faults: Faults, times: float) -> Faults:
    kinds = [n for n in (*rules(), *_cash_rules()) if hasattr(faults, n)]
    return replace(faults, **{kind: getattr(faults, kind) * times for kind in kinds})


SETTINGS = (
    Setting("default worlds", Faults()),
    Setting("half the intensity", replace(Faults(), intensity=0.5), UNSEEN[:2]),
    Setting("tenth of the intensity", replace(Faults(), intensity=0.1), UNSEEN[:2]),
    Setting(f"rates {OTHER_RATES:.0f} times as high", _rates(Faults(), OTHER_RATES), UNSEEN[2:4]),
)


def needed() -> list[str]:
    """The marts that detection's figures follow from, each after those that it reads."""
    wanted = {"detection_quality", "alerts", "alert_episodes"}
    for name in reversed(marts()):
        if name in wanted:
            wanted |= {i.table for i in marts()[name].inputs if i.table in marts()}
    return [name for name in marts() if name in wanted]


def scored(arguments: tuple[int, Faults]) -> pl.DataFrame:
    """Figures of one world: a row per rule and strength, in the shape of `detection_quality`."""
    seed, faults = arguments
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(root=f"{name}/lake", seed=seed, start=START, domains=("floor",))
        lake = Lake.open(settings)
        world = World(WorldConfig(seed=seed, start=START, faults=faults))
        plants = filled(lake, settings, world, DAYS)
        for mart in needed():
            derive(lake, settings, mart, DAYS)
        last = DAYS[1]
        ours = lake.scan("gold", "detection_quality", days=(last, last)).collect()
        return pl.concat([ours, cash(lake, plants)], how="vertical_relaxed").with_columns(
            seed=pl.lit(seed)
        )


def derive(lake: Lake, settings: Settings, mart: str, days: Days) -> None:
    about = marts()[mart]
    for _, done in made(about, lake, settings, days, as_of=AS_OF):
        if not isinstance(done, Portion):
            raise done
        lake.write_days(about.layer, mart, done.rows, done.days, commit=COMMIT)


def cash(lake: Lake, plants: pl.DataFrame) -> pl.DataFrame:
    """Figures of the patterns that are judged in the restricted zone; of structuring also by its
    definition, whatever was planted."""
    units = units_of_players(lake.scan("gold", "player_day")).collect()
    columns = ["alert_id", "rule", "entity_id", "gaming_day", "window_start", "score"]
    alerts = lake.scan("restricted", "alerts").select(columns).collect()
    last = (DAYS[1], DAYS[1])
    found = quality(alerts, plants, units, last, families=dict.fromkeys(_cash_rules(), "cash"))
    defined = quality(
        alerts.filter(pl.col("rule") == "structuring"),
        _by_definition(lake, plants),
        units,
        last,
        families={"structuring": "cash"},
        strengths=(BY_DEFINITION,),
    ).filter(strength=BY_DEFINITION)
    shape = contract("detection_quality").bronze_schema()
    return pl.concat([found, defined]).select(pl.col(c).cast(t) for c, t in shape.items())


def _by_definition(lake: Lake, plants: pl.DataFrame) -> pl.DataFrame:
    params = watched(load("us-federal")).periods("structuring")[-1].params or {}
    silver = (lake.scan("silver", t) for t in ("financial_txn", "gaming_wins"))
    columns = ["player_id", "side", "gaming_day", "at", "amount"]
    currency = currency_ledger(*silver).select(columns).collect()
    window = (DAYS[1] - dt.timedelta(WINDOW - 1), DAYS[1])
    numbers = {n: float(v) for n, v in params.items() if isinstance(v, int | float | Decimal)}
    return structuring_by_definition(plants, currency, numbers, window)


def pooled(worlds: pl.DataFrame) -> pl.DataFrame:
    """All seeds together, with the least and the most of one seed."""

    def spread(name: str) -> list[pl.Expr]:
        return [pl.col(name).min().alias(f"{name}_low"), pl.col(name).max().alias(f"{name}_high")]

    means = ("lead_days", "base_rate", "auprc", "amount_auprc", "alerts_per_day")
    return (
        worlds.group_by("family", "rule", "strength")
        .agg(
            *(pl.col(c).sum() for c in _COUNTS),
            *(pl.col(c).mean() for c in means),
            *spread("recall"),
            *spread("recall_ended"),
            *spread("precision"),
            *spread("auprc"),
            seeds=pl.col("seed").n_unique(),
        )
        .with_columns(
            recall=pl.col("cases_found") / pl.col("cases"),
            recall_ended=pl.col("cases_ended_found") / pl.col("cases_ended"),
            precision=pl.when(pl.col("alerts") > 0).then(pl.col("alerts_true") / pl.col("alerts")),
        )
        .sort("family", "rule", "strength")
    )


def shown(rows: pl.DataFrame, strengths: Sequence[str]) -> str:
    head = (
        "| family | rule | cases | strength | recall (least–most of a seed) | of cases that ended: "
        "recall | precision | alerts a day | on look-alikes | lead, days | AUPRC | base rate | "
        "by amount |"
    )
    lines = [head, "|---" * 13 + "|"]
    for r in rows.filter(pl.col("strength").is_in(strengths)).iter_rows(named=True):
        cells = (
            r["family"], f"`{r['rule']}`", r["cases"], r["strength"],
            _ranged(r, "recall"), _ended(r), _ranged(r, "precision"), _two(r["alerts_per_day"]),
            r["alerts_on_look_alikes"], _one(r["lead_days"]), _ranged(r, "auprc"),
            _small(r["base_rate"]), _small(r["amount_auprc"]),
        )  # fmt: skip
        lines.append(f"| {' | '.join(str(c) for c in cells)} |")
    return "\n".join(lines)


def _ranged(row: dict[str, float | None], name: str) -> str:
    if row[name] is None:
        return "–"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"{row[name]:.2f} ({low:.2f}–{high:.2f})" if low is not None else f"{row[name]:.2f}"


def _ended(row: dict[str, float | None]) -> str:
    return f"{row['cases_ended']}: {_ranged(row, 'recall_ended')}" if row["cases_ended"] else "–"


def _one(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _two(value: float | None) -> str:
    return "0" if value is None else f"{value:.2f}"


def _small(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def targets(rows: pl.DataFrame) -> str:
    """What was asked of the figures, and whether they meet it."""
    lines = ["| what | asked | rules that meet it | rules that do not |", "|---" * 4 + "|"]
    determined = pl.col("rule").is_in(DETERMINED)
    is_defined = pl.col("strength") == BY_DEFINITION
    whole = rows.filter(is_defined | determined & (pl.col("strength") == "all"))
    is_met = (pl.col("recall") >= 0.98) & (pl.col("precision") >= 0.95)
    what = "determined by the records, all strengths; structuring by its definition"
    lines.append(_target(what, "recall ≥ .98, precision ≥ .95", whole, is_met))
    strong = rows.filter(~determined & pl.col("strength").is_in(["blatant", "middling"]))
    for of, recall in (("cases that show", "recall"), ("cases that ended", "recall_ended")):
        is_met = (pl.col(recall) >= 0.8) & (pl.col("precision") >= 0.5)
        what = f"blatant and middling of the others: {of}"
        lines.append(_target(what, "recall ≥ .8 at precision ≥ .5", strong, is_met))
    faint = pl.col("rule").is_in(["escalating_harm", "dealer_collusion", "pooling"])
    lines.append(_target(
        "faint harm and collusion", "AUPRC ≥ 5 × base rate and 2 × by amount",
        rows.filter(faint & (pl.col("strength") == "faint")),
        (pl.col("auprc") >= 5 * pl.col("base_rate"))
        & (pl.col("auprc") >= 2 * pl.col("amount_auprc")),
    ))  # fmt: skip
    return "\n".join(lines)


def _target(what: str, asked: str, rows: pl.DataFrame, met: pl.Expr) -> str:
    judged = rows.with_columns(met=met.fill_null(value=False))
    named = {
        is_met: ", ".join(f"`{r}` {s}" for r, s in part.select("rule", "strength").iter_rows())
        for (is_met,), part in judged.partition_by("met", as_dict=True).items()
    }
    return f"| {what} | {asked} | {named.get(True, '–')} | {named.get(False, '–')} |"


def main(settings: Iterable[Setting] = SETTINGS) -> None:
    for setting in settings:
        asked = [(seed, setting.faults) for seed in setting.seeds]
        # A process a world: a second one in the same process made Polars 2.1 panic.
        spawned = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, spawned, max_tasks_per_child=1) as pool:
            worlds = pl.concat(pool.map(scored, asked))
        rows = pooled(worlds)
        is_default = setting is SETTINGS[0]
        strengths = (*_WHOLE, *STRENGTHS) if is_default else _WHOLE
        table = shown(rows, strengths)
        print(f"\n### {setting.name}\n\n{table}", flush=True)
        written(PAGE, setting.marker, table)
        if is_default:
            said = targets(rows)
            print(f"\n{said}", flush=True)
            written(PAGE, "targets", said)
