"""A new user's first hour: the simulator's own export under foreign names, with other
delimiters, US dates and 3% of it damaged, lands in an empty lake beside nothing else."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from lakehouse import cli
from lakehouse.contracts import PROVENANCE, Contract, contract, doors
from lakehouse.gold.marts import marts
from lakehouse.ingest.files.conservation import conservation
from lakehouse.pipeline.bronze import known_until
from lakehouse.pipeline.marts import refresh
from lakehouse.settings import Settings, load_settings
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Commit, Lake
from tests.landed import AS_OF, quarantined

DAYS = (dt.date(2025, 1, 2), dt.date(2025, 1, 3))
ZONE = "America/Los_Angeles"
CODES = {"GAME_PLAY": "GP", "METER_UPDATE": "MU"}
US_DAY, US_TIME = "%m/%d/%Y", "%m/%d/%Y %I:%M:%S%.6f %p"

Damage = Callable[[list[str], Contract, list[str]], str | None]
"""Spoils the fields of a row, whose columns these are; the rule that it breaks then, or null
where the row has nothing of the kind to spoil."""
FLOOR = Settings(domains=("floor",))


def cut_off(fields: list[str], _c: Contract, _columns: list[str]) -> str:
    del fields[-2:]
    return "_row|too_few_fields"


def run_on(fields: list[str], _c: Contract, _columns: list[str]) -> str:
    fields.append("x")
    return "_row|too_many_fields"


def quoted(fields: list[str], _c: Contract, _columns: list[str]) -> str:
    fields[1] = '"' + fields[1]
    return "_row|unbalanced_quotes"


def without_key(fields: list[str], c: Contract, columns: list[str]) -> str:
    fields[columns.index(c.key[0])] = ""
    return f"{c.key[0]}|missing"


def without_clock(fields: list[str], c: Contract, columns: list[str]) -> str | None:
    if c.event_time is None:
        return None
    at = columns.index(c.event_time)
    fields[at] = fields[at].replace(" ", "T", 1)
    return f"{c.event_time}|unreadable"


def misspelt(fields: list[str], c: Contract, columns: list[str]) -> str | None:
    for name, dtype in c.bronze_schema().items():
        if isinstance(dtype, pl.Decimal) and (at := columns.index(name)) and "0" in fields[at]:
            fields[at] = fields[at].replace("0", "O", 1)
            return f"{name}|not_a_number"
    return None


DAMAGES: list[Damage] = [cut_off, run_on, quoted, without_key, without_clock, misspelt]


def mapping_of(c: Contract) -> str:
    """Every column has a foreign name; days and times are in US form; coin-in is in cents."""
    lines = ['delimiter = ";"']
    for name, dtype in c.bronze_schema().items():
        if name in PROVENANCE:
            continue
        lines += [f"[columns.{name}]", f'from = "Xx {name.upper()}"']
        if isinstance(dtype, pl.Datetime):
            lines += [f'format = "{US_TIME}"', f'timezone = "{ZONE}"']
        elif dtype == pl.Date:
            lines.append(f'format = "{US_DAY}"')
        if name == "coin_in":
            lines.append('unit = "cents"')
        if name == "event_type":
            lines.append('codes = { GP = "GAME_PLAY", MU = "METER_UPDATE" }')
    return "\n".join(lines) + "\n"


def exported(rows: pl.DataFrame) -> list[list[str]]:
    """Header and rows as fields, as a foreign system would write them."""
    local = pl.selectors.datetime().dt.convert_time_zone(ZONE).dt.to_string(US_TIME)
    foreign = rows.drop(PROVENANCE).with_columns(local, pl.selectors.date().dt.to_string(US_DAY))
    if "coin_in" in rows.columns:
        foreign = foreign.with_columns((pl.col("coin_in") * 100).cast(pl.Int64))
    if "event_type" in rows.columns:
        foreign = foreign.with_columns(pl.col("event_type").replace(CODES))
    text = foreign.rename({n: f"Xx {n.upper()}" for n in foreign.columns})
    lines = text.write_csv(separator=";").splitlines()
    assert len(lines) == rows.height + 1
    return [line.split(";") for line in lines]


def damaged(lines: list[list[str]], c: Contract, columns: list[str]) -> dict[int, str]:
    """Spoils every 33rd row, each in another way; number of the line → the rule it breaks."""
    rules = {}
    for n, at in enumerate(range(1, len(lines), 33)):
        for kind in range(len(DAMAGES)):
            rule = DAMAGES[(n + kind) % len(DAMAGES)](lines[at], c, columns)
            if rule is not None:
                rules[at + 1] = rule
                break
    return rules


def gold(settings: Settings) -> dict[str, pl.DataFrame]:
    lake = Lake.open(settings)
    frames = {}
    for table in (name for name, mart in marts().items() if mart.layer == "gold"):
        frame = lake.scan("gold", table).collect()
        order = [c for c, t in frame.schema.items() if not t.is_nested()]
        frames[table] = frame.sort(order, nulls_last=True)
    return frames


def of_clean_rows(folder: Path, kept: dict[str, pl.DataFrame], key: Path) -> Settings:
    """A lake in whose bronze these rows are, with all that follows from them: of the same
    functions by the library alone, so that of Dagster's run no more is asked than its gold."""
    settings = load_settings(
        root=str(folder / "clean"), source="landing", start=DAYS[0], pii_key_file=str(key)
    )
    lake = Lake.open(settings)
    for table, rows in kept.items():
        known = rows.with_columns(_source=pl.lit("landing:clean"))
        lake.write_days("bronze", table, known, DAYS, commit=Commit("test", table, "1"))
    as_of = known_until(lake, DAYS, ZONE, AS_OF)
    refresh(lake, settings, DAYS, as_of=as_of, commit=Commit("test", "gold", "1"))
    return settings


@pytest.mark.slow
def test_foreign_and_damaged_rows_give_the_gold_of_the_undamaged_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    key = tmp_path / "pii.key"
    given = {"ROOT": "lake", "SOURCE": "landing", "START": str(DAYS[0]), "PII_KEY_FILE": str(key)}
    for name, value in given.items():
        monkeypatch.setenv(f"LAKEHOUSE_{name}", value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    world = World(WorldConfig(scale=0.05, faults=NO_FAULTS))
    rows = {t: pl.concat([world.frame(t, d) for d in DAYS]) for t in doors() if FLOOR.has(t)}
    rows = {t: frame for t, frame in rows.items() if frame.height}
    lines = {t: exported(frame) for t, frame in rows.items()}
    columns = {t: [n for n in frame.columns if n not in PROVENANCE] for t, frame in rows.items()}
    rules = {t: damaged(lines[t], contract(t), columns[t]) for t in rows}
    for table in rows:
        text = "\n".join(";".join(fields) for fields in lines[table])
        Path(f"{table}.csv").write_text(text + "\n")
        Path(f"{table}.toml").write_text(mapping_of(contract(table)))
        assert cli.run(["land", f"{table}.csv", "-t", table, "-m", f"{table}.toml"]) == 0
    assert cli.run(["ingest"]) == 0

    settings = load_settings()
    lake = Lake.open(settings)
    kept = {}
    for table, frame in rows.items():
        held = quarantined(lake, "_line", "_rules", "_raw", table=table)
        raw = {line: ";".join(lines[table][line - 1]) for line in rules[table]}
        assert held == [(line, [rule], raw[line]) for line, rule in rules[table].items()], table
        numbered = frame.with_row_index("line", offset=2)
        kept[table] = numbered.filter(~pl.col("line").is_in(list(rules[table]))).drop("line")
        landed = lake.scan("bronze", table).collect().select(columns[table])
        order = list(contract(table).key)
        assert landed.sort(order).equals(kept[table].select(columns[table]).sort(order)), table
        assert conservation(lake, table).holds, table
    assert {rule.split("|")[1] for found in rules.values() for rule in found.values()} == {
        "too_few_fields",
        "too_many_fields",
        "unbalanced_quotes",
        "missing",
        "unreadable",
        "not_a_number",
    }

    ours, theirs = gold(settings), gold(of_clean_rows(tmp_path, kept, key))
    assert [t for t in theirs if not ours[t].equals(theirs[t])] == []
    for table in ("property_day", "slot_performance", "table_performance", "player_value"):
        assert theirs[table].height > 0, table
