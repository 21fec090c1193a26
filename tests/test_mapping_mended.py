"""A wrong mapping can be mended: the same bytes are read again, and what the old reading made
goes, once."""

import itertools
import shutil
from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.rejects import retry
from lakehouse.storage import Lake
from tests.landed import (
    AS_OF,
    CAGE,
    bronze,
    cage_csv,
    cage_row,
    drop,
    lake_at,
    mapped,
    quarantined,
    take_in,
)
from tests.test_exactly_once import killed

FILE = cage_csv(cage_row(1, "150"), cage_row(2, "2.50"), cage_row(3, "1200"))
DOLLARS = [("t1", "150.00"), ("t2", "2.50"), ("t3", "1200.00")]
CENTS = '[columns.amount]\nunit = "cents"\n'
IN_CENTS = [("t1", "1.50"), ("t3", "12.00")]


def amounts(lake: Lake) -> list[tuple[str, str]]:
    return [(str(n), str(a)) for n, a in bronze(lake, "transaction_id", "amount")]


def test_a_changed_mapping_reads_the_file_again_and_back(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", FILE)
    take_in(lake, settings)
    assert amounts(lake) == DOLLARS
    for mapping, wanted, rejected in ((CENTS, IN_CENTS, [("t2",)]), ("", DOLLARS, [])):
        mapped(lake, mapping)
        (done,) = take_in(lake, settings).outcomes
        assert (done.state, done.rows, len(done.days)) == ("ingested", 3, 1)
        assert amounts(lake) == wanted
        assert quarantined(lake, "transaction_id") == rejected
        assert conservation(lake, CAGE).holds
        assert take_in(lake, settings).outcomes == ()


def test_a_mapping_that_says_the_same_in_other_words_reads_nothing(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", FILE)
    mapped(lake, CENTS)
    take_in(lake, settings)
    mapped(lake, '# mended\n[columns]\namount = { unit = "cents" }\n')
    assert take_in(lake, settings).outcomes == ()


def test_two_names_of_one_content_do_not_take_turns(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    first = drop(lake, f"{CAGE}/a.csv", FILE)
    second = drop(lake, f"{CAGE}/b.csv", FILE)
    second.with_name("b.csv.mapping.toml").write_text(CENTS)
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested", "ingested"]
    assert amounts(lake) == IN_CENTS
    assert take_in(lake, settings).outcomes == ()
    first.with_name("a.csv.mapping.toml").write_text('nulls = ["150"]\n')
    assert [o.name for o in take_in(lake, settings).outcomes] == [f"{CAGE}/a.csv"]
    assert amounts(lake) == [("t1", "None"), *DOLLARS[1:]]
    assert take_in(lake, settings).outcomes == ()
    assert conservation(lake, CAGE).holds


def test_a_delimiter_that_was_wrong_may_be_left_out(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    content = 'transaction_id;transaction_timestamp;amount,"x;y"\nt1;2025-01-05T20:00:00Z;1\n'
    drop(lake, f"{CAGE}/a.csv", content.replace(',"x;y"', ""))
    mapped(lake, 'delimiter = ","\n')
    assert [o.state for o in take_in(lake, settings).outcomes] == ["rejected"]
    drop(lake, f"{CAGE}/a.csv", content.replace(',"x;y"', ""))
    mapped(lake, "")
    take_in(lake, settings)
    assert amounts(lake) == [("t1", "1.00")]


def test_rows_a_later_file_replaced_stay_replaced_and_healed_ones_are_counted_once(
    tmp_path: Path,
) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, 'on_same_key = "replace"\n')
    drop(lake, f"{CAGE}/a.csv", FILE.replace("2.50", "2,50").replace(",2,50", ',"2,50"'))
    drop(lake, f"{CAGE}/b.csv", cage_csv(cage_row(3, "7.00")))
    take_in(lake, settings)
    assert quarantined(lake, "transaction_id") == [("t2",)]
    beside = Path(lake.root) / f"landing/{CAGE}/a.csv.mapping.toml"
    beside.write_text("[columns.amount]\ndecimal_comma = true\n")
    done = retry(lake, settings, CAGE, as_of=AS_OF)
    assert (done.tried, done.healed) == (1, 1)
    assert conservation(lake, CAGE).holds
    take_in(lake, settings)
    assert amounts(lake) == [("t1", "150.00"), ("t2", "2.50"), ("t3", "7.00")]
    assert conservation(lake, CAGE).holds


def test_a_prefix_ends_a_clash(tmp_path: Path) -> None:
    """The rows of the other file, on another day, come back to bronze."""
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1)))
    b = drop(lake, f"{CAGE}/b.csv", cage_csv("t1,2025-01-07T12:00:00-08:00,2.00"))
    take_in(lake, settings)
    assert amounts(lake) == []
    b.with_name("b.csv.mapping.toml").write_text('[columns.transaction_id]\nprefix = "B-"\n')
    (done,) = take_in(lake, settings).outcomes
    assert done.reason == ""
    assert {d.day for d in done.days} == {5, 7}
    assert amounts(lake) == [("B-t1", "2.00"), ("t1", "1.00")]
    assert conservation(lake, CAGE).holds


@pytest.mark.slow
@pytest.mark.parametrize("comes_again", [True, False])
def test_a_second_reading_killed_at_any_step_counts_once(tmp_path: Path, comes_again: bool) -> None:
    lake, settings = lake_at(tmp_path / "first")
    drop(lake, f"{CAGE}/a.csv", FILE)
    take_in(lake, settings)
    mapped(lake, CENTS)
    for fatal in itertools.count(1):
        copy = tmp_path / str(fatal)
        shutil.copytree(tmp_path / "first", copy)
        status = killed(copy, fatal)
        again, settings = lake_at(copy)
        file = copy / f"lake/landing/{CAGE}/a.csv"
        if not comes_again:
            file.rename(copy / "a.csv")
            gone = {o.state for o in take_in(again, settings).outcomes}
            assert amounts(again) in (DOLLARS, IN_CENTS, []), fatal
            assert (amounts(again) == []) == (gone == {"withdrawn"}), fatal
            assert conservation(again, CAGE).holds, fatal
            (copy / "a.csv").replace(file)
        take_in(again, settings)
        assert amounts(again) == IN_CENTS, fatal
        assert quarantined(again, "transaction_id") == [("t2",)], fatal
        assert conservation(again, CAGE).holds, fatal
        assert take_in(again, settings).outcomes == (), fatal
        if status == 0:
            break
    assert fatal > 4


def test_the_commands_mend_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    lake, _ = lake_at(tmp_path)
    (tmp_path / "a.csv").write_text(FILE)
    (tmp_path / "m.toml").write_text(CENTS)
    assert cli.run(["land", str(tmp_path / "a.csv"), "--table", CAGE]) == 0
    assert cli.run(["ingest", "--bronze-only"]) == 0
    again = ["land", str(tmp_path / "a.csv"), "-t", CAGE, "--mapping", str(tmp_path / "m.toml")]
    assert cli.run(again) == 0
    assert cli.run(["ingest", "--bronze-only"]) == 1  # a third of its rows is rejected
    assert amounts(lake) == IN_CENTS
    (Path(lake.root) / f"landing/{CAGE}/a.csv.mapping.toml").write_text("unit = 1\n")
    capsys.readouterr()
    assert cli.run(["ingest", "--bronze-only"]) == 1
    assert "unit" in capsys.readouterr().err
    assert amounts(lake) == IN_CENTS
