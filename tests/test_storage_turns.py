"""Logs that are written in turns: nobody's row is judged without those before it."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from lakehouse.errors import LakehouseError
from lakehouse.serve.alerts.desk import action
from lakehouse.storage import Lake, append_in_turn, maintain, turns

HOME = ("ops", "alert_actions")
NOON = dt.datetime(2025, 1, 8, 20, tzinfo=dt.UTC)


def row(alert: str) -> pl.DataFrame:
    return action(alert, "ack", who="ada", at=NOON)


def added(lake: Lake, alert: str) -> None:
    append_in_turn(lake, *HOME, lambda _: (alert, row(alert)), log="the log")


def stored(lake: Lake) -> list[str]:
    return sorted(lake.scan(*HOME).collect()["alert_id"])


def test_who_was_overtaken_is_asked_again_with_all_rows(tmp_path: Path) -> None:
    lake, seen = Lake(str(tmp_path)), []

    def following(before: pl.DataFrame) -> tuple[str, pl.DataFrame]:
        seen.append(sorted(before["alert_id"]))
        if len(seen) == 1:
            added(lake, "A2")
        return f"after {before.height}", row("A3")

    added(lake, "A1")
    made = append_in_turn(lake, *HOME, following, log="the log")
    assert seen == [["A1"], ["A1", "A2"]]
    assert (made["alert_id"].item(), stored(lake)) == ("A3", ["A1", "A2", "A3"])
    newest = lake.history(*HOME)[0]
    assert (newest.run_id, newest.asset) == ("after 2", "ops/alert_actions")


def test_who_is_always_overtaken_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TURNS", 2)
    lake = Lake(str(tmp_path))

    def slow(before: pl.DataFrame) -> tuple[str, pl.DataFrame]:
        added(lake, f"A{before.height}")
        return "late", row("late")

    with pytest.raises(LakehouseError, match="the log was busy through 2 attempts; try again"):
        append_in_turn(lake, *HOME, slow, log="the log")
    assert stored(lake) == ["A0", "A1"]


def test_rows_that_were_taken_out_and_files_put_together_hold_nobody_up(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    for alert in ("A1", "A2"):
        added(lake, alert)
    delta = lake.table(*HOME)
    assert delta is not None
    delta.delete("alert_id = 'A2'")
    maintain(lake, *HOME)
    added(lake, "A3")
    assert stored(lake) == ["A1", "A3"]
