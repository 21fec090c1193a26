"""The page: figures that can be asked, numbers as people read them, and answers that stay true."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import requests
from signing import House as Served

from benchmarks.pages.browser import drive
from lakehouse.errors import BadInput
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.pages.figures import Figure, figure, figures_of, pages_with_figures
from lakehouse.serve.pages.frame import filled
from lakehouse.serve.pages.here import Span, span_of
from lakehouse.serve.pages.menu import PAGES
from lakehouse.serve.pages.words import label, shown
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Commit, Lake, stored_schema

DAY = dt.date(2025, 1, 8)
GIVEN = {"day": str(DAY), "first": "2025-01-01", "last": str(DAY)}
NOW = dt.datetime(2025, 1, 9, 15, tzinfo=dt.UTC)
COMMIT = Commit("test", "gold/property_day", "1")


def store(lake: Lake, wins: dict[dt.date, str]) -> None:
    schema = stored_schema("gold", "property_day")
    rows = pl.DataFrame(
        [{"gaming_day": d, "win": Decimal(w), "headcount": 10} for d, w in wins.items()],
        schema=schema,
    )
    lake.write_days("gold", "property_day", rows, (min(wins), max(wins)), commit=COMMIT)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=str(tmp_path / "lake"), domains=DOMAINS)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake.open(settings)


EVERY = [f for page in pages_with_figures() for f in figures_of(page)]


@pytest.mark.parametrize("asked", EVERY, ids=lambda f: f.address)
def test_a_figure_can_be_asked_and_has_what_it_draws(
    asked: Figure, lake: Lake, settings: Settings
) -> None:
    rows = Asking(lake, settings).answer(asked, GIVEN)
    assert {n for n in (asked.x, *asked.y) if n} <= set(rows.columns)
    assert asked.draw in ("tiles", "table", "facts") or asked.x
    assert asked.title
    assert "`" not in asked.title


def test_every_page_has_figures_or_a_body_and_every_folder_a_page() -> None:
    names = {p.name for p in PAGES}
    assert set(pages_with_figures()) - names == {"alert"}  # a part of two pages
    assert {p.name for p in PAGES if p.body is None} <= set(pages_with_figures())
    with pytest.raises(BadInput, match="no page 'nowhere'"):
        figures_of("nowhere")
    with pytest.raises(BadInput, match=r"no figure 'today/x'; page today has: headline, win"):
        figure("today/x")


def test_the_headline_compares_with_the_same_weekday(lake: Lake, settings: Settings) -> None:
    weeks = {DAY - dt.timedelta(weeks=n): w for n, w in enumerate(("5", "10", "40", "20"))}
    store(lake, {**weeks, DAY - dt.timedelta(days=1): "99", DAY - dt.timedelta(weeks=9): "77"})
    (row,) = Asking(lake, settings).answer(figure("today/headline"), GIVEN).to_dicts()
    # The median of 10, 40 and 20; the day before and what is nine weeks ago do not count.
    assert (row["win"], row["win_usual"], row["headcount_usual"]) == (5, 20, 10)


def test_occupancy_is_of_the_machines_of_the_day(lake: Lake, settings: Settings) -> None:
    store(lake, {DAY: "5"})
    weeks_back = {0: (0.1, 0.3), 1: (0.5, 0.7), 2: (0.2, 0.2), 3: (0.9, 0.9), 9: (1.0, 1.0)}
    rows = [
        {"gaming_day": DAY - dt.timedelta(weeks=n), "machine_id": f"SLOT-{k}", "occupancy": share}
        for n, shares in weeks_back.items()
        for k, share in enumerate(shares)
    ]
    schema = stored_schema("gold", "slot_performance")
    machines = pl.DataFrame(rows, schema=schema)
    first = DAY - dt.timedelta(weeks=9)
    lake.write_days("gold", "slot_performance", machines, (first, DAY), commit=COMMIT)
    (row,) = Asking(lake, settings).answer(figure("today/headline"), GIVEN).to_dicts()
    # Of the day .1 and .3; of the weeks before .6, .2 and .9, as nine weeks back is too far.
    assert (row["occupancy"], row["occupancy_usual"]) == pytest.approx((0.2, 0.6))


def test_an_answer_is_kept_until_its_table_is_written(lake: Lake, settings: Settings) -> None:
    asking = Asking(lake, settings)
    store(lake, {DAY: "1"})
    first = asking.answer(figure("today/win"), GIVEN)
    assert asking.answer(figure("today/win"), GIVEN) is first
    store(lake, {DAY: "2"})
    assert asking.answer(figure("today/win"), GIVEN)["win"].to_list() == [2]


def test_days_come_from_the_address() -> None:
    assert span_of(None, None, DAY) == Span(dt.date(2024, 12, 10), DAY)
    assert span_of("2025-01-02", "2025-01-03", DAY).given() == {
        "day": "2025-01-03",
        "first": "2025-01-02",
        "last": "2025-01-03",
    }
    for first, last in (("x", None), (None, "2025-13-01"), ("2025-01-03", "2025-01-02")):
        with pytest.raises(BadInput):
            span_of(first, last, DAY)


def test_the_query_that_is_shown_gives_the_same_elsewhere(lake: Lake, settings: Settings) -> None:
    store(lake, {DAY: "1.50"})
    asking, span = Asking(lake, settings), Span(dt.date(2025, 1, 1), DAY)
    text = filled(figure("today/win"), span.given())
    assert "$" not in text
    assert asking.ask(text, {}).equals(asking.answer(figure("today/win"), span.given()))


@pytest.mark.parametrize(
    ("value", "column", "said"),
    [
        (Decimal("1234.5"), "win", "$1,234"),
        (Decimal("-12.50"), "win", "−$12.50"),
        (Decimal("0.4512"), "completion_rate", "45.1%"),
        (0.0647, "slot_hold", "6.5%"),
        (1234567, "games", "1,234,567"),
        (Decimal("11"), "jackpots", "11"),
        ("a647e9fd:18d72635f88599bcb76e9471603db27ea626f8cb", "user_id", "a647e9fd:18d72635…"),
        (True, "is_outside", "yes"),
        (None, "win", "–"),
        (["a", "b"], "reasons", "a, b"),
        (dt.date(2025, 1, 8), "gaming_day", "2025-01-08"),
    ],
)
def test_values_are_written_as_people_read_them(value: object, column: str, said: str) -> None:
    assert shown(value, column) == said


def test_columns_have_words() -> None:
    assert label("slot_coin_in") == "Slot coin in"
    assert label("player_id") == "Player ID"
    assert label("is_excluded") == "Excluded"
    assert label("worth_30") == "Worth, 30 days"
    assert label("expected_value_12m") == "Expected value, 12 months"


@pytest.fixture
def address(lake: Lake, settings: Settings) -> Iterator[str]:
    store(lake, {DAY: "1.50"})
    with Served(settings).served() as at:
        yield f"http://{at}"


def test_pages_answer_and_wrong_addresses_say_why(address: str) -> None:
    home = requests.get(address, allow_redirects=False, timeout=60)
    assert home.headers["location"] == "/today"
    for page in PAGES:
        said = requests.get(f"{address}/{page.name}?from=2025-01-01&to=2025-01-08", timeout=60)
        assert said.status_code == 200, page
        assert page.question in said.text
        assert "could not be answered" not in said.text
    assert "is no day" in requests.get(f"{address}/today?from=yesterday", timeout=60).text
    csv = requests.get(f"{address}/figures/today/win.csv", params=GIVEN, timeout=60)
    assert csv.text == "gaming_day,win,theo\n2025-01-08,1.50,\n"
    gone = requests.get(f"{address}/figures/today/none.csv", params=GIVEN, timeout=60)
    assert gone.status_code == 404
    part = requests.get(f"{address}/figures/alert/facts.csv?alert=a", timeout=60)
    assert (part.status_code, part.text) == (404, "no page 'alert'")


def test_where_there_is_no_browser_it_is_said_that_no_page_was_driven(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert drive(["--quick"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("The pages were not driven: this machine has no chromium")
    assert told.count("\n") == 1
