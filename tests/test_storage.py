"""One write is one commit that replaces exactly its days; nothing else is touched."""

import datetime as dt
import os
from pathlib import Path

import polars as pl
import pyarrow.parquet as parquet
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_wins import BY, TABLE, D, content, files, rows

from lakehouse.contracts import contract
from lakehouse.errors import BadInput, ContractError, StorageError
from lakehouse.storage import FORGET, Lake, maintain, stored_schema


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def three(lake: Lake) -> Lake:
    lake.write_days(
        "bronze",
        TABLE,
        rows(D(2025, 1, 1), D(2025, 1, 2), D(2025, 1, 3)),
        (D(2025, 1, 1), D(2025, 1, 3)),
        commit=BY,
    )
    return lake


def test_missing_table_is_a_typed_empty_frame(lake: Lake) -> None:
    frame = lake.scan("bronze", TABLE).collect()
    assert frame.schema == contract(TABLE).bronze_schema()
    assert frame.is_empty()
    assert not lake.exists("bronze", TABLE)
    assert lake.version("bronze", TABLE) is None
    assert lake.history("bronze", TABLE) == []
    assert lake.partitions("bronze", TABLE).is_empty()


def test_a_write_keeps_the_files_of_other_days(three: Lake) -> None:
    kept = files(three, D(2025, 1, 1)) | files(three, D(2025, 1, 3))
    before = three.version("bronze", TABLE)
    written = three.write_days(
        "bronze",
        TABLE,
        rows(D(2025, 1, 2), D(2025, 1, 2), mark="b"),
        (D(2025, 1, 2), D(2025, 1, 2)),
        commit=BY,
    )
    assert (written.version, written.rows, written.retries) == (before + 1, 2, 0)
    assert written.rows_by_day == {D(2025, 1, 2): 2}
    assert files(three, D(2025, 1, 1)) | files(three, D(2025, 1, 3)) == kept
    assert content(three) == {D(2025, 1, 1): ["a"], D(2025, 1, 2): ["b", "b"], D(2025, 1, 3): ["a"]}


def test_the_files_of_a_version_are_listed_once(
    three: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However they are asked for; after a commit, again."""
    listed = []
    real = DeltaTable.get_add_actions
    monkeypatch.setattr(
        DeltaTable, "get_add_actions", lambda *a, **k: listed.append(a) or real(*a, **k)
    )

    def ask() -> None:
        assert three.partitions("bronze", TABLE)["rows"].sum() == len(content(three))
        assert len(three.data_files("bronze", TABLE)) == 3

    ask()
    ask()
    assert len(listed) == 1
    three.write_days("bronze", TABLE, rows(D(2025, 1, 1)), (D(2025, 1, 1),) * 2, commit=BY)
    listed.clear()
    ask()
    assert len(listed) == 1


def test_only_what_repeats_is_written_by_a_dictionary(three: Lake) -> None:
    [path, *_] = Path(three.uri("bronze", TABLE)).glob("gaming_day=*/*.parquet")
    group = parquet.read_metadata(path).row_group(0)
    columns = {c.path_in_schema: c for c in map(group.column, range(group.num_columns))}
    assert {c.compression for c in columns.values()} == {"SNAPPY"}
    by_dictionary = {n for n, c in columns.items() if c.has_dictionary_page}
    assert "_source" in by_dictionary
    assert not by_dictionary & {*contract(TABLE).key, contract(TABLE).event_time}


def test_an_empty_frame_empties_its_days_and_no_other(three: Lake) -> None:
    written = three.write_days(
        "bronze", TABLE, rows().lazy(), (D(2025, 1, 1), D(2025, 1, 2)), commit=BY
    )
    assert written.rows_by_day == {D(2025, 1, 1): 0, D(2025, 1, 2): 0}
    assert content(three) == {D(2025, 1, 3): ["a"]}


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (None, "no pair"),
        ((), "no pair"),
        ((D(2025, 1, 2),), "no pair"),
        ((D(2025, 1, 2), D(2025, 1, 1)), "end before they start"),
        ((None, D(2025, 1, 2)), "no gaming day"),
        (("2025-01-02", "2025-01-02"), "no gaming day"),
        ((dt.datetime(2025, 1, 2, tzinfo=dt.UTC), D(2025, 1, 2)), "no gaming day"),
    ],
)
def test_days_that_bound_nothing_are_refused(three: Lake, days: tuple, said: str) -> None:
    before = (three.version("bronze", TABLE), content(three))
    with pytest.raises(BadInput, match=said):
        three.write_days("bronze", TABLE, rows(), days, commit=BY)
    assert (three.version("bronze", TABLE), content(three)) == before


@pytest.mark.parametrize(
    ("layer", "where"),
    [
        ("bronze", {"_source": "a"}),
        ("bronze", {"gaming_day": "2025-01-01"}),
        ("quarantine", {"_stage": ""}),
        ("quarantine", {"_stage": "silver' OR 'a' = 'a"}),
        ("quarantine", {"_stage": None}),
    ],
)
def test_a_where_that_is_no_partition_is_refused(lake: Lake, layer: str, where: dict) -> None:
    with pytest.raises(BadInput, match="partition"):
        lake.write_days(
            layer, TABLE, rows(layer=layer), (D(2025, 1, 1), D(2025, 1, 1)), commit=BY, where=where
        )
    assert not lake.exists(layer, TABLE)


@pytest.mark.parametrize("day", [D(2025, 1, 1), D(2025, 1, 3), None])
def test_rows_outside_the_days_are_refused(three: Lake, day: D | None) -> None:
    before = (three.version("bronze", TABLE), content(three))
    with pytest.raises(ContractError, match="1 rows are outside"):
        three.write_days(
            "bronze", TABLE, rows(D(2025, 1, 2), day), (D(2025, 1, 2), D(2025, 1, 2)), commit=BY
        )
    assert (three.version("bronze", TABLE), content(three)) == before


def test_stages_of_quarantine_replace_only_their_own(lake: Lake) -> None:
    day = (D(2025, 1, 1), D(2025, 1, 1))
    for stage, mark in [("ingest", "i"), ("silver", "s"), ("silver", "t")]:
        frame = rows(day[0], mark=mark, layer="quarantine").with_columns(_stage=pl.lit(stage))
        lake.write_days("quarantine", TABLE, frame, day, commit=BY, where={"_stage": stage})
    assert content(lake, "quarantine") == {day[0]: ["i", "t"]}
    wrong = rows(day[0], layer="quarantine").with_columns(_stage=pl.lit("ingest"))
    with pytest.raises(ContractError, match="outside"):
        lake.write_days("quarantine", TABLE, wrong, day, commit=BY, where={"_stage": "silver"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop("player_id"), "lacks player_id"),
        (lambda f: f.with_columns(colour=pl.lit("x")), "adds colour"),
        (lambda f: f.with_columns(_source=pl.lit(5)), "_source is Int32, not String"),
        (lambda f: f.with_columns(gaming_day=pl.lit("2025-01-01")), "gaming_day is String"),
    ],
)
def test_a_frame_of_other_columns_is_refused(lake: Lake, change, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        lake.write_days(
            "bronze", TABLE, change(rows(D(2025, 1, 1))), (D(2025, 1, 1), D(2025, 1, 1)), commit=BY
        )


def test_a_frame_in_other_order_and_closed_domains_is_stored(lake: Lake) -> None:
    frame = rows(D(2025, 1, 1)).with_columns(pl.col("_source").cast(pl.Enum(["a"])))
    lake.write_days(
        "bronze",
        TABLE,
        frame.select(reversed(frame.columns)),
        (D(2025, 1, 1), D(2025, 1, 1)),
        commit=BY,
    )
    assert lake.scan("bronze", TABLE).collect().schema == stored_schema("bronze", TABLE)


def test_money_and_moments_come_back_as_they_went(lake: Lake) -> None:
    schema = stored_schema("bronze", "gaming_wins")
    frame = pl.DataFrame(
        {n: [None] for n in schema} | {"gaming_day": [D(2025, 3, 9)]}, schema=schema
    )
    money = next(n for n, t in schema.items() if t == pl.Decimal(18, 2))
    frame = frame.with_columns(
        pl.lit("12345678901234.56").cast(pl.Decimal(18, 2)).alias(money),
        paid_at=pl.lit(dt.datetime(2025, 3, 9, 9, 59, 59, 999999, tzinfo=dt.UTC)),
    )
    lake.write_days("bronze", "gaming_wins", frame, (D(2025, 3, 9), D(2025, 3, 9)), commit=BY)
    assert lake.scan("bronze", "gaming_wins").collect().equals(frame)


def test_the_commit_says_who_wrote_what(three: Lake) -> None:
    [newest, created] = three.history("bronze", TABLE)
    assert (newest.run_id, newest.asset, newest.code_version) == (BY.run_id, BY.asset, "abc")
    assert (newest.days, newest.retries) == ("2025-01-01..2025-01-03", 0)
    assert (newest.version, created.version) == (1, 0)


def test_columns_carry_their_meaning(three: Lake) -> None:
    delta = three.table("bronze", TABLE)
    comments = {f.name: f.metadata["comment"] for f in delta.schema().fields}
    assert comments == contract(TABLE).descriptions()
    assert delta.metadata().description == contract(TABLE).description
    assert delta.metadata().partition_columns == ["gaming_day"]


def test_a_write_that_changes_nothing_makes_no_commit(lake: Lake) -> None:
    """No rows, none before and the same marks: the table is there, and its version stays. A mark
    that is new is told, and rows that are there go."""
    day = D(2025, 1, 1)
    emptied = lake.write_days("gold", "alert_episodes", _none(), (day, day), commit=BY)
    assert (emptied.version, emptied.rows, emptied.rows_by_day) == (0, 0, {day: 0})
    assert lake.write_days("gold", "alert_episodes", _none(), (day, day), commit=BY).version == 0
    told = BY.deriving({day: "a"})
    for commit, version in ((told, 1), (told, 1), (BY.deriving({day: ""}), 2)):
        made = lake.write_days("gold", "alert_episodes", _none(), (day, day), commit=commit)
        assert made.version == version
    assert lake.tokens("gold", "alert_episodes") == {}


def _none() -> pl.DataFrame:
    return stored_schema("gold", "alert_episodes").to_frame()


def test_time_travel(three: Lake) -> None:
    """Commits an hour apart, as the files of the log tell: the clock that dates files lags behind
    the one that programs read, so that a moment between two quick commits is of either."""
    three.write_days("bronze", TABLE, rows(), (D(2025, 1, 1), D(2025, 1, 3)), commit=BY)
    commits = sorted(Path(three.uri("bronze", TABLE), "_delta_log").glob("*.json"))
    begun = dt.datetime.now(dt.UTC)
    for hours, commit in enumerate(commits, 1):
        at = (begun + dt.timedelta(hours=hours)).timestamp()
        os.utime(commit, (at, at))
    moment = begun + dt.timedelta(hours=2.5)
    for as_of, height in [(None, 0), (2, 0), (1, 3), (0, 0), (moment, 3)]:
        assert three.scan("bronze", TABLE, as_of=as_of).collect().height == height, as_of


@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        (7, "no version 7; versions 0 to 1"),
        (-1, "no version -1"),
        (dt.datetime(2025, 1, 1), "needs its offset"),  # noqa: DTZ001
        (dt.datetime(2001, 1, 1, tzinfo=dt.UTC), "did not exist"),
    ],
)
def test_a_version_that_is_not_there(three: Lake, as_of: int | dt.datetime, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        three.scan("bronze", TABLE, as_of=as_of)


def test_scan_reads_only_the_files_of_its_days_and_columns(three: Lake) -> None:
    frame = three.scan(
        "bronze", TABLE, days=(D(2025, 1, 2), D(2025, 1, 2)), columns=["gaming_day", "_source"]
    )
    plan = frame.explain()
    assert "gaming_day=2025-01-02" in plan
    assert "gaming_day=2025-01-01" not in plan
    assert "PROJECT 2/" in plan
    assert frame.collect().rows() == [(D(2025, 1, 2), "a")]


def test_unknown_names_are_named(lake: Lake) -> None:
    for layer, table, said in [
        ("bronze", "slots", "unknown table 'slots'"),
        ("copper", TABLE, "unknown layer 'copper'"),
        ("gold", TABLE, "not stored in layer 'gold'"),
        ("bronze", "plants", "not stored in layer 'bronze'"),
    ]:
        with pytest.raises(BadInput, match=said):
            lake.scan(layer, table)
    with pytest.raises(BadInput, match="no column colour"):
        lake.scan("bronze", TABLE, columns=["colour"])


def test_a_nullable_column_that_the_contract_gained_is_added_without_a_rewrite(three: Lake) -> None:
    uri = three.uri("bronze", TABLE)
    nullable = next(n for n, c in contract(TABLE).columns.items() if c.nullable)
    _rewrite(uri, three.scan("bronze", TABLE).collect().drop(nullable))
    old = three.scan("bronze", TABLE)
    assert old.collect_schema() == stored_schema("bronze", TABLE)
    assert old.collect()[nullable].to_list() == [None, None, None]
    kept = files(three, D(2025, 1, 1))
    three.write_days(
        "bronze", TABLE, rows(D(2025, 1, 4), mark="n"), (D(2025, 1, 4),) * 2, commit=BY
    )
    assert files(three, D(2025, 1, 1)) == kept
    marks = three.scan("bronze", TABLE).sort("gaming_day").collect()[nullable].to_list()
    assert marks[:3] == [None, None, None]
    comments = {f.name: f.metadata for f in three.table("bronze", TABLE).schema().fields}
    assert comments[nullable] == {"comment": contract(TABLE).descriptions()[nullable]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop("_source"), "_source is missing"),
        (lambda f: f.with_columns(colour=pl.lit("x")), "colour is not in the contract"),
        (lambda f: f.with_columns(_source=pl.lit(5)), "_source is .*integer"),
    ],
)
def test_other_stored_columns_are_an_error_that_names_them(three: Lake, change, said: str) -> None:
    _rewrite(three.uri("bronze", TABLE), change(three.scan("bronze", TABLE).collect()))
    with pytest.raises(ContractError, match=said):
        three.scan("bronze", TABLE)
    with pytest.raises(ContractError, match=said):
        three.write_days("bronze", TABLE, rows(), (D(2025, 1, 1), D(2025, 1, 1)), commit=BY)


def _rewrite(uri: str, frame: pl.DataFrame) -> None:
    frame.write_delta(uri, mode="overwrite", delta_write_options={"schema_mode": "overwrite"})


@pytest.mark.parametrize("damage", ["drop the log", "garble the log", "drop a data file"])
def test_a_damaged_table_says_so_in_one_line(three: Lake, damage: str) -> None:
    folder = Path(three.uri("bronze", TABLE))
    if damage == "drop the log":
        for f in (folder / "_delta_log").iterdir():
            f.unlink()
    elif damage == "garble the log":
        for f in (folder / "_delta_log").glob("*.json"):
            f.write_text("{not json")
    before = sorted(p.name for p in folder.rglob("*.parquet"))
    if damage == "drop a data file":
        next(folder.glob("gaming_day=2025-01-02/*.parquet")).unlink()
        with pytest.raises((StorageError, FileNotFoundError, OSError)):
            three.scan("bronze", TABLE).collect()
        return
    with pytest.raises(StorageError, match=TABLE) as caught:
        three.write_days("bronze", TABLE, rows(), (D(2025, 1, 1), D(2025, 1, 1)), commit=BY)
    assert "\n" not in str(caught.value)
    with pytest.raises(StorageError, match=TABLE):
        three.scan("bronze", TABLE)
    assert sorted(p.name for p in folder.rglob("*.parquet")) == before


def test_rebuild_replaces_a_table_in_one_piece(lake: Lake) -> None:
    schema = stored_schema("silver", "player_profile")

    def add(name: str):
        row = pl.DataFrame({n: [None] for n in schema} | {"player_id": [name]}, schema=schema)
        return lambda now: pl.concat([now.collect(), row])

    for name in ("p1", "p2"):
        written = lake.rebuild("silver", "player_profile", add(name), commit=BY)
    assert written.rows == 2
    assert lake.scan("silver", "player_profile").collect()["player_id"].to_list() == ["p1", "p2"]
    assert lake.partitions("silver", "player_profile")["gaming_day"].to_list() == [None]
    empty = pl.DataFrame(schema=stored_schema("restricted", "access_log"))
    with pytest.raises(BadInput, match="rebuild it"):
        lake.write_days("restricted", "access_log", empty, (D(2025, 1, 1),) * 2, commit=BY)
    with pytest.raises(BadInput, match="write its days"):
        lake.rebuild("bronze", TABLE, lambda now: now.collect(), commit=BY)


def test_append_is_exactly_once_per_transaction(lake: Lake) -> None:
    for number, expected in [(1, 1), (1, 1), (2, 2), (1, 2)]:
        written = lake.append(
            "bronze", TABLE, rows(D(2025, 1, 1)), commit=BY, app_transaction=("file-a", number)
        )
        assert lake.scan("bronze", TABLE).collect().height == expected
    assert written.rows == 0
    lake.append("bronze", TABLE, rows(D(2025, 1, 1)), commit=BY, app_transaction=("file-b", 1))
    lake.append("bronze", TABLE, rows(D(2025, 1, 1)), commit=BY)
    assert lake.scan("bronze", TABLE).collect().height == 4


def test_maintenance_compacts_and_forgets_nothing_readable(lake: Lake) -> None:
    day = (D(2025, 1, 1), D(2025, 1, 1))
    for mark in "abc":
        lake.append("bronze", TABLE, rows(day[0], mark=mark), commit=BY)
    orphan = Path(lake.uri("bronze", TABLE)) / "gaming_day=2025-01-01" / "orphan.parquet"
    orphan.write_bytes(b"PAR1")
    done = maintain(lake, "bronze", TABLE)
    assert (done.files_before, done.files_after, done.files_removed) == (3, 1, 0)
    assert content(lake) == {day[0]: ["a", "b", "c"]}
    assert lake.scan("bronze", TABLE, as_of=2).collect().height == 2
    with pytest.raises(BadInput, match=FORGET):
        maintain(lake, "bronze", TABLE, retention=dt.timedelta(hours=1))
    done = maintain(lake, "bronze", TABLE, retention=dt.timedelta(0), forced=FORGET)
    assert done.files_removed == 4
    assert not orphan.exists()
    assert content(lake) == {day[0]: ["a", "b", "c"]}


FIVE = [D(2025, 1, 1) + dt.timedelta(n) for n in range(5)]
WRITES = st.tuples(st.integers(0, 4), st.integers(0, 4), st.lists(st.booleans(), min_size=5))


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(writes=st.lists(WRITES, min_size=1, max_size=6))
def test_a_table_holds_what_was_last_written_of_each_day(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[int, int, list[bool]]]
) -> None:
    """Of ranges in any order and again, of which some days have no rows."""
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    wanted: dict[dt.date, list[str]] = {}
    for n, (one, other, has_rows) in enumerate(writes):
        days = FIVE[min(one, other) : max(one, other) + 1]
        full = [day for day, has in zip(days, has_rows, strict=False) if has]
        lake.write_days("bronze", TABLE, rows(*full, mark=str(n)), (days[0], days[-1]), commit=BY)
        wanted = {d: m for d, m in wanted.items() if d not in days} | {d: [str(n)] for d in full}
        assert content(lake) == wanted


def test_a_table_that_a_writer_has_is_nobody_elses(three: Lake) -> None:
    uri, opened = three.uri("bronze", TABLE), three._opened
    assert three.table("bronze", TABLE) is three.table("bronze", TABLE)
    mine = opened.take(uri)
    assert mine is not None
    assert opened.take(uri) is None
    assert three.table("bronze", TABLE) is not mine
    opened.keep(uri, mine)
    assert three.table("bronze", TABLE) is mine
