"""Casework: the log only grows, and a case's state at any moment follows from it."""

import concurrent.futures
import datetime as dt
import itertools

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.compliance import review_cases
from lakehouse.compliance.filing.status import status
from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.regulation.law import load

NOON = dt.datetime(2026, 11, 10, 20, tzinfo=dt.UTC)
END = dt.datetime(2027, 12, 31, tzinfo=dt.UTC)
CASES = pl.DataFrame(
    {
        "case_id": ["A", "B", "C"],
        "player_id": ["P1", "P2", None],
        "detected_on": [dt.date(2026, 11, 2), dt.date(2026, 11, 5), dt.date(2026, 11, 9)],
        "due": [dt.date(2026, 12, 2), dt.date(2026, 12, 5), dt.date(2027, 1, 8)],
    }
)
NOTHING_FILED = status(
    contract("filing_exports").empty(), contract("filing_acknowledgements").empty(), END, "UTC"
)


def log(*decisions: tuple) -> pl.DataFrame:
    """(case, kind, {what its kind needs}) one minute after another."""
    rows = [
        review_cases.decision(case, kind, who="ada", at=NOON + dt.timedelta(minutes=n), **given)
        for n, (case, kind, given) in enumerate(decisions)
    ]
    return pl.concat([contract("case_decisions").empty(), *rows])


def filed(case: str, at: dt.datetime, answer: str = "Accepted") -> pl.DataFrame:
    exports = pl.DataFrame(
        [["b1", 1, "SAR", case, at, "ada", True, 5_000, "0" * 64]],
        schema=contract("filing_exports").bronze_schema(),
        orient="row",
    )
    answers = pl.DataFrame(
        [["b1", case, "SAR", answer, "31000000000001", [], at + dt.timedelta(days=2)]],
        schema=contract("filing_acknowledgements").bronze_schema(),
        orient="row",
    )
    return status(exports, answers, END, "America/Los_Angeles")


def worked(decisions: pl.DataFrame, filed_now=NOTHING_FILED, as_of=END, today=None) -> dict:
    rows = review_cases.worklist(
        CASES, decisions, filed_now, as_of=as_of, today=today or dt.date(2026, 12, 4)
    )
    return {r["case_id"]: r for r in rows.iter_rows(named=True)}


TO = {"assignee": "bo"}
WHY = {"reason": "ordinary play explains it"}
SEQUENCES = [
    ((), "open", None),
    ((("A", "assign", TO),), "open", "bo"),
    ((("A", "assign", TO), ("A", "assign", {"assignee": "cy"})), "open", "cy"),
    ((("A", "escalate", {"assignee": "dee"}),), "escalated", "dee"),
    ((("A", "escalate", {"assignee": "dee"}), ("A", "assign", TO)), "escalated", "bo"),
    ((("A", "no_file", WHY),), "no_file", None),
    ((("A", "no_file", WHY), ("A", "escalate", {"assignee": "dee"})), "escalated", "dee"),
    ((("A", "assign", TO), ("A", "file", {})), "to_file", "bo"),
    ((("A", "merge", {"merged_into": "B"}),), "merged", None),
]


@pytest.mark.parametrize(("decisions", "state", "assignee"), SEQUENCES)
def test_the_last_decision_holds_and_an_assignment_changes_no_state(
    decisions, state, assignee
) -> None:
    case = worked(log(*decisions))["A"]
    assert (case["state"], case["assignee"]) == (state, assignee)


def test_every_decision_keeps_its_contract() -> None:
    rows = log(*itertools.chain.from_iterable(s for s, _, _ in SEQUENCES))
    assert contract("case_decisions").schema.is_valid(rows, cast=True)


def test_a_case_is_seen_as_it_was_at_any_moment() -> None:
    decisions = log(("A", "assign", TO), ("A", "escalate", {"assignee": "dee"}), ("A", "file", {}))
    at = [NOON + dt.timedelta(minutes=n, seconds=30) for n in (-1, 0, 1, 2)]
    seen = [worked(decisions, as_of=a)["A"] for a in at]
    assert [s["state"] for s in seen] == ["open", "open", "escalated", "to_file"]
    assert [s["assignee"] for s in seen] == [None, "bo", "dee", "dee"]


@given(st.permutations(range(5)), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_the_state_does_not_depend_on_the_order_of_rows_nor_on_later_ones(order, known) -> None:
    rows = log(
        ("A", "assign", TO),
        ("B", "no_file", WHY),
        ("A", "merge", {"merged_into": "C"}),
        ("B", "escalate", {"assignee": "dee"}),
        ("C", "file", {}),
    )
    as_of = NOON + dt.timedelta(minutes=known, seconds=-30)
    whole = review_cases.states(rows[list(order)], as_of).sort("case_id")
    assert whole.equals(review_cases.states(rows.head(known), END).sort("case_id"))


@pytest.mark.parametrize(
    ("kind", "given_", "said"),
    [
        ("no_file", {}, "decision 'no_file' on case 'A' needs 'reason'"),
        ("no_file", {"reason": "  "}, "needs 'reason'"),
        ("merge", {}, "needs 'into'"),
        ("assign", {}, "needs 'to'"),
        ("escalate", {}, "needs 'to'"),
        ("close", {}, "unknown decision 'close'; allowed: assign, escalate, file, no_file, merge"),
        ("file", {"narrative": " "}, "only file takes a narrative, and it says something"),
        ("assign", TO | {"narrative": "x"}, "only file takes a narrative"),
        ("file", {"who": " "}, "does not say who decided"),
    ],
)
def test_a_decision_says_what_its_kind_needs(kind, given_, said) -> None:
    with pytest.raises(BadInput, match=said):
        review_cases.decision("A", kind, **({"who": "ada", "at": NOON} | given_))


@pytest.mark.parametrize(
    ("before", "new", "said"),
    [
        ((), ("Z", "file", {}), "unknown case 'Z'"),
        ((), ("A", "merge", {"merged_into": "Z"}), "unknown case 'Z'"),
        ((), ("A", "merge", {"merged_into": "A"}), "'A' cannot be merged into itself"),
        (
            (("B", "merge", {"merged_into": "C"}), ("C", "merge", {"merged_into": "A"})),
            ("A", "merge", {"merged_into": "B"}),
            "'A' cannot be merged into itself",
        ),
        ((("A", "merge", {"merged_into": "B"}),), ("A", "file", {}), "'A' goes on as 'B'"),
        (
            (("A", "file", {}),),
            ("A", "no_file", WHY),
            "'A' is to be filed; only its assignee and narrative",
        ),
    ],
)
def test_an_unlawful_decision_is_refused(before, new, said) -> None:
    case, kind, given_ = new
    row = review_cases.decision(case, kind, who="ada", at=END, **given_)
    with pytest.raises(BadInput, match=said):
        review_cases.require_lawful(row, CASES, log(*before))


class TestClock:
    def test_days_left_count_to_the_due_date_and_stop_when_a_case_is_closed(self) -> None:
        cases = worked(log(("B", "no_file", WHY)))
        assert (cases["A"]["days_left"], cases["A"]["is_overdue"]) == (-2, True)
        assert (cases["B"]["days_left"], cases["B"]["is_overdue"]) == (None, False)
        assert (cases["C"]["days_left"], cases["C"]["is_overdue"]) == (35, False)

    def test_escalation_does_not_stop_the_clock(self) -> None:
        cases = worked(log(("A", "escalate", {"assignee": "dee"})))
        assert cases["A"]["days_left"] == -2

    def test_a_merge_carries_the_earliest_detection_and_due_date(self) -> None:
        decisions = log(("A", "merge", {"merged_into": "B"}), ("B", "merge", {"merged_into": "C"}))
        cases = worked(decisions)
        assert [cases[c]["survivor"] for c in "ABC"] == ["C", "C", "C"]
        assert cases["C"]["detected_on"] == dt.date(2026, 11, 2)
        assert (cases["C"]["due"], cases["C"]["days_left"]) == (dt.date(2026, 12, 2), -2)
        assert (cases["A"]["state"], cases["A"]["days_left"]) == ("merged", None)

    def test_a_decision_to_file_runs_on_until_fincen_accepts(self) -> None:
        decisions = log(("A", "file", {}))
        at = dt.datetime(2026, 11, 30, 3, tzinfo=dt.UTC)  # the evening of the 29th at the property
        assert worked(decisions)["A"]["days_left"] == -2
        assert worked(decisions, filed("A", at, "Rejected"))["A"]["state"] == "to_file"
        done = worked(decisions, filed("A", at, "Accepted with warnings"))["A"]
        assert (done["state"], done["filed_on"]) == ("filed", dt.date(2026, 11, 29))
        assert (done["days_left"], done["is_overdue"]) == (None, False)

    def test_the_calendar_lists_open_duties_by_due_date(self) -> None:
        decisions = log(("A", "file", {}), ("C", "assign", TO))
        at = dt.datetime(2026, 11, 30, 20, tzinfo=dt.UTC)
        before = self.calendar(decisions, NOTHING_FILED)
        assert before.select("case_id", "duty", "due").rows() == [
            ("A", "file", dt.date(2026, 12, 2)),
            ("B", "decide", dt.date(2026, 12, 5)),
            ("C", "decide", dt.date(2027, 1, 8)),
        ]
        after = self.calendar(decisions, filed("A", at))
        # 30 November + 120 days: December 31, January 31, February 28, so 30 March.
        assert after.select("case_id", "duty", "due").rows() == [
            ("B", "decide", dt.date(2026, 12, 5)),
            ("C", "decide", dt.date(2027, 1, 8)),
            ("A", "continuing", dt.date(2027, 3, 30)),
        ]
        last = self.calendar(decisions, filed("A", at), today=dt.date(2027, 3, 30))
        assert last["duty"].to_list() == ["decide", "decide", "continuing"]
        over = self.calendar(decisions, filed("A", at), today=dt.date(2027, 3, 31))
        assert over["duty"].to_list() == ["decide", "decide"]

    def test_before_the_option_nothing_is_said_of_what_goes_on(self) -> None:
        decisions = log(("A", "file", {}))
        done = self.table(decisions, filed("A", dt.datetime(2026, 11, 30, 20, tzinfo=dt.UTC)))
        early = done.with_columns(filed_on=dt.date(2012, 4, 30))
        duties = review_cases.calendar(early, load("us-federal"), today=dt.date(2012, 5, 1))
        assert "continuing" not in duties["duty"]

    def calendar(
        self,
        decisions: pl.DataFrame,
        filed_now: pl.DataFrame,
        today: dt.date = dt.date(2026, 12, 1),
    ) -> pl.DataFrame:
        worked = self.table(decisions, filed_now)
        return review_cases.calendar(worked, load("us-federal"), today=today)

    def table(self, decisions: pl.DataFrame, filed_now: pl.DataFrame) -> pl.DataFrame:
        today = dt.date(2026, 12, 1)
        return review_cases.worklist(CASES, decisions, filed_now, as_of=END, today=today)


class TestStored:
    def test_a_decision_appends_and_edits_nothing(self, tmp_path) -> None:
        from lakehouse.storage import Lake

        lake = Lake(str(tmp_path / "lake"))
        for n, (kind, given_) in enumerate([("assign", TO), ("no_file", WHY)]):
            at = NOON + dt.timedelta(hours=n)
            review_cases.decide(
                lake, review_cases.decision("A", kind, who="ada", at=at, **given_), CASES
            )
        rows = review_cases.read(lake)
        assert rows["decision"].to_list() == ["assign", "no_file"]
        assert rows["decided_at"].to_list() == [NOON, NOON + dt.timedelta(hours=1)]
        assert (tmp_path / "lake/restricted").stat().st_mode & 0o777 == 0o700

    def test_decisions_at_the_same_time_take_turns(self, tmp_path) -> None:
        from lakehouse.storage import Lake

        lake = Lake(str(tmp_path / "lake"))
        circle = [
            review_cases.decision(a, "merge", who="ada", at=NOON, merged_into=b)
            for a, b in ("AB", "BC", "CA")
        ]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            jobs = [pool.submit(review_cases.decide, lake, row, CASES) for row in circle]
        refused = [e for e in (j.exception() for j in jobs) if e is not None]
        assert [type(e) for e in refused] == [BadInput]
        assert review_cases.read(lake).height == 2

    def test_a_refused_decision_writes_nothing(self, tmp_path) -> None:
        from lakehouse.storage import Lake

        lake = Lake(str(tmp_path / "lake"))
        with pytest.raises(BadInput, match="unknown case"):
            review_cases.decide(lake, review_cases.decision("Z", "file", who="ada", at=NOON), CASES)
        assert not lake.exists("restricted", "case_decisions")
