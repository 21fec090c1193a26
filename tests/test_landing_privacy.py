"""What landed files hold is their owner's alone, and told nowhere that others read."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from lakehouse import cli, private_files
from lakehouse.contracts import contract, contracts
from lakehouse.ingest.files import run as ingest_run
from lakehouse.ingest.files.land import land
from lakehouse.ingest.files.mapping import Mapping, checked_mapping
from lakehouse.ingest.files.rejects import retry
from lakehouse.ingest.files.zone import find_files, landing_zone
from lakehouse.privacy import TokenKey, protect
from lakehouse.settings import Settings
from lakehouse.storage import Lake
from tests.landed import AS_OF, CAGE, HEADER, bronze, cage_csv, cage_row, drop, lake_at, take_in

NOBODY = 65534
PERSON = ("Zebulon", "Quackenbush", "zq@example.org", "900-12-3456")
HEADERLESS = "Zebulon,Quackenbush,zq@example.org,900-12-3456\nAda,Lovelace,a@example.org,1\n"
UNMAPPED = f"{HEADER},note\nt1,soon,1.00,Zebulon Quackenbush\n{cage_row(2)},zq@example.org\n"
FIELDS = '{"transaction_id": "t9", "Zebulon Quackenbush": "900-12-3456"}\n'


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def filled(folder: Path) -> tuple[Lake, Settings]:
    """A lake that was landed in, by command and by hand, ingested and retried, with its keys."""
    given = folder / "given.csv"
    given.write_text(UNMAPPED)
    given.chmod(0o644)
    mapping = folder / "mapping.toml"
    mapping.write_text('nulls = ["-"]\n')
    lake, settings = lake_at(folder)
    land([given], CAGE, lake, mapping)
    drop(lake, f"{CAGE}/by/hand/headerless.csv", HEADERLESS).chmod(0o666)
    drop(lake, f"{CAGE}/fields.json", FIELDS)
    drop(lake, f"{CAGE}/a.csv.gz", "no archive").chmod(0o644)
    take_in(lake, settings)
    retry(lake, settings, CAGE, as_of=AS_OF)
    command = ["--root", lake.root, "--set", "source=landing"]
    assert cli.run([*command, "keys", "init"]) == 0
    assert cli.run([*command, "access", "init"]) == 0
    return lake, settings


def readable_by_others(top: Path) -> list[Path]:
    """Files that another user of the machine can read, by their modes and their folders'."""
    found = []
    for entry in sorted(top.iterdir()):
        mode = entry.lstat().st_mode
        if stat.S_ISDIR(mode) and mode & 0o001:
            found += readable_by_others(entry)
        elif stat.S_ISREG(mode) and mode & 0o004:
            found.append(entry)
    return found


@pytest.mark.slow
def test_nobody_else_reads_what_was_landed_or_rejected(tmp_path: Path, any_umask: None) -> None:
    lake, _ = filled(tmp_path)
    tmp_path.chmod(0o755)
    outside = {"given.csv", "mapping.toml"}
    open_ones = [p for p in readable_by_others(tmp_path) if p.name not in outside]
    assert [
        p for p in open_ones if p.relative_to(lake.root).parts[0] not in ("silver", "gold")
    ] == []
    zone = landing_zone(lake)
    by_hand = {zone / CAGE / n for n in ("fields.json", "fields.json.done", "by", "by/hand")}
    dropped = {zone / CAGE, zone / CAGE / "a.csv.gz.done", *by_hand}
    made = [p for p in zone.rglob("*") if p not in dropped]
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in made}
    assert {n: m for n, m in modes.items() if m not in (0o600, 0o700)} == {}
    assert {"given.csv", "given.csv.mapping.toml", "_rejected", "a.csv.gz", "_headers"} <= {*modes}
    assert {"a.csv.gz.reason.txt", "headerless.csv.reason.txt", ".lock"} <= {*modes}


def readable_by_nobody(files: list[Path]) -> list[str]:
    """Which of these another user opens, asked as that user."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        got = [str(p) for p in files if os.access(p, os.R_OK)]
        os.write(writer, json.dumps(got).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        got = json.loads(told.read())
    assert os.waitpid(child, 0)[1] == 0
    return got


@pytest.mark.slow
def test_another_user_of_the_machine_reads_nothing(tmp_path: Path) -> None:
    before = os.umask(0o022)
    lake, _ = filled(tmp_path)
    open_one = tmp_path / "open.txt"
    open_one.touch()
    os.umask(before)
    if os.geteuid() == 0:
        for folder in (tmp_path, *tmp_path.parents[:-2]):
            folder.chmod(folder.stat().st_mode | 0o005)
        wanted = [p for p in tmp_path.rglob("*") if p.is_file() and tmp_path != p.parent]
        assert len(wanted) > 20
        assert readable_by_nobody([*wanted, open_one]) == [str(open_one)]
    else:
        assert {p.parent for p in readable_by_others(tmp_path)} == {tmp_path}
    assert lake.scan("quarantine", CAGE).collect().height == 2


def test_an_older_zone_is_shut_and_a_group_let_in_on_purpose_stays(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    zone = Path(lake.root) / "landing"
    for before, after in [(0o755, 0o700), (0o777, 0o700), (0o770, 0o770), (0o750, 0o750)]:
        zone.mkdir(parents=True, exist_ok=True)
        zone.chmod(before)
        take_in(lake, settings)
        assert stat.S_IMODE(zone.stat().st_mode) == after


def all_bytes(*folders: Path) -> bytes:
    return b"\0".join(
        p.name.encode() + b"\0" + p.read_bytes()
        for folder in folders
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.is_symlink()
    )


@pytest.mark.slow
def test_headers_and_values_reach_neither_reasons_nor_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake, _ = filled(tmp_path)
    ledger = lake.scan("ops", "ingest_ledger").collect()
    reasons = [p.read_text() for p in landing_zone(lake).rglob("*.reason.txt")]
    assert len(reasons) == 2
    told = ledger.write_json() + "".join(reasons)
    assert [word for word in (*PERSON, "note") if word in told] == []
    assert '"column 4"' in ledger["file_columns"].str.join("").item()
    (headerless,) = [r for r in reasons if "headerless" in r]
    assert headerless == (
        f"{CAGE}/by/hand/headerless.csv lacks column transaction_id, transaction_timestamp; the "
        "file has 4, of which we know none; `lakehouse land FILE --infer` shows them, and a "
        "mapping says how foreign columns become ours\n"
    )
    ignored = ledger.filter(state="ingested").sort("path")["ignored_columns"].to_list()
    assert ignored == ["1 fields", "4"]
    capsys.readouterr()
    assert cli.run(["--root", lake.root, "quarantine", "list", "-t", CAGE, "-o", "csv"]) == 0
    assert cli.run(["--root", lake.root, "quarantine", "show", CAGE, "-o", "csv"]) == 0
    assert cli.run(["--root", lake.root, "sql", f"SELECT * FROM quarantine.{CAGE}"]) == 0
    said = capsys.readouterr()
    assert [word for word in PERSON if word in said.out + said.err] == []


def test_a_retry_takes_a_column_whose_name_only_the_landing_zone_keeps(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    file = drop(
        lake, f"{CAGE}/a.csv", "transaction_id,transaction_timestamp,When\nt1,,2025-01-05\n"
    )
    take_in(lake, settings)
    assert bronze(lake, "transaction_id") == []
    file.unlink()
    columns = {"transaction_timestamp": {"from": "When", "format": "%Y-%m-%d"}}
    mapping: Mapping = checked_mapping({"timezone": "UTC", "columns": columns}, CAGE, "test")
    done = retry(lake, settings, CAGE, as_of=AS_OF, mapping=mapping)
    assert (done.tried, done.healed) == (1, 1)


def swapped(path: Path, outside: Path) -> Callable[[], None]:
    """Puts a link to `outside` in the place of a file or folder."""

    def swap() -> None:
        if not path.is_symlink():
            path.rename(path.with_name(f".{path.name}.was"))
            path.symlink_to(outside)

    return swap


@pytest.mark.slow
@pytest.mark.parametrize("swapped_name", [CAGE, f"{CAGE}/deep", f"{CAGE}/deep/a.csv"])
@pytest.mark.parametrize("moment", ["found", "inspected"])
def test_a_link_put_in_the_way_between_two_looks_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swapped_name: str, moment: str
) -> None:
    lake, settings = lake_at(tmp_path)
    outside = tmp_path / "outside"
    for name in ("a.csv", "deep/a.csv"):
        secret = outside / name
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text(cage_csv("t666,2025-01-05T12:00:00-08:00,1.00"))
    path = drop(lake, f"{CAGE}/deep/a.csv", cage_csv(cage_row(1)))
    place = landing_zone(lake) / swapped_name
    swap = swapped(place, outside / "a.csv" if place == path else outside / "deep")
    if swapped_name == CAGE:
        swap = swapped(place, outside)
    step = {"found": "inspect", "inspected": "job_of"}[moment]
    do = getattr(ingest_run, step)

    def after_the_swap(*args: object, **kwargs: object) -> object:
        swap()
        return do(*args, **kwargs)

    monkeypatch.setattr(ingest_run, step, after_the_swap)
    outcomes = take_in(lake, settings).outcomes
    (refused,) = [o for o in outcomes if o.name == f"{CAGE}/deep/a.csv"]
    assert refused.state in ("rejected", "waiting")
    assert bronze(lake, "transaction_id") == []
    assert sorted(p.name for p in outside.rglob("*.csv")) == ["a.csv", "a.csv"]
    assert b"t666" not in all_bytes(*(p for p in landing_zone(lake).glob("_*")))


def test_a_link_in_the_place_of_a_table_or_of_our_own_files_is_not_followed(
    tmp_path: Path,
) -> None:
    lake, settings = lake_at(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.csv").write_text(cage_csv(cage_row(1)))
    (outside / "kept").write_text("kept")
    zone = Path(lake.root) / "landing"
    zone.mkdir(parents=True)
    (zone / CAGE).symlink_to(outside)
    drop(lake, "slot_telemetry/a.csv", "x\n1\n").with_name("a.csv.done").unlink()
    os.utime(zone / "slot_telemetry" / "a.csv", (1_700_000_000, 1_700_000_000))
    (zone / "slot_telemetry" / "a.csv.done").symlink_to(outside / "kept")
    (zone / "slot_telemetry" / "a.csv.mapping.toml").symlink_to(outside / "kept")
    (zone / "_rejected").mkdir()
    (zone / "_rejected" / "slot_telemetry").symlink_to(outside)
    found = find_files(zone, AS_OF)
    assert [(p.name, why) for p, why in found.refused] == [
        (CAGE, "is a symbolic link; copy the file itself")
    ]
    said = {o.name: o.reason for o in take_in(lake, settings).outcomes}
    assert "a.csv.mapping.toml: is reached through a link" in said["slot_telemetry/a.csv"]
    assert not (zone / CAGE).exists()
    (zone / "slot_telemetry" / "a.csv.mapping.toml").unlink()
    said = {o.name: o.reason for o in take_in(lake, settings).outcomes}
    assert "it stays where it is: Not a directory" in said["slot_telemetry/a.csv"]
    assert sorted(p.name for p in outside.iterdir()) == ["a.csv", "kept"]
    assert (outside / "kept").read_text() == "kept"


def test_landing_writes_over_no_link(tmp_path: Path) -> None:
    lake, _ = lake_at(tmp_path)
    outside = tmp_path / "outside"
    outside.write_text("kept")
    folder = Path(lake.root) / "landing" / CAGE
    folder.mkdir(parents=True)
    for name in ("a.csv", "a.csv.part", "a.csv.done", "a.csv.mapping.toml"):
        (folder / name).symlink_to(outside)
    (folder.parent / ".lock").touch()
    given, mapping = tmp_path / "a.csv", tmp_path / "m.toml"
    given.write_text(cage_csv(cage_row(1)))
    mapping.write_text('timezone = "UTC"\n')
    land([given], CAGE, lake, mapping)
    assert outside.read_text() == "kept"
    assert (folder / "a.csv").read_text() == given.read_text()
    assert not (folder / "a.csv").is_symlink()
    assert not (folder / "a.csv.done").is_symlink()


LONG = "é" * 100
HARD = {
    "too long for what lies beside it": ("x" * 243, "has a name of 243 bytes; allowed are 242"),
    "as long as a name can be": ("x" * 251 + ".csv", "has a name of 255 bytes"),
    "too long a folder": ("y" * 250 + "/a.csv", "has a name of 250 bytes"),
    "a newline": ("a\nb.csv", "has control characters"),
    "a terminal's escape": ("\x1b[2Ja.csv", "has control characters"),
    "no UTF-8": (b"\xff\xfe.csv", "no UTF-8"),
    "a folder that is no UTF-8": (b"\xc3(/a.csv", "no UTF-8"),
    "a folder with a newline": ("a\nb/a.csv", "has control characters"),
    "too deep": ("/".join(["d"] * 40) + "/a.csv", "folders deep; allowed are 31"),
    "too long a path": ("/".join([LONG] * 6) + "/a.csv", "has a path of "),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HARD)
def test_a_name_that_cannot_be_handled_is_told_in_a_line_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    lake, _ = lake_at(tmp_path)
    drop(lake, f"{CAGE}/good.csv", cage_csv(cage_row(1)))
    relative, said = HARD[name]
    given = os.fsencode(relative) if isinstance(relative, str) else relative
    path = os.path.join(os.fsencode(lake.root), b"landing", CAGE.encode(), given)  # noqa: PTH118
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    with open(path, "w") as file:  # noqa: PTH123
        file.write(cage_csv(cage_row(2)))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    monkeypatch.setenv("LAKEHOUSE_ROOT", lake.root)
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    assert cli.run(["ingest", "--bronze-only"]) == 1
    err = capfd.readouterr().err
    (line,) = [x for x in err.splitlines() if said in x and not x.startswith("lakehouse: ")]
    assert line.isprintable()
    assert bronze(lake, "transaction_id") == [("t1",)]
    (row,) = lake.scan("ops", "ingest_ledger").filter(state="rejected").collect().to_dicts()
    assert said in row["reason"]
    assert row["path"].isprintable()
    assert cli.run(["ingest", "--bronze-only"]) == 0
    kept = landing_zone(lake) / "_rejected"
    assert len([p for p in kept.rglob("*") if p.is_file() and p.suffix != ".txt"]) == 1


@pytest.mark.parametrize("name", ["x" * 243, "a\nb.csv"])
def test_landing_refuses_such_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    Path(name).write_text(cage_csv(cage_row(1)))
    assert cli.run(["--root", "lake", "land", name, "-t", CAGE]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "give it another name" in err
    assert not Path("lake").exists()


def test_a_part_is_gone_where_writing_fails(tmp_path: Path) -> None:
    with private_files.entered(tmp_path) as folder:
        with pytest.raises(RuntimeError), private_files.new_part(folder):
            raise RuntimeError
        assert list(tmp_path.iterdir()) == []


def test_hashes_of_documents_become_the_same_keyed_token_in_both_tables() -> None:
    key, bare = TokenKey.of(bytes(range(32))), "5f" * 32
    made = []
    for table in ("financial_txn", "compliance"):
        schema = contract(table).bronze_schema()
        row = {n: [bare if n == "id_number_hash" else None] for n in schema}
        made.append(protect(table, pl.DataFrame(row, schema=schema), key)["id_number_hash"].item())
    assert made[0] == made[1]
    assert made[0].startswith("d78a4a48:")
    assert bare not in made[0]


def test_no_hash_reaches_silver_or_gold_without_the_key() -> None:
    unprotected = [
        f"{c.name}.{n}"
        for c in contracts().values()
        if c.layer in ("source", "gold")
        for n in c.columns
        if n.endswith("_hash") and c.metadata(n).get("protect") != "token"
    ]
    assert unprotected == []
