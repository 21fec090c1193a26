"""Events in quarantine are read again after a fix: each is in bronze once then, as what it was."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from lakehouse.cli import run
from lakehouse.errors import BadInput
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.mapping_files import load_mapping
from lakehouse.ingest.streams.rejected import retry_events
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.quality import retrying
from lakehouse.storage import Commit, Lake
from lakehouse.storage import lake as storage
from tests.streamed import (
    AT,
    DAY,
    EVENT,
    TABLE,
    TOPIC,
    event,
    log_at,
    places,
    send,
    settings_at,
    sources,
    stored,
    take_in,
)

BY = Commit("test", f"silver/{TABLE}", "1")

MAPPING = """
table = "clickstream"
[columns.event_id]
from = "id"
"""


def unnamed(number: int) -> dict[str, Any]:
    """An event that tells its number by a field that the table has not."""
    told = event(number)
    return {"id": told.pop("event_id"), **told}


def filled(folder: Path) -> Lake:
    """By partition 0: offset 0 is good, 1 and 3 lack their number, 2 is no JSON, 4 no UTF-8."""
    send(log_at(folder), event(0), unnamed(1), b"bad", unnamed(3), b'{"id": "\xff"}')
    take_in(folder)
    return Lake(str(folder / "lake"))


def mended(folder: Path, text: str = MAPPING) -> Mapping:
    path = folder / "fix.toml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path, TABLE)


def retried(folder: Path) -> tuple[int, int]:
    lake, settings = Lake(str(folder / "lake")), settings_at(folder)
    done = retry_events(lake, settings, TABLE, mapping=mended(folder))
    return done.tried, done.healed


def test_what_can_be_read_now_goes_to_bronze_once_from_where_it_came(tmp_path: Path) -> None:
    filled(tmp_path)
    before = stored(tmp_path, "quarantine").select("_line", "_batch_id", "_ingested_at")
    assert retried(tmp_path) == (3, 2)
    rows = stored(tmp_path).sort("_source")
    assert rows["_source"].to_list() == [f"topic:clickstream/0@{n}" for n in (0, 1, 3)]
    assert rows["event_id"].to_list() == ["e0", "e1", "e3"]
    assert rows["gaming_day"].to_list() == [DAY] * 3
    assert set(rows["_batch_id"]) == set(before["_batch_id"]) == {"clickstream/0@0-4"}
    assert set(rows["_ingested_at"]) == set(before["_ingested_at"])
    assert sorted(stored(tmp_path, "quarantine")["_line"]) == [2, 4]
    assert retried(tmp_path) == (1, 0)
    take_in(tmp_path)
    assert len(sources(tmp_path)) == 3


def test_a_retry_that_is_cut_short_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "rebuild", dies)
        with pytest.raises(KeyboardInterrupt):
            retried(tmp_path)
    assert len(stored(tmp_path, "quarantine")) == 4
    assert retried(tmp_path) == (3, 2)
    assert len(sources(tmp_path)) == len(set(sources(tmp_path))) == 3
    assert len(stored(tmp_path, "quarantine")) == 2


def test_what_a_worker_rejects_meanwhile_stays_in_quarantine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)
    write, once = storage.write, iter([True])

    def while_others_write(delta: Any, rows: Any, layer: str, *given: Any, **more: Any) -> None:
        if layer == "quarantine" and next(once, False):
            send(log_at(tmp_path), b"worse")
            take_in(tmp_path)
        write(delta, rows, layer, *given, **more)

    monkeypatch.setattr(storage, "write", while_others_write)
    assert retried(tmp_path) == (3, 2)
    assert sorted(stored(tmp_path, "quarantine")["_line"]) == [2, 4, 5]


def test_a_mapping_that_makes_rows_of_an_event_is_refused(tmp_path: Path) -> None:
    lake = filled(tmp_path)
    mapping = mended(tmp_path, f'rows = "plays"\n{MAPPING}')
    with pytest.raises(BadInput, match="takes rows out of plays: an event is one row"):
        retry_events(lake, settings_at(tmp_path), TABLE, mapping=mapping)


def test_the_command_takes_them_and_cleans_their_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online"]')
    mended(tmp_path)
    assert run(["quarantine", "retry", TABLE, "--mapping", str(tmp_path / "fix.toml")]) == 0
    told = capsys.readouterr().err
    assert told.startswith(f"{TABLE}: 2 of 3 rejected rows went to bronze")
    assert f"lakehouse run --from {DAY} --to {DAY}" in told
    assert len(stored(tmp_path)) == 3


CODES = """
table = "clickstream"
[columns]
event_type = { codes = { Spiel = "game_start" } }
"""
WORD = {"event_type": "Spiel"}
ALONE = {TABLE: "keep"}
ONE = dt.timedelta(days=1)


def cleaned(folder: Path, text: str | None) -> tuple[int, int, int]:
    """Rows that were read anew, and those that silver rejects then and before."""
    lake, settings = Lake(str(folder / "lake")), settings_at(folder, orphans=ALONE)
    mapping = None if text is None else mended(folder, text)
    done = retrying.retry(lake, settings, TABLE, as_of=AT, mapping=mapping)
    return done.events.reread, done.after, done.before


def spelt(folder: Path) -> Lake:
    """By partition 0: silver rejects offsets 1, 3 and, 3 once more, 4."""
    send(log_at(folder), event(0), event(1, **WORD), b"bad", event(3, **WORD), event(3, **WORD))
    lake = take_in(folder).lake
    refresh_silver(lake, settings_at(folder, orphans=ALONE), TABLE, (DAY, DAY), BY)
    return lake


def test_what_silver_rejected_is_read_again_from_the_topic(tmp_path: Path) -> None:
    lake = spelt(tmp_path)
    before = stored(tmp_path).select("_source", "_batch_id", "_ingested_at", "event_id")
    assert cleaned(tmp_path, None) == (0, 2, 2)
    assert cleaned(tmp_path, CODES) == (3, 0, 2)
    rows = stored(tmp_path)
    assert set(rows["event_type"]) == {"game_start"}
    assert_frame_equal(rows.select(before.columns), before, check_row_order=False)
    assert sorted(lake.scan("silver", TABLE).collect()["event_id"]) == ["e0", "e1", "e3"]
    assert stored(tmp_path, "quarantine")["_stage"].to_list() == ["ingest"]
    assert cleaned(tmp_path, CODES) == (0, 0, 0)
    send(log_at(tmp_path), event(9))
    take_in(tmp_path)
    assert sources(tmp_path) == places(0, 2) + places(3, 6)


def test_what_the_log_no_longer_keeps_or_the_mapping_does_not_mend_stays(tmp_path: Path) -> None:
    spelt(tmp_path)
    told = stored(tmp_path)
    assert cleaned(tmp_path, CODES.replace("Spiel", "Jeu")) == (0, 2, 2)
    other = f'{CODES}bet_amount = {{ from = "game_name" }}\n'
    assert cleaned(tmp_path, other) == (0, 2, 2)
    assert_frame_equal(stored(tmp_path), told, check_row_order=False)
    log = log_at(tmp_path, segment_bytes=1)
    send(log, event(9))
    assert log.expire(TOPIC, keep_bytes=1) > 0
    assert cleaned(tmp_path, CODES) == (0, 2, 2)


def test_a_row_that_is_of_another_day_then_is_there_once_whenever_it_is_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that goes the other way too: each is there before it is taken away."""
    later = "2025-01-05T20:00:00Z"
    fifth = event(2, at=EVENT["timestamp"], timestamp=later, **WORD)
    send(log_at(tmp_path), event(0, at=EVENT["timestamp"]), event(1, at=later, **WORD), fifth)
    lake, own = take_in(tmp_path).lake, settings_at(tmp_path, orphans=ALONE)
    refresh_silver(lake, own, TABLE, (DAY, DAY + 3 * ONE), BY)
    text = f'{CODES}[columns.timestamp]\nfrom = "at"\n'
    rebuild = Lake.rebuild

    def dies(self: Lake, layer: str, *given: Any, **more: Any) -> Any:
        if layer == "bronze" and next(left, None) is None:
            raise KeyboardInterrupt
        return rebuild(self, layer, *given, **more)

    for lives in range(4):
        left = iter(range(lives))
        with monkeypatch.context() as patch:
            patch.setattr(Lake, "rebuild", dies)
            with pytest.raises(KeyboardInterrupt):
                cleaned(tmp_path, text)
        assert set(sources(tmp_path)) == {*places(0, 3)}
    assert cleaned(tmp_path, text)[1:] == (0, 2)
    rows = stored(tmp_path).sort("_source")
    assert rows["_source"].to_list() == places(0, 3)
    assert rows["gaming_day"].to_list() == [DAY, DAY + 3 * ONE, DAY]


def test_what_a_worker_brings_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spelt(tmp_path)
    write, once = storage.write, iter([True])

    def while_others_write(delta: Any, rows: Any, layer: str, *given: Any, **more: Any) -> None:
        if layer == "bronze" and next(once, False):
            send(log_at(tmp_path), event(5))
            take_in(tmp_path)
        write(delta, rows, layer, *given, **more)

    monkeypatch.setattr(storage, "write", while_others_write)
    assert cleaned(tmp_path, CODES) == (3, 0, 2)
    assert sources(tmp_path) == places(0, 2) + places(3, 6)
