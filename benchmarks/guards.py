"""Whether one feature alone tells the faintest cases of a planted kind from everybody else, so
that a detector could be good by the simulator's making: `python -m benchmarks guards`.

A feature is a numeric column of what detection reads, how often a code occurs, or one of the few
figures that a reviewer reckons first. It is measured on the days of those of whom the kind could be
asked at all, by the share of pairs (a day of a case, a day of another) in whose order it is right:
the area under the ROC curve, of either direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl
import polars.selectors as cs

from benchmarks.worlds import Floor
from lakehouse.simulate.faults.house_cases import KINDS as HOUSE
from lakehouse.simulate.kernel.config import Faults, WorldConfig

MOST = 0.95
"""A feature that orders more pairs rightly tells a faint case by itself."""
TIMES = 10.0
"""Cases are so many times as frequent as by default, and look-alikes as frequent as by default."""
DAYS, FEWEST = 24, 8
"""Gaming days of a world, and the days of cases without which a kind is not measured."""
SEEDS = (11, 12, 13)
_KEY = ("entity_id", "gaming_day")


@dataclass(frozen=True)
class Asked:
    """Of whom a kind could be asked: days of `of` on which `where` holds."""

    of: str
    where: pl.Expr
    definition: tuple[str, ...] = ()
    """Features that are the definition of a kind which the records determine: they tell it."""


_BOUGHT = Asked("player", pl.col("table_games_BUY_IN") + pl.col("table_games_MARKER_ISSUED") > 0)
_OF_A_GAME = ("coin_in", "coin_out", "games_played", "theo", "payout_deviation")
_WITHOUT_A_GAME = (*(f"least_{c}" for c in _OF_A_GAME), "slot_telemetry_METER_UPDATE")
"""The session of the hand-pay has no game, and without games no meter is read."""
_A_READ_ALONE = ("reads", "seconds", "least_gap", "most_gap")
_SLOTS = pl.col("slot_sessions") > 0
ASKED = {
    "structuring": _BOUGHT,
    "minimal_play": _BOUGHT,
    "chip_walking": _BOUGHT,
    "pooling": _BOUGHT,
    "threshold_avoidance": _BOUGHT,
    "marker_cycle": Asked("player", pl.col("table_games_MARKER_ISSUED") > 0),
    "bill_stuffing": Asked("player", _SLOTS),
    "card_sharing": Asked("player", _SLOTS),
    "self_excluded_play": Asked("player", _SLOTS, ("is_excluded", "tool_use")),
    "escalating_harm": Asked("player", pl.col("sessions") > 0),
    "hold_drift": Asked("machine", pl.col("games_played") > 0),
    "meter_against_play": Asked("machine", pl.col("games_played") > 0, ("meter_variance",)),
    "door_without_badge": Asked("machine", pl.col("slot_telemetry_DOOR_OPEN") > 0),
    "jackpot_without_play": Asked("machine", pl.col("jackpots") > 0, _WITHOUT_A_GAME),
    "dealer_collusion": Asked("pair", pl.col("ratings") > 0),
    "cashier_overrides": Asked("cashier", pl.col("overrides") > 0),
    "cashier_voids": Asked("cashier", pl.col("voids") > 0),
    "tailgating": Asked("badge", pl.col("reads") > 0, _A_READ_ALONE),
    "badge_cloning": Asked("badge", pl.col("reads") > 0),
}
"""Kind → of whom it could be asked. An agent is no misconduct: the record names him."""


def faintest(seed: int, days: int = DAYS) -> Floor:
    """A floor all of whose cases are faint."""
    often = {kind: TIMES * getattr(Faults(), kind) for kind in HOUSE}
    rare = Faults().look_alikes / TIMES
    faults = replace(Faults(), misconduct=TIMES, look_alikes=rare, intensity=1 / 3, **often)
    return Floor(WorldConfig(seed=seed, scale=0.5, faults=faults), days)


def units(floor: Floor, of: str) -> pl.DataFrame:
    """A row per entity and gaming day with all features of the entity."""
    first, *rest = (part.collect() for part in _PARTS[of](floor))
    for part in rest:
        first = first.join(part, on=_KEY, how="left")
    counted = [c for c in first.columns if c.startswith(_EVENTS)]
    return first.with_columns(pl.col(counted).fill_null(0))


_EVENTS = ("slot_telemetry_", "table_games_", "financial_txn_", "security_events_")


def _mart(floor: Floor, name: str, entity: str, *but: str) -> pl.LazyFrame:
    numbers = cs.numeric() | cs.boolean()
    rows = floor.table(name).select(
        pl.col(entity).alias("entity_id"), "gaming_day", numbers.cast(pl.Float64)
    )
    return rows.drop(but)


def _counts(floor: Floor, table: str, entity: str, kind: str, money: str = "") -> pl.LazyFrame:
    """How many rows of each kind, and for how much."""
    rows = floor.table(table).filter(pl.col(entity).is_not_null())
    kinds = rows.select(pl.col(kind).cast(pl.String)).unique().collect()[kind].sort()
    named = pl.col(kind).cast(pl.String)
    many = [(named == k).sum().cast(pl.Float64).alias(f"{table}_{k}") for k in kinds]
    if money:
        amount = pl.col(money).cast(pl.Float64)
        many += [amount.filter(named == k).sum().alias(f"{table}_{k}_{money}") for k in kinds]
    return rows.group_by(pl.col(entity).alias("entity_id"), "gaming_day").agg(many)


def _players(floor: Floor) -> Iterator[pl.LazyFrame]:
    yield _mart(floor, "player_day", "player_id")
    yield _mart(floor, "player_behaviour", "player_id", "coin_in", "games_played")
    yield _mart(floor, "player_protection", "player_id")
    yield _counts(floor, "slot_telemetry", "player_id", "event_type", "amount")
    yield _counts(floor, "table_games", "player_id", "event_type", "amount")
    yield _counts(floor, "financial_txn", "player_id", "transaction_type", "amount")
    yield _kept(floor)


def _kept(floor: Floor) -> pl.LazyFrame:
    """Chips carried off tables and not redeemed on the day."""
    amount = pl.col("amount").cast(pl.Float64)
    tables, cage = floor.table("table_games"), floor.table("financial_txn")
    moves = pl.concat(
        [
            tables.filter(pl.col("event_type") == "CASH_OUT").select(
                "player_id", "gaming_day", kept=amount
            ),
            cage.filter(pl.col("transaction_type") == "CHIP_REDEMPTION").select(
                "player_id", "gaming_day", kept=-amount
            ),
        ]
    )
    return moves.group_by(entity_id="player_id", gaming_day="gaming_day").agg(pl.col("kept").sum())


def _machines(floor: Floor) -> Iterator[pl.LazyFrame]:
    yield _mart(floor, "slot_performance", "machine_id")
    numbers = pl.col("games_played", "coin_in", "coin_out", "theo", "payout_deviation")
    sessions = _mart(floor, "slot_sessions", "machine_id").group_by(_KEY)
    yield sessions.agg(numbers.max().name.prefix("most_"), numbers.min().name.prefix("least_"))
    yield _counts(floor, "slot_telemetry", "machine_id", "event_type")


def _pairs(floor: Floor) -> Iterator[pl.LazyFrame]:
    pair = pl.concat_str("dealer_id", "player_id", separator="+")
    rows = floor.table("dealer_play").with_columns(pair=pair)
    yield rows.select(
        pl.col("pair").alias("entity_id"), "gaming_day", cs.numeric().cast(pl.Float64)
    )


def _cashiers(floor: Floor) -> Iterator[pl.LazyFrame]:
    yield _mart(floor, "cashier_day", "cashier_id")
    yield _counts(floor, "financial_txn", "cashier_id", "transaction_type", "amount")


def _badges(floor: Floor) -> Iterator[pl.LazyFrame]:
    reads = floor.table("security_events").filter(pl.col("badge_number").is_not_null())
    at = pl.col("event_timestamp")
    gap = at.sort().diff().dt.total_seconds().cast(pl.Float64)
    yield reads.group_by(pl.col("badge_number").alias("entity_id"), "gaming_day").agg(
        reads=pl.len(),
        refused=(~pl.col("access_granted")).sum(),
        places=pl.col("location_detail").n_unique(),
        least_gap=gap.min(),
        most_gap=gap.max(),
        seconds=(at.max() - at.min()).dt.total_seconds(),
    )
    yield _counts(floor, "security_events", "badge_number", "event_type")
    yield _counts(floor, "security_events", "badge_number", "security_level")


_PARTS = {
    "player": _players,
    "machine": _machines,
    "pair": _pairs,
    "cashier": _cashiers,
    "badge": _badges,
}


def aucs(rows: pl.DataFrame, is_case: pl.Series) -> pl.DataFrame:
    """feature, auc: of each numeric column, how many of the pairs of a case and another it puts in
    one order, ties half; of the better direction. A missing value is a value below all others."""
    cases = int(is_case.sum())
    pairs = cases * (len(is_case) - cases)
    numbers = rows.select(cs.numeric().cast(pl.Float64).fill_nan(None))
    low = numbers.with_columns(pl.all().fill_null(pl.all().min() - 1).fill_null(0.0))
    ranks = low.select(pl.all().rank("average")).filter(is_case).sum()
    above = ranks.unpivot(variable_name="feature", value_name="ranks").select(
        "feature", auc=(pl.col("ranks") - cases * (cases + 1) / 2) / pairs
    )
    return above.with_columns(pl.max_horizontal("auc", 1 - pl.col("auc")))


def separations(floor: Floor) -> pl.DataFrame:
    """kind, cases (days of them), others, feature, auc, is_definition: of each kind with cases
    enough, all its features, the most telling first."""
    of = {name: units(floor, name) for name in _PARTS}
    found = [_separated(floor, of[asked.of], kind, asked) for kind, asked in ASKED.items()]
    return pl.concat(found).sort("kind", "auc", descending=[False, True])


def _separated(floor: Floor, every: pl.DataFrame, kind: str, asked: Asked) -> pl.DataFrame:
    real = _days_of(floor.plants, kind, pairs=asked.of == "pair")
    there = every.filter(asked.where)
    found = real.with_columns(found=True)
    is_case = there.join(found, on=_KEY, how="left", maintain_order="left")["found"].fill_null(
        value=False
    )
    features = there.drop(_KEY)
    found = aucs(features, is_case) if is_case.sum() >= FEWEST else _NOTHING
    return found.select(
        pl.lit(kind).alias("kind"),
        pl.lit(int(is_case.sum())).alias("cases"),
        pl.lit(there.height - int(is_case.sum())).alias("others"),
        "feature",
        "auc",
        is_definition=pl.col("feature").is_in(asked.definition),
    )


_NOTHING = pl.DataFrame(schema={"feature": pl.String, "auc": pl.Float64})


def _days_of(plants: pl.DataFrame, kind: str, *, pairs: bool) -> pl.DataFrame:
    """entity_id, gaming_day: where cases of a kind show; of a pair its dealer and player."""
    own = plants.filter(~pl.col("is_look_alike"), kind=kind)
    if not pairs:
        return own.select(_KEY).unique()
    both = pl.col("entity_id").sort_by("entity_type").unique(maintain_order=True).str.join("+")
    return own.group_by("plant_id", "gaming_day").agg(both).select(_KEY).unique()


def main() -> None:
    print("| seed | kind | days of cases | days of others | most telling feature | AUC |")
    print("|---|---|---|---|---|---|")
    for seed in SEEDS:
        told = separations(faintest(seed)).filter(~pl.col("is_definition"))
        for row in told.unique("kind", keep="first", maintain_order=True).iter_rows(named=True):
            cells = seed, row["kind"], row["cases"], row["others"], row["feature"]
            print(f"| {' | '.join(map(str, cells))} | {row['auc']:.3f} |", flush=True)
