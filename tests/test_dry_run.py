"""`lakehouse land --dry-run`: what a file would become, and nothing kept of it."""

import tempfile
from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.errors import BadInput
from lakehouse.settings import load_settings
from lakehouse.storage import Lake
from tests.landed import CAGE, cage_csv, cage_row
from tests.small_lake import COMMIT
from tests.source_rows import bronze as source
from tests.source_rows import row

EXAMPLES = Path(__file__).parents[1] / "examples"
EXPORT = EXAMPLES / "data" / "slot_accounting.csv"
MAPPING = EXAMPLES / "mappings" / "slot_accounting.toml"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in (("ROOT", "lake"), ("SOURCE", "landing"), ("START", "2025-01-01")):
        monkeypatch.setenv(f"LAKEHOUSE_{name}", value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    assert cli.run(("land", *arguments, "--dry-run")) == status
    done = capsys.readouterr()
    return done.out, done.err


def line_with(text: str, *words: str) -> bool:
    return any(all(w in line for w in words) for line in text.splitlines())


@pytest.mark.slow
def test_rows_before_and_after_rejects_and_gold_are_shown_and_nothing_is_kept(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = Lake.open(load_settings())
    known = row("player_profile", player_id="NV-7001")
    lake.append("bronze", "player_profile", source("player_profile", known), commit=COMMIT)
    before = {p: p.stat().st_mtime_ns for p in place.rglob("*") if p.is_file()}
    out, _ = said(capsys, str(EXPORT), "-t", "slot_telemetry", "-m", str(MAPPING))
    assert line_with(out, "CoinInCents", "CardNo")
    assert line_with(out, "100002", "1250", "7001")
    assert line_with(out, "100002", "12.50", "NV-7001", "2025-01-05")
    assert line_with(out, "100004", "coin_out|more_than_two_decimals")
    assert "4 rows, 3 to bronze, 1 to quarantine" in out
    assert line_with(out, "ingest", "coin_out|more_than_two_decimals", "1")
    # The lake knows the patron of two of the rows: 5.00 + 12.50 + 0.88 in, 3.75 + 0 + 1.20 out.
    assert "orphan" not in out
    assert line_with(out, "slot_performance", "coin_in 18.38", "coin_out 4.95", "win 13.43")
    assert {p: p.stat().st_mtime_ns for p in place.rglob("*") if p.is_file()} == before


@pytest.mark.slow
def test_what_tells_of_a_person_is_masked(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "p.csv").write_text(
        "player_id,Vorname,last_name,email,enrollment_date,secret\n"
        "P1,Grete,Samsa,g@example.org,2025-01-02,Gregor\n"
    )
    (place / "m.toml").write_text('[columns.first_name]\nfrom = "Vorname"\n')
    out, err = said(capsys, "p.csv", "-t", "player_profile", "-m", "m.toml")
    assert line_with(out, "Vorname", "last_name")
    assert line_with(out, "P1", "***", "2025-01-02")
    for personal in ("Grete", "Samsa", "g@example.org", "Gregor"):
        assert personal not in out + err


def test_a_file_that_would_be_rejected_says_why(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "x.csv").write_text("x,y\n1,2\n")
    _, err = said(capsys, "x.csv", "-t", CAGE, status=1)
    assert err.startswith("lakehouse: would not be taken in: financial_txn/x.csv lacks column")
    assert not (place / "lake").exists()
    assert not list((place / "temp").iterdir())


def test_a_file_of_which_no_row_is_read_shows_its_rejects(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "x.csv").write_text(cage_csv(cage_row(1, "1,5x")))
    out, _ = said(capsys, "x.csv", "-t", CAGE)
    assert "no row would reach bronze" in out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["x.csv", "-t", "nothing"], "no rows can be landed in 'nothing'"),
        (["x.csv", "-t", "compliance"], "compliance may hold restricted rows"),
        (["none.csv", "-t", CAGE], "none.csv is no file"),
        (["x.csv", "-t", CAGE, "-m", "none.toml"], "mapping none.toml: No such file"),
        (["x.csv", "-t", CAGE, "--infer"], "--infer and --dry-run are two questions"),
        (["x.csv"], "land needs --table"),
    ],
)
def test_a_wrong_question_is_answered_in_a_line(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    (place / "x.csv").write_text(cage_csv(cage_row(1)))
    _, err = said(capsys, *arguments, status=2)
    assert why in err
    assert len(err.splitlines()) == 1


def test_the_mapping_of_the_landing_zone_is_the_one_that_is_tried(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zone = place / "lake" / "landing" / CAGE
    zone.mkdir(parents=True)
    (zone / "mapping.toml").write_text('[columns.transaction_id]\nprefix = "X-"\n')
    (place / "x.csv").write_text(cage_csv(cage_row(1, "bad")))
    out, _ = said(capsys, "x.csv", "-t", CAGE)
    assert line_with(out, "X-t1", "amount|not_a_number")


@pytest.mark.slow
def test_rows_of_patrons_without_a_profile_can_be_kept(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = said(capsys, str(EXPORT), "-t", "slot_telemetry", "-m", str(MAPPING))
    assert line_with(out, "silver", "player_id|orphan", "2")
    assert line_with(out, "slot_performance", "coin_in 0.88", "coin_out 1.20", "win -0.32")
    monkeypatch.setenv("LAKEHOUSE_ORPHANS__SLOT_TELEMETRY", "keep")
    out, _ = said(capsys, str(EXPORT), "-t", "slot_telemetry", "-m", str(MAPPING))
    assert "orphan" not in out
    # 5.00 + 12.50 + 0.88 in, 3.75 + 0 + 1.20 out.
    assert line_with(out, "slot_performance", "coin_in 18.38", "coin_out 4.95", "win 13.43")


@pytest.mark.parametrize(
    ("table", "policy", "why"),
    [
        ("nothing", "keep", "no source table 'nothing'"),
        ("slot_telemetry", "invent", "'quarantine', 'keep' or 'create_minimal'"),
        ("player_profile", "keep", "name no other table's: they are no orphans"),
    ],
)
def test_a_policy_that_is_none_is_refused(table: str, policy: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        load_settings(orphans={table: policy})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mapping", "event", "coin_in"),
    [
        # 18.38 of the file beside 1.00 that the lake has, unless the file replaces that.
        ("", "99", "coin_in 19.38"),
        ("snapshot = true\n", "99", "coin_in 18.38"),
        ('on_same_key = "replace"\n', "99", "coin_in 19.38"),
        ('on_same_key = "replace"\n', "100001", "coin_in 18.38"),
    ],
)
def test_gold_counts_what_the_lake_has_of_the_day_and_would_keep(
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    mapping: str,
    event: str,
    coin_in: str,
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ORPHANS__SLOT_TELEMETRY", "keep")
    header, first, *_ = EXPORT.read_text().splitlines()
    changed = first.replace("100001", event).replace(";500;375;", ";100;0;")
    (place / "one.csv").write_text(f"{header}\n{changed}\n")
    (place / "m.toml").write_text(mapping + MAPPING.read_text())
    assert cli.run(("land", "one.csv", "-t", "slot_telemetry", "-m", "m.toml")) == 0
    assert cli.run(("ingest", "--bronze-only")) == 0
    capsys.readouterr()
    out, _ = said(capsys, str(EXPORT), "-t", "slot_telemetry", "-m", "m.toml")
    assert line_with(out, "slot_performance", coin_in)
