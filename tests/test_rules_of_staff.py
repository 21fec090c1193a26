"""Dealers and their players, cashiers and their peers, cards in two places: worked by hand."""

import datetime as dt
import math
import subprocess
import sys
from typing import Any

import polars as pl
import pytest
from law_rows import rows

from lakehouse.contracts import contract
from lakehouse.detection.registry import rules
from lakehouse.detection.rules.staff import _log10_binomial
from lakehouse.gold.marts import marts
from lakehouse.settings import Settings

D = dt.date(2025, 3, 20)
AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def day(n: int) -> dt.date:
    return D + dt.timedelta(days=n)


def table(name: str, found: list[dict[str, Any]]) -> pl.LazyFrame:
    shape = contract(name).bronze_schema()
    return pl.DataFrame(found, schema_overrides=shape).select(
        pl.col(c).cast(t) if found and c in found[0] else pl.lit(None, dtype=t).alias(c)
        for c, t in shape.items()
    ).lazy()  # fmt: skip


def alerts(rule: str, **frames: pl.LazyFrame) -> list[dict[str, Any]]:
    return rules()[rule].alerts(frames, (D, D)).collect().to_dicts()


def together(player: str, n: int, luck: float) -> dict[str, Any]:
    return {
        "dealer_id": "DLR-0001", "player_id": player, "gaming_day": day(n), "ratings": 1,
        "hands_played": 50, "theo": "10.00", "player_win": "100.00", "luck": luck,
        "luck_squares": luck * luck,
    }  # fmt: skip


# Forty ratings of others, of mean 0 and variance 1, as an honest game has.
OTHERS = [together(f"P{k}", -(k % 20) - 1, 1.0 if k % 2 else -1.0) for k in range(40)]


def met(days: list[int], luck: float) -> list[dict[str, Any]]:
    found = OTHERS + [together("X", n, luck) for n in days]
    return alerts("dealer_collusion", dealer_play=table("dealer_play", found))


def test_a_patron_who_wins_of_one_dealer() -> None:
    """Four ratings of mean 2 against 0: z = 2 / sqrt(1/4 + 1/40) = 3.8139, a chance of 6.84e-5,
    which is 4.165 tens; the score is that of 8."""
    [found] = met([-9, -6, -3, 0], 2.0)
    assert found["entity_id"] == "DLR-0001+X"
    assert found["score"] == pytest.approx(4.165 / 8, abs=0.001)
    assert (found["window_start"], found["severity"]) == (day(-9), "WARNING")
    assert found["evidence_rows"] == 4
    assert found["evidence"][0] == {
        "table_name": "dealer_play",
        "record_id": f"DLR-0001/X/{day(-9)}",
        "gaming_day": day(-9),
    }


@pytest.mark.parametrize(
    ("days", "luck"),
    [([-6, -3, 0], 2.0), ([-9, -6, -3, -1], 2.0), ([-9, -6, -3, 0], 1.0), ([-28, -27, -3, 0], 2.0)],
    ids=["three days", "not today", "z below 2.326", "one of them before the window"],
)
def test_a_pair_that_is_left_alone(days: list[int], luck: float) -> None:
    assert met(days, luck) == []


def test_the_window_begins_27_days_before() -> None:
    assert len(met([-27, -6, -3, 0], 2.0)) == 1


def test_a_dealer_without_other_games_is_not_judged() -> None:
    pair = [together("X", n, 3.0) for n in (-9, -6, -3, 0)]
    assert alerts("dealer_collusion", dealer_play=table("dealer_play", pair)) == []


def served(cashier: str, n: int, of: int, overrides: int = 0, voids: int = 0) -> dict[str, Any]:
    return {
        "cashier_id": cashier, "gaming_day": day(n), "transactions": of, "amount": "5000.00",
        "small": of, "overrides": overrides, "overridden": "50.00", "voids": voids,
        "voided": "50.00", "main_approver_id": "EMP-0901" if overrides else None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "what"), [("cashier_overrides", "overrides"), ("cashier_voids", "voids")]
)
def test_a_cashier_who_does_it_more_than_others(rule: str, what: str) -> None:
    """Others: 9 of 999, with one more of each 1%. Five or more of twenty at 1%: about
    C(20,5) 0.01^5 0.99^15 = 1.33e-6, with what is rarer 1.36e-6: 5.87 tens of 12."""
    others = [served("E2", 0, 999, **{what: 9})]
    [found] = alerts(
        rule, cashier_day=table("cashier_day", [*others, served("E1", 0, 20, **{what: 5})])
    )
    exact = sum(math.comb(20, k) * 0.01**k * 0.99 ** (20 - k) for k in range(5, 21))
    assert found["entity_id"] == "E1"
    assert found["score"] == pytest.approx(-math.log10(exact) / 12, abs=1e-6)


@pytest.mark.parametrize("rule", ["cashier_overrides", "cashier_voids"])
@pytest.mark.parametrize("n", [-13, -14])
def test_a_cashier_is_judged_by_two_weeks(rule: str, n: int) -> None:
    """Two today are nothing; with three of the thirteenth day before they are."""
    found = [served("E2", 0, 999, 9, 9), served("E1", 0, 20, 2, 2), served("E1", n, 20, 4, 4)]
    assert len(alerts(rule, cashier_day=table("cashier_day", found))) == (n == -13)


def test_who_does_as_others_do_is_left_alone() -> None:
    found = [served(f"E{k}", 0, 200, 2, 2) for k in range(20)]
    for rule in ("cashier_overrides", "cashier_voids"):
        assert alerts(rule, cashier_day=table("cashier_day", found)) == []


@pytest.mark.parametrize(
    ("k", "n", "usual", "log10"),
    [
        (3, 3, 0.1, 3.0),  # 0.1 three times over
        (1, 2, 0.5, -math.log10(0.75)),
        (2, 3, 0.5, -math.log10(0.5)),
        (2, 4, 0.1, -math.log10(6 * 0.01 * 0.81 + 4 * 0.001 * 0.9 + 0.0001)),
        (400, 400, 0.1, 300.0),  # 400, less than any number that is stored
    ],
)
def test_the_chance_of_so_many(k: int, n: int, usual: float, log10: float) -> None:
    rows = pl.DataFrame({"k": [k], "n": [n], "usual": [usual]}).to_struct()
    assert _log10_binomial(rows).item() == pytest.approx(log10, abs=1e-12)


def test_the_chance_is_found_without_all_of_statistics() -> None:
    code = (
        "import sys; import polars as pl; from lakehouse.detection.rules import staff; "
        "rows = pl.DataFrame({'k': [2], 'n': [3], 'usual': [.5]}).to_struct(); "
        "staff._log10_binomial(rows); print('scipy.stats' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def play(machine: str, session: str, time: str, player: str | None = "P1") -> dict[str, Any]:
    return {
        "event_id": f"{machine}{session}{time}", "event_type": "GAME_PLAY", "player_id": player,
        "event_timestamp": f"{D} {time}", "machine_id": machine, "session_id": session,
        "coin_in": "1.00",
    }  # fmt: skip


def rated(kind: str, time: str) -> dict[str, Any]:
    return {
        "event_id": f"{kind}{time}", "event_type": kind, "event_timestamp": f"{D} {time}",
        "player_id": "P1", "table_id": "TBL-BJ-001", "player_rating_id": "R1",
    }  # fmt: skip


def shared(slots: list[dict[str, Any]], tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return alerts(
        "card_sharing",
        slot_telemetry=rows("slot_telemetry", *slots),
        table_games=rows("table_games", *tables),
    )


FIRST = [play("SLOT-0001", "A", "20:00:00"), play("SLOT-0001", "A", "20:30:00")]


@pytest.mark.parametrize(
    ("since", "score"),
    [("20:15:00", 1.0), ("20:29:00", 60 / 900), ("20:29:15", 45 / 900), ("20:29:16", None)],
)
def test_a_card_on_two_machines_at_once(since: str, score: float | None) -> None:
    second = [play("SLOT-0002", "B", since), play("SLOT-0002", "B", "20:50:00")]
    found = [a["score"] for a in shared(FIRST + second, [])]
    assert found == ([] if score is None else [pytest.approx(score, abs=1e-6)])


def test_a_card_on_a_machine_and_at_a_table() -> None:
    [found] = shared(FIRST, [rated("RATING_START", "20:10:00"), rated("RATING_END", "20:40:00")])
    assert found["said"].endswith("at the same time, for 20.0 minutes.")
    assert {e["table_name"] for e in found["evidence"]} == {"slot_telemetry", "table_games"}


def test_uncarded_play_and_another_patron_share_nothing() -> None:
    others = [
        play("SLOT-0002", "B", t, p) for p in (None, "P2") for t in ("20:00:00", "20:30:00")
    ]  # fmt: skip
    assert shared(FIRST + others, []) == []


def test_a_days_ratings_by_dealer_and_player() -> None:
    """Blackjack has a spread of 1.15 bets a decision (games.toml): a win of $100 beside a theo of
    $15 in 25 decisions of $20 is 115 / (20 x 5 x 1.15) = 1 standard deviation."""
    end = {
        "event_id": "e1", "event_type": "RATING_END", "event_timestamp": f"{D} 20:00",
        "player_id": "P1", "dealer_id": "DLR-0001", "table_id": "TBL-BJ-001",
        "game_type": "Blackjack", "player_rating_id": "R1", "average_bet": "20.00",
        "hands_played": 25, "theoretical_win": "15.00", "actual_win_loss": "-100.00",
        "hours_played": "0.36",
    }  # fmt: skip
    lost = end | {"event_id": "e2", "actual_win_loss": "100.00"}
    poker = end | {"event_id": "e3", "game_type": "Poker"}
    found = marts()["dealer_play"].rows(
        {"table_games": rows("table_games", end, lost, poker)},
        settings=Settings(), days=(D, D), as_of=AT,
    ).collect()  # fmt: skip
    row = found.row(0, named=True)
    assert (found.height, row["ratings"], row["hands_played"]) == (1, 2, 50)
    assert row["luck"] == pytest.approx(1.0 - 85 / 115, abs=1e-6)
    assert row["luck_squares"] == pytest.approx(1.0 + (85 / 115) ** 2, abs=1e-6)
    assert float(row["player_win"]) == 0.0


def test_a_days_transactions_by_cashier() -> None:
    def txn(key: str, usd: str, approver: str | None = None, note: str | None = None) -> Any:
        return {
            "transaction_id": key, "transaction_type": "CASH_IN", "cashier_id": "EMP-0001",
            "transaction_timestamp": f"{D} 20:00", "amount": usd, "supervisor_id": approver,
            "notes": note,
        }  # fmt: skip

    found = [
        txn("a", "10000.00", "EMP-0901"),
        txn("b", "10000.01", "EMP-0902"),
        txn("c", "40.00", None, "VOIDED and entered again"),
        txn("d", "60.00", None, "a regular"),
    ]
    row = marts()["cashier_day"].rows(
        {"financial_txn": rows("financial_txn", *found)},
        settings=Settings(), days=(D, D), as_of=AT,
    ).collect().row(0, named=True)  # fmt: skip
    assert (row["transactions"], row["small"], row["overrides"], row["voids"]) == (4, 3, 1, 1)
    assert (float(row["overridden"]), float(row["voided"])) == (10000.0, 40.0)
    assert row["main_approver_id"] == "EMP-0901"
