"""The policy create_minimal: whoever landed rows name has a profile, once, whatever came first."""

import datetime as dt
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lakehouse import cli
from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.mapping import checked_mapping
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.quality.conformance import broken_rules
from lakehouse.quality.conformance import conservation as of_days
from lakehouse.quality.expectations.rules import translated
from lakehouse.quality.rule_sql import in_sql
from lakehouse.regulation.people import known_at
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Lake
from tests.landed import AS_OF, CAGE, deriving, drop, lake_at, mapped, take_in
from tests.small_lake import COMMIT
from tests.source_rows import NOON, row
from tests.source_rows import bronze as source

PROFILE = "player_profile"
POLICY = {"orphans": {CAGE: "create_minimal"}}
D4, D5, D6, D7 = (dt.date(2025, 1, d) for d in (4, 5, 6, 7))
JANUARY = (dt.date(2025, 1, 1), dt.date(2025, 1, 31))
NAMED = """
[patron]
first_name = "split(Name, ' ', 1)"
last_name = "split(Name, ' ', 2)"
[patron.country]
from = "Land"
[patron.date_of_birth]
from = "Born"
format = "%d.%m.%y"
"""


def at(day: dt.date) -> dict[str, Any]:
    moment = dt.datetime.combine(day, NOON.timetz())
    return {"transaction_timestamp": moment, "business_date": day, "gaming_day": day}


def cage(*rows: dict[str, Any], **texts: Sequence[str | None]) -> str:
    """Payments as a file has them, with columns of its own."""
    numbered = [{"transaction_id": f"T{i}{r.get('player_id')}{r['gaming_day']}"} | r
                for i, r in enumerate(rows)]  # fmt: skip
    frame = source(CAGE, *(row(CAGE, **r) for r in numbered))
    frame = frame.drop("_ingested_at", "_source", "_batch_id", "gaming_day")
    return frame.with_columns(
        pl.Series(n, v, dtype=pl.String) for n, v in texts.items()
    ).write_csv()


def profiles(*rows: dict[str, Any]) -> str:
    frame = source(PROFILE, *(row(PROFILE, last_visit_date=None, **r) for r in rows))
    return frame.drop("_ingested_at", "_source", "_batch_id").write_csv()


def stored(lake: Lake) -> list[tuple[Any, ...]]:
    rows = lake.scan("bronze", PROFILE).collect().sort("player_id", "gaming_day")
    made = pl.col("_source").str.starts_with("made:")
    return rows.select("player_id", "gaming_day", made).rows()


def cleaned(lake: Lake, settings: Settings) -> None:
    for table in (PROFILE, CAGE):
        refresh_silver(lake, settings, table, JANUARY, COMMIT)


def versions(lake: Lake) -> list[tuple[Any, ...]]:
    rows = lake.scan("silver", PROFILE).collect().sort("player_id", "gaming_day")
    return rows.select("player_id", "loyalty_tier", "valid_from", "valid_to").rows()


def test_whoever_a_row_names_has_a_profile_of_the_first_day(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    for_another = {"player_id": "P1", "on_behalf_of_player_id": " P9 "} | at(D6)
    drop(lake, f"{CAGE}/a.csv", cage({"player_id": "P1"} | at(D5), for_another, at(D5)))
    drop(lake, f"{PROFILE}/p.csv", profiles({"player_id": "P7", "gaming_day": D5}))
    report = take_in(lake, settings)
    (made,) = report.of("made")
    assert (made.table, made.bronze_rows, made.days) == (PROFILE, 2, (D5, D6))
    assert report.days[PROFILE] == [D5, D6]
    cleaned(lake, settings)
    assert stored(lake) == [("P1", D5, True), ("P7", D5, False), ("P9", D6, True)]
    assert versions(lake)[0] == ("P1", None, D5, None)
    assert lake.scan("silver", CAGE).collect().height == 3
    for table in (PROFILE, CAGE):
        assert of_days(lake, table, JANUARY)["lost"].sum() == 0
        assert lake.scan("quarantine", table).collect().is_empty()
        assert broken_rules("silver", table, lake.scan("silver", table)).is_empty()
        assert conservation(lake, table).holds


def test_a_minimal_profile_tells_of_which_file_and_batch_it_was_made(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    drop(lake, f"{CAGE}/a.csv", cage({"player_id": "P1"} | at(D6), {"player_id": "P1"} | at(D5)))
    take_in(lake, settings)
    payment = lake.scan("bronze", CAGE).collect().row(0, named=True)
    made = lake.scan("bronze", PROFILE).collect().row(0, named=True)
    assert made["_source"] == f"made:{CAGE}/a.csv"
    assert made["_batch_id"] == f"made:{payment['_batch_id']}"
    assert made["_ingested_at"] == payment["_ingested_at"]
    ledger = lake.scan("ops", "ingest_ledger").filter(state="made").collect()
    assert ledger.select("table_name", "rows", "gaming_days").rows() == [(PROFILE, 1, "2025-01-05")]


def test_what_the_mapping_says_of_a_patron_is_in_the_profile(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    mapped(lake, NAMED)
    texts = {
        "Name": [None, "Ann Lee", "Bo Day", "Cy Fox"],
        "Land": ["us", "us", " DE ", "us"],
        "Born": ["31.02.70", "01.02.70", None, "01.02.70"],
    }
    who = ("P1", "P1", "P2", None)
    rows = [{"player_id": p} | at(D5) for p in who]
    drop(lake, f"{CAGE}/a.csv", cage(*rows, **texts))
    take_in(lake, settings)
    told = ("player_id", "first_name", "last_name", "country", "date_of_birth")
    assert lake.scan("bronze", PROFILE).select(told).sort("player_id").collect().rows() == [
        ("P1", "Ann", "Lee", "us", dt.date(1970, 2, 1)),
        ("P2", "Bo", "Day", "DE", None),
    ]
    cleaned(lake, settings)
    silver = lake.scan("silver", PROFILE).sort("player_id").collect()
    assert silver["country"].to_list() == ["US", "DE"]
    assert silver["date_of_birth"].to_list() == ["1970-1974", None]
    assert not {"Ann", "Bo"} & {*silver["first_name"]}


def test_another_mapping_makes_other_minimal_profiles(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    mapped(lake, '[patron]\ncountry = "Land"\n')
    drop(lake, f"{CAGE}/a.csv", cage({"player_id": "P1"} | at(D5), Land=["US"]))
    take_in(lake, settings)
    mapped(lake, '[patron]\ncity = "Land"\n')
    take_in(lake, settings)
    made = lake.scan("bronze", PROFILE).select("country", "city").collect()
    assert made.rows() == [(None, "US")]
    mapped(lake, "")
    take_in(lake, settings)
    assert lake.scan("bronze", PROFILE).select("country", "city").collect().rows() == [(None, None)]


FILES = {
    "cage 6": (CAGE, cage({"player_id": "P1"} | at(D6), {"player_id": "P2"} | at(D6))),
    "cage 5": (CAGE, cage({"player_id": "P1"} | at(D5))),
    "real 7": (PROFILE, profiles({"player_id": "P1", "gaming_day": D7})),
    "real 4": (PROFILE, profiles({"player_id": "P2", "gaming_day": D4})),
}


@pytest.mark.parametrize("order", [*itertools.permutations(FILES)][::5])
def test_files_in_any_order_make_one_lake(tmp_path: Path, order: tuple[str, ...]) -> None:
    """The real profile is in force from its own day; until then the minimal one. Of P2, whose
    real profile is the older, none is left."""
    lake, settings = lake_at(tmp_path, **POLICY)
    for number, name in enumerate(order):
        table, text = FILES[name]
        drop(lake, f"{table}/{name.replace(' ', '-')}.csv", text)
        take_in(lake, settings)
        if number % 2:
            cleaned(lake, settings)
    cleaned(lake, settings)
    assert stored(lake) == [("P1", D5, True), ("P1", D7, False), ("P2", D4, False)]
    assert versions(lake) == [
        ("P1", None, D5, D7),
        ("P1", "Gold", D7, None),
        ("P2", "Gold", D4, None),
    ]
    assert lake.scan("silver", CAGE).collect().height == 3
    sources = lake.scan("bronze", PROFILE).collect()["_source"]
    assert sorted(sources)[-1] == f"made:{CAGE}/cage-5.csv"
    assert conservation(lake, PROFILE).holds


def test_nothing_is_made_twice_and_a_profile_on_the_day_is_enough(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    drop(lake, f"{CAGE}/a.csv", cage({"player_id": "P1"} | at(D5)))
    take_in(lake, settings)
    before = lake.version("bronze", PROFILE), lake.version("ops", "ingest_ledger")
    assert take_in(lake, settings).outcomes == ()
    assert (lake.version("bronze", PROFILE), lake.version("ops", "ingest_ledger")) == before
    drop(lake, f"{PROFILE}/p.csv", profiles({"player_id": "P1", "gaming_day": D5}))
    take_in(lake, settings)
    assert stored(lake) == [("P1", D5, False)]
    assert conservation(lake, PROFILE).holds


def test_it_goes_with_the_rows_that_named_the_patron(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    mapped(lake, "snapshot = true\n")
    drop(lake, f"{CAGE}/a.csv", cage({"player_id": "P1"} | at(D5), {"player_id": "P2"} | at(D5)))
    take_in(lake, settings)
    drop(lake, f"{CAGE}/b.csv", cage({"player_id": "P2"} | at(D5)))
    take_in(lake, settings)
    assert stored(lake) == [("P2", D5, True)]


def test_without_the_policy_there_are_none(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    drop(lake, f"{CAGE}/a.csv", cage({"player_id": "P1"} | at(D5)))
    take_in(lake, settings)
    without = settings.model_copy(update={"orphans": {}})
    (gone,) = take_in(lake, without).outcomes
    assert (gone.state, gone.bronze_rows, gone.days) == ("made", 0, (D5,))
    assert stored(lake) == []
    assert conservation(lake, PROFILE).holds


class Killed(Exception):  # noqa: N818 - what a process that ends does
    """Nothing after it is done."""


def killed_at(monkeypatch: pytest.MonkeyPatch, fatal: int) -> None:
    writes = itertools.count(1)

    def doomed(name: str) -> None:
        write = getattr(Lake, name)

        def counted(*given: Any, **more: Any) -> Any:
            if next(writes) >= fatal:
                raise Killed
            return write(*given, **more)

        monkeypatch.setattr(Lake, name, counted)

    for name in ("append", "append_each", "append_stream", "write_days", "take_out"):
        doomed(name)


def test_an_ingestion_that_is_killed_anywhere_is_made_whole(tmp_path: Path) -> None:
    """Begun, stored, ended, the profile, the ledger: five writes."""
    for fatal in itertools.count(1):
        lake, settings = lake_at(tmp_path / str(fatal), **POLICY)
        mapped(lake, '[patron]\ncountry = "Land"\n')
        drop(lake, f"{CAGE}/a.csv", cage({"player_id": "P1"} | at(D5), Land=["US"]))
        with pytest.MonkeyPatch.context() as patch:
            killed_at(patch, fatal)
            try:
                take_in(lake, settings)
                ended = True
            except Killed:
                ended = False
        take_in(lake, settings)
        made = lake.scan("bronze", PROFILE).select("player_id", "country", "gaming_day")
        assert made.collect().rows() == [("P1", "US", D5)]
        assert conservation(lake, PROFILE).holds
        if ended:
            break
    assert fatal == 6


def test_a_retry_makes_them_too(tmp_path: Path) -> None:
    from lakehouse.ingest.files.rejects import retry

    lake, settings = lake_at(tmp_path, **POLICY)
    text = cage({"player_id": "P1"} | at(D5)).replace("100.00", "100;00")
    drop(lake, f"{CAGE}/a.csv", text)
    take_in(lake, settings)
    assert stored(lake) == []
    mapping = checked_mapping(
        {"columns": {"amount": {"value": "replace(amount, ';', '.')"}}}, CAGE, "m"
    )
    assert retry(lake, settings, CAGE, as_of=AS_OF, mapping=mapping).made == (D5,)
    assert stored(lake) == [("P1", D5, True)]


def test_rows_of_the_simulator_make_none(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    simulated = row(CAGE, player_id="P1", _source="simulator", **at(D5))
    lake.append("bronze", CAGE, source(CAGE, simulated), commit=COMMIT)
    assert take_in(lake, settings).outcomes == ()
    assert stored(lake) == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"orphans": {"staff_observations": "create_minimal"}}, "would tell everybody of a report"),
        (
            {"source": "simulator", "sources": {CAGE: "landing"}},
            "the source of 'player_profile' is the simulator",
        ),
        (
            {"sources": {CAGE: "simulator"}},
            f"the source of '{CAGE}' is the simulator",
        ),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        load_settings(**{"source": "landing"} | POLICY | given)


@pytest.mark.parametrize(
    ("table", "patron", "why"),
    [
        (CAGE, {"nose": "Name"}, "patron: player_profile has no column nose; it has"),
        (CAGE, {"player_id": "Name"}, "has no column player_id"),
        (CAGE, {"gaming_day": "Name"}, "has no column gaming_day"),
        (CAGE, {"date_of_birth": {"value": "1 + 2"}}, "patron.date_of_birth.value: '1 \\+ 2'"),
        (CAGE, {"city": {"from": "a", "round": "noise"}}, "patron.city.round: is for money"),
        (PROFILE, {"city": "Name"}, "rows of player_profile name nobody as player_id"),
    ],
)
def test_what_cannot_be_said_of_a_patron_is_refused(
    table: str, patron: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        checked_mapping({"patron": patron}, table, "m.toml")


def test_a_file_without_what_is_said_of_patrons_is_rejected(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    mapped(lake, '[patron]\ncountry = "Land"\n')
    drop(lake, f"{CAGE}/a.csv", cage({"player_id": "P1"} | at(D5)))
    (done,) = take_in(lake, settings).outcomes
    assert done.state == "rejected"
    assert "lacks column Land" in done.reason


def test_what_a_later_profile_knows_holds_where_the_minimal_one_knows_nothing() -> None:
    """An identity that was checked on the 7th, of a payment on the 5th."""
    payment = pl.LazyFrame({"player_id": ["P1"], "day": [D5]})
    made = {"player_id": ["P1", "P1"], "gaming_day": [D5, D7], "identity_verified": [None, True]}
    known = known_at(payment, pl.LazyFrame(made), "day", ["identity_verified"]).collect()
    assert known["identity_verified"].to_list() == [True]


def test_a_landed_profile_needs_all_that_a_minimal_one_lacks(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, **POLICY)
    drop(lake, f"{PROFILE}/p.csv", "player_id,gaming_day\nP1,2025-01-05\n")
    take_in(lake, settings)
    cleaned(lake, settings)
    (rules,) = lake.scan("quarantine", PROFILE).collect()["_rules"].to_list()
    assert {"first_name|nullability", "date_of_birth|nullability"} <= {*rules}


def test_others_are_told_of_the_difference_too() -> None:
    rule = contract(PROFILE).rules["city|nullability"]
    assert in_sql(rule) == """(starts_with("_source", 'made:') OR ("city" IS NOT NULL))"""
    assert translated(rule) == (
        "expect_column_values_to_not_be_null",
        {
            "column": "city",
            "row_condition": "not _source.str.startswith('made:')",
            "condition_parser": "pandas",
        },
    )
    assert not contract(PROFILE).rules["player_id|nullability"].meta.root_names()[1:]


@pytest.mark.slow
def test_the_command_makes_them_and_gold_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """100.00 bought and a profile in quarantine's stead; shown by a dry run first."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("ROOT", "lake"), ("SOURCE", "landing"), ("START", "2025-01-01")):
        monkeypatch.setenv(f"LAKEHOUSE_{name}", value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    Path("dagster").mkdir()
    deriving(monkeypatch, "+key:gold/player_day")
    Path("m.toml").write_text(NAMED)
    texts = {"Name": ["Ann Lee"], "Land": ["us"], "Born": ["01.02.70"]}
    Path("a.csv").write_text(cage({"player_id": "P1"} | at(D5), **texts))
    Path("lakehouse.toml").write_text(f'[orphans]\n{CAGE} = "create_minimal"\n')
    how = ("a.csv", "-t", CAGE, "-m", "m.toml")
    assert cli.run(("land", *how, "--dry-run")) == 0
    shown = capsys.readouterr().out
    assert "1 minimal profile would be made" in shown
    assert "orphan" not in shown
    assert "Ann" not in shown
    assert cli.run(("land", *how)) == 0
    assert cli.run(("ingest",)) == 0
    lake = Lake.open(load_settings())
    assert versions(lake) == [("P1", None, D5, None)]
    day = lake.scan("gold", "player_day").filter(player_id="P1").collect()
    assert day["cash_in"].to_list() == [100]
