"""What is stored and not derived is known to the lake, told, and made good."""

import datetime as dt
import itertools
import os
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from benchmarks.instances import short_lived
from lakehouse import cli
from lakehouse.errors import LakehouseError
from lakehouse.gold.marts import marts
from lakehouse.pipeline import marts as pipeline
from lakehouse.pipeline.derivation import Derivations, found_parents, marks_of, underived
from lakehouse.pipeline.marts import derivations
from lakehouse.pipeline.silver import clean_days
from lakehouse.privacy import ensure_key, tokens
from lakehouse.quality.derived_checks import EVERY_ROW, judged
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import FORGET, Commit, Lake, maintain, stored_schema
from tests.landed import AS_OF, CAGE, cage_csv, cage_row, drop, lake_at

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    from igaming_assets import running
    from igaming_assets.assembly import assemble
    from igaming_assets.derived import underived_sensor
    from igaming_assets.resources import Clock, LakeResource
    from igaming_assets.running import run_days, underived_days

D1, D2 = dt.date(2025, 1, 5), dt.date(2025, 1, 7)
TABLE = "staff_observations"
SOURCE, SILVER, MART = ("bronze", TABLE), ("silver", TABLE), ("gold", "property_day")
CHAIN: Derivations = {SOURCE: (), SILVER: (SOURCE,), MART: (SILVER,)}
SETTINGS = Settings()
BY = Commit("run", "test", "1")
AS_REAL = dt.datetime.now(dt.UTC)
"""Files tell the real time."""


def rows(layer: str, table: str, *days: dt.date) -> pl.DataFrame:
    schema = stored_schema(layer, table)
    blank = {n: [None] * len(days) for n in schema} | {"gaming_day": days}
    if layer == "bronze":
        told = {"_ingested_at": AS_OF, "_source": "a.csv", "_batch_id": "b"}
        blank |= {n: [value] * len(days) for n, value in told.items()}
    return pl.DataFrame(blank, schema)


def put(lake: Lake, *days: dt.date) -> None:
    lake.append("bronze", TABLE, rows("bronze", TABLE, *days), commit=BY)


def derive(lake: Lake, table: tuple[str, str], day: dt.date) -> None:
    """As an asset does: tokens of the inputs first, then the rows with their mark."""
    read = {i: lake.tokens(*i) for i in CHAIN[table]}
    made = rows(*table, day)
    commit = Commit("run", "test", "1", marks_of(read, [day]))
    lake.write_days(*table, made, (day, day), commit=commit)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A chain of three tables with two days, derived to the end."""
    made = Lake(str(tmp_path / "lake"))
    put(made, D1, D2, D2)
    for table in (SILVER, MART):
        derive(made, table, D1)
        derive(made, table, D2)
    return made


def test_each_stage_that_is_missing_is_told(lake: Lake) -> None:
    assert underived(lake, SETTINGS, CHAIN) == {}
    put(lake, D2)
    assert underived(lake, SETTINGS, CHAIN) == {D2: [f"silver.{TABLE}", "gold.property_day"]}
    derive(lake, SILVER, D2)
    assert underived(lake, SETTINGS, CHAIN) == {D2: ["gold.property_day"]}
    derive(lake, MART, D2)
    assert underived(lake, SETTINGS, CHAIN) == {}


def test_rows_that_were_taken_out_again_are_a_change(lake: Lake) -> None:
    lake.write_days("bronze", TABLE, rows("bronze", TABLE), (D1, D1), commit=BY)
    assert list(underived(lake, SETTINGS, CHAIN)) == [D1]
    derive(lake, SILVER, D1)
    derive(lake, MART, D1)
    assert underived(lake, SETTINGS, CHAIN) == {}


def test_what_was_read_before_a_change_does_not_count_for_it(lake: Lake) -> None:
    read = {SOURCE: lake.tokens(*SOURCE)}
    put(lake, D1)
    late = Commit("run", "test", "1", marks_of(read, [D1]))
    lake.write_days(*SILVER, rows(*SILVER, D1), (D1, D1), commit=late)
    assert list(underived(lake, SETTINGS, CHAIN)) == [D1]


def kept_out(lake: Lake, day: dt.date, rules: list[str], **columns: str) -> None:
    """A cage row of the day that silver did not take."""
    blank = rows("quarantine", "financial_txn", day)
    told = [pl.lit(value).alias(n) for n, value in columns.items()]
    row = blank.with_columns(*told, pl.Series("_rules", [rules]), _stage=pl.lit("silver"))
    lake.append("quarantine", "financial_txn", row, commit=BY)


def known(lake: Lake, player: str) -> None:
    """A profile that silver has."""
    profile = rows("silver", "player_profile", D2).with_columns(player_id=pl.lit(player))
    lake.write_days("silver", "player_profile", profile, (D2, D2), commit=BY)


def test_a_row_waits_for_the_parent_that_it_lacks_and_for_no_other(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    assert found_parents(lake, SETTINGS) == {}
    orphan = ["player_id|orphan"]
    kept_out(lake, D1, orphan, player_id="P9", on_behalf_of_player_id="P1")
    kept_out(lake, D1, ["amount|range"], player_id="P1")
    kept_out(lake, D2, [*orphan, "amount|range"], player_id="P8")

    known(lake, "P1")
    assert found_parents(lake, SETTINGS) == {}
    known(lake, "P9")
    assert found_parents(lake, SETTINGS) == {D1: ["financial_txn"]}


def test_a_parent_that_another_run_brought_meanwhile_fails_no_run(tmp_path: Path) -> None:
    """Two runs at once: what this one kept out is known by the time that it is judged."""
    lake = Lake(str(tmp_path / "lake"))
    bronze, silver = ("bronze", "financial_txn"), ("silver", "financial_txn")
    chain: Derivations = {bronze: (), silver: (bronze,)}
    kept_out(lake, D1, ["player_id|orphan"], player_id="P9")
    before, later = AS_REAL - dt.timedelta(days=1), AS_REAL + dt.timedelta(days=1)
    known(lake, "P9")

    def said(since: dt.datetime, run: str) -> tuple[bool, str | None]:
        judgement = judged(SETTINGS, chain, since, lake, run=run)[D1]
        return judgement.passed, judgement.severity

    assert said(before, "mine") == (False, "warn")
    # It was there when the run began, or the run itself made it: it should have been seen.
    assert said(later, "mine") == said(before, BY.run_id) == (False, None)
    lake.append(*bronze, rows(*bronze, D1), commit=BY)
    assert said(before, "mine") == (False, None)


def test_a_parent_is_found_by_the_token_that_silver_knows_it_by(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, pii_key_file=tmp_path / "pii.key", domains=DOMAINS)
    key = ensure_key(settings)
    blank = rows("quarantine", "clickstream", D1)
    row = blank.with_columns(user_id=pl.lit("U1"), _rules=pl.lit(["user_id|orphan"]))
    lake.append("quarantine", "clickstream", row, commit=BY)
    for user, told in (("U2", {}), ("U1", {D1: ["clickstream"]})):
        of = tokens(pl.Series([user]), key, "account")
        account = rows("silver", "online_accounts", D2).with_columns(account_id=of)
        lake.write_days("silver", "online_accounts", account, (D2, D2), commit=BY)
        assert found_parents(lake, settings) == told


def test_a_run_of_all_tables_makes_the_days_whose_parents_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a run of some tables its own days alone."""
    opened, settings = lake_at(tmp_path)
    kept_out(opened, D1, ["player_id|orphan"], player_id="P9")
    known(opened, "P9")
    made = list[tuple[dt.date, dt.date]]()
    monkeypatch.setattr(running, "_execute", lambda _, days, *__: made.append(days))
    given: dict[str, Any] = {"now": AS_OF, "instance": object()}
    run_days(settings, (D2, D2), select="key:gold/property_day", **given)
    assert made == [(D2, D2)]
    run_days(settings, (D2, D2), **given)
    assert made[1:] == [(D2, D2), (D1, D1)]
    running.derive_days(settings, [D2], **given)
    assert made[3:] == [(D2, D2), (D1, D1)]


def test_maintenance_is_no_change_and_hides_none(lake: Lake) -> None:
    for _ in range(12):
        put(lake, D1, D2)
    for table in (SILVER, MART):
        derive(lake, table, D1)
    for layer, table in CHAIN:
        before = lake.version(layer, table)
        maintain(lake, layer, table)
        maintain(lake, layer, table, retention=dt.timedelta(0), forced=FORGET)
        assert lake.version(layer, table) != before
    assert lake.partitions(*SOURCE)["files"].to_list() == [1, 1]
    assert list(underived(lake, SETTINGS, CHAIN)) == [D2]
    put(lake, D1)
    assert list(underived(lake, SETTINGS, CHAIN)) == [D1, D2]


@pytest.mark.parametrize("again", range(5))
def test_a_table_that_nobody_wrote_to_for_months_is_kept_in_order(lake: Lake, again: int) -> None:
    """Every fifth version ends here what the log remembers, and the version before it with it."""
    _cut_at_every_fifth(lake)
    for _ in range(again):
        put(lake, D1)
    for table in (SILVER, MART):
        derive(lake, table, D1)
    _age(lake, dt.timedelta(days=60))
    for layer, name in CHAIN:
        maintain(lake, layer, name)
        assert underived(Lake(lake.root), SETTINGS, CHAIN) == {}
    assert lake.scan(*SOURCE).collect().height == 3 + again


def test_what_another_program_made_the_log_forget_is_derived_again(lake: Lake) -> None:
    _cut_at_every_fifth(lake)
    put(lake, D1, D2)
    for table, day in itertools.product((SILVER, MART), (D1, D2)):
        derive(lake, table, day)
    assert underived(lake, SETTINGS, CHAIN) == {}
    _age(lake, dt.timedelta(days=60))
    source = lake.table(*SOURCE)
    assert source is not None
    source.optimize.compact()
    assert source.version() == 4
    later = Lake(lake.root)
    assert list(underived(later, SETTINGS, CHAIN)) == [D1, D2]
    put(later, D1)
    assert later.scan(*SOURCE).collect().height == 6


def _cut_at_every_fifth(lake: Lake) -> None:
    for layer, name in CHAIN:
        table = lake.table(layer, name)
        assert table is not None
        table.alter.set_table_properties({"delta.checkpointInterval": "5"})
        lake.close(layer, name)


def _age(lake: Lake, by: dt.timedelta) -> None:
    """As if all of the lake had been written so long ago."""
    for file in Path(lake.root).rglob("*"):
        if file.is_file():
            then = file.stat().st_mtime - by.total_seconds()
            os.utime(file, (then, then))


def test_a_compaction_of_another_program_is_no_change(lake: Lake) -> None:
    put(lake, D1)
    derive(lake, SILVER, D1)
    derive(lake, MART, D1)
    delta = lake.table(*SOURCE)
    assert delta is not None
    delta.optimize.compact()
    assert underived(lake, SETTINGS, CHAIN) == {}
    put(lake, D2)  # a commit of ours on top remembers what the compaction found
    assert list(underived(lake, SETTINGS, CHAIN)) == [D2]


def test_marks_outlive_the_log_and_writers_that_did_not_see_each_other(lake: Lake) -> None:
    for table in CHAIN:
        maintain(lake, *table)
        for file in sorted(Path(lake.uri(*table)).glob("_delta_log/*.json"))[:-3]:
            file.unlink()
    assert underived(lake, SETTINGS, CHAIN) == {}
    put(lake, D1, D2)
    stale = lake.table(*SILVER)
    derive(lake, SILVER, D1)
    opened = Lake.table
    try:
        Lake.table = lambda self, *a: stale if a == SILVER else opened(self, *a)  # type: ignore[method-assign, assignment, return-value]
        derive(lake, SILVER, D2)
    finally:
        Lake.table = opened  # type: ignore[method-assign]
    for day in (D1, D2):
        derive(lake, MART, day)
    assert underived(lake, SETTINGS, CHAIN) == {}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    return tmp_path


@pytest.mark.slow
def test_an_ingestion_that_never_derived_is_made_good_by_the_next(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_REJECTED_SHARE", "1")
    opened, _ = lake_at(place)
    drop(opened, f"{CAGE}/a.csv", cage_csv(cage_row(1), cage_row(2)))
    assert cli.run(["ingest", "--bronze-only"]) == 0
    drop(opened, f"{CAGE}/b.csv", cage_csv("t3,2025-01-07T12:00:00-08:00,1.00"))
    assert cli.run(["ingest", "--bronze-only"]) == 0
    capsys.readouterr()
    assert cli.run(["run", "--from", "2025-01-07"]) == 0
    said = capsys.readouterr().err
    assert "stored and not derived: 2025-01-05; lakehouse run --from 2025-01-05" in said
    assert f"check not passed: gold/property_day:{EVERY_ROW}" in said
    assert "why: lakehouse checks report --from 2025-01-07 --to 2025-01-07" in said
    assert cli.run(["ingest"]) == 0
    said = capsys.readouterr().err
    assert "nothing new in the landing zone" in said
    assert "stored before and not derived: 2025-01-05" in said
    assert "deriving 2025-01-05\n" in said
    kept_out = opened.scan("quarantine", CAGE).collect().height
    assert opened.scan("silver", CAGE).collect().height + kept_out == 3
    assert cli.run(["ingest"]) == 0
    assert capsys.readouterr().err == "nothing new in the landing zone\n"


@pytest.mark.slow
def test_a_run_cut_short_has_derived_the_portions_that_it_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, settings = lake_at(tmp_path)
    put(opened, D1, D2)
    written = Lake.write_days

    def until_the_second(self: Lake, *args: Any, **said: Any) -> Any:
        if args[:2] == SILVER and args[3] == (D2, D2):
            raise KeyboardInterrupt
        return written(self, *args, **said)

    monkeypatch.setattr("igaming_assets.silver.ROWS_IN_HAND", 1)
    monkeypatch.setattr(Lake, "write_days", until_the_second)
    only = f"key:{'/'.join(SILVER)}"
    with short_lived() as instance:
        with pytest.raises(KeyboardInterrupt):
            run_days(settings, (D1, D2), now=AS_OF, instance=instance, select=only)
        monkeypatch.setattr(Lake, "write_days", written)
        assert lacking_silver(settings, opened) == [D2]
        run_days(settings, (D1, D2), now=AS_OF, instance=instance, select=only)
    assert lacking_silver(settings, opened) == []


@pytest.mark.slow
def test_what_comes_while_a_run_reads_is_still_to_be_derived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of silver finds the row missing; the day is to be derived whatever it finds."""
    opened, settings = lake_at(tmp_path)
    put(opened, D1)

    def meanwhile(read: Callable[..., Any], came: Callable[[], Any]) -> Callable[..., Any]:
        return lambda *given: (read(*given), came())[0]

    clean = meanwhile(clean_days, lambda: put(opened, D1))
    monkeypatch.setattr("igaming_assets.silver.clean_days", clean)
    with short_lived() as instance:
        only = f"key:{'/'.join(SILVER)}"
        with pytest.raises(LakehouseError, match="conservation"):
            run_days(settings, (D1, D1), now=AS_OF, instance=instance, select=only)
    assert lacking_silver(settings, opened) == [D1]

    rows_of = meanwhile(pipeline._rows, lambda: derive(opened, SILVER, D1))
    monkeypatch.setattr(pipeline, "_rows", rows_of)
    mart = next(m for m in marts().values() if SILVER in [(i.layer, i.table) for i in m.inputs])
    before = {(i.layer, i.table): opened.tokens(i.layer, i.table) for i in mart.reads(settings)}
    [(_, done)] = pipeline.made(mart, opened, settings, (D1, D1), as_of=AS_OF)
    assert done.marks == marks_of(before, [D1])


def lacking_silver(settings: Settings, opened: Lake) -> list[dt.date]:
    stale = underived(opened, settings, derivations(settings))
    return [day for day, tables in stale.items() if ".".join(SILVER) in tables]


@pytest.mark.slow
def test_dagster_tells_of_days_that_are_not_derived_and_asks_for_them_once(tmp_path: Path) -> None:
    opened, settings = lake_at(tmp_path)
    put(opened, D1, D2)
    day = dt.timedelta(days=1)
    with short_lived() as instance:
        outcome = run_days(settings, (D2, D2 + day), now=AS_OF, instance=instance)
        assert outcome.failed == {f"gold/property_day:{EVERY_ROW}"}
        assert told(instance) == {"2025-01-05": "WARN", "2025-01-07": True, "2025-01-08": True}
        assert underived_days(settings, opened) == [D1]
        asked = sensor(settings, instance)
        [first] = asked()
        assert first.partition_key == "2025-01-05"
        assert {dg.AssetKey(list(SILVER)), dg.AssetKey(list(MART))} <= {*first.asset_selection}
        assert asked() == [first]
        put(opened, D1)
        other = instance.create_run_for_job(dg.GraphDefinition(name="under_way").to_job())
        assert asked() == []
        instance.delete_run(other.run_id)
        [again] = asked()
        assert again.run_key != first.run_key
        run_days(settings, (D1, D1 + day), now=AS_OF, instance=instance)
        assert set(told(instance).values()) == {True}
        assert asked() == []


@pytest.mark.slow
def test_a_run_of_all_tables_fails_for_its_own_days_and_warns_of_others(tmp_path: Path) -> None:
    """A run of a selection warns of its own too: others may not yet be due."""
    opened, settings = lake_at(tmp_path)
    put(opened, D1, D2)
    key = dg.AssetCheckKey(dg.AssetKey(MART), EVERY_ROW)
    whole = definitions(settings).resolve_job_def("gaming_day")
    check = whole.get_subset(asset_selection=frozenset(), asset_check_selection={key})
    with short_lived() as instance:
        check.execute_in_process(tags={"dagster/partition": str(D2)}, instance=instance)
        assert told(instance) == {"2025-01-05": "WARN", "2025-01-07": "WARN"}
        with pytest.raises(LakehouseError, match=f"blocking.*{EVERY_ROW}"):
            running._execute(check, (D2, D2), None, instance, running.Outcome())
        assert told(instance) == {"2025-01-05": "WARN", "2025-01-07": "ERROR"}


@pytest.mark.slow
@pytest.mark.parametrize("since", [-1, 1], ids=["meanwhile", "before"])
def test_a_run_beside_the_one_that_brought_parents_is_warned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, since: int
) -> None:
    opened, settings = lake_at(tmp_path)
    kept_out(opened, D1, ["player_id|orphan"], player_id="P9")
    known(opened, "P9")
    begun = AS_REAL + dt.timedelta(days=since)
    monkeypatch.setattr("igaming_assets.derived._began", lambda context: begun)
    key = dg.AssetCheckKey(dg.AssetKey(MART), EVERY_ROW)
    whole = definitions(settings).resolve_job_def("gaming_day")
    check = whole.get_subset(asset_selection=frozenset(), asset_check_selection={key})
    with short_lived() as instance:
        ended = nullcontext() if since < 0 else pytest.raises(LakehouseError, match=EVERY_ROW)
        with ended:
            running._execute(check, (D1, D1), None, instance, running.Outcome())
        assert told(instance) == {str(D1): "WARN" if since < 0 else "ERROR"}


def told(instance: dg.DagsterInstance) -> dict[str, bool | str]:
    """The newest verdict of each day: whether it passed, or else how grave it is."""
    key = dg.AssetCheckKey(dg.AssetKey(MART), EVERY_ROW)
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=50)
    found: dict[str, bool | str] = {}
    for record in records:
        event = record.event.dagster_event if record.event else None
        if event is not None and event.event_type_value == "ASSET_CHECK_EVALUATION":
            said = event.asset_check_evaluation_data
            found.setdefault(str(said.partition), said.passed or said.severity.value)
    found.pop("None", None)
    return found


def sensor(settings: Settings, instance: dg.DagsterInstance) -> Callable[[], list[dg.RunRequest]]:
    """What a tick of the sensor asks for, in a code location that stays loaded."""
    defs, tended = definitions(settings), underived_sensor(settings)
    given = resources(settings)

    def asked() -> list[dg.RunRequest]:
        context = dg.build_sensor_context(instance=instance, definitions=defs, resources=given)
        return list(tended.evaluate_tick(context).run_requests or [])

    return asked


def resources(settings: Settings) -> dict[str, Any]:
    return {"lake": LakeResource.of(settings), "clock": Clock(at=AS_OF.isoformat())}


def definitions(settings: Settings) -> dg.Definitions:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return assemble(settings, **resources(settings))
