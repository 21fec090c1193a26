"""What is done on pages: by whom it may be done when it is done, and what is written of it."""

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from small_lake import put

from lakehouse.compliance import access_log
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.live.views import answer
from lakehouse.serve.alerts import desk
from lakehouse.serve.pages import alerts, data, players, questions
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.pages.draw import _row
from lakehouse.serve.pages.figures import figure, figures_of
from lakehouse.serve.pages.here import Here, House, Span
from lakehouse.serve.pages.live import PANELS, Panel
from lakehouse.serve.pages.menu import PAGES
from lakehouse.serve.pages.viewer import Viewer
from lakehouse.serve.pages.watched import Watched
from lakehouse.serve.pages.ways import ways_of
from lakehouse.serve.sql.restricted import issue_key
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Lake

DAY = dt.date(2025, 1, 3)
NOW = dt.datetime(2025, 1, 4, 15, tzinfo=dt.UTC)
GIVEN = {"day": str(DAY), "first": "2025-01-01", "last": str(DAY)}
TOKEN = "0a1b2c3d:" + 40 * "e"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake.open(settings_of(tmp_path))
    patrons = ["P00000001", "P00000002"]
    told = {"player_id": patrons, "gaming_day": [DAY, DAY]}
    named = {"first_name": ["Ann", "Ben"], "last_name": ["Marsh", "Marten"]}
    put(made, "bronze", "player_profile", told | named | {"phone": ["555-0100", "555-0101"]})
    cards = {"loyalty_number": ["LC1", "LC2"], "is_current": [True, True]}
    put(made, "silver", "player_profile", told | cards)
    value = {"loyalty_tier": ["Gold", "Silver"]}
    put(made, "gold", "player_value", told | value)
    account = {"account_id": [TOKEN, "x"], "player_id": ["P00000002", None]}
    put(
        made,
        "silver",
        "online_accounts",
        {**account, "gaming_day": [DAY, DAY], "is_current": [True, True]},
    )
    seen = {
        "alert_id": ["a-machine", "a-protection"],
        "gaming_day": [DAY, DAY],
        "entity_id": ["SLOT-0001", "P00000001"],
        "family": ["machine", "protection"],
        "severity": ["WARNING", "WARNING"],
    }
    put(made, "gold", "anomalies", seen | {"score": [0.5, 0.5], "rule": ["r", "s"]})
    return made


def settings_of(folder: Path) -> Settings:
    return Settings(root=str(folder / "lake"), domains=DOMAINS)


@pytest.fixture
def at(lake: Lake, tmp_path: Path) -> Callable[..., Here]:
    house = House(Asking(lake, settings_of(tmp_path)), lambda: NOW)

    def here(page: str, viewer: Viewer, **more: str) -> Here:
        found = next(p for p in PAGES if p.name == page)
        return Here(house, found, Span(dt.date(2025, 1, 1), DAY), more, lambda: viewer, PAGES)

    return here


def somebody(*grants: str, pages: tuple[str, ...] = ()) -> Viewer:
    return Viewer("kim", frozenset(pages or (p.name for p in PAGES)), frozenset(grants))


def test_names_are_told_to_whom_they_are_granted_and_the_audit_has_it(
    at: Callable[..., Here], lake: Lake, tmp_path: Path
) -> None:
    issue_key(settings_of(tmp_path), lake, who="root", at=NOW)
    here = at("players", somebody("names"), player="P00000001")
    (row,) = players._people(here, "to call about a visit", "").to_dicts()
    assert (row["first_name"], row["last_name"], row["phone"]) == ("Ann", "Marsh", "555-0100")
    last = access_log.read(lake).row(-1, named=True)
    assert (last["accessed_by"], last["purpose"]) == ("kim", "to call about a visit")
    assert last["query"] == "page players: contacts of P00000001"
    by_account = players._people(at("players", somebody("names"), player=TOKEN), "to call back", "")
    assert by_account["first_name"].to_list() == ["Ben"]
    found = players._people(at("players", somebody("names")), "to call back", "mar")
    assert found["last_name"].to_list() == ["Marsh", "Marten"]


@pytest.mark.parametrize(
    ("grants", "purpose", "name", "said"),
    [
        ((), "to call about a visit", "mar", "needs the grant 'names'"),
        (("names",), "why", "mar", "says too little"),
        (("names",), "to call about a visit", "m", "at least three letters"),
    ],
)
def test_names_are_not_told_otherwise(
    at: Callable[..., Here],
    lake: Lake,
    tmp_path: Path,
    grants: tuple[str, ...],
    purpose: str,
    name: str,
    said: str,
) -> None:
    issue_key(settings_of(tmp_path), lake, who="root", at=NOW)
    before = access_log.read(lake).height
    with pytest.raises(BadInput, match=said):
        players._people(at("players", somebody(*grants)), purpose, name)
    assert access_log.read(lake).height == before


def test_names_need_the_key_of_the_restricted_zone(at: Callable[..., Here]) -> None:
    with pytest.raises(BadInput, match="needs the key file"):
        players._people(at("players", somebody("names")), "to call about a visit", "mar")


@pytest.mark.parametrize(
    ("find", "tier", "place", "found"),
    [
        ("", "", "", ["P00000001", "P00000002", None]),
        ("p00000002", "", "", ["P00000002"]),
        ("LC1", "", "", ["P00000001"]),
        ("0a1b2c3d", "", "", ["P00000002"]),
        ("marsh", "", "", []),
        ("", "Gold", "", ["P00000001"]),
        ("", "", "floor", ["P00000001", "P00000002"]),
        ("", "", "online", ["P00000002", None]),
        ("", "", "both", ["P00000002"]),
    ],
)
def test_players_are_found_by_what_is_no_personal_data(
    at: Callable[..., Here], find: str, tier: str, place: str, found: list[str | None]
) -> None:
    asking = at("players", somebody()).house.asking
    given = {**GIVEN, "find": find, "tier": tier, "place": place}
    rows = asking.answer(figure("players/found"), given)
    assert sorted(rows["player_id"].to_list(), key=str) == sorted(found, key=str)


def test_no_figure_of_players_asks_for_a_name(lake: Lake, at: Callable[..., Here]) -> None:
    asking = at("players", somebody()).house.asking
    for asked in figures_of("players"):
        rows = asking.answer(asked, {**GIVEN, "player": "P00000001"})
        assert not {"first_name", "last_name", "email", "phone"} & set(rows.columns)


def test_what_the_desk_decides_is_signed_by_the_viewer(at: Callable[..., Here], lake: Lake) -> None:
    here = at("fraud", somebody("alerts"))
    alerts.decide(here, "a-machine", "ack", "", None)
    alerts.decide(here, "a-machine", "close", "a key was left", "explained")
    done = desk.read(lake)
    assert done["acted_by"].to_list() == ["kim", "kim"]
    assert done["acted_at"].to_list() == [NOW, NOW]
    outcomes = dict(done.select("action", "outcome").iter_rows())
    assert outcomes == {"ack": None, "close": "explained"}


def payments_to_act_on(here: Here) -> tuple[dict[str, int], list[tuple[str, int]]]:
    """Of the page Today: accounts by severity, and of each line of payments its alerts."""
    asking = here.house.asking
    told = asking.answer(figure("today/exceptions"), GIVEN)
    counts = told.filter(pl.col("exception").str.contains("payments")).select("exception", "count")
    lines = asking.answer(figure("today/alerts"), GIVEN).filter(rule="payments")
    return (
        {exception.split()[0]: count for exception, count in counts.iter_rows()},
        lines.select("alert_id", "alerts").rows(),
    )


def test_payments_of_a_line_are_decided_together(at: Callable[..., Here], lake: Lake) -> None:
    paid = {
        "alert_id": ["tuned-1", "tuned-2", "tuned-3"],
        "user_id": ["A", "A", "B"],
        "gaming_day": [DAY] * 3,
        "profile": ["tuned"] * 3,
        "alert_level": ["HIGH", "CRITICAL", "LOW"],
        "fraud_score": [0.7, 0.9, 0.2],
        "amount": ["10.00", "2.50", "1.00"],
        "rules": [[{"rule": "rapid", "score": 0.9}]] * 3,
    }
    put(lake, "gold", "fraud_alerts", paid)
    here = at("fraud", somebody("alerts"))
    rows = here.house.asking.answer(figure("fraud/alerts"), GIVEN)
    told = rows.select("alert_id", "alerts", "severity", pl.col("amount").cast(str)).rows()
    assert told == [("tuned-2", 2, "CRITICAL", "12.50"), ("tuned-3", 1, "LOW", "1.00")]
    facts = figures_of("alert")[0]
    (gravest,) = here.house.asking.answer(facts, {**GIVEN, "alert": "tuned-2"}).to_dicts()
    assert alerts._others(here, gravest) == 1
    assert payments_to_act_on(here) == ({"CRITICAL": 1, "HIGH": 1}, [("tuned-2", 2)])
    alerts.decide(here, "tuned-2", "close", "a stolen card", "confirmed", alike=True)
    assert payments_to_act_on(here) == ({}, [])
    assert sorted(desk.read(lake)["alert_id"]) == ["tuned-1", "tuned-2"]
    left = here.house.asking.answer(figure("fraud/alerts"), GIVEN)
    assert left["alert_id"].to_list() == ["tuned-3"]


@pytest.mark.parametrize(
    ("page", "viewer", "alert", "said"),
    [
        ("fraud", somebody(), "a-machine", "needs the grant 'alerts'"),
        ("fraud", somebody("alerts", pages=("today",)), "a-machine", "needs the grant 'alerts'"),
        ("fraud", somebody("alerts"), "a-protection", "is for another desk"),
        ("protection", somebody("alerts"), "a-machine", "is for another desk"),
        ("fraud", somebody("alerts"), "a-nobody", "unknown alert"),
    ],
)
def test_who_may_not_decide_changes_nothing(
    at: Callable[..., Here], lake: Lake, page: str, viewer: Viewer, alert: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        alerts.decide(at(page, viewer), alert, "ack", "", None)
    assert desk.read(lake).is_empty()


def test_a_grant_that_is_gone_since_the_page_was_drawn_is_gone(
    at: Callable[..., Here], lake: Lake
) -> None:
    held = [somebody("alerts", "quarantine", "sql", "names")]
    here = replace(at("fraud", held[0]), viewer=lambda: held[0])
    held[0] = somebody()
    with pytest.raises(BadInput, match="needs the grant"):
        alerts.decide(here, "a-machine", "ack", "", None)
    for grant in ("quarantine", "sql", "names"):
        with pytest.raises(BadInput, match="needs the grant"):
            here.permit(grant)


def test_rows_are_read_again_by_whom_it_is_granted_and_of_open_tables(
    at: Callable[..., Here], lake: Lake
) -> None:
    told = data.read_again(at("data", somebody("quarantine")), "slot_telemetry", "")
    assert told == [
        "slot_telemetry: 0 of 0 rejected rows went to bronze; silver rejects 0 rows now, 0 before; "
        "0 gaming days of silver are new"
    ]
    with pytest.raises(BadInput, match="needs the grant 'quarantine'"):
        data.read_again(at("data", somebody("alerts")), "slot_telemetry", "")
    with pytest.raises(BadInput, match="is restricted"):
        data.read_again(at("data", somebody("quarantine")), "staff_observations", "")


def test_a_question_is_answered_on_the_guarded_connection(at: Callable[..., Here]) -> None:
    asking = at("sql", somebody("sql")).house.asking
    sql = "SELECT loyalty_tier FROM gold.player_value WHERE player_id = $p"
    rows = questions.ask(asking, questions.Question(), sql, {"p": "P00000001"})
    assert rows["loyalty_tier"].to_list() == ["Gold"]
    for wrong in ("DROP TABLE gold.player_value", "SELECT * FROM bronze.player_profile",
                  "SELECT * FROM restricted.sar_cases", "SELECT * FROM read_csv('x')"):  # fmt: skip
        with pytest.raises(BadInput) as caught:
            questions.ask(asking, questions.Question(), wrong, {})
        assert "\n" not in str(caught.value)


def test_a_question_is_stopped_by_who_asked_it(at: Callable[..., Here]) -> None:
    asking = at("sql", somebody("sql")).house.asking
    question = questions.Question()
    threading.Thread(target=lambda: (_wait(question), question.stop()), daemon=True).start()
    with pytest.raises(LakehouseError, match=r"^Stopped\.$"):
        questions.ask(asking, question, "SELECT count(*) FROM range(1000000000000)", {})
    assert questions.ask(asking, questions.Question(), "SELECT 1 AS one", {}).rows() == [(1,)]


def _wait(question: questions.Question) -> None:
    while question.running is None:
        time.sleep(0.01)
    time.sleep(0.3)


def test_a_live_view_is_asked_once_for_all_who_look() -> None:
    asked = []
    view = Watched({"sales": lambda params: pl.DataFrame({"n": [asked.append(params)]})})
    for seconds in (0, 1, 2):
        view.rows("sales", {"windows": "4"}, NOW + dt.timedelta(seconds=seconds))
    assert asked == [{"windows": "4"}]
    view.rows("sales", {"windows": "5"}, NOW)
    view.rows("sales", {"windows": "4"}, NOW + dt.timedelta(seconds=3))
    assert asked == [{"windows": "4"}, {"windows": "5"}, {"windows": "4"}]


@pytest.mark.parametrize("panel", [p for ps in PANELS.values() for p in ps], ids=lambda p: p.view)
def test_a_live_view_has_what_its_page_draws(panel: Panel, lake: Lake, tmp_path: Path) -> None:
    rows = answer(lake, settings_of(tmp_path), panel.view, panel.params)
    assert set(panel.columns) <= set(rows.columns)


def test_names_in_tables_lead_where_the_reader_may_go(at: Callable[..., Here]) -> None:
    row = {"player_id": "P1", "alert_id": "a 1", "opens": "data?table=silver.x#kept-out", "win": 5}
    told = _row(0, row, {n: w for n, w in ways_of(at("today", somebody())).items() if n in row})
    days = "from=2025-01-01&to=2025-01-03"
    assert told["$to"] == {
        "player_id": f"/players?{days}&player=P1",
        "alert_id": f"/protection?{days}&alert=a+1",
        "opens": f"/data?{days}&table=silver.x#kept-out",
    }
    assert told["win"] == 5  # a number, to be sorted as one
    few = ways_of(at("today", somebody(pages=("today", "fraud"))))
    assert {n: w(row[n]) for n, w in few.items() if n in row} == {
        "alert_id": f"/fraud?{days}&alert=a+1",
        "opens": "",
    }
