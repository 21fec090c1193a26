"""Files as other systems write them: preambles, footers, no header, names that come twice, whole
lines in quotes, other encodings, and JSON with rows inside."""

import json
import tomllib
from pathlib import Path

import pytest

from lakehouse.errors import BadInput
from lakehouse.ingest.files import reading
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.inference import infer
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.mapping import checked_mapping
from lakehouse.ingest.files.rejects import retry
from lakehouse.ingest.files.run import Outcome
from tests.landed import (
    AS_OF,
    CAGE,
    HEADER,
    bronze,
    cage_row,
    drop,
    lake_at,
    mapped,
    quarantined,
    take_in,
)

ONE, TWO = cage_row(1), cage_row(2, "2.50")
GOOD = [("t1", "1.00"), ("t2", "2.50")]
BY_PLACE = """
[columns.transaction_id]
from = "#1"
[columns.transaction_timestamp]
from = "#2"
[columns.amount]
from = "#3"
"""


def landed(folder: Path, content: str | bytes, mapping: str, name: str = "a.csv") -> Outcome:
    lake, settings = lake_at(folder)
    mapped(lake, mapping)
    drop(lake, f"{CAGE}/{name}", content)
    (done,) = take_in(lake, settings).outcomes
    return done


def amounts(folder: Path) -> list[tuple[object, str]]:
    lake, _ = lake_at(folder)
    assert conservation(lake, CAGE).holds
    return [(k, str(a)) for k, a in bronze(lake, "transaction_id", "amount")]


WRAPPED = "\n".join(f'"{line}"' for line in (HEADER, ONE, TWO))
SHAPES = {
    "skip_rows": ("Report\nby me\n" + "\n".join((HEADER, ONE, TWO)), "skip_rows = 2\n"),
    "starts_at": (
        "\n".join(("Report;2025", "", HEADER, ONE, TWO)),
        'starts_at = "transaction_id"\n',
    ),
    "starts_after": (
        "\n".join(("[Info]", "x", "[Rows]", HEADER, ONE, TWO)),
        'starts_after = "[Rows]"\n',
    ),
    "ends_at": ("\n".join((HEADER, ONE, TWO, "Total,,3.50", "printed")), 'ends_at = "Total"\n'),
    "ends_at a quoted line": (
        "\n".join((HEADER, ONE, TWO, '"Total","","3.50"')),
        'ends_at = "Total"\n',
    ),
    "names": (
        "\n".join((ONE, TWO)),
        'names = ["transaction_id", "transaction_timestamp", "amount"]\n',
    ),
    "blank names": (
        "\n".join(f"x,{r},y" for r in (ONE, TWO)),
        'names = ["", "transaction_id", "transaction_timestamp", "amount", ""]\n',
    ),
    "no header": ("\n".join((ONE, TWO)), "header = false\n" + BY_PLACE),
    "quoted_lines": (WRAPPED, "quoted_lines = true\n"),
    "quoted_lines with quotes": (
        f'"{HEADER},notes"\r\n"{ONE},""a, b"""\r\n"{TWO},""c"""\r\n',
        "quoted_lines = true\n",
    ),
    "repeated by place": (
        "\n".join(("transaction_id,transaction_timestamp,amount,amount", ONE + ",7", TWO + ",7")),
        '[columns.amount]\nfrom = "#3"\n',
    ),
    "repeated by number": (
        "\n".join((f"amount,{HEADER}", f"7,{ONE}", f"7,{TWO}")),
        '[columns.amount]\nfrom = "amount#2"\n',
    ),
    "blank by place": (
        "\n".join(("transaction_id,transaction_timestamp,", ONE, TWO)),
        '[columns.amount]\nfrom = "#3"\n',
    ),
    "all of it": (
        "\n".join(("a", "[R]", *(f'"{r}"' for r in (ONE, TWO)), '"--"', "z")),
        'skip_rows = 1\nstarts_after = "[R]"\nends_at = "--"\nquoted_lines = true\n'
        'names = ["transaction_id", "transaction_timestamp", "amount"]\n',
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_mapping_says_what_of_a_file_is_its_table(tmp_path: Path, shape: str) -> None:
    content, mapping = SHAPES[shape]
    done = landed(tmp_path, content, mapping)
    assert (done.state, done.rows) == ("ingested", 2), done.reason
    assert amounts(tmp_path) == GOOD


def test_lines_left_out_are_told_and_the_others_keep_their_number(tmp_path: Path) -> None:
    content = "\n".join(("one", "two", HEADER, ONE, "t2,x,1.00", "Total", "end"))
    done = landed(tmp_path, content, 'starts_at = "transaction_id"\nends_at = "Total"\n')
    assert done.reason == "left out 2 lines before the table and 2 lines after it"
    lake, _ = lake_at(tmp_path)
    assert quarantined(lake, "_line", "_raw") == [(5, "t2,x,1.00")]


REFUSED = {
    "skip_rows": ("a\nb\n", "skip_rows = 9\n", "has 2 lines, and the mapping leaves out 9"),
    "starts_at": (
        f"{HEADER}\n{ONE}\n",
        'starts_at = "Datum"\n',
        "no line that begins with 'Datum'",
    ),
    "ends_at": (f"{HEADER}\n{ONE}\n", 'ends_at = "Total"\n', "ends_at): was it cut short?"),
    "names": (
        f"{ONE},x\n",
        'names = ["transaction_id", "a", "b"]\n',
        "has up to 4 columns in its first row, and the mapping 3 names",
    ),
    "place": (f"{HEADER}\n{ONE}\n", '[columns.amount]\nfrom = "#9"\n', "lacks column #9"),
    "quoted_lines": (WRAPPED, "", "say quoted_lines = true in the mapping"),
    "repeated": (
        f"{HEADER},amount\n{ONE},3\n",
        "",
        "has columns 3, 4 of the name amount; say which is amount in the mapping",
    ),
    "rows of CSV": (f"{HEADER}\n{ONE}\n", 'rows = "bets"\n', "is csv; rows = 'bets' is for JSON"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_is_not_as_the_mapping_says_is_rejected_in_words(
    tmp_path: Path, what: str
) -> None:
    content, mapping, said = REFUSED[what]
    done = landed(tmp_path, content, mapping)
    assert done.state == "rejected"
    assert said in done.reason
    assert amounts(tmp_path) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"skip_rows": -1}, "skip_rows"),
        ({"starts_at": " "}, "starts_at: Value error, is the beginning of one line"),
        ({"names": ["a", "a"]}, "names: Value error, names a twice"),
        ({"names": ["a"], "header": True}, "names are for a file without a header"),
        ({"snapshot": "yes"}, "snapshot: Input should be a valid boolean"),
        ({"rows": "a..b"}, "rows is a path such as"),
        ({"encoding": "hex"}, "is no encoding of text"),
    ],
)
def test_a_wrong_entry_is_named(given: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        checked_mapping(given, CAGE, "x.toml")


def test_a_table_in_any_blocks_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, mapping = SHAPES["all of it"]
    monkeypatch.setattr(reading, "text_blocks", _bytewise)
    landed(tmp_path, content, mapping)
    assert amounts(tmp_path) == GOOD


def _bytewise(path: Path, *_: object):  # type: ignore[no-untyped-def]
    return iter([bytes([b]) for b in path.read_bytes()])


NAMES = {
    "gb18030": (
        "张伟;王芳;李娜;刘洋;陈静;杨帆;赵磊;黄敏;周杰;吴刚;北京存款;老虎机;上海提款;奖金;余额不足"
    ),
    "cp932": "田中さん;鈴木;東京カジノ;入金;出金;佐藤;高橋;伊藤;渡辺;山本;中村;ボーナス;残高",
    "cp1251": "Иванов;Петров;Москва;Сумма;выигрыш;депозит;вывод;карта;баланс;бонус;игрок",
    "cp1252": "Müller;Größe;Straße;Überweisung",
}


@pytest.mark.parametrize("encoding", NAMES)
def test_an_encoding_is_found_where_it_is_sure(tmp_path: Path, encoding: str) -> None:
    names = NAMES[encoding].split(";")
    rows = [f"{cage_row(n)},{names[n % len(names)]}" for n in range(40)]
    landed(tmp_path, "\n".join((HEADER + ",notes", *rows)).encode(encoding), "")
    lake, _ = lake_at(tmp_path)
    found = dict(bronze(lake, "transaction_id", "notes"))
    assert found == {f"t{n}": names[n % len(names)] for n in range(40)}


@pytest.mark.parametrize(
    ("encoding", "names"),
    [("cp1250", ["Dvořák", "Nováková", "Přerov", "Řeháček"]), ("gbk", ["张伟", "王芳", "老虎机"])],
)
def test_an_encoding_that_could_be_two_is_asked_for(
    tmp_path: Path, encoding: str, names: list[str]
) -> None:
    rows = [f"{cage_row(n)},{names[n % 3]}" for n in range(40)]
    content = "\n".join((HEADER + ",notes", *rows)).encode(encoding)
    done = landed(tmp_path, content, "")
    assert done.state == "rejected"
    assert 'say so in the mapping, such as encoding = "' in done.reason
    done = landed(tmp_path, content, f'encoding = "{encoding}"\n', "b.csv")
    assert done.bronze_rows == 40


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gbk", "cp1252"])
def test_an_encoding_can_be_named(tmp_path: Path, encoding: str) -> None:
    content = f"{HEADER},notes\n{ONE},é\n".encode(encoding)
    landed(tmp_path, content, f'encoding = "{encoding}"\n')
    lake, _ = lake_at(tmp_path)
    assert bronze(lake, "notes") == [("é",)]


def test_a_character_that_is_none_costs_its_row(tmp_path: Path) -> None:
    rows = [f"{cage_row(n)},é".encode("cp1252") for n in range(40)]
    content = b"\n".join((HEADER.encode() + b",notes", *rows, cage_row(99).encode() + b",\x81"))
    done = landed(tmp_path, content, 'encoding = "cp1252"\n')
    assert (done.bronze_rows, done.quarantine_rows) == (40, 1)
    lake, _ = lake_at(tmp_path)
    assert quarantined(lake, "_line", "_rules") == [(42, ["_row|not_utf8"])]


SLIPS = [
    {
        "slip": {"at": "2025-01-05T12:00:00-08:00"},
        "bets": [{"id": "t1", "stake": 1.00}, {"id": "t2", "stake": 2.50}],
    },
    {"slip": {"at": "2025-01-05T13:00:00-08:00"}, "bets": []},
]
OF_SLIPS = """
rows = "bets"
[columns.transaction_id]
from = "bets.id"
[columns.transaction_timestamp]
from = "slip.at"
[columns.amount]
from = "bets.stake"
[columns.notes]
from = "bets.#"
"""


def as_json(values: list[dict]) -> dict[str, str]:
    return {
        "a.ndjson": "\n".join(json.dumps(v) for v in values),
        "a.json": json.dumps(values, indent=1),
    }


@pytest.mark.parametrize("name", ["a.ndjson", "a.json"])
def test_elements_of_an_array_are_rows_beside_their_object(tmp_path: Path, name: str) -> None:
    done = landed(tmp_path, as_json(SLIPS)[name], OF_SLIPS, name)
    assert (done.rows, done.bronze_rows) == (2, 2), done.reason
    assert amounts(tmp_path) == GOOD
    lake, _ = lake_at(tmp_path)
    assert bronze(lake, "notes") == [("1",), ("2",)]


def test_an_answer_of_a_service_holds_its_rows(tmp_path: Path) -> None:
    names = HEADER.split(",")
    rows = [dict(zip(names, r.split(","), strict=True)) for r in (ONE, TWO)]
    mapping = 'rows = "data.items"\n' + "".join(
        f'[columns.{n}]\nfrom = "data.items.{n}"\n' for n in names
    )
    landed(tmp_path, json.dumps({"status": "ok", "data": {"items": rows}}), mapping, "a.json")
    assert amounts(tmp_path) == GOOD


def test_an_object_without_its_array_is_rejected_and_not_lost(tmp_path: Path) -> None:
    values = [SLIPS[0], {"slip": {}}, {"bets": None}, {"bets": [None]}, {"bets": 3}]
    done = landed(tmp_path, as_json(values)["a.ndjson"], OF_SLIPS, "a.ndjson")
    assert (done.bronze_rows, done.quarantine_rows) == (2, 4)
    lake, _ = lake_at(tmp_path)
    assert {r for (rules,) in quarantined(lake, "_rules") for r in rules} == {"_row|no_rows_inside"}


@pytest.mark.parametrize("missing", ["bets.stakes", "slip.atx", "nothing.at.all"])
def test_a_path_that_no_record_has_is_an_error(tmp_path: Path, missing: str) -> None:
    mapping = OF_SLIPS.replace("bets.#", missing)
    done = landed(tmp_path, as_json(SLIPS)["a.json"], mapping, "a.json")
    assert done.state == "rejected"
    assert f"has no record with {missing}" in done.reason


def test_a_place_in_an_array_can_be_named_and_a_place_among_columns_not(tmp_path: Path) -> None:
    mapping = OF_SLIPS.split("[columns.transaction_id]")[1].replace('rows = "bets"', "")
    mapping = "[columns.transaction_id]" + mapping.replace("bets.", "bets.1.").replace(
        "1.#", "0.id"
    )
    landed(tmp_path, as_json(SLIPS[:1])["a.ndjson"], mapping, "a.ndjson")
    assert amounts(tmp_path) == [("t2", "2.50")]
    done = landed(
        tmp_path / "b", as_json(SLIPS)["a.json"], mapping.replace("slip.at", "#1"), "a.json"
    )
    assert "is json, whose records name their fields; #1 is a column's place" in done.reason


def test_a_rejected_element_is_retried_as_itself_alone(tmp_path: Path) -> None:
    slip = {"slip": SLIPS[0]["slip"], "bets": [{"id": f"t{n}", "stake": "2,50"} for n in range(3)]}
    landed(tmp_path, json.dumps(slip), OF_SLIPS, "a.json")
    lake, settings = lake_at(tmp_path)
    assert len(quarantined(lake, "_raw")) == 3
    mapped(lake, OF_SLIPS.replace('"bets.stake"', '"bets.stake"\ndecimal_comma = true'))
    done = retry(lake, settings, CAGE, as_of=AS_OF)
    assert (done.tried, done.healed) == (3, 3)
    assert amounts(tmp_path) == [("t0", "2.50"), ("t1", "2.50"), ("t2", "2.50")]


def test_a_rejected_line_that_was_wrapped_is_retried_as_it_was_read(tmp_path: Path) -> None:
    text = WRAPPED.replace("2.50", "2.50 x")
    landed(tmp_path, text, "quoted_lines = true\n")
    lake, settings = lake_at(tmp_path)
    assert quarantined(lake, "_raw") == [(TWO + " x",)]
    mapped(lake, 'quoted_lines = true\nnulls = ["2.50 x"]\n')
    assert retry(lake, settings, CAGE, as_of=AS_OF).healed == 1


def test_a_preamble_that_looks_like_json_is_none(tmp_path: Path) -> None:
    content = "\n".join(("[Export]", HEADER, ONE, TWO))
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(UnreadableFile, match="holds json"):
        inspect(path)
    landed(tmp_path, content, "skip_rows = 1\n")
    assert amounts(tmp_path) == GOOD


def test_infer_proposes_the_quotes_and_the_encoding_that_it_found(tmp_path: Path) -> None:
    names = NAMES["cp1252"].split(";")
    rows = [f'"{cage_row(n)},{names[n % len(names)]}"' for n in range(40)]
    path = tmp_path / "x.csv"
    path.write_bytes("\n".join((f'"{HEADER},notes"', *rows)).encode("cp1252"))
    proposed = infer(path, CAGE, timezone="UTC").toml
    assert tomllib.loads(proposed)["quoted_lines"]
    assert landed(tmp_path, path.read_bytes(), proposed).bronze_rows == 40
