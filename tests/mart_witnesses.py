"""Rows for which each window of each mart matters, by hand: who stands where on which day.

Each scenario has patrons of its own. `DAYS` are the gaming days on which a window that is a
day shorter, or an input that is not read, makes a difference.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import floor_witnesses as floor
import fraud_witnesses as fraud
import online_witnesses as online
import platform_witnesses as platform
import polars as pl
import shop_witnesses as shop
from law_rows import cash, rows

from lakehouse.contracts import contract
from lakehouse.contracts.detection.detection_quality import LONGEST as LONGEST_CASE

Row = dict[str, object]
D = dt.date(2026, 6, 15)
"""The day that suspicion is asked about."""
IN, OUT = "CHIP_PURCHASE", "CHIP_REDEMPTION"


def on(days: int, time: str = "20:00") -> str:
    """A moment so many days after D."""
    return f"{D + dt.timedelta(days)} {time}"


def win(key: str, paid_at: str, player: str | None, gross: str = "5000.00", **more: object) -> Row:
    return {
        "win_id": key,
        "player_id": player,
        "game_type": "SLOT",
        "won_at": paid_at,
        "paid_at": paid_at,
        "gross_amount": gross,
        "wager": "1.00",
    } | more


def hand_pay(key: str, player: str, paid: int, booked: int, usd: str) -> tuple[Row, Row]:
    """A slot jackpot paid in currency, booked on another gaming day: no currency out."""
    txn = cash(key, "JACKPOT_PAYOUT", on(paid), usd, player)
    return txn, win(f"w{key}", on(booked), player, usd, transaction_id=key)


# Currency: a payout is exempt where its win is a slot's, booked the day after or before.
AFTER, BEFORE = hand_pay("ja", "JA", 0, 1, "12000.00"), hand_pay("jb", "JB", 2, 1, "12000.00")
# Structuring, paid out twice within a week: the first payout was a slot's, booked apart.
BACK = hand_pay("jc", "JC", -14, -15, "9000.00")
AHEAD = hand_pay("jd", "JD", 30, 31, "9000.00")
WEEK = hand_pay("je", "JE", -7, -8, "9900.00")
NEXT = hand_pay("jf", "JF", 0, 1, "9900.00")
# As the first two, of persons without an identity.
HELD = (hand_pay("ju", "U1", 0, 1, "12000.00"), hand_pay("jv", "U2", 2, 1, "12000.00"))
HAND_PAYS = (AFTER, BEFORE, BACK, AHEAD, WEEK, NEXT, *HELD)
CHAIN = (-3, 0, 5, 10, 15, 20, 25)
"""Totals near the threshold, each within a week of the one before: one case, opened on D."""

TXNS: list[Row] = [
    *(txn for txn, _ in HAND_PAYS),
    cash("c1", IN, on(0), "12000.00", "C1"),
    cash("c2", IN, on(0), "12000.00", "C2"),
    cash("c3", IN, on(0), "12000.00", "C3"),
    cash("c4", "NON_GAMING_PAYMENT", on(0), "12000.00", "C4"),
    cash("c5", "CHECK_CASHING", on(0), "4000.00", "C5"),
    cash("c6", IN, on(0), "11000.00", None),
    # A bill in a machine makes it more than the threshold, where carded bills are known.
    cash("c7", IN, on(0), "9000.00", "C7"),
    cash("u3", IN, on(0), "9000.00", "U3"),
    # Two of one address: by an address of before, and by one that came to be known later.
    *(cash(f"a{p}", IN, on(0), "6000.00", p) for p in ("A1", "A2", "A3", "A4")),
    # A case was open already, by totals 14 and 7 days before; and one grows for 30 days.
    *(cash(f"s{n}", IN, on(n), "9000.00", "S1") for n in (-14, -7, 0)),
    *(cash(f"t{n}", IN, on(n), "9000.00", "S2") for n in (*CHAIN, 30)),
    *(cash(f"u{n}", OUT, on(n), "9000.00", "JC") for n in (-7, 0)),
    *(cash(f"v{n}", OUT, on(n), "9000.00", "JD") for n in CHAIN),
    cash("we", OUT, on(0), "9900.00", "JE"),
    cash("wf", OUT, on(-3), "9900.00", "JF"),
    # Money in on one day, out the next, and hardly played; but it was, 8 days before D.
    *(
        cash(f"{p}{n}{kind}", kind, on(n), "4000.00", p)
        for p in ("M1", "M2")
        for n, kind in (
            (-8, "FRONT_MONEY_DEPOSIT"),
            (-7, "FRONT_MONEY_WITHDRAWAL"),
            (-1, "FRONT_MONEY_DEPOSIT"),
            (0, "FRONT_MONEY_WITHDRAWAL"),
        )
    ),
    # As they, and it was played on the day of the deposit.
    cash("m6in", "FRONT_MONEY_DEPOSIT", on(-1), "4000.00", "M6"),
    cash("m6out", "FRONT_MONEY_WITHDRAWAL", on(0), "4000.00", "M6"),
    # In and out on each of these days; on the last one it was played.
    *(
        cash(f"{p}{n}{kind}", kind, on(n), "4000.00", p)
        for p in ("M3", "M4")
        for n in (0, 7, 14, 21, 28, 30)
        for kind in (IN, OUT)
    ),
    cash("o1", IN, on(0), "9000.00", "O1"),
]


def played(table: str, player: str, day: int) -> Row:
    key = f"{player}{day}"
    if table == "slot_telemetry":
        return {"event_id": key, "event_type": "GAME_PLAY", "event_timestamp": on(day),
                "player_id": player, "machine_id": "SLOT-0001", "coin_in": "9000.00",
                "session_id": key, "machine_type": "Video Slots", "denomination": "1.00",
                "theoretical_hold": "0.0800"}  # fmt: skip
    return {"event_id": key, "event_type": "RATING_END", "event_timestamp": on(day),
            "player_id": player, "average_bet": "100.00", "hands_played": 90,
            "actual_win_loss": "0.00", "table_id": "TBL-BJ-001", "game_type": "Blackjack",
            "hours_played": "1.00", "player_rating_id": key}  # fmt: skip


def bill(player: str, day: int) -> Row:
    return played("slot_telemetry", player, day) | {
        "event_id": f"b{player}{day}",
        "event_type": "BILL_IN",
        "amount": "1500.00",
        "coin_in": None,
    }


def sessions(player: str, day: int, many: int = 1) -> list[Row]:
    """So many sessions of a game each."""
    return [
        played("slot_telemetry", player, day)
        | {"event_id": f"{player}{day}-{n}", "session_id": f"{player}{day}-{n}"}
        | {"coin_in": "1.00", "games_played": 1}
        for n in range(many)
    ]


def reading(time: str, usd: str) -> Row:
    return played("slot_telemetry", "M5", 0) | {
        "event_id": f"r{usd}",
        "event_type": "METER_UPDATE",
        "event_timestamp": on(0, time),
        "player_id": None,
        "coin_in": None,
        "meter_coin_in": usd,
        "session_id": None,
    }


SLOTS: list[Row] = [
    # A meter that advanced by more than was played on the machine.
    reading("19:00", "100.00"),
    reading("21:00", "99100.00"),
    bill("C7", 0),
    bill("U3", 0),
    played("slot_telemetry", "P1", 0),
    # With a bill, a total near the threshold a week before D, and on D.
    *(bill("B1", n) for n in (-7, 0)),
    played("slot_telemetry", "M1", -8),
    played("slot_telemetry", "M3", 30),
]
MODEL_DAYS = (-84, *range(-13, 0))
# Protection. Rows enough for the model of D, a Monday, but not without the oldest day; a score by
# it as late as a day of play after it lasts.
SLOTS += [r for p in range(22) for n in MODEL_DAYS for r in sessions(f"WM{p}", n)]
SLOTS += sessions("W4", 6)
# Compared with a day 90 days before; paid by the cage on a day of play; there for 30 days.
SLOTS += [*sessions("W2", -90), *sessions("W2", 0), *sessions("W1", 0), *sessions("W3", -29)]
TXNS += [cash("w1", OUT, on(0), "10.00", "W1")]
# Fifty sessions: high for 30 days, so that 75 days after D the last of them is 90 days before.
SLOTS += sessions("W5", -44, 50)
# High on D as it was 14 days before, but not since; and high on D, after play 29 days before.
SLOTS += [*sessions("W6", -43, 50), *sessions("W6", 0, 50)]
SLOTS += [*sessions("W7", -29), *sessions("W7", 0, 50)]
TXNS += [cash(f"b{n}", IN, on(n), "7000.00", "B1") for n in (-7, 0)]
TABLES: list[Row] = [
    played("table_games", "M2", -8),
    played("table_games", "M6", -1),
    played("table_games", "M4", 30),
    played("table_games", "P2", 0),
    # Chips sold at a table on D.
    played("table_games", "P2", 0) | {"event_id": "buy", "event_type": "BUY_IN",
                                      "amount": "100.00", "drop_amount": "100.00"},
]  # fmt: skip

# Forms of a year: each paid after midnight on New Year's Day, the farthest from its due day.
ALIEN, LONG_W2G, LONG_HELD = "2024-01-01 02:00", "2036-01-01 02:00", "2028-01-01 02:00"
POKER = {"game_type": "POKER_TOURNAMENT", "wager": "0.00"}
LAST_1042S = dt.date(2025, 3, 17) + dt.timedelta(60)  # 15 March 2025 is a Saturday
LAST_W2G = dt.date(2037, 2, 2) + dt.timedelta(60)  # 31 January 2037 is a Saturday
LAST_HELD = dt.date(2029, 4, 2) + dt.timedelta(60)  # 31 March 2029 is a Saturday
LAST_COUNTED = D + dt.timedelta(15 + 60)
LONGEST = (LAST_HELD - dt.date(2027, 12, 31)).days
"""Gaming days for which an obligation is followed."""
MORNING = D + dt.timedelta(1)

WINS: list[Row] = [
    *(won for _, won in HAND_PAYS),
    win("f1", ALIEN, "F1", **POKER),
    win("f2", LONG_W2G, "F2"),
    win("f3", LONG_HELD, None),
    # Paid on the calendar day after D, one on gaming day D and one on the next, of one person.
    *(win(k, t, p) for p, k in (("G1", "z"), ("G3", "y")) for t in [on(1, "02:00")]),
    *(win(k, t, p) for p, k in (("G1", "a"), ("G3", "b")) for t in [on(1, "20:00")]),
    *(win(f"q{n}", on(0), p, **POKER) for n, p in enumerate(("R1", "R2"))),
    win("r1", on(0), "R3"),
    win("r2", on(0), "R4"),
    win("r3", ALIEN, "F9", **POKER),
    win("h5", on(1, "02:00"), "G5"),
    win("h6", on(1, "02:00"), "G6", **POKER),
    win("h7", on(1, "02:00"), None, "6500.00"),
    win("h9", on(1, "02:00"), None, "7500.00"),
    win("h8", on(1, "20:00"), None, "7500.00"),
    win("f4", LONG_HELD, None, "6000.00"),
]
ALIENS = ("F1", "G3", "G6", "F9", "R1", "R2")
NEW_YEAR = dt.date(2023, 12, 31)


def record(key: str, form: str, player: str, about: dt.date, at: str, usd: str = "5000.00") -> Row:
    return {
        "report_id": key,
        "report_type": form,
        "report_timestamp": at,
        "filing_date": dt.date.fromisoformat(at[:10]),
        "status": "Filed",
        "player_id": player,
        "transaction_date": about,
        "jackpot_amount": usd,
        "transaction_amount": usd,
    }


_LATEST = dt.date(2024, 1, 1) + dt.timedelta(LONGEST - 1)
FILED: list[Row] = [
    # Filed on the gaming day itself, the farthest that the calendar looks back.
    record("k1", "W2G", "K1", dt.date(2028, 1, 1), "2028-01-01 03:00", "6000.00"),
    # One of two wins of one morning.
    record("k2", "W2G", "G1", MORNING, on(5)),
    record("k3", "1042S", "G3", MORNING, on(5)),
    # Of the only win of a morning, which is of the gaming day before.
    record("k7", "W2G", "G5", MORNING, on(5)),
    record("k0", "W2G", "K9", MORNING, on(5), "7500.00"),
    record("k9", "W2G", "K9", MORNING, on(5), "6500.00"),
    record("k8", "1042S", "G6", MORNING, on(5)),
    # As late as a filing is still looked for.
    record("k4", "1042S", "F9", dt.date(2024, 1, 1), f"{_LATEST} 20:00"),
    record("k5", "CTR", "X1", D, on(0)),
]


def seen(key: str, day: int, transaction: str, kind: str = "THRESHOLD_ENQUIRY") -> Row:
    return {
        "observation_id": key,
        "observed_at": on(day, "21:00"),
        "player_id": "O1",
        "kind": kind,
        "transaction_id": transaction,
        "amount_before": "11000.00",
    }


SEEN: list[Row] = [
    seen("o1", 0, "o1"),
    seen("o2", 30, "o1", "TRANSACTION_REDUCED"),
    # An enquiry of a month before is about the same transaction: the case is of that day.
    seen("o3", -30, "o9"),
    seen("o4", 0, "o9"),
]


def versions() -> Iterator[Row]:
    """Profiles: of everybody from long ago, but for those of whom it matters when."""
    known = {"identity_verified": True, "tin_on_file": True, "tax_residency": "US"}
    long_ago, later = dt.date(2020, 1, 1), D + dt.timedelta(10)
    named = {str(r["player_id"]) for t in (TXNS, WINS, SLOTS) for r in t if r["player_id"]}
    once = {"C2": later, "R2": later, "R4": later, "A3": later, "A4": later, "P3": D}
    for player in sorted(named | {"P2", "P3"}):
        day = once.get(player, long_ago)
        alien = {"tax_residency": "NRA"} if player in ALIENS else {}
        yield {"player_id": player, "gaming_day": day, "address_line1": f"{player} St"} | (
            known | alien | _differently(player)
        )
    # What was known before no longer holds on D.
    yield {"player_id": "C3", "gaming_day": D, "identity_verified": False} | {
        k: v for k, v in known.items() if k != "identity_verified"
    }


def _differently(player: str) -> Row:
    """Two and two live together; one has no number on file."""
    home = {"A1": "Old St", "A2": "Old St", "A3": "New St", "A4": "New St"}
    found: Row = {"city": "Reno", "state": "NV", "zip_code": "89501", "loyalty_tier": "Gold"}
    if player.startswith("W"):
        found |= {"account_status": "Active", "self_excluded": False, "marketing_opt_in": True}
    if player in home:
        found |= {"address_line1": home[player]}
    if player in ("R3", "R4"):
        found |= {"tin_on_file": False}
    if player.startswith("U"):
        found |= {"identity_verified": False}
    if player == "P3":
        found |= {"enrollment_date": D}
    return found


MONTH = -27
"""Days from D to the first of the four weeks that a rule's quality is of."""
SLOTS += [
    # One card on two machines at a time: an alert, and a patron and machines to be right about.
    played("slot_telemetry", "Q1", MONTH) | {"event_id": f"q{m}{t}", "machine_id": m,
                                             "session_id": m, "event_timestamp": on(MONTH, t)}
    for m in ("SLOT-0008", "SLOT-0009") for t in ("19:00", "20:00")
]  # fmt: skip
TABLES += [
    played("table_games", "Q2", MONTH) | {"dealer_id": "DLR-0009", "table_id": "TBL-BJ-009"},
]
# Many sessions on one day: a score without an alert.
SLOTS += sessions("Q6", MONTH, 10)
TXNS += [cash("q3", IN, on(MONTH), "20.00", None, cashier_id="EMP-0009")]
# A dealer whose one patron has luck on four days, the first a month before, and another none.
TABLES += [
    played("table_games", who, n) | {"dealer_id": "DLR-0008", "theoretical_win": "63.00",
                                     "actual_win_loss": loss}
    for who, n, loss in (
        *(("Q5", n, "-3300.00") for n in (MONTH, -20, -10, 0)),
        ("Q6", -1, "1100.00"), ("Q7", -2, "-1100.00"),
    )
]  # fmt: skip
# A cashier whose small transactions a supervisor approves, most of them two weeks before D.
TXNS += [
    cash(
        f"q8{n}{k}",
        IN,
        on(n),
        "20.00",
        None,
        cashier_id="EMP-0008",
        supervisor_id="EMP-0901",
        notes="Voided",
    )
    for n, many in ((-13, 4), (0, 1))
    for k in range(many)
]
BADGES: list[Row] = [
    {"event_id": "q4", "event_type": "BADGE_SWIPE", "event_timestamp": on(MONTH),
     "badge_number": "BDG-00009"},
]  # fmt: skip


def planted() -> pl.LazyFrame:
    """A case a month before D of each kind of entity; and one that ended then, of which the only
    alert was of its first day."""
    cases = {
        "card_sharing": ("player", "Q1"),
        "escalating_harm": ("player", "Q6"),
        "hold_drift": ("machine", "SLOT-0008"),
        "table_win_drift": ("table", "TBL-BJ-009"),
        "dealer_collusion": ("employee", "DLR-0009"),
        "cashier_voids": ("employee", "EMP-0009"),
        "tailgating": ("badge", "BDG-00009"),
        "cash_is_reviewed": ("row", "property"),
    }
    day = D + dt.timedelta(MONTH)
    found = [
        {
            "plant_id": rule,
            "kind": rule,
            "entity_type": kind,
            "entity_id": entity,
            "window_start": day,
            "window_end": day,
            "table_name": "t",
            "row_key": None,
            "expected_rule": rule,
            "intensity": 0.9,
            "strength": "blatant",
            "is_look_alike": False,
            "gaming_day": day,
        }
        for rule, (kind, entity) in cases.items()
    ]
    first = day - dt.timedelta(LONGEST_CASE - 1)
    found.append(found[-1] | {"plant_id": "ended", "window_start": first, "gaming_day": first})
    return pl.LazyFrame([*found, *fraud.plants(D)], schema=contract("plants").bronze_schema())


def silver_rows() -> dict[str, pl.LazyFrame]:
    """Silver table → its rows of all days."""
    return {
        "financial_txn": rows("financial_txn", *TXNS),
        "gaming_wins": rows("gaming_wins", *WINS, *floor.WINS),
        "slot_telemetry": rows("slot_telemetry", *SLOTS, *floor.SLOTS),
        "table_games": rows("table_games", *TABLES, *floor.TABLES),
        "staff_observations": rows("staff_observations", *SEEN),
        "compliance": rows("compliance", *FILED),
        "sar_filings": rows("sar_filings", record("k6", "SAR", "X2", D, on(0))),
        "player_profile": rows("player_profile", *versions(), *floor.PEOPLE),
        "security_events": rows("security_events", *floor.BADGES, *BADGES),
        "plants": planted(),
        "clickstream": rows("clickstream", *online.CLICKS),
        "online_accounts": rows("online_accounts", *online.ACCOUNTS, *shop.ACCOUNTS),
        "shop_actions": rows("shop_actions", *shop.ACTIONS),
        "games": rows("games", *online.GAMES),
        **platform.silver_rows(),
        "shop_orders": pl.concat([rows("shop_orders", *shop.ORDERS), fraud.shop_orders(D)]),
    }


DAYS = [
    NEW_YEAR,
    LAST_1042S,
    D,
    MORNING,
    D + dt.timedelta(2),
    D + dt.timedelta(35),
    LAST_COUNTED,
    floor.F,
    LAST_HELD,
    LAST_W2G,
]
"""Gaming days, and nights after D, on which a window matters."""
