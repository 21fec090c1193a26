"""The compliance page: lists down to their rows, batches, and cases that nobody else learns of."""

import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from filing_lake import answer_of, append, case_row, ctr_row, export_of, log, write
from signing import ROLES, Browser, Clock, house
from small_lake import COMMIT, rows

from lakehouse.compliance import access_log, review_cases
from lakehouse.compliance.filing.status import batches
from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.serve.pages import compliance
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.pages.figures import figure, figures_of, pages_with_figures
from lakehouse.serve.pages.here import Here, House, Span
from lakehouse.serve.pages.menu import PAGES
from lakehouse.serve.pages.viewer import Viewer
from lakehouse.serve.signin.roles import roles
from lakehouse.serve.sql.restricted import issue_key
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Lake, stored_schema, stored_tables
from lakehouse.storage.shapes import partition_columns

DAY = dt.date(2026, 11, 18)
NOW = dt.datetime(2026, 11, 20, 18, tzinfo=dt.UTC)
DAYS = {"from": str(DAY), "to": str(DAY)}
GIVEN = {"day": str(DAY), "first": str(DAY), "last": str(DAY)}
CTR = f"CTR-{DAY}-P1"
PURPOSE = "the morning's review"


def put(lake: Lake, layer: str, table: str, /, **given: list[Any]) -> None:
    lake.write_days(layer, table, rows(layer, table, given), (DAY, DAY), commit=COMMIT)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=str(tmp_path / "lake"), domains=DOMAINS)


@pytest.fixture
def lake(kept: Path, settings: Settings) -> Lake:
    """A copy of what is kept."""
    shutil.copytree(kept, Path(settings.root).parent, dirs_exist_ok=True)
    return Lake.open(settings)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two currency reports, one filed late and one open, and a win; no case."""
    folder = tmp_path_factory.mktemp("kept")
    made = Lake.open(Settings(root=str(folder / "lake"), domains=DOMAINS))
    days = {"gaming_day": [DAY, DAY]}
    put(made, "gold", "property_day", gaming_day=[DAY], win=[Decimal("5.00")])
    write(made, "gold", "ctr_filings", [ctr_row("P1"), ctr_row("P2")])
    put(
        made, "gold", "filing_reconciliation", **days, reconciliation_id=[CTR, "W-2G-W1"],
        form=["CTR", "W-2G"], verdict=["late", "open"], subject_day=[DAY, DAY], days_late=[3, 0],
        player_id=["P1", "P9"], due=[DAY, DAY], report_id=["R1", None],
        transaction_ids=[["t1", "t2"], ["t3"]], evidence=["both sides", "one side"],
    )  # fmt: skip
    put(
        made, "gold", "filing_calendar", gaming_day=[DAY], obligation_id=["W-2G-W1"],
        form=["W-2G"], player_id=["P9"], due=[DAY], days_left=[0], is_overdue=[False],
    )  # fmt: skip
    put(made, "gold", "w2g_forms", gaming_day=[DAY], win_id=["W1"], player_id=["P9"])
    put(made, "gold", "form_1042s", gaming_day=[DAY], win_id=["W2"], player_id=["P9"])
    put(made, "gold", "form_8300_notices", gaming_day=[DAY], notice_id=["8300-N"])
    ids = ["t1", "t2", "t3"]
    put(made, "silver", "financial_txn", gaming_day=[DAY] * 3, transaction_id=ids)
    put(made, "silver", "slot_telemetry", gaming_day=[DAY], event_id=["t9"])
    put(made, "silver", "compliance", **days, report_id=["R1", "R2"], report_type=["CTR", "CTR"])
    put(made, "gold", "check_results", **results("compliance"), judged_of=["a"])
    return folder


def results(*tables: str) -> dict[str, list[Any]]:
    """A check that failed on each table."""
    count = len(tables)
    return {
        "gaming_day": [DAY] * count, "layer": ["silver"] * count, "table_name": list(tables),
        "check_name": ["keys"] * count, "status": ["failed"] * count, "is_stale": [False] * count,
        "said": [f"2 rows of {t}" for t in tables], "run_id": ["r"] * count,
    }  # fmt: skip


@pytest.fixture
def at(lake: Lake, settings: Settings) -> Callable[..., Here]:
    made = House(Asking(lake, settings), lambda: NOW)

    def here(*grants: str, **more: str) -> Here:
        page = next(p for p in PAGES if p.name == "compliance")
        viewer = Viewer("kim", frozenset({"compliance"}), frozenset(grants))
        return Here(made, page, Span(DAY, DAY), more, lambda: viewer, PAGES)

    return here


@pytest.mark.parametrize(
    ("listed", "opens"),
    [
        ("due", ["W-2G-W1"]),
        ("wrong", [CTR]),
        ("ctr", [CTR, f"CTR-{DAY}-P2"]),
        ("w2g", ["W-2G-W1"]),
        ("1042s", ["1042-S-W2"]),
        ("8300", ["8300-N"]),
    ],
)
def test_each_list_opens_to_its_filing(
    at: Callable[..., Here], listed: str, opens: list[str]
) -> None:
    found = at().house.asking.answer(figure(f"compliance/{listed}"), GIVEN)
    assert sorted(found["opens"]) == [f"compliance?filing={name}" for name in opens]


def test_a_filing_has_its_rows_and_its_records(at: Callable[..., Here]) -> None:
    asking = at().house.asking

    def told(name: str, filing: str, column: str) -> list[str]:
        rows = asking.answer(figure(f"compliance/{name}"), GIVEN | {"filing": filing})
        return sorted(rows[column])

    assert told("filing", CTR, "evidence") == ["both sides"]
    assert told("rows", CTR, "transaction_id") == ["t1", "t2"]
    assert told("rows", "W-2G-W1", "transaction_id") == ["t3"]
    assert told("records", CTR, "report_id") == ["R1"]
    assert told("records", "W-2G-W1", "report_id") == []


def test_rows_of_a_filing_are_those_of_its_day(at: Callable[..., Here], lake: Lake) -> None:
    """The payment of a tax form may be booked a day apart; a number of another day is another."""
    stored = {-30: ["t1", "t3"], -1: ["t1"], 0: ["t1", "t2"], 1: ["t3"]}
    for days, ids in stored.items():
        day = DAY + dt.timedelta(days)
        given = {"gaming_day": [day] * len(ids), "transaction_id": ids}
        given |= {"amount": [Decimal(days)] * len(ids)}
        made = rows("silver", "financial_txn", given)
        lake.write_days("silver", "financial_txn", made, (day, day), commit=COMMIT)

    def told(filing: str) -> list[tuple[str, Decimal]]:
        found = at().house.asking.answer(figure("compliance/rows"), GIVEN | {"filing": filing})
        return sorted(found.select("transaction_id", "amount").rows())

    assert told(CTR) == [("t1", 0), ("t2", 0)]
    assert told("W-2G-W1") == [("t3", 1)]


def test_a_batch_counts_the_last_answer_to_each_filing() -> None:
    sent = log(
        "filing_exports",
        export_of("b1", "A", "CTR", 9),
        export_of("b1", "B", "CTR", 9),
        export_of("b1", "C", "CTR", 9),
        export_of("b2", "B", "CTR", 12, real=False),
    )
    answers = log(
        "filing_acknowledgements",
        answer_of("b1", "A", "CTR", "Rejected", 10),
        answer_of("b1", "A", "CTR", "Accepted with warnings", 11),
        answer_of("b1", "B", "CTR", "Rejected", 11),
    )
    named = ("batch_id", "is_production", "filings", "amount", "accepted", "rejected", "unanswered")
    assert batches(sent, answers, NOW).select(named).rows() == [
        ("b2", False, 1, 12_401, 0, 0, 1),
        ("b1", True, 3, 37_203, 1, 1, 1),
    ]
    early = dt.datetime(2026, 11, 19, 10, 30, tzinfo=dt.UTC)
    assert batches(sent, answers, early).select(named).rows() == [("b1", True, 3, 37_203, 0, 1, 2)]


def test_batches_on_the_page_are_of_currency_reports_alone(
    at: Callable[..., Here], lake: Lake
) -> None:
    append(lake, "filing_exports", export_of("b1", CTR, "CTR", 9), export_of("s1", "A", "SAR", 9))
    append(lake, "filing_acknowledgements", answer_of("b1", CTR, "CTR", "Accepted", 10))
    assert compliance.batches(at(), "CTR")["batch_id"].to_list() == ["b1"]
    stands = compliance.standing(at(), "CTR").select("filing_id", "status", "opens")
    assert stands.rows() == [
        (CTR, "Accepted", f"compliance?filing={CTR}"),
        (f"CTR-{DAY}-P2", "Not exported", f"compliance?filing=CTR-{DAY}-P2"),
    ]


def test_cases_are_told_with_the_grant_and_the_audit_has_it(
    at: Callable[..., Here], lake: Lake, settings: Settings
) -> None:
    issue_key(settings, lake, who="root", at=NOW)
    write(lake, "restricted", "sar_cases", [case_row("A", "P1"), case_row("B", "P2")])
    found = compliance.cases(at("sar"), PURPOSE, "")
    assert found.rows.select("case_id", "state").rows() == [("A", "open"), ("B", "open")]
    one = compliance.cases(at("sar"), PURPOSE, " B ")
    assert one.rows["narrative"].to_list() == ["Facts of case B."]
    assert one.decisions is not None
    looks = access_log.read(lake).tail(2).select("accessed_by", "purpose", "query")
    assert looks.rows() == [
        ("kim", PURPOSE, "page compliance: review cases"),
        ("kim", PURPOSE, "page compliance: review case B"),
    ]
    with pytest.raises(BadInput, match="unknown case 'Z'"):
        compliance.cases(at("sar"), PURPOSE, "Z")


@pytest.mark.parametrize(
    ("grants", "purpose", "said"),
    [((), PURPOSE, "needs the grant 'sar'"), (("names",), PURPOSE, "needs the grant 'sar'"),
     (("sar",), "why", "says too little")],
)  # fmt: skip
def test_cases_are_not_told_otherwise(
    at: Callable[..., Here],
    lake: Lake,
    settings: Settings,
    grants: tuple[str, ...],
    purpose: str,
    said: str,
) -> None:
    issue_key(settings, lake, who="root", at=NOW)
    before = access_log.read(lake).height
    with pytest.raises(BadInput, match=said):
        compliance.cases(at(*grants), purpose, "")
    assert access_log.read(lake).height == before


def test_cases_need_the_key_and_a_grant_that_is_still_there(at: Callable[..., Here]) -> None:
    with pytest.raises(BadInput, match="needs the key file"):
        compliance.cases(at("sar"), PURPOSE, "")
    gone = replace(at("sar"), viewer=lambda: Viewer("kim", frozenset(), frozenset({"sar"})))
    with pytest.raises(BadInput, match="needs the grant 'sar'"):
        compliance.cases(gone, PURPOSE, "")


def test_what_is_decided_is_noted_as_by_the_command_after_the_audit_has_it(
    at: Callable[..., Here], lake: Lake, settings: Settings
) -> None:
    issue_key(settings, lake, who="root", at=NOW)
    write(lake, "restricted", "sar_cases", [case_row("A", "P1"), case_row("B", "P2")])
    here = at("sar")
    first = compliance.decide(here, PURPOSE, "A", "escalate", "large sums", to="dee")
    with pytest.raises(BadInput, match="'B' cannot be merged into itself"):
        compliance.decide(here, PURPOSE, "B", "merge", "the same", into="B")
    noted = review_cases.read(lake)
    assert noted.drop("narrative", "merged_into").rows() == [
        (first, "A", "escalate", "kim", NOW, "large sums", "dee"),
    ]
    told = compliance.cases(here, PURPOSE, "A")
    assert told.rows.select("state", "assignee").rows() == [("escalated", "dee")]
    looks = access_log.read(lake).tail(3).select("accessed_by", "purpose", "query")
    assert looks.rows() == [
        ("kim", PURPOSE, "decide escalate on review case A"),
        ("kim", PURPOSE, "decide merge on review case B"),
        ("kim", PURPOSE, "page compliance: review case A"),
    ]
    assert access_log.verify(access_log.read(lake)) == []


@pytest.mark.parametrize(
    ("grants", "purpose", "case", "kind", "reason", "said"),
    [
        ((), PURPOSE, "A", "file", "clear", "needs the grant 'sar'"),
        (("alerts", "names"), PURPOSE, "A", "file", "clear", "needs the grant 'sar'"),
        (("sar",), PURPOSE, "A", "file", " ", "case 'A' needs 'reason'"),
        (("sar",), PURPOSE, "A", None, "clear", "unknown decision ''; allowed: assign"),
        (("sar",), PURPOSE, "A", "assign", "clear", "needs 'to'"),
        (("sar",), PURPOSE, "Z", "file", "clear", "unknown case 'Z'"),
        (("sar",), "why", "A", "file", "clear", "says too little"),
    ],
)
def test_nothing_is_decided_otherwise(
    at: Callable[..., Here],
    lake: Lake,
    settings: Settings,
    grants: tuple[str, ...],
    purpose: str,
    case: str,
    kind: str | None,
    reason: str,
    said: str,
) -> None:
    issue_key(settings, lake, who="root", at=NOW)
    write(lake, "restricted", "sar_cases", [case_row("A", "P1")])
    with pytest.raises(BadInput, match=said):
        compliance.decide(at(*grants), purpose, case, kind, reason)
    assert review_cases.read(lake).is_empty()


def test_deciding_needs_the_key(at: Callable[..., Here], lake: Lake) -> None:
    write(lake, "restricted", "sar_cases", [case_row("A", "P1")])
    with pytest.raises(BadInput, match="needs the key file"):
        compliance.decide(at("sar"), PURPOSE, "A", "file", "clear")
    assert review_cases.read(lake).is_empty()


SECRET = "SAR-SECRET"
UNTOLD = [
    (layer, table)
    for layer, table in stored_tables()
    if contract(table).is_restricted and table not in ("access_log", "identity_vault")
]


def filled(name: str, dtype: pl.DataType) -> Any:
    """A value of a type."""
    if name == "form":
        return "SAR"
    if isinstance(dtype, pl.String):
        return SECRET
    if isinstance(dtype, pl.List):
        return []
    plain = {pl.Date: DAY, pl.Datetime: NOW - dt.timedelta(hours=1), pl.Boolean: True}
    return plain.get(type(dtype), 7)


def become_suspicious(lake: Lake) -> None:
    """A row in each restricted table, a failed check of it, and its file in the ledger."""
    for layer, table in UNTOLD:
        row = {n: [filled(n, t)] for n, t in stored_schema(layer, table).items()}
        frame = rows(layer, table, row)
        if partition_columns(layer, table):
            lake.write_days(layer, table, frame, (DAY, DAY), commit=COMMIT)
        else:
            lake.append(layer, table, frame, commit=COMMIT)
    told = results("compliance", "sar_filings", "staff_observations", "sar_cases")
    put(lake, "gold", "check_results", **told, judged_of=["a", None, None, None])
    ledger = {"file_id": [SECRET, SECRET], "table_name": ["compliance", "staff_observations"]}
    lake.append("ops", "ingest_ledger", rows("ops", "ingest_ledger", ledger), commit=COMMIT)


BESIDE = ("bronze.compliance", "silver.compliance", "silver.financial_txn", "gold.check_results",
          "gold.filing_reconciliation", "gold.filing_retention", "gold.anomalies")  # fmt: skip
"""Open tables that restricted ones are made of or judged with."""


def places() -> Iterator[str]:
    """Every page, what is below it, and each figure's file."""
    days = "&".join(f"{n}={v}" for n, v in DAYS.items())
    for page in PAGES:
        yield f"/{page.name}?{days}"
    tables = [*(f"{layer}.{table}" for layer, table in UNTOLD), *BESIDE]
    yield from (f"/data?{days}&table={name}" for name in tables)
    for more in ("compliance?filing=" + CTR, "compliance?filing=" + SECRET, "players?player=P1",
                 "fraud?alert=" + SECRET, "protection?alert=" + SECRET, "players?find=" + SECRET,
                 "sql?saved=filings-due"):  # fmt: skip
        yield f"/{more}&{days}"
    given = "&".join(f"{n}={v}" for n, v in GIVEN.items())
    for name in pages_with_figures():
        yield from (f"/figures/{name}/{f.name}.csv?{given}" for f in figures_of(name))


OF_A_LOOK = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|nonce=\"?[\w+/=-]+\"?"
)
"""Names of a client and of its scripts, which are random."""


def content(browser: Browser, place: str) -> tuple[int, str]:
    answer = browser.get(place)
    return answer.status_code, OF_A_LOOK.sub("", answer.text)


WITHOUT = [name for name, role in ROLES.items() if "sar" not in roles()[role].grants]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["this machine", "signed in"])
def test_nobody_without_the_grant_learns_of_a_case(lake: Lake, tmp_path: Path, who: str) -> None:
    """Every byte of every page is the same before and after there is one."""
    assert WITHOUT == ["ana", "hugo", "pia", "egon"]
    names = WITHOUT if who == "signed in" else []
    made = replace(house(tmp_path, *names), clock=Clock(NOW))
    with made.served() as address:
        readers = [Browser(address) for _ in names or ["nobody"]]
        for reader, name in zip(readers, names, strict=False):
            assert reader.sign_in(name).status_code == 303
        before = {p: [content(r, p) for r in readers] for p in places()}
        become_suspicious(lake)
        after = {p: [content(r, p) for r in readers] for p in places()}
    assert [p for p in before if before[p] != after[p]] == []
    seen = [text for told in before.values() for status, text in told if status == 200]
    assert len(seen) > 30
    assert not any("eview case" in text for text in seen)


def test_whoever_has_the_grant_is_offered_to_look(lake: Lake, tmp_path: Path) -> None:
    """And the page itself tells no more than that: the cases come with the look."""
    become_suspicious(lake)
    made = replace(house(tmp_path, "cora"), clock=Clock(NOW))
    with made.served() as address:
        reader = Browser(address)
        reader.sign_in("cora")
        page = reader.get(f"/compliance?from={DAY}&to={DAY}").text
        assert "Review cases" in page
        assert SECRET not in page


def test_what_is_sent_first_has_all_that_a_live_page_asks(lake: Lake, tmp_path: Path) -> None:
    assert lake.exists("gold", "property_day")
    with replace(house(tmp_path), clock=Clock(NOW)).served() as address:
        page = Browser(address).get(f"/shop?from={DAY}&to={DAY}").text
    assert "No events have come by topics yet" in page
    assert page.count("SQL&lt;span class=unseen&gt; of ") == 1 + len(figures_of("shop"))
