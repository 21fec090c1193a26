"""That a SAR or a case exists is told to nobody without the grant (31 U.S.C. 5318(g)(2)): tried
as another user of the machine, as an analyst in the UI and on the command line."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import polars as pl
import pytest

from benchmarks.instances import short_lived
from igaming_assets.checks import declared
from igaming_assets.resources import Simulator
from igaming_assets.running import run_days
from igaming_assets.verdicts import metadata_of
from lakehouse import cli
from lakehouse.contracts import contract, contracts, stored_as, told_apart
from lakehouse.errors import ContractError
from lakehouse.quality.findings import PATRONS, judged, openly, summed_up
from lakehouse.quality.truths import TRUTHS
from lakehouse.settings import Settings
from lakehouse.silver import clean
from lakehouse.simulate.kernel.config import Faults, WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Commit, Lake, stored_tables
from tests.source_rows import ZONE, changed

D = dt.date
DAYS = (D(2025, 1, 8), D(2025, 1, 13))
"""Observations on the 9th and the 10th; a SAR is filed on the 10th, and two are on the 13th."""
MANY = 60.0
"""Times the usual rates of misconduct."""
NOW = dt.datetime(2025, 6, 1, 20, tzinfo=dt.UTC)
NOBODY = 65534
RESTRICTED = [n for n, c in contracts().items() if c.is_restricted]


class Quiet(World):
    """The same world, but for what nobody may learn of: nothing was observed, no SAR filed."""

    def rows(self, table: str, days: tuple[D, D]) -> Iterator[pl.DataFrame]:
        for frame in super().rows(table, days):
            if table == "staff_observations":
                yield frame.clear()
            else:
                yield told_apart(table, frame)[table]


def crowded(settings: Settings) -> WorldConfig:
    """So small a house has no case in a week, but where they are many."""
    faults = Faults(misconduct=MANY)
    return WorldConfig(scale=settings.scale, start=settings.start, faults=faults)


class LoudSimulator(Simulator):
    def world(self, settings: Settings) -> World:
        return World(crowded(settings))


class QuietSimulator(Simulator):
    def world(self, settings: Settings) -> World:
        return Quiet(crowded(settings))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where every user of the machine can go; pytest's own folders are closed."""
    before = os.umask(0o022)
    with TemporaryDirectory(prefix="shared-") as made:
        Path(made).chmod(0o755)
        yield Path(made)
    os.umask(before)


@contextmanager
def lake_of(folder: Path, **resources: Any) -> Iterator[tuple[Settings, dg.DagsterInstance]]:
    key = folder.parent / "tokens.key"
    settings = Settings(root=str(folder / "lake"), scale=0.02, pii_key_file=key)
    with short_lived() as instance:
        run_days(settings, DAYS, now=NOW, instance=instance, **resources)
        yield settings, instance


@pytest.fixture(scope="module")
def made(folder: Path) -> Iterator[tuple[Settings, dg.DagsterInstance]]:
    with lake_of(folder / "loud", simulator=LoudSimulator()) as found:
        yield found


@pytest.fixture(scope="module")
def quiet(folder: Path) -> Iterator[tuple[Settings, dg.DagsterInstance]]:
    with lake_of(folder / "quiet", simulator=QuietSimulator()) as found:
        yield found


@pytest.fixture(scope="module")
def lake(made: tuple[Settings, dg.DagsterInstance]) -> Lake:
    return Lake.open(made[0])


def secrets(lake: Lake) -> set[str]:
    """What stands in restricted rows only."""
    found: set[str] = set()
    for layer, table, column in [
        ("bronze", "sar_filings", "report_id"),
        ("bronze", "sar_filings", "sar_narrative"),
        ("bronze", "staff_observations", "observation_id"),
        ("bronze", "staff_observations", "text"),
        ("restricted", "sar_cases", "case_id"),
    ]:
        values = lake.scan(layer, table, columns=[column]).collect().to_series()
        assert values.len() > 0, (layer, table)
        found.update(values.drop_nulls())
    return found


@pytest.mark.slow
def test_the_door_tells_sars_from_other_filings_at_every_layer(lake: Lake) -> None:
    for layer in ("bronze", "silver", "quarantine", "duplicates"):
        rows = lake.scan(layer, "compliance").collect()
        assert told_apart("compliance", rows)["sar_filings"].is_empty(), layer
    filed = lake.scan("bronze", "sar_filings").collect()
    assert filed.group_by("gaming_day").len().sort("gaming_day").rows() == [
        (D(2025, 1, 10), 1),
        (D(2025, 1, 13), 2),
    ]
    kept = lake.scan("silver", "sar_filings").collect()
    orphans = lake.scan("quarantine", "sar_filings").collect()
    assert kept["report_type"].unique().to_list() == ["SAR"]
    assert (kept.height, orphans["_rules"].to_list()) == (1, [["player_id|orphan"]] * 2)


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({"report_type": " ctr "}, True),
        ({"report_type": "FinCEN-112"}, True),
        ({"report_type": "w-2g"}, True),
        ({"report_type": "form 8300"}, True),
        ({"report_type": "sar"}, False),
        ({"report_type": "FinCEN 111"}, False),
        ({"report_type": "S.A.R."}, False),
        ({"report_type": "CTRX"}, False),
        ({"report_type": None}, False),
        ({"report_type": "CTR", "sar_narrative": "He said"}, False),
        ({"report_type": "CTR", "sar_category": "Structuring"}, False),
        ({"report_type": "CTR", "suspicious_activity_date": D(2025, 1, 1)}, False),
        ({"report_type": "CTR", "sar_category": " "}, True),
    ],
)
def test_whatever_may_be_a_sar_is_kept_apart(change: dict[str, Any], stays: bool) -> None:
    apart = told_apart("compliance", changed("compliance", change))
    assert {t: f.height for t, f in apart.items()} == {
        "compliance": stays,
        "sar_filings": not stays,
    }


def test_a_lake_that_has_them_together_is_refused() -> None:
    with pytest.raises(ContractError, match=r"bronze.compliance holds rows of sar_filings"):
        clean("compliance", changed("compliance", {"report_type": "SAR"}), timezone=ZONE)


def readable(root: Path) -> list[Path]:
    """The files that another user can read: by their modes and, where this test may become
    one, by trying."""
    found = []
    for inside, folders, files in os.walk(root):
        folders[:] = [f for f in folders if (Path(inside, f).stat().st_mode & 0o5) == 0o5]
        found += [p for p in (Path(inside, f) for f in files) if p.stat().st_mode & 0o4]
    if os.geteuid() == 0:
        asked = ["find", str(root), "-type", "f", "-readable", "-print"]
        tried = subprocess.run(
            asked, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True
        )
        assert sorted(map(Path, tried.stdout.split("\n")[:-1])) == sorted(found)
    return found


@pytest.mark.slow
def test_another_user_of_the_machine_reads_nothing_of_them(lake: Lake) -> None:
    files = readable(Path(lake.root))
    rows = [f for f in files if f.suffix == ".parquet" and "_delta_log" not in f.parts]
    assert {f.relative_to(lake.root).parts[0] for f in rows} >= {"silver", "gold"}
    hidden = pl.Series(sorted(secrets(lake))).implode()
    for file in rows:
        stored = pl.read_parquet(file, hive_partitioning=False).select(pl.col(pl.String))
        assert not any(c.is_in(hidden).any() for c in stored.iter_columns()), file
    text = "".join(f.read_text(errors="ignore") for f in files if f.suffix != ".parquet")
    assert [s for s in hidden.item() if s in text] == []


@pytest.mark.slow
def test_another_user_sees_of_the_zone_that_it_is_there(lake: Lake) -> None:
    for layer, table in stored_tables():
        if contract(table).is_restricted and lake.exists(layer, table):
            place = Path(lake.uri(layer, table))
            assert place.relative_to(lake.root).parts[0] == "restricted", place
            modes = {p.stat().st_mode & 0o077 for p in (place, *place.rglob("*"))}
            assert modes == {0}, place
    assert (Path(lake.root) / "restricted").stat().st_mode & 0o777 == 0o700


def events(settings: Settings, instance: dg.DagsterInstance) -> list[str]:
    """All that the UI can show of runs, but for moments and the names of runs."""
    found = []
    for record in instance.get_run_records(ascending=True):
        for entry in instance.all_logs(record.dagster_run.run_id):
            event = entry.dagster_event
            if event is None:
                found.append(entry.user_message)
            elif event.event_type_value == "ASSET_CHECK_EVALUATION":
                told = event.asset_check_evaluation_data
                said = (told.partition, told.passed, told.metadata, told.description)
                found.append(f"{told.asset_check_key} {said}")
            elif event.is_step_materialization:
                data = event.step_materialization_data.materialization
                found.append(f"{data.asset_key} {data.partition} {data.metadata}")
            else:
                found.append(f"{event.event_type_value} {event.step_key}")
        found = [f.replace(settings.root, "").replace(record.dagster_run.run_id, "") for f in found]
    return found


@pytest.mark.slow
def test_an_analyst_in_the_ui_sees_the_same_with_and_without_them(
    made: tuple[Settings, dg.DagsterInstance], quiet: tuple[Settings, dg.DagsterInstance]
) -> None:
    """Whatever is inferred from two logs that do not differ, it is not a SAR."""
    loud, silent = (content(Lake.open(s), "restricted") for s, _ in (made, quiet))
    assert (loud["bronze.sar_filings"], loud["silver.sar_filings"]) == (3, 1)
    assert loud["silver.staff_observations"] == 3
    assert silent["bronze.sar_filings"] == silent["bronze.staff_observations"] == 0
    assert loud["restricted.sar_cases"] > silent["restricted.sar_cases"]
    seen, expected = events(*made), events(*quiet)
    assert len(seen) > 500
    assert [pair for pair in zip(seen, expected, strict=True) if pair[0] != pair[1]] == []


OF_A_RUN = ("run_id", "judged_at", "judged_of", "counted_of")
"""Of the results of checks: which run, when, and of which files, whose names are random."""


def content(lake: Lake, *zones: str) -> dict[str, int]:
    return {
        f"{layer}.{table}": lake.scan(layer, table).collect().height
        for layer, table in stored_tables()
        if contract(table).is_restricted == bool(zones)
    }


@pytest.mark.slow
def test_open_tables_are_the_same_with_and_without_them(
    made: tuple[Settings, dg.DagsterInstance], quiet: tuple[Settings, dg.DagsterInstance]
) -> None:
    left, right = (Lake.open(s) for s, _ in (made, quiet))
    for layer, table in stored_tables():
        if contract(table).is_countable:
            one, other = (
                x.scan(layer, table).collect().drop(OF_A_RUN, strict=False) for x in (left, right)
            )
            order = [n for n, t in one.schema.items() if not t.is_nested()]
            assert one.sort(order).equals(other.sort(order)), (layer, table)
            assert left.partitions(layer, table)["rows"].sum() == one.height


@pytest.mark.slow
def test_of_restricted_assets_nothing_is_counted(
    made: tuple[Settings, dg.DagsterInstance],
) -> None:
    _, instance = made
    allowed = {
        "dagster/uri",
        "dagster/table_name",
        "dagster/column_lineage",
        "dagster/code_version",
    }
    looked = 0
    for table in (*RESTRICTED, "plants"):
        for layer, _ in (pair for pair in stored_tables() if pair[1] == table):
            key = dg.AssetKey([layer, table])
            for record in instance.fetch_materializations(key, limit=50).records:
                assert set(record.asset_materialization.metadata) <= allowed, key
                looked += 1
            for name in ("contract", "conservation"):
                check = dg.AssetCheckKey(key, name)
                history = instance.event_log_storage.get_asset_check_execution_history
                for done in history(check, limit=50):
                    told = done.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
                    assert set(told.metadata) <= {"days", "days_failed"}, (key, name)
    assert looked == 9 * 6


@pytest.mark.slow
def test_conservation_of_restricted_rows_is_checked_and_blocks(
    made: tuple[Settings, dg.DagsterInstance],
) -> None:
    settings, instance = made
    lake = Lake.open(settings)
    key = dg.AssetCheckKey(dg.AssetKey(["silver", "sar_filings"]), "conservation")
    held = instance.event_log_storage.get_asset_check_execution_history(key, limit=50)
    told = [r.event.dagster_event.asset_check_evaluation_data for r in held]  # type: ignore[union-attr]
    assert {(t.partition, t.passed, t.blocking) for t in told} >= {
        (f"2025-01-{d}", True, True) for d in ("08", "09", 10, 11, 12, 13)
    }
    day = (D(2025, 1, 13), D(2025, 1, 13))
    rows = lake.scan("silver", "sar_filings", days=day).collect()
    commit = Commit("test", "test", "1")
    lake.write_days("silver", "sar_filings", rows.clear(), day, commit=commit)
    [check] = [c for c in declared(made[0]) if c.address == "silver/sar_filings:conservation"]
    [said] = check.judge(lake, day).values()
    assert (said.passed, metadata_of(check, said)) == (False, {})
    lake.write_days("silver", "sar_filings", rows, day, commit=commit)


@pytest.fixture
def shell(made: tuple[Settings, dg.DagsterInstance], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", made[0].root)


ASKED = [
    ["quarantine", "show", "sar_filings", "--raw"],
    ["quarantine", "show", "staff_observations"],
    ["quarantine", "list", "--table", "sar_filings"],
    ["quarantine", "retry", "staff_observations"],
    ["maintain", "bronze.sar_filings"],
    ["maintain", "silver.staff_observations"],
    ["maintain", "restricted.sar_cases"],
    ["access", "log"],
    ["sql", "SELECT count(*) FROM silver.sar_filings"],
    ["sql", "SELECT count(*) FROM quarantine.staff_observations"],
    ["checks", "--restricted", "--purpose", "curiosity of an analyst"],
]


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_commands_need_the_grant(
    shell: None, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(asked) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.strip().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("asked", [["quarantine", "list"], ["tables"], ["report", "2025-01-13"]])
def test_commands_say_the_same_with_and_without_them(
    made: tuple[Settings, dg.DagsterInstance],
    quiet: tuple[Settings, dg.DagsterInstance],
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = []
    for settings, _ in (made, quiet):
        monkeypatch.setenv("LAKEHOUSE_ROOT", settings.root)
        assert cli.run(asked) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != ""


def found_of(truth: str, *subjects: str) -> pl.DataFrame:
    """A redemption that never came, for each patron."""
    pit = pl.DataFrame(
        {
            "event_type": ["CASH_OUT"] * len(subjects),
            "player_id": list(subjects),
            "amount": ["7300.00"] * len(subjects),
            "gaming_day": [D(2025, 1, 6)] * len(subjects),
        },
        schema_overrides={"gaming_day": pl.Date},
    )
    from tests.small_lake import rows

    frames = {"table_games": rows("silver", "table_games", pit.to_dict(as_series=False))}

    def scan(layer: str, table: str) -> pl.LazyFrame:
        return (
            frames.get(table, rows(layer, table, {})).lazy()
            if layer == "silver"
            else rows(layer, table, {}).lazy()
        )

    return judged(TRUTHS[truth], scan)


def test_whose_books_differ_is_told_with_the_grant_alone() -> None:
    truth = TRUTHS["cash_outs_have_their_cage_row"]
    one, three = (found_of(truth.name, *who) for who in (["P4"], ["P4", "P5", "P6"]))
    assert three.height == 3
    told = [summed_up(truth, openly(truth, found))[D(2025, 1, 6)] for found in (one, three)]
    assert told[0] == told[1]  # neither how many nor who
    assert told[0]["first"] == PATRONS
    assert told[0]["unexplained"] == 1  # a day
    assert openly(TRUTHS["meters_never_fall"], three) is three


def test_what_comes_in_together_is_stored_in_two_places() -> None:
    assert stored_as("compliance") == ["compliance", "sar_filings"]
    assert contract("staff_observations").is_restricted
    assert not contract("compliance").is_restricted
