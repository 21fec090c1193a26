"""The simulated world: same bytes, linked rows, money to the cent, no one in two places."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.contracts import contract
from lakehouse.regulation.law import Law
from lakehouse.simulate.floor import plan
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.floor.table_play import theo_cents
from lakehouse.simulate.floor.tampering import tampered_meters
from lakehouse.simulate.kernel import producers as registry
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.kernel.producers import producers
from lakehouse.simulate.produce import table_frames
from lakehouse.simulate.world import World

EXACT = ("slot_telemetry", "table_games", "player_profile", "financial_txn", "security_events")
START = dt.date(2025, 1, 1)
DAYS = [START + dt.timedelta(days=d) for d in range(6)]
# Scenarios in which the same player, by design, is at two machines at once.
TWO_PLACES = "card_sharing"


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig())


@pytest.fixture(scope="module")
def clean(world: World) -> dict[str, pl.DataFrame]:
    return {t: pl.concat([world.clean(t, d) for d in DAYS]) for t in producers()}


@pytest.mark.slow
@pytest.mark.parametrize("table", producers())
def test_a_day_alone_equals_its_slice_of_a_run(world: World, table: str) -> None:
    run = [world.frame(table, d) for d in DAYS]
    alone = World(WorldConfig()).frame(table, DAYS[4])
    assert alone.equals(run[4])
    assert alone.schema == contract(table).bronze_schema()


@pytest.mark.parametrize("table", EXACT)
def test_the_size_of_a_stretch_changes_no_clean_byte(
    world: World, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = world.clean(table, DAYS[2])
    monkeypatch.setattr(registry, "STRETCH_ROWS", whole.height // 10)
    other = World(WorldConfig())
    assert len(list(other.pieces(table, range(2, 3)))) > 8
    assert other.clean(table, DAYS[2]).equals(whole)


@pytest.mark.slow
@pytest.mark.parametrize("table", producers())
def test_days_made_together_equal_days_made_alone(world: World, table: str) -> None:
    together = pl.concat(World(WorldConfig()).frames(table, range(len(DAYS))))
    for date in DAYS:
        assert together.filter(pl.col("gaming_day") == date).equals(world.frame(table, date))


@pytest.mark.slow
@pytest.mark.parametrize("table", ["slot_telemetry", "financial_txn"])
def test_a_large_day_is_the_same_in_stretches_and_threads(table: str) -> None:
    """More than 100,000 rows a day: each stretch is made and spoiled by itself."""
    config = WorldConfig(days=2, rows={table: 210_000}, scale=0.1)
    pieces = dict(enumerate(table_frames(World(config), [table], threads=3)))
    run = pl.concat([rows for _, rows in pieces.values()])
    alone = World(config).frame(table, config.date(1))
    assert len(pieces) > 4
    assert run.height == 210_000
    assert run.filter(pl.col("gaming_day") == config.date(1)).equals(alone)


@pytest.mark.parametrize("table", EXACT)
def test_other_seeds_differ(world: World, table: str) -> None:
    other = World(WorldConfig(seed=43)).frame(table, DAYS[0])
    assert not other.equals(world.frame(table, DAYS[0]))


_PRINT_HASH = """
import datetime as dt, hashlib
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
w = World(WorldConfig())
day = dt.date(2025, 1, 3)
texts = (w.frame(t, day).write_csv() for t in ("slot_telemetry", "table_games", "financial_txn"))
print(hashlib.sha256("".join(texts).encode()).hexdigest())
"""


@pytest.mark.slow
def test_bytes_agree_without_the_newest_vector_instructions(world: World) -> None:
    """numpy's exp and log differ in the last bit between AVX-512 and AVX2."""
    tables = ("slot_telemetry", "table_games", "financial_txn")
    text = "".join(world.frame(t, dt.date(2025, 1, 3)).write_csv() for t in tables)
    env = os.environ | {"NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX X86_V4"}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PRINT_HASH],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("table", EXACT)
def test_row_counts_are_exact_over_the_window(table: str) -> None:
    config = WorldConfig(days=5, rows={table: 1_003, "player_profile": 400}, scale=0.1)
    small = World(config)
    rows = sum(small.frame(table, config.date(d)).height for d in range(5))
    assert rows == {"player_profile": 400}.get(table, 1_003)


@pytest.mark.slow
@given(
    slots=st.integers(0, 4_000),
    tables=st.integers(0, 900),
    cage=st.integers(0, 700),
    seed=st.integers(0, 2**63 - 1),
)
@settings(max_examples=12, deadline=None)
def test_any_mixture_of_counts_is_met_exactly(
    slots: int, tables: int, cage: int, seed: int
) -> None:
    asked = {"slot_telemetry": slots, "table_games": tables, "financial_txn": cage}
    config = WorldConfig(seed=seed, days=3, scale=0.05, rows=asked)
    small = World(config)
    for table, rows in asked.items():
        assert sum(small.frame(table, config.date(d)).height for d in range(3)) == rows


@pytest.mark.slow
def test_everybody_named_has_a_profile_of_that_day(clean: dict[str, pl.DataFrame]) -> None:
    known = clean["player_profile"].select("player_id", "gaming_day")
    for table in clean.keys() - {"player_profile"}:
        for column, (parent, _) in contract(table).references().items():
            if parent == "player_profile":
                named = clean[table].select("gaming_day", player_id=column).drop_nulls()
                assert named.join(known, on=["player_id", "gaming_day"], how="anti").is_empty(), (
                    table, column,
                )  # fmt: skip


def test_wins_and_observations_name_transactions_that_exist(clean: dict[str, pl.DataFrame]) -> None:
    paid = clean["gaming_wins"].join(clean["financial_txn"], on="transaction_id", how="left")
    assert paid.height > 10
    assert (paid["transaction_type"] == "JACKPOT_PAYOUT").all()
    assert (paid["gross_amount"] == paid["amount"]).all()
    assert (paid["player_id"] == paid["player_id_right"]).all()
    seen = clean["staff_observations"].join(clean["financial_txn"], on="transaction_id", how="anti")
    assert seen.is_empty()


def test_nobody_is_in_two_places(world: World) -> None:
    for day in range(12):
        p = day_plan(world, day)
        sharing = {q for s in world.scenarios(day) if s.kind == TWO_PLACES for q in s.players}
        stays = pl.DataFrame(
            {
                "player": np.concatenate([p.slots.player, p.tables.player]),
                "start": np.concatenate([p.slots.start, p.tables.start]),
                "end": np.concatenate([p.slots.end, p.tables.end]),
            }
        ).filter((pl.col("player") >= 0) & ~pl.col("player").is_in(list(sharing)))
        gaps = stays.sort("player", "start").with_columns(
            gap=pl.col("start") - pl.col("end").shift(1).over("player")
        )
        assert gaps.filter(pl.col("gap") < 0).is_empty()


def test_no_machine_and_no_seat_serves_two_sessions_at_once(world: World) -> None:
    for day in range(6):
        p = day_plan(world, day)
        play = pl.DataFrame(
            {"machine": p.slots.machine, "start": p.slots.start, "end": p.slots.end}
        ).sort("machine", "start")
        wait = play.with_columns(wait=pl.col("start") - pl.col("end").shift(1).over("machine"))
        assert wait.filter(pl.col("wait") < 0).is_empty()
        moves = pl.concat(
            [
                pl.DataFrame({"table": p.tables.table, "at": p.tables.start, "d": 1}),
                pl.DataFrame({"table": p.tables.table, "at": p.tables.end, "d": -1}),
            ]
        )
        seated = moves.sort("table", "at", "d").with_columns(n=pl.col("d").cum_sum().over("table"))
        assert seated["n"].max() <= 6


def test_no_dealer_is_at_two_tables_within_an_hour(clean: dict[str, pl.DataFrame]) -> None:
    at = clean["table_games"].with_columns(hour=pl.col("event_timestamp").dt.truncate("1h"))
    assert (
        at.group_by("dealer_id", "hour").agg(pl.col("table_id").n_unique())["table_id"].max() == 1
    )


@pytest.mark.slow
def test_markers_agree(world: World) -> None:
    """Issued at the pit = issued by the cage; each paid at most once, in full, afterwards."""
    days = [START + dt.timedelta(days=d) for d in range(20)]
    pit = pl.concat([world.clean("table_games", d) for d in days])
    cage = pl.concat([world.clean("financial_txn", d) for d in days])
    key = ["marker_number", "player_id", "amount"]
    drawn = pit.filter(pl.col("event_type") == "MARKER_ISSUED").sort("marker_number")
    issued = cage.filter(pl.col("transaction_type") == "MARKER_ISSUE").sort("marker_number")
    assert drawn.height > 30
    assert drawn.select(key).equals(issued.select(key))
    assert (issued["payment_method"] == "Chip").all()
    paid = cage.filter(pl.col("transaction_type") == "MARKER_PAYMENT")
    assert paid["marker_number"].is_unique().all()
    both = paid.join(issued, on="marker_number", how="left", suffix="_issued")
    assert (both["amount"] == both["amount_issued"]).all()
    assert (both["transaction_timestamp"] > both["transaction_timestamp_issued"]).all()
    outstanding = issued.join(paid, on="marker_number", how="anti")
    assert issued["amount"].sum() - paid["amount"].sum() == outstanding["amount"].sum()


def test_slot_sessions_balance_to_the_cent(clean: dict[str, pl.DataFrame], world: World) -> None:
    """Bills in + wins - bets = tickets out + hand-pays."""
    rows = clean["slot_telemetry"].filter(pl.col("session_id").is_not_null())

    def amounts(kind: str) -> pl.Expr:
        return pl.col("amount").filter(pl.col("event_type") == kind).sum()

    sums = rows.group_by("session_id").agg(
        bills=amounts("BILL_IN"),
        tickets=amounts("TICKET_OUT"),
        by_hand=amounts("JACKPOT"),
        wins=pl.col("coin_out").sum() + pl.col("jackpot_amount").sum(),
        bets=pl.col("coin_in").sum(),
    )
    left = pl.col("bills") + pl.col("wins") - pl.col("bets")
    assert sums.filter(left != pl.col("tickets") + pl.col("by_hand")).is_empty()
    assert sums.height == sum(len(day_plan(world, d).slots) for d in range(len(DAYS)))


def test_meters_never_fall_and_equal_the_sum_of_play(
    clean: dict[str, pl.DataFrame], world: World
) -> None:
    """But for those that are planted to be at odds with it."""
    planted = {m for d in range(len(DAYS)) for m in tampered_meters(world.config, d)}
    assert planted
    wrong = pl.col("machine_id").is_in([f"SLOT-{m + 1:04d}" for m in planted])
    rows = clean["slot_telemetry"].sort("machine_id", "event_timestamp")
    fallen = pl.col("meter_coin_in").drop_nulls().diff().over("machine_id", mapping_strategy="join")
    assert rows.select(fallen.list.min().min() >= 0).item()
    rows = rows.filter(~wrong)
    played = pl.col("coin_in").fill_null(0).cum_sum().over("machine_id")
    read = rows.with_columns(played=played).filter(pl.col("meter_coin_in").is_not_null())
    assert read.height > 5_000
    assert (read["meter_coin_in"] == read["played"]).all()


def test_hand_pays_have_their_payout_and_their_win(clean: dict[str, pl.DataFrame]) -> None:
    by_hand = clean["slot_telemetry"].filter(pl.col("event_type") == "JACKPOT")["amount"].sort()
    cage = clean["financial_txn"]
    payouts = cage.filter(pl.col("transaction_type") == "JACKPOT_PAYOUT")["amount"].sort()
    assert len(by_hand) > 10
    assert by_hand.equals(payouts, check_names=False)
    assert by_hand.equals(clean["gaming_wins"]["gross_amount"].sort(), check_names=False)


@pytest.mark.parametrize(
    ("start", "least"), [(dt.date(2025, 12, 20), 1_200), (dt.date(2026, 1, 5), 2_000)]
)
def test_hand_pays_follow_the_law_of_their_day(start: dt.date, least: int) -> None:
    """26 CFR 1.6041-10 to 2025-12-31; P.L. 119-21 from 2026-01-01."""
    later = World(WorldConfig(start=start, scale=4, faults=NO_FAULTS))
    wins = pl.concat([later.wins(d) for d in range(4)])["gross_cents"]
    assert len(wins) > 30
    assert wins.min() >= least * 100
    assert wins.min() < least * 100 * 1.35


def test_profile_totals_equal_the_facts_up_to_the_day(clean: dict[str, pl.DataFrame]) -> None:
    slots, pit = clean["slot_telemetry"], clean["table_games"]
    theo = pl.col("coin_in").fill_null(0).cast(pl.Float64) * pl.col("theoretical_hold").cast(
        pl.Float64
    )
    paid = pl.col("coin_out").fill_null(0) + pl.col("jackpot_amount").fill_null(0)
    facts = pl.concat(
        [
            slots.filter(pl.col("session_id").is_not_null()).select(
                "player_id", "gaming_day", theo=theo, win=pl.col("coin_in").fill_null(0) - paid
            ),
            pit.filter(pl.col("event_type") == "RATING_END").select(
                "player_id", "gaming_day",
                theo=pl.col("theoretical_win").cast(pl.Float64), win=pl.col("actual_win_loss"),
            ),
        ],
        how="vertical_relaxed",
    ).drop_nulls("player_id")  # fmt: skip
    last = clean["player_profile"].filter(pl.col("gaming_day") == DAYS[-1])
    sums = facts.group_by("player_id").agg(
        pl.col("theo").sum(), pl.col("win").sum(), visits=pl.col("gaming_day").n_unique()
    )
    both = last.join(sums, on="player_id", how="left").fill_null(0)
    assert both.filter(pl.col("total_visits") > 0).height > 250
    assert (both["total_visits"] == both["visits"]).all()
    assert (both["total_actual_win_loss"] == both["win"]).all()
    assert ((both["total_theo"].cast(pl.Float64) - both["theo"]).abs() <= 0.0051).all()


def test_some_enroll_on_their_first_visit(clean: dict[str, pl.DataFrame]) -> None:
    """Whoever enrolled since the books opened came that day, and was not in the book before."""
    new = clean["player_profile"].filter(pl.col("enrollment_date") >= START)
    assert new["player_id"].n_unique() > 50
    assert (new["gaming_day"] >= new["enrollment_date"]).all()
    assert (
        new.group_by("player_id").agg(pl.col("enrollment_date").n_unique())["enrollment_date"] == 1
    ).all()
    assert (
        new.filter(pl.col("enrollment_date") == pl.col("gaming_day"))["player_id"].n_unique() > 50
    )


@pytest.mark.parametrize(
    ("bet", "hours", "decisions", "edge_e4", "cents"),
    [
        (5_000, 400, 70, 75, 10_500),  # $50 x 70/h x 4 h x 0.75% = $105.00
        (2_500, 200, 38, 526, 9_994),  # $25 x 38/h x 2 h x 5.26% = $99.94
        (1_000, 1, 70, 75, 5),  # $10 x 70/h x 36 s x 0.75% = 5.25 cents
        (1_500, 10, 48, 158, 114),  # $15 x 48/h x 6 min x 1.58% = 113.76 cents
    ],
)
def test_table_theo_is_bet_by_decisions_by_hours_by_edge(
    bet: int, hours: int, decisions: int, edge_e4: int, cents: int
) -> None:
    worked = theo_cents(*(np.array([x]) for x in (bet, hours, decisions, edge_e4)))
    assert worked[0] == cents


def test_ratings_carry_that_theo(clean: dict[str, pl.DataFrame]) -> None:
    """Blackjack: 70 decisions an hour at 0.75% (Wizard of Odds)."""
    rated = clean["table_games"].filter(
        (pl.col("event_type") == "RATING_END") & (pl.col("game_type") == "Blackjack")
    )
    worked = rated["average_bet"].cast(float) * 70 * rated["hours_played"].cast(float) * 0.0075
    assert ((rated["theoretical_win"].cast(float) - worked).abs() <= 0.0051).all()


@pytest.mark.parametrize("date", [dt.date(2025, 3, 8), dt.date(2025, 11, 1)])
def test_days_of_23_and_25_hours_hold_together(date: dt.date) -> None:
    short = World(WorldConfig(start=date, scale=0.3, faults=NO_FAULTS))
    opens = {3: "2025-03-08T14:00:00Z", 11: "2025-11-01T13:00:00Z"}[date.month]
    closes = {3: "2025-03-09T13:00:00Z", 11: "2025-11-02T14:00:00Z"}[date.month]
    first, last = (dt.datetime.fromisoformat(t) for t in (opens, closes))
    for table, column in [("slot_telemetry", "event_timestamp"), ("table_games", "event_timestamp"),
                          ("financial_txn", "transaction_timestamp")]:  # fmt: skip
        times = short.clean(table, date)[column]
        assert first <= times.min() < times.max() < last


def test_rows_are_known_after_they_happen(clean: dict[str, pl.DataFrame]) -> None:
    for table in ("slot_telemetry", "table_games"):
        rows = clean[table]
        lag = rows["_ingested_at"] - rows["event_timestamp"]
        assert lag.min() > dt.timedelta(0)
        assert lag.max() <= dt.timedelta(minutes=65)


def test_a_late_day_plans_each_day_before_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meters and profiles stand on all days since the first, more than are remembered."""
    planned: list[int] = []

    def counted(config: WorldConfig, law: Law, day: int, *left_out: frozenset[int]) -> plan.DayPlan:
        planned.extend([day] if not left_out else [])
        return made(config, law, day, *left_out)

    made = plan.plan
    monkeypatch.setattr(plan, "plan", counted)
    late = World(WorldConfig(scale=0.05))
    for table in ("slot_telemetry", "player_profile"):
        late.frame(table, late.config.date(120))
    assert sorted(d for d in planned if d < 120) == list(range(120))
