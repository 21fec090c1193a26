"""What `lakehouse land --infer` proposes: right columns, and nothing that a reading rejects."""

import datetime as dt
import functools
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from benchmarks import inference
from benchmarks.inference import DOCUMENT, FILES, HELD_OUT, judged, table_of, total
from lakehouse import cli
from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.inference import Proposal, infer, proposal
from lakehouse.ingest.files.inference.looks import Look, looks
from lakehouse.ingest.files.inference.names import language, likeness
from lakehouse.ingest.files.inference.sample import sampled
from lakehouse.ingest.files.mapping_files import load_mapping
from lakehouse.ingest.files.row_typing import judge
from lakehouse.ingest.files.rows import told_by_text
from lakehouse.settings import Settings

ZONE = "America/Los_Angeles"
CAGE = "financial_txn"
FLOOR = tuple(Settings(domains=("floor",)).tables("source"))
SLOTS = "slot_telemetry"


def proposed(folder: Path, text: str, table: str | None = None, **more: Any) -> Proposal:
    file = folder / "x.csv"
    file.write_text(text)
    return infer(file, table, timezone=ZONE, tables=FLOOR, **more)


LOOKS: dict[Path, list[Look]] = {}


@functools.cache
def once(
    file: Path, table: str | None, timezone: str, tables: tuple[str, ...] | None = None
) -> Proposal:
    """Each file of the corpus is read a single time for all that is asked of its proposal, and
    its columns are looked at once for both houses: what they look like is no table's."""

    def looked(*asked: Any) -> list[Look]:
        if file not in LOOKS:
            LOOKS[file] = looks(*asked)
        return LOOKS[file]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposal, "looks", looked)
        return infer(file, table, timezone=timezone, tables=tables)


def columns(proposal: Proposal) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(proposal.toml).get("columns", {})
    return found


@pytest.mark.slow
@pytest.mark.parametrize("tables", [None, FLOOR], ids=["all", "floor"])
def test_columns_of_files_in_many_languages_are_found(
    tables: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least 80% right and under 3% wrong, of files worked out by hand, in a house with all
    tables and in one that is a casino floor alone; docs/inference.md says the same."""
    monkeypatch.setattr(inference, "infer", once)
    made = judged(FILES, tables)
    held_out = [] if tables == FLOOR else judged(HELD_OUT)
    tallies = [*made, *held_out]
    assert len(tallies) >= 28
    sums = total(tallies)
    faults = [f"{t.file}: {f}" for t in tallies for f in t.faults]
    assert sums.right >= 0.8 * sums.asked, faults
    assert sums.wrong < 0.03 * sums.asked, faults
    right, wrong, missed = sums.settings
    assert right >= 0.8 * (right + wrong + missed), faults
    assert wrong < 0.03 * (right + wrong + missed), faults
    told = [made, held_out] if held_out else [[sums]]
    assert all(table_of(rows) in DOCUMENT.read_text("utf-8") for rows in told)


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted(f.name for f in FILES.glob("*.*") if f.suffix != ".toml"))
def test_no_row_of_a_sample_is_rejected_by_what_is_proposed(file: str, tmp_path: Path) -> None:
    proposal = once(FILES / file, None, timezone=ZONE)
    path = tmp_path / "m.toml"
    path.write_text(proposal.toml)
    mapping = load_mapping(path, proposal.table)
    sample = sampled(FILES / file, mapping)
    now = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
    origin = Origin(contract(proposal.table), mapping, file, now.date(), now, ZONE)
    result = judge(next(told_by_text(iter([sample.piece]))), origin)
    assert (result.bad.height, result.good.height) == (0, sample.piece.frame.height)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Kundennummer", "player id"),
        ("Buchungsdatum", "transaction date"),
        ("userid", "player id"),
        ("MachNo", "machine id"),
        ("Fecha de la operación", "transaction date"),
        ("Montant (EUR)", "amount"),
        ("交易金额", "transaction amount"),
        ("Дата рождения", "birth date"),
        ("data_nascimento", "birth date"),
        ("Data di nascita", "birth date"),
    ],
)
def test_names_of_many_languages_say_the_same(theirs: str, ours: str) -> None:
    assert likeness(theirs, ours) == 1


def test_names_that_share_a_general_word_alone_are_not_alike() -> None:
    assert likeness("Machine ID", "player id") < 0.3
    assert likeness("Saldo", "amount") == 0


def test_the_language_is_that_of_most_names() -> None:
    assert language(["Buchungstag", "Betrag", "Währung"]) == "de"
    assert language(["Fecha", "Importe", "Saldo"]) == "es"


def test_a_day_that_two_forms_read_is_of_the_one_that_keeps_days_together(tmp_path: Path) -> None:
    rows = "".join(
        f"t{i},{d},5\n" for i, d in enumerate(("03/02/2025", "04/02/2025", "05/02/2025"))
    )
    proposal = proposed(tmp_path, "Transaction ID,Date,Amount\n" + rows, CAGE)
    assert columns(proposal)["transaction_timestamp"]["format"] == "%d/%m/%Y"
    assert "%m/%d/%Y reads the sample too" in proposal.toml


def test_a_balance_is_not_taken_for_an_amount(tmp_path: Path) -> None:
    """100 + 20 - 50 + 5: the third column follows from the second, and has no name to tell."""
    text = "Txn ID,Date,X,Y\n1,2025-01-05,20.00,120.00\n2,2025-01-05,-50.00,70.00\n"
    text += "3,2025-01-06,5.00,75.00\n4,2025-01-06,12.50,87.50\n5,2025-01-06,-7.50,80.00\n"
    proposal = proposed(tmp_path, text, CAGE)
    assert columns(proposal)["amount"] == {"value": "abs(X)"}
    assert "'Y' follows from it" in proposal.toml


def test_an_order_is_a_shops_where_there_is_a_shop(tmp_path: Path) -> None:
    """Two rows in one house and the other: quantity, price and product have a place in a shop's
    table alone; a word is a product's name, and the order's number its payment's too."""
    text = "Pedido;Data;Cliente;Produto;Quantidade;Preço unitário (USD)\n"
    text += "P-1;07/04/2025 10:00;C-1;Camisa;2;19,90\nP-2;17/04/2025 10:42;C-2;Boné;1;12,50\n"
    assert tomllib.loads(proposed(tmp_path, text).toml)["table"] == CAGE
    made = infer(tmp_path / "x.csv", None, timezone=ZONE)
    found = columns(made)
    assert tomllib.loads(made.toml)["table"] == "shop_orders"
    assert found["product_name"] == {"from": "Produto"}
    assert found["order_id"] == found["transaction_id"] == {"from": "Pedido"}
    assert found["amount"]["value"] == "Quantidade * col('Preço unitário (USD)')"


def test_a_word_of_another_language_is_no_time_zone(tmp_path: Path) -> None:
    """'Date et heure' is no Eastern Time; 'Heure (ET)' is."""
    rows = "J-1,EGM-1,2025-01-14 20:01:05,5,1\nJ-2,EGM-2,2025-01-15 20:01:05,5,2\n"
    for name, zone in (("Date et heure", ZONE), ("Date heure ET", "America/New_York")):
        text = f"Réf. partie,N° machine,{name},Mise,Gain\n{rows}"
        assert columns(proposed(tmp_path, text, SLOTS))["event_timestamp"]["timezone"] == zone


def test_the_only_day_of_a_statement_is_its_rows_time(tmp_path: Path) -> None:
    text = "Referenz;Stichwort X;Betrag\nA-1;04.02.2025;12,50\nA-2;18.02.2025;7,25\n"
    found = columns(proposed(tmp_path, text, CAGE))["transaction_timestamp"]
    assert (found["from"], found["date_only"]) == ("Stichwort X", True)


def test_known_patrons_are_recognised_by_their_numbers(tmp_path: Path) -> None:
    text = "Txn ID,Date,Holder,Amount\n1,2025-01-05,A7,5\n2,2025-01-05,B9,6\n3,2025-01-06,C1,7\n"
    assert "player_id" not in columns(proposed(tmp_path, text, CAGE))
    known = {("player_profile", "player_id"): frozenset({"A7", "B9", "D3"})}
    proposal = proposed(tmp_path, text, CAGE, known=known)
    assert columns(proposal)["player_id"] == {"from": "Holder"}
    assert "67% of its values are known of player_profile" in proposal.toml


def test_what_a_trial_reading_rejects_is_a_comment(tmp_path: Path) -> None:
    """The bet has eight decimals, and money two: nobody but the user rounds money."""
    text = "Time,Bet,Win\n2025-01-05 10:00:00,0.12345678,1\n2025-01-05 10:00:09,1.00300001,2.505\n"
    proposal = proposed(
        tmp_path, text + "2025-01-05 10:01:00,2.5,3\n2025-01-05 10:02:00,2,4\n", SLOTS
    )
    assert {"coin_in", "coin_out"}.isdisjoint(columns(proposal))
    assert '# [columns.coin_in]\n# from = "Bet"\n# round = "half_up"\n' in proposal.toml
    assert any(u.startswith("coin_out is set aside: a trial reading") for u in proposal.unmatched)


def test_a_column_of_our_name_with_other_values_is_kept_out(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "machine_id,amount\nSLOT-0001,abc\nSLOT-0002,def\n", SLOTS)
    assert columns(proposal)["amount"] == {"empty": True}


def test_foreign_money_waits_for_rates(tmp_path: Path) -> None:
    text = "Beleg;Datum;Betrag\n1;01.02.2025;1.200,00 €\n2;02.02.2025;99,90 €\n"
    proposal = proposed(tmp_path, text, CAGE)
    assert "amount" not in columns(proposal)
    assert "usd(Betrag, 'EUR', day(Datum, '%d.%m.%Y'))" in proposal.toml


def test_an_hour_shown_twice_is_mended_and_said(tmp_path: Path) -> None:
    text = (
        "Time,Machine,Coin In\n2025-11-02 01:30:00,SLOT-0001,5\n2025-11-02 03:30:00,SLOT-0002,5\n"
    )
    found = columns(proposed(tmp_path, text))
    assert found["event_timestamp"]["ambiguous"] == "earlier"


def test_each_line_says_how_sure_it_is_and_each_gap_what_it_needs(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "EventID,Machine\n1,SLOT-0001\n2,SLOT-0002\n", SLOTS)
    assert "# machine_id: sure (1.00), from 'Machine': the name says so" in proposal.toml
    stub = (
        "# denomination is required and nothing in the file is it: Value of one credit. Dollars.\n"
        '# [columns.denomination]\n# from = "…"      # or constant = "12.50"\n'
    )
    assert stub in proposal.toml


def test_what_the_user_said_stays(tmp_path: Path) -> None:
    start = tmp_path / "start.toml"
    said = f'table = "{CAGE}"\ntimezone = "UTC"\n\n[columns.notes]\nfrom = "Amount"  # ours\n'
    start.write_text(said)
    text = "Ref,When,Amount,Sum\n1,2025-01-05 10:00:00,5,6\n2,2025-01-05 10:00:01,6,7\n"
    proposal = proposed(tmp_path, text, None, start=start)
    assert said.strip() in proposal.toml
    found = columns(proposal)
    assert found["notes"] == {"from": "Amount"}
    assert found["amount"] == {"from": "Sum"}
    assert found["transaction_timestamp"]["timezone"] == "UTC"
    start.write_text(said.replace("Amount", "Gone"))
    proposal = proposed(tmp_path, text, None, start=start)
    assert "the mapping names 'Gone', which the file has not" in proposal.unmatched


def test_a_start_for_another_table_is_refused(tmp_path: Path) -> None:
    start = tmp_path / "start.toml"
    start.write_text(f'table = "{CAGE}"\n')
    with pytest.raises(BadInput, match="is for table 'financial_txn', not 'slot_telemetry'"):
        proposed(tmp_path, "a,b\n1,2\n", SLOTS, start=start)
    start.write_text("nulls = []\n")
    with pytest.raises(BadInput, match="names no table; say which with --table"):
        proposed(tmp_path, "a,b\n1,2\n", None, start=start)


def test_the_command_starts_from_a_mapping(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    start, file = tmp_path / "m.toml", tmp_path / "x.csv"
    start.write_text(f'table = "{CAGE}"\n[columns.shift]\nconstant = "Day"\n')
    file.write_text("Txn ID,Date,Amount\n1,2025-01-05,5\n2,2025-01-06,6\n")
    assert cli.run(["land", str(file), "--infer", "--mapping", str(start)]) == 0
    found = tomllib.loads(capsys.readouterr().out)["columns"]
    assert found["shift"] == {"constant": "Day"}
    assert found["transaction_id"] == {"from": "Txn ID"}


def test_the_first_time_of_a_row_is_told_from_the_last(tmp_path: Path) -> None:
    """Neither name says anything; the order of the two in every row does."""
    rows = [f"{n},2025-01-05T2{n}:0{n}:00Z,2025-01-05T2{n}:5{n}:00Z,{n}5,{n}0\n" for n in range(3)]
    text = "Bet ID,Left at,Sat at,Win,Stake\n" + "".join(rows)
    found = columns(proposed(tmp_path, text, "gaming_wins"))
    assert (found["won_at"]["from"], found["paid_at"]["from"]) == ("Left at", "Sat at")


def test_yes_and_no_are_read_in_other_languages(tmp_path: Path) -> None:
    text = "Kundennummer;VIP;Gesperrt\nK1;ja;nein\nK2;nein;nein\nK3;nein;ja\n"
    found = columns(proposed(tmp_path, text, "player_profile"))
    assert found["vip_flag"] == {"from": "VIP", "codes": {"ja": "true", "nein": "false"}}
    assert found["self_excluded"]["codes"] == {"ja": "true", "nein": "false"}


def test_copies_of_rows_leave_a_number_a_key(tmp_path: Path) -> None:
    """One row of 200 comes twice: its number is the key still, or the copy would count."""
    rows = [f"t{n},2025-01-05,{n}\n" for n in [*range(199), 7]]
    found = columns(proposed(tmp_path, "Txn ID,Date,Amount\n" + "".join(rows), CAGE))
    assert found["transaction_id"] == {"from": "Txn ID"}


def test_a_product_of_two_columns_is_the_amount(tmp_path: Path) -> None:
    head, day = "Txn ID,Date,Qty,Unit price", "2025-01-05"
    pairs = [(2, "4.50", 9), (1, "3", 3), (4, "2.25", 9), (5, "2", 10)]
    rows = "".join(f"{n},{day},{q},{p}\n" for n, (q, p, _) in enumerate(pairs))
    found = columns(proposed(tmp_path, f"{head}\n{rows}", CAGE))
    assert found["amount"] == {"value": "Qty * col('Unit price')"}
    rows = "".join(f"{n},{day},{q},{p},{t}\n" for n, (q, p, t) in enumerate(pairs))
    found = columns(proposed(tmp_path, f"{head},X\n{rows}", CAGE))
    assert found["amount"] == {"from": "X"}


@pytest.mark.parametrize(
    "text",
    [
        "a'b,[x],col('y')\n1,2,3\n",
        '"a""b";Datum;"x\ty"\n1;31.02.2025;-\n',
        "日期,金额\n2025-13-01,abc\n,\n",
        "gaming_day,event_timestamp,amount\nx,y,z\nx,y,z\n",
        "Id,Bet,Profit,Win\n1,,,\n2,NULL,nan,inf\n",
    ],
)
@pytest.mark.parametrize("table", [CAGE, SLOTS, "player_profile", "gaming_wins"])
def test_whatever_is_proposed_can_be_read_back(tmp_path: Path, text: str, table: str) -> None:
    proposal = proposed(tmp_path, text, table)
    path = tmp_path / "m.toml"
    path.write_text(proposal.toml)
    assert load_mapping(path, table).table == table


def test_a_column_of_our_name_is_ours_however_much_of_it_is_damaged(tmp_path: Path) -> None:
    """Three of a hundred prices have a sign that prices have not, and two are words."""
    prices = ["-4.99", "-1.99", "-0.99", "abc", "twelve", *["4.99"] * 95]
    lines = [f"U{n},sword,{p},USD,2025-01-0{1 + n % 3}T10:00:{n % 60:02}Z,T{n:03}"
             for n, p in enumerate(prices)]  # fmt: skip
    file = tmp_path / "purchases.csv"
    head = "player_id,item_id,price,currency,purchase_timestamp,transaction_id"
    file.write_text("\n".join([head, *lines]) + "\n")
    said = infer(file, "purchases", timezone="UTC").toml
    given = tomllib.loads(said)
    assert "price" not in given.get("columns", {})
    assert "# price: sure (1.00)" in said
    assert "a trial reading rejects 3% of the sample: less than 0" in said


def test_how_a_time_is_read_is_judged_by_rows(tmp_path: Path) -> None:
    """Four servers tell at one moment; of 400 rows three have none that is one."""
    rows = [f"s{n % 4},2025-01-01T{10 + n // 240}:{n // 4 % 60:02}:00Z,{n}.5" for n in range(400)]
    for n, text in ((7, "yesterday"), (90, "12h30"), (200, "soon")):
        rows[n] = f"s{n % 4},{text},{n}.5"
    file = tmp_path / "metrics.csv"
    file.write_text("\n".join(["server_id,timestamp,latency", *rows]) + "\n")
    said = infer(file, "server_metrics", timezone="UTC").toml
    assert "# timestamp: sure" in said
    assert "SET ASIDE" not in said


@pytest.mark.parametrize(
    ("country", "proposed"),
    [("user.country", True), ("account.land", True), ("user.id2", False), ("user.note", False)],
)
def test_the_last_name_of_a_path_tells_what_it_is(
    tmp_path: Path, country: str, proposed: bool
) -> None:
    outer, inner = country.split(".")
    rows = [
        {"number": n, outer: {"id": f"u{n % 5}", inner: ("DE", "SE", "NO")[n % 3]},
         "ts": 1740859200000 + 1000 * n, "stake": n / 7, "game": "Blackjack"}
        for n in range(1, 60)
    ]  # fmt: skip
    path = tmp_path / "bets.ndjson"
    path.write_text("\n".join(map(json.dumps, rows)))
    found = tomllib.loads(infer(path, "clickstream", timezone="UTC").toml)["columns"]
    assert ("country" in found) == proposed
    assert not proposed or found["country"]["from"] == country
    assert found["user_id"]["from"] == f"{outer}.id"
