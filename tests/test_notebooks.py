"""The notebooks: they run on a lake, say what it holds, and show nobody."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import nbformat
import polars as pl
import pytest

from benchmarks.stored import AS_OF, COMMIT, filled
from lakehouse.pipeline.marts import derive
from lakehouse.quality.personal import found_texts, text_columns, vault_texts
from lakehouse.settings import load_settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Lake
from notebooks import __main__ as command
from notebooks.__main__ import BOOKS, executed

pytestmark = pytest.mark.slow
DAYS = (dt.date(2025, 1, 1), dt.date(2025, 1, 4))
NAMES = ["clickstream_eda", "floor_eda"]
SHOWN = ("text/plain", "text/markdown", "text/html", "text")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A few days of a small floor and online casino."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAKEHOUSE_ROOT", str(tmp_path_factory.mktemp("notebooks") / "lake"))
        patch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online"]')
        settings = load_settings(scale=0.3)
        lake = Lake.open(settings)
        filled(lake, settings, World(WorldConfig(scale=settings.scale, start=DAYS[0])), DAYS)
        derive(lake, settings, DAYS, as_of=AS_OF, commit=COMMIT)
        yield lake


@pytest.fixture(scope="module")
def books(lake: Lake) -> dict[str, nbformat.NotebookNode]:
    assert [book.stem for book in BOOKS] == NAMES
    return {book.stem: executed(book) for book in BOOKS}


def kept(name: str) -> nbformat.NotebookNode:
    return next(nbformat.read(book, as_version=4) for book in BOOKS if book.stem == name)


def outputs(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [out for cell in book.cells if cell.cell_type == "code" for out in cell.outputs]


def pictures(book: nbformat.NotebookNode) -> int:
    return sum("image/png" in out.get("data", {}) for out in outputs(book))


def texts(book: nbformat.NotebookNode) -> list[str]:
    said = [{**out.get("data", {}), "text": out.get("text", "")} for out in outputs(book)]
    return [one[kind] for one in said for kind in SHOWN if one.get(kind)]


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_its_picture(name: str, books: dict[str, nbformat.NotebookNode]) -> None:
    ran = books[name]
    questions = [c for c in ran.cells if c.cell_type == "markdown" and c.source.startswith("## ")]
    assert pictures(ran) == len(questions) >= 7
    assert not any(out.output_type in ("stream", "error") for out in outputs(ran))


def test_their_lake_is_made_beside_a_lake_of_other_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As after `make demo`, whose settings in this folder have another start."""
    (tmp_path / "lakehouse.toml").write_text("start = 2026-10-23\n")
    monkeypatch.chdir(tmp_path)
    for name in ("LAKEHOUSE_ROOT", "LAKEHOUSE_DOMAINS"):
        monkeypatch.setenv(name, "of this test")
        monkeypatch.delenv(name)
    monkeypatch.setattr(command, "WEEKS", ("2025-01-01", "2025-01-01"))
    monkeypatch.setattr(command, "BOOKS", [])
    command.main()
    assert "partitions made" in capfd.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_is_of_one_whole_run(name: str) -> None:
    book = kept(name)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    questions = [c for c in book.cells if c.cell_type == "markdown" and c.source.startswith("## ")]
    assert pictures(book) == len(questions)
    assert not any(out.output_type in ("stream", "error") for out in outputs(book))


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_shown(name: str, lake: Lake, books: dict[str, nbformat.NotebookNode]) -> None:
    vault = vault_texts(lake.scan("restricted", "identity_vault"))
    people = lake.scan("gold", "player_day").select("player_id").unique().collect().to_series()
    accounts = lake.scan("gold", "player_metrics").select("user_id").unique().collect().to_series()
    for book in (kept(name), books[name]):
        said = texts(book)
        assert said
        words = pl.LazyFrame({"said": [*said, *(w for text in said for w in text.split())]})
        found = found_texts(words, text_columns(words.collect_schema()), vault)
        assert found.is_empty(), found
        assert not [who for who in (*people, *accounts) if any(who in text for text in said)]


def test_the_scanner_would_find_somebody() -> None:
    said = pl.LazyFrame({"said": ["call 702-555-0134 about 4111 1111 1111 1111"]})
    found = found_texts(said, text_columns(said.collect_schema()), pl.Series(["-"]))
    assert set(found["kind"]) == {"phone number", "card number"}


def test_what_is_said_is_what_the_lake_holds(
    lake: Lake, books: dict[str, nbformat.NotebookNode]
) -> None:
    played = lake.scan("gold", "player_metrics").collect()
    rounds, accounts = played["rounds"].sum(), played["user_id"].n_unique()
    said = " ".join(texts(books["clickstream_eda"]))
    assert f"**{accounts:,}** accounts played **{rounds:,}** rounds" in said
    assert f"{float(played['ggr'].sum() / played['stakes'].sum()):.1%}." in said
    days = lake.scan("gold", "property_day").collect()
    said = " ".join(texts(books["floor_eda"]))
    assert "(4 gaming days)" in said
    assert f"agree with the events on {days['is_reconciled'].sum()} of 4 days" in said
