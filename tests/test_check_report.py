"""The report of checks: one page that asks nothing of the network, tells whether a day may be
trusted and leads to everything that did not pass, and its forms for programs."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import small_lake
from lxml import etree, html

from lakehouse.cli import run
from lakehouse.quality.recorded import Judged, record
from lakehouse.quality.registry import checks
from lakehouse.quality.results import Check, Judgement
from lakehouse.serve.reports.checks import page as page_module
from lakehouse.serve.reports.checks.trends import trend
from lakehouse.settings import load_settings
from lakehouse.storage import Lake

FIRST, SECOND, LAST = small_lake.DAYS
NOW = dt.datetime(2025, 3, 1, 20, tzinfo=dt.UTC)
RULES = ("silver", "financial_txn", "contract")
LOST = ("silver", "financial_txn", "conservation")
MARKERS = ("silver", "financial_txn", "markers_agree")
FIGURES = ("gold", "property_day", "contract")
LATE = ("gold", "property_day", "is_there_by_ten")
CLOSED = ("silver", "sar_filings", "contract")
HOSTILE = '</script></pre><script>alert("1")</script><img src=http://evil.example onerror=alert(2)>'
PASSED = Judgement(passed=True, said="All is well.")
BROKEN = Judgement(
    passed=False,
    said=f"3 of 12 rows break a rule. {HOSTILE}",
    measure=3.0,
    bound=0.0,
    failing_rows=3,
    checked_rows=12,
    keys=("TXN-1", f"TXN-2\x01 {HOSTILE}"),
    sql=f"SELECT * FROM silver.financial_txn WHERE x = '{HOSTILE}'",
)
UNABLE = Judgement(passed=False, said="The file is damaged.", could_run=False)
UNEVEN = Judgement(passed=False, said="2 markers differ.", measure=2.0, bound=0.0)


def declared() -> dict[tuple[str, str, str], Check]:
    return checks(load_settings(), NOW)


def judge(lake: Lake, *told: tuple[tuple[str, str, str], dt.date, Judgement], mark: Any = None):
    known = declared()
    judged = [Judged(known[k], day, said, known[k].severity, mark) for k, day, said in told]
    record(lake, judged, at=NOW, commit=small_lake.COMMIT, checks=known.values())


@pytest.fixture
def lake(tmp_path, monkeypatch) -> Lake:
    """Three days: the first broken, the second unusual, the last sound; a SAR's rule broken."""
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    made = Lake(str(tmp_path / "lake"))
    sound = [
        (key, day, PASSED) for key in (RULES, LOST, MARKERS, FIGURES) for day in small_lake.DAYS
    ]
    judge(made, *sound)
    judge(made, (RULES, FIRST, BROKEN), (FIGURES, FIRST, UNABLE), (MARKERS, SECOND, UNEVEN))
    judge(made, (CLOSED, LAST, Judgement(passed=False, said="secret", keys=("SAR-7",))))
    return made


def written(tmp_path: Path, *more: str) -> Any:
    """The page, parsed."""
    out = tmp_path / "page.html"
    assert run(["checks", "report", "--out", str(out), *more]) == 0
    return html.document_fromstring(out.read_text(encoding="utf-8"))


def for_programs(capsys: pytest.CaptureFixture[str], shape: str, *more: str) -> str:
    assert run(["checks", "report", "--format", shape, *more]) == 0
    return capsys.readouterr().out


def test_the_page_asks_nothing_of_the_network(lake, tmp_path):
    found = written(tmp_path)
    assert found.xpath("//link | //img | //iframe | //object | //embed | //base | //*[@src]") == []
    assert not re.search(r"@import|url\(", "".join(found.xpath("//style/text()")))
    targets = {str(a) for a in found.xpath("//@href | //@action | //@formaction")}
    outside = {t for t in targets if not t.startswith("#")}
    assert {urlsplit(t).netloc for t in outside} == {"localhost:3000"}
    assert not found.xpath("//@*[starts-with(name(), 'on') or name() = 'style']")


def test_no_other_script_can_run(lake, tmp_path):
    """Its policy allows the one script that it has, whatever a rule or a key holds."""
    found = written(tmp_path)
    [script] = found.xpath("//script/text()")
    [policy] = found.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert "alert(" not in script


def test_hostile_values_are_text(lake, tmp_path):
    found = written(tmp_path)
    [article] = found.xpath("//article[@data-check='silver/financial_txn:contract'][@data-day]")
    assert HOSTILE in article.xpath("string(p)")
    assert article.xpath(".//code/text()")[0] == "TXN-1"
    assert HOSTILE in article.xpath(".//code/text()")[1]
    assert article.xpath("string(.//pre)") == BROKEN.sql
    assert "3 of 12 rows (25 %)" in " ".join(article.text_content().split())


def test_the_map_leads_to_everything_that_did_not_pass(lake, tmp_path):
    found = written(tmp_path)
    reached = set()
    for link in found.xpath("//table[@class='map']//td/a[starts-with(@href, '#d')]"):
        [block] = found.xpath("//*[@id=$at]", at=link.get("href")[1:])
        if block.get("class") == "open":
            [day] = block.xpath("ancestor::details/@id")
            here = {(a.get("data-check"), a.get("data-day")) for a in block.xpath(".//article")}
            assert {d for _, d in here} == {day[1:]}
            reached |= {(link.getparent().get("class"), link.text, *each) for each in here}
    assert reached == {
        ("failed", "✕", "silver/financial_txn:contract", "2025-01-01"),
        ("could_not_run", "?", "gold/property_day:contract", "2025-01-01"),
        ("warned", "!", "silver/financial_txn:markers_agree", "2025-01-02"),
    }


def test_each_day_is_told_whether_it_may_be_trusted(lake, tmp_path):
    found = written(tmp_path)
    days = {
        d.get("id")[1:]: d.xpath("string(summary/b)")
        for d in found.xpath("//details[@class='day']")
    }
    assert days == {"2025-01-01": "no", "2025-01-02": "with care", "2025-01-03": "yes"}
    tiles = [" ".join(t.xpath("b/text()")) for t in found.xpath("//li[contains(@class, 'tile')]")]
    assert tiles == ["1 yes", "1 with care", "1 no"]
    [lead] = found.xpath("//p[@class='lead']")
    assert "Friday 2025-01-03: yes" in " ".join(lead.text_content().split())


@pytest.mark.parametrize(
    ("told", "trust"),
    [
        ([(RULES, PASSED), (MARKERS, PASSED)], "yes"),
        ([(RULES, PASSED), (MARKERS, UNEVEN)], "with care"),
        ([(RULES, PASSED), (MARKERS, UNABLE)], "with care"),
        ([(RULES, UNABLE), (MARKERS, PASSED)], "no"),
        ([(RULES, BROKEN), (MARKERS, UNEVEN)], "no"),
        ([(MARKERS, PASSED)], "with care"),  # the rules, a gate, judged the other day, not this one
        ([], "not judged"),
    ],
)
def test_what_a_day_is_trusted_for(tmp_path, monkeypatch, capsys, told, trust):
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    lake = Lake(str(tmp_path / "lake"))
    judge(lake, (RULES, FIRST, PASSED), *((key, SECOND, said) for key, said in told))
    said = json.loads(for_programs(capsys, "json", "--from", str(FIRST), "--to", str(SECOND)))
    assert [day["trust"] for day in said["days"]] == ["yes", trust]


def test_a_check_that_is_asked_of_some_days_alone_is_not_missed(tmp_path, monkeypatch, capsys):
    """Whether a day is there by ten is asked once, of the newest."""
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    judge(
        Lake(str(tmp_path / "lake")),
        *((RULES, day, PASSED) for day in (FIRST, SECOND)),
        (LATE, SECOND, PASSED),
    )
    said = json.loads(for_programs(capsys, "json"))
    assert [day["trust"] for day in said["days"]] == ["yes", "yes"]


def test_what_passed_before_its_rows_changed_is_outdated(lake, tmp_path, capsys):
    judge(lake, (RULES, LAST, PASSED), mark="what the table held once")
    found = written(tmp_path)
    assert found.xpath("string(//td[@class='stale'])") == "~"
    assert found.xpath("string(//details[@id='d2025-01-03']/summary/b)") == "with care"
    suites = etree.fromstring(for_programs(capsys, "junit").encode())
    assert [c.get("name") for c in suites.xpath("//testcase[skipped]")] == ["contract 2025-01-03"]
    assert "changed since" in suites.xpath("//skipped")[0].get("message")


def test_nothing_of_restricted_tables_without_the_grant(lake, tmp_path, capsys):
    """Not even that a check of theirs failed: an empty day breaks no rule."""
    out = tmp_path / "page.html"
    assert run(["checks", "report", "--out", str(out)]) == 0
    texts = [out.read_text(encoding="utf-8")]
    capsys.readouterr()
    texts += [for_programs(capsys, shape) for shape in ("junit", "json")]
    closed = {check.table[1] for check in declared().values() if check.is_closed}
    assert {"sar_filings", "sar_cases", "staff_observations"} <= closed
    assert [(name, n) for n, text in enumerate(texts) for name in closed if name in text] == []
    assert json.loads(texts[2])["days"][2]["trust"] == "yes"


def test_with_the_grant_whether_a_restricted_check_passed(lake, tmp_path):
    assert run(["access", "init"]) == 0
    grant = ["--restricted", "--purpose", "exam of January"]
    found = written(tmp_path, *grant)
    [article] = found.xpath("//article[@data-check='silver/sar_filings:contract'][@data-day]")
    assert "SAR-7" not in html.tostring(found, encoding="unicode")
    assert article.xpath(".//code | .//pre") == []
    assert found.xpath("string(//details[@id='d2025-01-03']/summary/b)") == "no"
    assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == 0o600
    assert run(["checks", "report", *grant]) == 0
    assert (tmp_path / "lake.reports" / "checks-restricted.html").exists()
    assert not (tmp_path / "lake.reports" / "checks.html").exists()


def test_what_was_kept_out_is_told_in_words(lake, tmp_path):
    rejected = {
        "gaming_day": [FIRST, FIRST, SECOND],
        "_stage": ["silver", "silver", "ingest"],
        "_rules": [["amount|nullability", "transaction_type|domain"], ["amount|nullability"], None],
    }
    small_lake.put(lake, "quarantine", "financial_txn", rejected)
    small_lake.put(lake, "bronze", "financial_txn", {"gaming_day": [FIRST] * 4})
    small_lake.put(
        lake, "quarantine", "sar_filings", rejected | {"_rules": [["due_date|nullability"]] * 3}
    )
    [kept] = written(tmp_path).xpath("//section[@id='kept']/details")
    assert " ".join(kept.xpath("string(summary)").split()) == "financial_txn 3 of 5 rows (60 %)"
    rows = [[str(c.text or "").strip() for c in row] for row in kept.xpath(".//tbody/tr")]
    assert [row[1:3] for row in rows] == [["2", "1"], ["1", "1"], ["1", "1"]]
    assert rows[0] == ["amount is empty", "2", "1", "2025-01-01"]
    assert rows[1][0].startswith("transaction_type is none of ")
    assert rows[2][0] == "no rule is named"


def test_results_past_the_first_are_still_told(lake, tmp_path, monkeypatch):
    """A bad year: keys and SQL of the worst, and where those of the others are shown."""
    monkeypatch.setattr(page_module, "IN_FULL", 1)
    judge(lake, (LOST, LAST, BROKEN))
    found = written(tmp_path)
    full, cut = found.xpath("//article[@data-day][contains(string(h4), 'failed')]")
    assert (full.get("data-day"), cut.get("data-day")) == ("2025-01-03", "2025-01-01")
    assert full.xpath(".//pre")
    assert not cut.xpath(".//pre")
    assert "lakehouse checks show silver/financial_txn:contract 2025-01-01" in cut.text_content()


def test_links_lead_to_dagster_and_data_docs(lake, tmp_path):
    (tmp_path / "lake.docs").mkdir()
    (tmp_path / "lake.docs" / "index.html").touch()
    found = written(tmp_path, "--dagster-url", "https://dagster.example/casino/")
    links = {a.get("href") for a in found.xpath("//article[@data-day]//a")}
    [rules] = [link for link in links if "financial_txn" in link and "contract" in link]
    parts = urlsplit(rules)
    assert (parts.netloc, parts.path) == ("dagster.example", "/casino/assets/silver/financial_txn")
    assert parse_qs(parts.query) == {"view": ["checks"], "checkDetail": ["contract"]}
    [docs] = found.xpath("//nav/a[contains(., 'Data Docs')]/@href")
    assert (tmp_path / docs).resolve() == tmp_path / "lake.docs" / "index.html"


def test_junit_as_ci_reads_it(lake, capsys):
    suites = etree.fromstring(for_programs(capsys, "junit").encode())
    counts = ("tests", "failures", "errors", "skipped")
    assert [suites.get(n) for n in counts] == ["12", "1", "1", "0"]
    assert {s.get("name"): [s.get(n) for n in counts] for s in suites} == {
        "gold.property_day": ["3", "0", "1", "0"],
        "silver.financial_txn": ["9", "1", "0", "0"],
    }
    [failure] = suites.xpath("//failure")
    assert failure.getparent().get("classname") == "silver.financial_txn"
    assert failure.getparent().get("name") == "contract 2025-01-01"
    assert HOSTILE in failure.get("message")
    assert "TXN-2\ufffd" in failure.text  # XML has no way to hold \x01
    [warning] = suites.xpath("//system-out")
    assert warning.text.startswith("warned: 2 markers differ.")


def test_json_has_every_result_with_its_words(lake, capsys):
    said = json.loads(for_programs(capsys, "json"))
    assert len(said["results"]) == 12
    [broken] = [r for r in said["results"] if r["status"] == "failed"]
    assert broken["keys"] == list(BROKEN.keys)
    assert said["checks"]["silver/financial_txn:contract"]["rule"]
    assert said["days"][0] == {
        "gaming_day": "2025-01-01",
        "trust": "no",
        "meaning": "Something that must hold does not, or could not be judged.",
        "judged": 4,
        "states": {"failed": 1, "could_not_run": 1, "passed": 2},
        "missing": 0,
    }


def test_a_measure_without_end_is_no_number_of_json(lake, capsys):
    judge(lake, (MARKERS, SECOND, Judgement(passed=False, said="∞", measure=float("inf"))))
    said = json.loads(for_programs(capsys, "json"), parse_constant=pytest.fail)
    [row] = [r for r in said["results"] if r["said"] == "∞"]
    assert row["measure"] is None


def test_a_day_between_that_nobody_judged_is_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    judge(Lake(str(tmp_path / "lake")), (RULES, FIRST, PASSED), (RULES, LAST, PASSED))
    found = written(tmp_path)
    assert len(found.xpath("//tr[@data-table='silver.financial_txn']/td")) == 3
    assert found.xpath("string(//details[@id='d2025-01-02']/summary/b)") == "not judged"


def test_the_page_stands_beside_the_lake_by_default(lake, tmp_path, capsys):
    assert run(["checks", "report"]) == 0
    made = tmp_path / "lake.reports" / "checks.html"
    assert f"written: {made}" in capsys.readouterr().err
    assert made.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--to", "2025-01-02"], "--to needs --from"),
        (["--from", "2025-01-03", "--to", "2025-01-02"], "is before"),
        (["--from", "0001-01-01", "--to", "9999-12-31"], "longer than the 10 years"),
        (["--from", "2031-01-01"], "no results of checks of 2031-01-01"),
        (["--dagster-url", "javascript:alert(1)"], "give an address such as"),
        (["--out", "."], "is a folder"),
        (["--restricted"], "needs --purpose"),
        (["--purpose", "why"], "goes with --restricted"),
    ],
)
def test_bad_input(lake, capsys, arguments, complaint):
    assert run(["checks", "report", *arguments]) == 2
    assert complaint in capsys.readouterr().err


def test_a_lake_that_nobody_judged_has_no_report(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "none"))
    assert run(["checks", "report"]) == 2
    assert "`lakehouse checks run` makes them" in capsys.readouterr().err


def test_a_trend_by_hand() -> None:
    """A box of 240 by 36: three days at 3, 120 and 237; 0 is drawn at 27, 4 at 3."""
    drawn = trend([0.0, 4.0, 2.0], [2.0, 2.0, 2.0], [False, True, False])
    assert drawn is not None
    assert drawn.line == "M3 27L120 3L237 15"
    assert drawn.bound == "M3 15H237"
    assert drawn.ticks == "M120 36v-5"
    assert (drawn.low, drawn.high) == (0.0, 4.0)


def test_a_flat_stretch_of_a_trend_is_one_stroke() -> None:
    drawn = trend([0.0, 0.0, 0.0, 4.0], [None] * 4, [False] * 4)
    assert drawn is not None
    assert drawn.line == "M3 27L159 27L237 3"


def test_a_trend_breaks_where_nothing_was_measured() -> None:
    drawn = trend([0.0, None, 4.0, float("inf")], [None] * 4, [False] * 4)
    assert drawn is not None
    assert drawn.line == "M3 27h1M159 3h1"
    assert drawn.bound == ""


def test_what_never_moves_has_no_trend() -> None:
    assert trend([1.0, None, 1.0], [None] * 3, [False] * 3) is None
    assert trend([None], [None], [False]) is None
