"""Sessions, silences and runs of hurried actions, on frames made by hand."""

import datetime as dt

import polars as pl
import pytest

from lakehouse.silver.sessions import gaps, high_frequency, sessions

NOON = dt.datetime(2025, 1, 1, 20, tzinfo=dt.UTC)
HALF_HOUR, TWO_SECONDS = dt.timedelta(minutes=30), dt.timedelta(seconds=2)


def events(*rows: tuple[str, float | None, str | None]) -> pl.LazyFrame:
    """User, seconds after noon, and the session that the client told."""
    return pl.LazyFrame(
        {
            "row": range(len(rows)),
            "user": [user for user, _, _ in rows],
            "at": [None if s is None else NOON + dt.timedelta(seconds=s) for _, s, _ in rows],
            "given": [given for _, _, given in rows],
        },
        schema_overrides={"at": pl.Datetime("us", "UTC"), "given": pl.String},
    )


def by_row(frame: pl.LazyFrame, column: str) -> list[object]:
    return frame.collect().sort("row")[column].to_list()


def test_the_silence_before_an_event_is_of_its_own_user() -> None:
    rows = events(
        ("b", 5, None), ("a", 0, None), ("b", 2, None), ("a", None, None), ("a", 60, None)
    )
    seconds = [
        None if g is None else g.total_seconds()
        for g in by_row(gaps(rows, ["user"], "at"), "since_last")
    ]
    assert seconds == [3, None, None, None, 60]


def test_half_an_hour_of_silence_ends_a_session_and_a_second_less_does_not() -> None:
    rows = events(("a", 0, None), ("a", 1799, None), ("a", 3599, None), ("b", 10, None))
    named = sessions(rows, ["user"], "at", HALF_HOUR, "given")
    assert by_row(named, "session") == ["made-1", "made-1", "made-2", "made-1"]


def test_a_session_that_is_told_stays_and_those_without_one_are_made_among_themselves() -> None:
    rows = events(
        ("a", 0, "s1"), ("a", 60, None), ("a", 120, "s1"), ("a", 1_900, None), ("a", 9_000, "s1")
    )  # fmt: skip
    named = sessions(rows, ["user"], "at", HALF_HOUR, "given")
    assert by_row(named, "session") == ["s1", "made-1", "s1", "made-2", "s1"]


def test_days_do_not_depend_on_each_other() -> None:
    rows = events(("a", 0, None), ("a", 60, None)).with_columns(
        day=pl.col("row") + dt.date(2025, 1, 1).day
    )
    named = sessions(rows, ["user", "day"], "at", HALF_HOUR)
    assert by_row(named, "session") == ["made-1", "made-1"]
    assert by_row(gaps(rows, ["user", "day"], "at"), "since_last") == [None, None]


def test_a_run_has_its_first_event_and_no_gap_of_two_seconds() -> None:
    rows = events(
        ("a", 0, None),  # alone
        ("a", 10, None), ("a", 11.999999, None), ("a", 13, None),  # a run
        ("a", 15, None),  # two seconds after it: none of it
        ("b", 15.5, None),  # another user's
        ("a", 30, None), ("a", 30, None),  # at once
        ("a", None, None),
    )  # fmt: skip
    found = by_row(high_frequency(rows, ["user"], "at", TWO_SECONDS), "is_high_frequency")
    assert found == [False, True, True, True, False, False, True, True, False]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 0, 2]])
def test_the_order_of_arrival_changes_nothing(order: list[int]) -> None:
    rows = events(("a", 0, None), ("a", 1, None), ("a", 4_000, None), ("a", 8_000, None))
    late = rows.collect()[order].lazy()
    assert by_row(sessions(late, ["user"], "at", HALF_HOUR), "session") == [
        "made-1", "made-1", "made-2", "made-3",
    ]  # fmt: skip
    found = by_row(high_frequency(late, ["user"], "at", TWO_SECONDS), "is_high_frequency")
    assert found == [True, True, False, False]


def test_planted_bursts_are_found_to_the_row() -> None:
    """Runs of 12 to 30 events with gaps of 0.5 to 1.9 s, between events minutes apart."""
    times, planted, at = [], [], 0.0
    for user in range(40):
        at = 0.0
        for turn in range(30):
            at += 60 + turn
            if turn == user % 30:
                for k in range(12 + user % 19):
                    at += 0.5 + (k * 7 + user) % 15 / 10 if k else 0
                    times.append((f"u{user}", at, None))
                    planted.append(True)
            else:
                times.append((f"u{user}", at, None))
                planted.append(False)
    found = by_row(high_frequency(events(*times), ["user"], "at", TWO_SECONDS), "is_high_frequency")
    assert found == planted
