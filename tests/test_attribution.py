"""Which rows kept out of silver explain a finding: by hand, to the cent."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from silver_rows import silver
from weekend import FRI, SAT

from lakehouse.quality.attribution import put_back
from lakehouse.quality.findings import judged
from lakehouse.quality.truths import TRUTHS
from lakehouse.storage.shapes import stored_schema


def kept_out(table: str, rows: list[dict[str, Any]]) -> pl.LazyFrame:
    """Quarantine of a table; `rules` is given with each row."""
    plain = [{k: v for k, v in row.items() if k != "rules"} for row in rows]
    rules = pl.Series("_rules", [row["rules"] for row in rows], pl.List(pl.String))
    frame = silver(table, plain).collect().with_columns(rules, _stage=pl.lit("silver"))
    schema = stored_schema("quarantine", table)
    return frame.lazy().select(
        pl.col(n).cast(t) if n in frame.columns else pl.lit(None, t).alias(n)
        for n, t in schema.items()
    )


def causes(
    name: str, good: dict[str, list[dict[str, Any]]], bad: dict[str, list[dict[str, Any]]]
) -> list[tuple[str, list[str]]]:
    """Subject of each finding, and the keys of the rows that explain it."""

    def scan(layer: str, table: str) -> pl.LazyFrame:
        if layer == "silver":
            return silver(table, good.get(table, []))
        return kept_out(table, bad.get(table, []))

    found = judged(TRUTHS[name], scan)
    return [
        (s, [r.split()[-1] for r in rows]) for s, rows in found.select("subject", "rows").rows()
    ]


BALANCE = [
    {"event_type": "BILL_IN", "amount": "100.00"},
    {"event_type": "GAME_PLAY", "coin_in": "90.00", "coin_out": "20.00"},
]
"""A session that 30.00 have yet to leave."""
TICKET = {"event_id": "T", "event_type": "TICKET_OUT", "amount": "30.00", "rules": ["zone|domain"]}

CLASH = {"rules": ["key_clash"]}


def _in_session(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    same = {"session_id": "S", "player_id": "P1", "gaming_day": FRI, "theoretical_hold": "0.08"}
    return [same | row for row in rows]


@pytest.mark.parametrize(
    ("rejected", "explained_by"),
    [
        ([TICKET], ["T"]),
        ([], []),
        ([TICKET | {"amount": "29.99"}], []),
        ([TICKET | {"amount": "-30.00", "rules": ["amount|min"]}], ["T"]),
        ([TICKET | {"session_id": "S2"}], []),
        ([TICKET | {"gaming_day": SAT}], []),
        # both rows of a clash are one row, put back once
        ([TICKET | CLASH] * 2, ["T"]),
        # a clash of amounts: either may be the true one
        ([TICKET | CLASH, TICKET | CLASH | {"amount": "3.00"}], ["T"]),
        ([TICKET | {"event_type": "TICKET_OUT_X", "rules": ["event_type|domain"]}], ["T"]),
        ([TICKET | {"event_type": None, "rules": ["event_type|nullability"]}], ["T"]),
        ([TICKET | {"event_type": " ticket_out "}], ["T"]),
        (
            [TICKET | {"amount": "10.00"}, TICKET | {"event_id": "U", "amount": "20.00"}],
            ["T", "U"],
        ),
        # a row whose kind is known goes back whether it helps or not
        ([TICKET, TICKET | {"event_id": "U", "event_type": "BILL_IN", "amount": "5.00"}], []),
        # an unreadable kind may be any, also one that moves no money
        ([TICKET, TICKET | {"event_id": "U", "event_type": "?", "amount": "5.00"}], ["T"]),
    ],
)  # fmt: skip
def test_sessions(rejected: list[dict[str, Any]], explained_by: list[str]) -> None:
    found = causes(
        "sessions_balance",
        {"slot_telemetry": _in_session(BALANCE)},
        {"slot_telemetry": _in_session(rejected)},
    )
    assert found == [("S", explained_by)]


def _meter(reading: str, at: str, machine: str = "M") -> dict[str, Any]:
    return _on(machine) | {"event_type": "METER_UPDATE", "meter_coin_in": reading, "at": at}


def _on(machine: str) -> dict[str, Any]:
    return {"machine_id": machine, "gaming_day": FRI, "theoretical_hold": "0.08"}


PLAY = _on("M") | {
    "event_id": "G", "event_type": "GAME_PLAY", "coin_in": "7.00", "at": "12:30", "rules": ["x"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rejected", "explained_by"),
    [
        (PLAY, [["G"]]),
        (PLAY | {"at": "13:00"}, [["G"]]),  # the instant of the later reading is before it
        (PLAY | {"at": "12:00"}, [[]]),
        (PLAY | {"at": "13:01"}, [[]]),
        (PLAY | {"at": "09:00", "rules": ["event_in_gaming_day"]}, [["G"]]),
        (PLAY | {"machine_id": "N"}, [[]]),
        (PLAY | {"machine_id": None, "rules": ["machine_id|nullability"]}, [["G"]]),
        (PLAY | {"machine_id": None, "coin_in": "6.99", "rules": ["machine_id|nullability"]}, [[]]),
    ],
)
def test_meters(rejected: dict[str, Any], explained_by: list[list[str]]) -> None:
    good = [_meter("100.00", "12:00"), _meter("107.00", "13:00"), _meter("107.00", "14:00")]
    found = causes(
        "meters_equal_the_play", {"slot_telemetry": good}, {"slot_telemetry": [rejected]}
    )
    assert found == [("M", rows) for rows in explained_by]


def test_a_row_of_no_machine_explains_one_finding() -> None:
    machines = ("M", "N")
    good = [r for m in machines for r in (_meter("1.00", "12:00", m), _meter("8.00", "13:00", m))]
    nowhere = PLAY | {"machine_id": None, "rules": ["machine_id|nullability"]}
    found = causes("meters_equal_the_play", {"slot_telemetry": good}, {"slot_telemetry": [nowhere]})
    assert sorted(rows for _, rows in found) == [[], ["G"]]


CAGE = {
    "transaction_id": "C", "transaction_type": "CHIP_PURCHASE", "amount": "500.00",
    "player_id": "P1", "gaming_day": FRI, "rules": ["shift|domain"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rejected", "explained_by"),
    [
        (CAGE, ["C"]),
        (CAGE | {"amount": "700.00"}, ["C"]),  # the cage may have sold more
        (CAGE | {"amount": "299.99"}, []),
        (CAGE | {"amount": "300.00"}, ["C"]),  # 200.00 are in silver
        (CAGE | {"player_id": "P2"}, []),
        (CAGE | {"transaction_type": "CASH_IN"}, []),
        (CAGE | {"player_id": "P9", "amount": "300.00", "rules": ["player_id|orphan"]}, ["C"]),
        (CAGE | {"player_id": "P9", "rules": ["player_id|orphan"]}, []),
    ],
)
def test_buy_ins(rejected: dict[str, Any], explained_by: list[str]) -> None:
    bought = {"event_type": "BUY_IN", "amount": "500.00", "player_id": "P1", "gaming_day": FRI}
    sold = {k: v for k, v in CAGE.items() if k != "rules"}
    sold |= {"transaction_id": "D", "amount": "200.00"}
    found = causes(
        "buy_ins_have_their_cage_row",
        {"table_games": [bought], "financial_txn": [sold]},
        {"financial_txn": [rejected]},
    )
    assert found == [("P1", explained_by)]


@pytest.mark.parametrize(
    ("amounts", "explained_by"),
    [
        (("4500.00", "4500.00"), ["C", "N"]),
        (("4500.00", "4499.99"), []),
        (("3000.00", "6000.00"), ["C", "N"]),
        # the row without a name is enough
        (("4500.00", "9000.00"), ["N"]),
    ],
)
def test_a_row_of_unknown_kind_and_one_without_a_name_settle_together(
    amounts: tuple[str, str], explained_by: list[str]
) -> None:
    """Of 9,000.00 carried off a table the cage has nothing, and two rows are kept out of silver."""
    carried = {"event_type": "CASH_OUT", "amount": "9000.00", "player_id": "P1", "gaming_day": FRI}
    kind = {"transaction_type": "?", "rules": ["transaction_type|domain"]}
    name = {"transaction_type": "CHIP_REDEMPTION", "player_id": "P9", "transaction_id": "N"}
    rows = [CAGE | kind, CAGE | name | {"rules": ["player_id|orphan"]}]
    bad = [row | {"amount": amount} for row, amount in zip(rows, amounts, strict=True)]
    found = causes(
        "cash_outs_have_their_cage_row", {"table_games": [carried]}, {"financial_txn": bad}
    )
    assert found == [("P1", explained_by)]


def test_a_nameless_row_goes_to_one_finding_and_to_the_one_it_settles_alone() -> None:
    """P1's gap needs a row of unknown kind as well, P2's is the nameless row's amount."""
    carried = [
        {"event_type": "CASH_OUT", "amount": amount, "player_id": player, "gaming_day": FRI}
        for player, amount in (("P1", "9000.00"), ("P2", "4500.00"))
    ]
    kind = CAGE | {"transaction_type": "?", "rules": ["transaction_type|domain"]}
    name = CAGE | {"transaction_type": "CHIP_REDEMPTION", "player_id": "P9"}
    bad = [kind, name | {"transaction_id": "N", "rules": ["player_id|orphan"]}]
    found = causes(
        "cash_outs_have_their_cage_row",
        {"table_games": carried},
        {"financial_txn": [row | {"amount": "4500.00"} for row in bad]},
    )
    assert sorted(found) == [("P1", []), ("P2", ["N"])]


def test_markers_and_hand_pays() -> None:
    drawn = {"marker_number": "K1", "amount": "400.00", "gaming_day": FRI}
    lost = drawn | {"transaction_id": "C", "transaction_type": "MARKER_ISSUE", "rules": ["x"]}
    pit = {"table_games": [drawn | {"event_type": "MARKER_ISSUED"}]}
    assert causes("markers_agree", pit, {"financial_txn": [lost]}) == [("K1", ["C"])]
    assert causes("markers_agree", pit, {"financial_txn": [lost | {"marker_number": "K2"}]}) == [
        ("K1", [])
    ]
    paid = {"transaction_type": "JACKPOT_PAYOUT", "amount": "1500.00", "gaming_day": FRI}
    won = PLAY | {"event_type": "JACKPOT", "coin_in": None, "jackpot_amount": "-1500.00"}
    good, bad = {"financial_txn": [paid]}, {"slot_telemetry": [won]}
    found = causes("jackpots_have_their_payout", good, bad)
    assert found == [("hand-pay of 150000 cents", ["G"])]


def test_a_kind_is_read_in_every_spelling_that_silver_reads() -> None:
    rows = [TICKET | {"event_id": key, "event_type": kind} for key, kind in SPELLED.items()]
    back = put_back("slot_telemetry", kept_out("slot_telemetry", rows)).collect()
    known = back.filter(~pl.col("_is_open"))
    assert known.select("event_id", "event_type").rows() == [("T1", "TICKET_OUT"), ("T2", "TILT")]
    assert set(back.filter("_is_open")["event_id"]) == {"T3", "T4"}


SPELLED = {"T1": "voucher_out", "T2": " tilt", "T3": "?", "T4": None}


def test_rows_of_a_table_without_kinds_are_put_back_as_they_are() -> None:
    seen = [{"observation_id": "O1", "amount_before": "-5.00", "rules": ["amount_before|min"]}]
    back = put_back("staff_observations", kept_out("staff_observations", seen)).collect()
    assert [str(v) for v in back["amount_before"]] == ["5.00"]
    assert back["_row"].to_list() == ["staff_observations O1"]
    assert back["_is_open"].to_list() == [False]
