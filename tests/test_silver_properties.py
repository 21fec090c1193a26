"""What holds for any dirty bronze: no row vanishes, and neither order nor company matters."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from source_rows import DAY, NOON, ZONE, bronze, row

from lakehouse.contracts import contract
from lakehouse.silver import CleanResult, clean
from lakehouse.silver.judgement import verdicts

DAYS = [DAY, DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=2)]
PARENTS = {
    "player_profile": pl.LazyFrame({"player_id": ["P1", "P2"]}),
    "financial_txn": pl.LazyFrame({"transaction_id": ["T1"]}),
}


def _one_of(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from(values)


def _moments(*hours: int) -> st.SearchStrategy[object]:
    """So many hours after noon, when the gaming day begins and a microsecond before, or nothing."""
    begun = NOON - dt.timedelta(hours=6)
    border = begun, begun + dt.timedelta(microseconds=-1), begun + dt.timedelta(days=1)
    return _one_of(*(NOON + dt.timedelta(hours=h) for h in hours), *border, None)


FIELDS = {
    "financial_txn": {
        "transaction_id": _one_of("K1", "K1", "K2", "K3", " K3", None),
        "transaction_type": _one_of("CASH_IN", "cash in", "MARKER_ISSUE", "BOGUS", None),
        "transaction_timestamp": _moments(0, 0, 24, 48),
        "amount": _one_of(Decimal("100.00"), Decimal("100.01"), Decimal("-1.00"), None),
        "player_id": _one_of("P1", " P2", "P9", None),
        "notes": _one_of("", "  ", None),
    },
    "gaming_wins": {
        "win_id": _one_of("K1", "K2", "K3", None),
        "game_type": _one_of("SLOT", "slots", "KENO", "?"),
        "paid_at": _moments(0, 24, 48),
        "wager": _one_of(Decimal("5.00"), Decimal("-5.00")),
        "transaction_id": _one_of("T1", "T9", None),
    },
    "player_profile": {
        "player_id": _one_of("P1", "P2", "P2 ", "", None),
        "loyalty_tier": _one_of("Gold", "GOLD", "Tin"),
        "self_excluded": st.booleans(),
        "last_visit_date": _one_of(DAY, DAYS[1], None),
    },
}


@st.composite
def dirty(draw: st.DrawFn) -> tuple[str, pl.DataFrame]:
    """A table and up to 12 rows of it over three days. `_source` numbers the rows, which no
    rule looks at, so that each can be followed."""
    table = draw(st.sampled_from(sorted(FIELDS)))
    common = {"gaming_day": _one_of(*DAYS), "_ingested_at": _moments(1, 2)}
    drawn = draw(st.lists(st.fixed_dictionaries(FIELDS[table] | common), max_size=12))
    rows = [row(table, **changes, _source=f"{i:02}") for i, changes in enumerate(drawn)]
    return table, bronze(table, *rows)


def judged(table: str, frame: pl.DataFrame) -> CleanResult:
    return clean(table, frame, timezone=ZONE, parents=PARENTS)


def parts(result: CleanResult) -> list[pl.DataFrame]:
    return [f.sort("_source") for f in (result.good, result.quarantined, result.duplicates)]


@given(dirty())
@settings(max_examples=40, deadline=None)
def test_every_row_ends_in_exactly_one_place(case):
    table, frame = case
    good, quarantined, duplicates = parts(judged(table, frame))
    numbers = [*good["_source"], *quarantined["_source"], *duplicates["_source"]]
    assert sorted(numbers) == frame["_source"].to_list()
    assert quarantined["_rules"].list.len().min() in (None, *range(1, 20))
    kept_whole = pl.concat([quarantined.select(frame.columns), duplicates]).sort("_source")
    assert_frame_equal(kept_whole, frame.filter(pl.col("_source").is_in([*kept_whole["_source"]])))


@given(dirty())
@settings(max_examples=25, deadline=None)
def test_good_rows_are_good_again_and_their_money_is_as_it_came(case):
    table, frame = case
    good = judged(table, frame).good
    again = judged(table, good)
    assert_frame_equal(again.good, good)
    money = [n for n, t in frame.schema.items() if isinstance(t, pl.Decimal)]
    came = frame.filter(pl.col("_source").is_in([*good["_source"]]))
    assert_frame_equal(good.select(money), came.select(money))


@pytest.mark.slow
@given(dirty(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_does_not_matter(case, random):
    table, frame = case
    order = list(range(frame.height))
    random.shuffle(order)
    for one, other in zip(
        parts(judged(table, frame)), parts(judged(table, frame[order])), strict=True
    ):
        assert_frame_equal(one, other)


@given(dirty())
@settings(max_examples=25, deadline=None)
def test_a_day_does_not_depend_on_the_others(case):
    table, frame = case
    alone = [judged(table, frame.filter(gaming_day=day)) for day in DAYS]
    for i, whole in enumerate(parts(judged(table, frame))):
        by_day = pl.concat([parts(result)[i] for result in alone]).sort("_source")
        assert_frame_equal(whole, by_day)


@given(dirty())
@settings(max_examples=25, deadline=None)
def test_sending_everything_again_adds_only_duplicates(case):
    table, frame = case
    key = "player_id" if table == "player_profile" else frame.columns[0]
    frame = frame.filter(pl.col(key).str.strip_chars().fill_null("") != "")
    later = frame.with_columns(
        _ingested_at=pl.lit(NOON + dt.timedelta(days=9)), _source="again " + pl.col("_source")
    )
    frame = frame.with_columns(pl.col("_ingested_at").fill_null(NOON))
    once, twice = judged(table, frame), judged(table, pl.concat([frame, later]))
    assert_frame_equal(parts(twice)[0], parts(once)[0])
    assert_frame_equal(parts(twice)[1], parts(once)[1])
    assert twice.duplicates.height == once.duplicates.height + frame.height


@given(dirty())
@settings(max_examples=25, deadline=None)
def test_what_is_told_of_each_row_for_a_stream_comes_to_the_same(case):
    """A row is a copy where one of its key, day and content came before; a clash where its key has
    another content; and good where it is sound and neither."""
    table, frame = case
    seen = verdicts(table, frame, timezone=ZONE).sort(
        "_ingested_at", "_batch_id", "_source", nulls_last=True
    )
    copies, clashes, good = set(), set(), set()
    contents: dict[tuple[object, ...], list[object]] = {}
    key = dict.fromkeys(["gaming_day", *contract(table).key])
    told = seen.select(*key, "content").rows()
    for (*key, content), source in zip(told, seen["_source"], strict=True):
        before = contents.setdefault(tuple(key), [])
        if None not in key[1:] and content in before:
            copies.add(source)
        before.append(content)
    for (*key, _), source, is_sound in zip(told, seen["_source"], seen["is_sound"], strict=True):
        if None not in key[1:] and len(set(contents[tuple(key)])) > 1:
            clashes.add(source)
        if is_sound and not {source} & (copies | clashes):
            good.add(source)
    found = clean(table, frame, timezone=ZONE)
    clashed = found.quarantined.filter(pl.col("_rules").list.contains("key_clash"))
    assert set(found.duplicates["_source"]) == copies
    assert set(clashed["_source"]) == clashes - copies
    assert set(found.good["_source"]) == good
