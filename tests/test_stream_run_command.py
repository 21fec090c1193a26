"""`lakehouse stream run` and `status` as they are called, by whoever gets it wrong too."""

import json
import sys
from pathlib import Path

import pytest

from lakehouse.cli import run
from tests.streamed import TABLE, TOPIC, event, log_at, places, send, sources

STREAM = f'{{"{TABLE}": "stream"}}'


@pytest.fixture(autouse=True)
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online"]')
    monkeypatch.setenv("LAKEHOUSE_SOURCES", STREAM)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))


def test_topics_are_taken_in_and_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    send(log_at(tmp_path, 2), event(0), b"bad", event(1))
    assert run(["stream", "run", "--until-empty"]) == 0
    assert "3 events in 1 commits: 2 to bronze, 1 to quarantine" in capsys.readouterr().err
    assert run(["stream", "status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted((t["in_lake"], t["lag"], t["rejected"]) for t in told) == [(0, 0, 0), (3, 0, 1)]
    assert run(["stream", "status"]) == 0
    assert "never" in capsys.readouterr().out
    assert run(["quarantine", "list", "--table", TABLE]) == 0
    assert len(sources(tmp_path)) == 2


@pytest.mark.parametrize(
    ("sources_are", "arguments", "said"),
    [
        ("{}", [], "no table's source is stream; set the sources of tables, such as LAKEHOUSE_S"),
        (STREAM, [], "nobody made the topic clickstream; `lakehouse topics create` does"),
        (STREAM, ["--topics", "cash"], "--topics 'cash': events come in by clickstream"),
        ('{"games": "stream"}', [], "no topic has rows of 'games'; of these one has: clickstream"),
        (STREAM, ["--seconds", "-1"], "--seconds -1: 0 to 60 are allowed"),
        (STREAM, ["--rows", "0"], "--rows 0: 1 to 1,000,000 are allowed"),
    ],
)
def test_what_cannot_be_taken_in_is_said_in_one_line(
    sources_are: str,
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LAKEHOUSE_SOURCES", sources_are)
    assert run(["stream", "run", *arguments, "--until-empty"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_simulated_table_is_not_taken_from_its_topic(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online", "shop"]')
    assert run(["stream", "run", "--topics", "sales_stream"]) == 2
    assert "the source of shop_orders is the simulator; set" in capsys.readouterr().err


def test_kafka_without_its_client_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKEHOUSE_KAFKA", '{"bootstrap.servers": "127.0.0.1:1"}')
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    assert run(["stream", "run"]) == 2
    assert "pip install 'casino-lakehouse[kafka]'" in capsys.readouterr().err


def test_files_are_not_landed_in_a_table_that_a_topic_fills(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("event_id\n1\n")
    assert run(["land", str(file), "--table", TABLE]) == 2
    assert "the source of clickstream is the stream" in capsys.readouterr().err


def test_a_lake_that_a_topic_fills_keeps_its_rows_when_it_is_taken_in_again(tmp_path: Path) -> None:
    log = log_at(tmp_path)
    send(log, event(0))
    for _ in range(2):
        assert run(["stream", "run", "--until-empty", "--topics", TOPIC]) == 0
    assert sources(tmp_path) == places(0, 1)
