"""Expressions of mappings: what they give, what they refuse, and what a row breaks in them."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.expressions import ExpressionError, compiled
from lakehouse.ingest.files.mapping import checked_mapping, mapping_from_text
from lakehouse.ingest.files.row_typing import Judged, judge
from lakehouse.ingest.files.rows import DAMAGED_SCHEMA, LINE, NTH, Piece
from tests.landed import CAGE

AS_OF = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
ZONE = "America/Los_Angeles"
PLACED = {"transaction_id": {"constant": "t"}, "business_date": {"constant": "2025-01-05"}}
WHEN = {"transaction_timestamp": {"constant": "2025-01-05T20:00:00Z"}}
BASE = {**PLACED, **WHEN}
RATES = {"EUR": {"2025-01-03": "1.0290", "2025-01-06": "1.0426"}, "GBP": {"2025-01-03": "1.25"}}


def read(
    columns: dict[str, object], rows: dict[str, list[str | None]], **mapping: object
) -> Judged:
    used = checked_mapping({**mapping, "columns": {**BASE, **columns}}, CAGE, "test")
    count = len(next(iter(rows.values())))
    lines = pl.Series(LINE, range(2, count + 2), dtype=pl.Int64)
    frame = pl.DataFrame({n: pl.Series(v, dtype=pl.String) for n, v in rows.items()})
    frame = frame.with_columns(lines, lines.cast(pl.String).alias(NTH))
    piece = Piece(frame, DAMAGED_SCHEMA.to_frame(), lambda at: [f"raw {i}" for i in at])
    origin = Origin(contract(CAGE), used, "a.csv", AS_OF.date(), AS_OF, ZONE, "t:" + "ab" * 32)
    return judge(piece, origin)


def one(column: str, rule: object, **fields: str | None) -> tuple[object, list[str]]:
    """The value that a column has in a row of these fields, and what the row broke."""
    found = read({column: rule}, {n: [v] for n, v in fields.items()}, rates=RATES)
    if found.good.height:
        return found.good[column][0], []
    return None, found.bad["_rules"][0].to_list()


@pytest.mark.parametrize(
    ("expression", "fields", "wanted"),
    [
        ("Bet + Profit", {"Bet": "10.00", "Profit": "-2.35"}, "7.65"),
        ("Bet - Profit", {"Bet": "0.30", "Profit": "0.10"}, "0.20"),  # no float: 0.19999…
        ("0.1 + 0.2", {"a": "x"}, "0.30"),
        ("Qty * Price", {"Qty": "3", "Price": "1.15"}, "3.45"),
        ("Qty * Price", {"Qty": "4", "Price": "0.125"}, "0.50"),
        # American odds: +150 pays 1.5 times the stake, -200 half of it.
        (
            "Stake + (Stake * Odds / 100 if Odds > 0 else Stake * 100 / -Odds)",
            {"Stake": "20", "Odds": "150"},
            "50.00",
        ),
        (
            "Stake + (Stake * Odds / 100 if Odds > 0 else Stake * 100 / -Odds)",
            {"Stake": "20", "Odds": "-200"},
            "30.00",
        ),
        ("round(Stake * Odds, 2)", {"Stake": "3.33", "Odds": "1.85"}, "6.16"),  # 6.1605
        ("round(A / B, 2)", {"A": "2", "B": "3"}, "0.67"),
        ("round(A, 2)", {"A": "-1.005"}, "-1.01"),
        ("-A", {"A": "$1,234.50"}, "-1234.50"),
        ("abs(A)", {"A": "(5.00)"}, "5.00"),
        ("sign(A) * 7", {"A": "-3"}, "-7.00"),
        ("Amount if Side == 'C' else -Amount", {"Amount": "4", "Side": " C "}, "4.00"),
        ("Amount if Side == 'C' else -Amount", {"Amount": "4", "Side": "D"}, "-4.00"),
        ("A + B", {"A": "1", "B": None}, None),  # nothing with anything is nothing
        ("A + coalesce(B, 0)", {"A": "1", "B": ""}, "1.00"),
        ("0 if B == 0 else A / B", {"A": "1", "B": "0"}, "0.00"),  # no fault on a way not gone
        ("1 if B != 0 and A / B > 2 else 2", {"A": "1", "B": "0"}, "2.00"),
        ("1 if B == 0 or A / B > 2 else 2", {"A": "1", "B": "0"}, "1.00"),
        ("1 if 0 < A <= 5 else 2", {"A": "5"}, "1.00"),
        ("1 if A in ('x', 'y') else 2", {"A": "y"}, "1.00"),
        ("1 if A not in (1, 2) else 2", {"A": "2.0"}, "2.00"),
        ("1 if A is None else 2", {"A": "  "}, "1.00"),
        ("1 if A is not None and not A == 'x' else 2", {"A": "x"}, "2.00"),
        ("min(A, B, 3)", {"A": "5", "B": "4"}, "3.00"),
        ("max(A, B)", {"A": "5", "B": None}, None),
        ("floor(A) + ceil(A)", {"A": "-1.5"}, "-3.00"),
        ("length(A)", {"A": "añb"}, "3.00"),
        ("number(replace(A, ' ', ''))", {"A": "1 234.50"}, "1234.50"),
        ("number(split(A, '/', 2))", {"A": "x/7.5"}, "7.50"),
        ("split(A, '/', 3)", {"A": "x/7.5"}, None),
        ("part(A, 3, 4)", {"A": "EU12.5x"}, "12.50"),
        ("col('Bet Amount') * 2", {"Bet Amount": "1.5"}, "3.00"),
        ("col('Bet Amount') * 2", {"bet amount ": "1.5"}, "3.00"),  # as `from` finds names
        ("bet.sum", {"bet.sum": "1.5"}, "1.50"),
        ("einsatz_é", {"einsatz_é": "2"}, "2.00"),
        ("usd(A, C, day(D))", {"A": "100", "C": "eur", "D": "2025-01-06"}, "104.26"),
        ("usd(A, 'EUR', day(D))", {"A": "100", "D": "2025-01-05"}, "102.90"),  # Friday's, on Sunday
        ("usd(A, 'GBP', day(D))", {"A": "8", "D": "2025-01-10"}, "10.00"),  # the seventh day after
        ("usd(A, C, day(D))", {"A": "100", "C": "USD", "D": "1999-01-06"}, "100.00"),
        ("usd(A, C, day(D))", {"A": "100", "C": None, "D": "2025-01-06"}, None),
        ("days_between(day(A), day(B))", {"A": "2025-02-27", "B": "2025-03-01"}, "2.00"),
        (
            "seconds_between(moment(A), moment(B)) / 60",
            {"A": "2025-01-01T10:00:00Z", "B": "2025-01-01T03:30:00-08:00"},
            "90.00",
        ),
        ("year(day(A)) + month(day(A)) + weekday(day(A))", {"A": "2025-03-02"}, "2035.00"),
        (" 1 +\n 1 ", {"a": "x"}, "2.00"),
        ("None", {"a": "x"}, None),
        ("A" + " + A" * 99, {"A": "1"}, "100.00"),  # each part is worked out once
    ],
)
def test_an_expression_gives_exact_money(
    expression: str, fields: dict[str, str | None], wanted: str | None
) -> None:
    value, broken = one("amount", expression, **fields)
    assert (value, broken) == (None if wanted is None else Decimal(wanted), [])


@pytest.mark.parametrize(
    ("column", "expression", "fields", "wanted"),
    [
        ("notes", "upper(A) + '-' + lower(B)", {"A": "x", "B": "Y"}, "X-y"),
        ("notes", "left(A, 2) + right(A, 2)", {"A": "abcdef"}, "abef"),
        ("notes", "join('/', A, B)", {"A": "a", "B": "b"}, "a/b"),
        ("notes", "'x' + A", {"A": None}, None),
        ("notes", "'even' if contains(A, '%') else A", {"A": "a.c"}, "a.c"),
        ("notes", "'s' if starts_with(A, 'a') and ends_with(A, 'c') else A", {"A": "a.c"}, "s"),
        ("notes", "A if A == B else 'other'", {"A": "1.0", "B": "1"}, "other"),  # texts
        ("payment_method", "'Cash' if Kind == 'C' else 'Wire'", {"Kind": "C"}, "Cash"),
        ("ctr_filed", "Filed == 'x'", {"Filed": "x"}, True),
        ("ctr_filed", "not Filed == True", {"Filed": "yes"}, False),
        ("ctr_filed", "Amount > 10000", {"Amount": "10000.01"}, True),
        ("ctr_filed", "Amount > 10000", {"Amount": None}, None),
        ("business_date", "day(D, '%d.%m.%Y')", {"D": "05.01.2025"}, dt.date(2025, 1, 5)),
        ("business_date", "add_days(day(D), -5)", {"D": "2025-01-03"}, dt.date(2024, 12, 29)),
        (
            "transaction_timestamp",
            "moment(T, 'epoch_ms')",
            {"T": "1736107200500"},
            dt.datetime(2025, 1, 5, 20, 0, 0, 500_000, dt.UTC),
        ),
        (
            "transaction_timestamp",
            {"value": "D + ' ' + T", "format": "%d.%m.%Y %H:%M", "timezone": ZONE},
            {"D": "05.01.2025", "T": "12:00"},
            dt.datetime(2025, 1, 5, 20, tzinfo=dt.UTC),
        ),
        (
            "amount",
            {"value": "A + B", "decimal_comma": True},
            {"A": "1.234,50", "B": "0,5"},
            Decimal("1235.00"),
        ),
        ("amount", {"value": "A * B", "unit": "cents"}, {"A": "3", "B": "115"}, Decimal("3.45")),
        ("amount", {"value": "A / B", "round": "half_up"}, {"A": "1", "B": "8"}, Decimal("0.13")),
        (
            "amount",
            {"value": "usd(A, 'EUR', day(D))", "currency": "EUR"},
            {"A": "€ 100", "D": "2025-01-06"},
            Decimal("104.26"),
        ),
    ],
)
def test_an_expression_gives_what_its_column_holds(
    column: str, expression: object, fields: dict[str, str | None], wanted: object
) -> None:
    assert one(column, expression, **fields) == (wanted, [])


@pytest.mark.parametrize(
    ("rule", "fields", "why"),
    [
        ("A / B", {"A": "1", "B": "0"}, "divided_by_zero"),
        ("A / (B - B)", {"A": "1", "B": "2"}, "divided_by_zero"),
        ("A / B", {"A": "2", "B": "3"}, "more_than_two_decimals"),
        ("Qty * Price", {"Qty": "1", "Price": "1.005"}, "more_than_two_decimals"),
        ("A + B", {"A": "ten", "B": "1"}, "not_a_number"),
        ("A + B", {"A": "1", "B": "1.0000000000001"}, "more_than_12_decimals"),
        ("A * A * A", {"A": "9999999999"}, "too_large"),
        ("A * A", {"A": "999999999"}, "too_large"),
        ("usd(A, C, day(D))", {"A": "1", "C": "EUR", "D": "2025-01-02"}, "no_rate"),
        ("usd(A, C, day(D))", {"A": "1", "C": "EUR", "D": "2025-01-14"}, "no_rate"),
        ("usd(A, C, day(D))", {"A": "1", "C": "XXX", "D": "2025-01-06"}, "no_rate"),
        ("usd(A, C, day(D))", {"A": "1", "C": "EUR", "D": "06.01.2025"}, "unreadable"),
        ("1 if A > 0 else 2", {"A": "x"}, "not_a_number"),
        ("'x' + A", {"A": "1"}, "not_a_number"),  # a text that the column cannot hold
    ],
)
def test_what_cannot_be_worked_out_rejects_the_row(
    rule: object, fields: dict[str, str | None], why: str
) -> None:
    assert one("amount", rule, **fields) == (None, [f"amount|{why}"])


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        (
            "Bet ** 2",
            "amount.value: 'Bet [*][*] 2', at 5: [*][*] is not allowed; allowed",
        ),
        ("é + B % 2", "at 7: % is not allowed"),
        ("A +", "'A [+]', at 4: invalid syntax"),
        ("__import__('os').system('x')", "is not allowed|there is no function"),
        ("open('x')", "at 1: there is no function open; there are .*coalesce.*usd"),
        ("A.__class__()", "there is no function"),
        ("(lambda: 1)()", "there is no function"),
        ("[x for x in A]", "ListComp is not allowed"),
        ("A[0]", r"\[ \] is not allowed"),
        ("f'{A}'", "is not allowed"),
        ("A < B", "at 1: < and > compare numbers, days and moments: say number"),
        ("A == None", "nothing equals None; say `is None`"),
        ("number(A) == 'x'", "a number and a text do not go together"),
        ("'a' * 3", "a number is needed here, not a text"),
        ("A > 1", "gives a flag; a number or text is needed"),
        ("day(A)", "gives a day; a number or text is needed"),
        ("round(A, B)", r"must be written out: it is round\(number\[, decimals\]\)"),
        ("round(A, 1.5)", "1.5 is no whole number from 0 to 12"),
        ("split(A, '', 1)", "an empty text separates nothing"),
        ("min(A)", r"it is min\(number, number, …\)"),
        ("abs(number=A)", "takes its arguments by place"),
        ("1e400", "1e400 is no number with at most 20 digits"),
        ("-" * 1900 + "1", "is nested too deeply"),
        ("(" * 500, "at"),
        ("A" * 2001, "is longer than 2,000 characters"),
        ("", "at"),
        ("A\x00", "null bytes"),
        ("A in B", "`in` needs a list"),
        ("A in (1, 'x')", "do not go together"),
        ("A is 1", "`is` compares with None alone"),
    ],
)
def test_what_is_no_expression_is_one_line_with_its_place(expression: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        checked_mapping({"columns": {"amount": {"value": expression}}}, CAGE, "test")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"where": "A + 1"}, "where: 'A \\+ 1' gives a number; a flag is needed"),
        ({"columns": {"notes": "A * 2"}}, "gives a number; a text is needed"),
        ({"columns": {"amount": "usd(A, 'EUR', day(D))"}}, r"usd\(…\) needs \[rates.EUR\]"),
        ({"columns": {"amount": {"from": "A", "value": "A"}}}, "either from or value, not both"),
        ({"columns": {"notes": {"empty": True, "constant": "x"}}}, "constant or empty, not both"),
        ({"columns": {"notes": {"round": "noise"}}}, "round: is for money and rates"),
        ({"columns": {"business_date": {"format": "epoch_s"}}}, "is of a moment"),
        ({"columns": {"amount": {"from": "A", "currency": "EUR"}}}, 'say value = "usd'),
        ({"rates": {"EUR": {"2025-01-01": 0}}}, "rates.EUR.2025-01-01: .*greater than 0"),
        ({"rates": {"EUR": {"soon": 1}}}, "rates.EUR.soon"),
    ],
)
def test_a_rule_that_its_column_cannot_have_is_refused(
    mapping: dict[str, object], said: str
) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        checked_mapping(mapping, CAGE, "test")
    assert "\n" not in str(caught.value)


def test_rows_are_left_out_counted_and_never_by_a_fault() -> None:
    found = read(
        {"amount": {"from": "A"}},
        {"S": ["OK", "TEST", None, "OK", "OK"], "A": ["1", "2", "3", "0", "ten"]},
        where="S == 'OK' and A > 0",
    )
    assert found.good["amount"].to_list() == [Decimal("1.00")]
    assert found.left_out == 3  # TEST; neither true nor false; nought
    rules = ["amount|not_a_number", "where|not_a_number"]
    assert [(line, sorted(rules_)) for line, rules_ in found.bad.select(LINE, "_rules").rows()] == [
        (6, rules)
    ]
    assert found.bad["_raw"].to_list() == ["raw 4"]
    assert found.rows == 5


def test_keys_of_columns_never_meet_and_those_of_rows_are_of_the_content() -> None:
    rows = {"A": ["x|y", "x", "x\\", None], "B": ["z", "y|z", "|y", "z"]}
    found = read({"transaction_id": "key(A, B)"}, rows)
    assert found.good["transaction_id"].to_list() == ["x\\|y|z", "x|y\\|z", "x\\\\|\\|y"]
    assert found.bad["_rules"].to_list() == [["transaction_id|missing"]]
    found = read({"transaction_id": "'B-' + row_key()"}, rows)
    digest = "ab" * 8
    assert found.good["transaction_id"].to_list() == [f"B-{digest}-{n}" for n in (2, 3, 4, 5)]


def test_a_column_can_be_left_empty() -> None:
    assert one("notes", {"empty": True}, notes="x") == (None, [])


def test_a_mapping_with_all_of_it_survives_the_ledger() -> None:
    given = {
        "where": "A > 0",
        "rates": {"EUR": {"2025-01-06": 1.0426}},
        "decimal_comma": True,
        "columns": {
            "amount": {"value": "usd(A, 'EUR', day(D))", "round": "half_up", "currency": "EUR"},
            "notes": {"empty": True},
            "transaction_timestamp": {"format": ["epoch_s", "iso"], "skipped": "shift"},
        },
    }
    mapping = checked_mapping(given, CAGE, "test")
    assert mapping_from_text(mapping.text(), CAGE) == mapping
    assert mapping.held_rates[0].len() == 8  # of the sixth, and of seven days more
    assert mapping_from_text(mapping.text(), CAGE) == mapping
    assert mapping.rates["EUR"][dt.date(2025, 1, 6)] == Decimal("1.0426")


PART = st.text("a|\\ é", max_size=4)
MONEY = st.decimals(-(10**9), 10**9, places=2)


NUMBERS = st.recursive(
    st.sampled_from(
        ["number(A)", "number(B)", "0", "1.5", "99999999999999999999", "0.000000000001"]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda x: f"-{x}"),
        st.tuples(st.sampled_from(["floor", "ceil", "abs", "sign", "round"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        ),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if 0 < {t[1]} else {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"coalesce({t[0]}, {t[1]}, 1)"),
    ),
    max_leaves=6,
)
TEXTS = st.sampled_from([None, "", "0", "-1", "x", "1e9", "9" * 20, "9" * 26, "0." + "9" * 13])


@settings(deadline=None, max_examples=200)
@given(NUMBERS, st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4), st.booleans())
def test_no_expression_and_no_value_loses_a_row(
    expression: str, rows: list[tuple[str | None, str | None]], as_cents: bool
) -> None:
    """What nobody can work out is rejected; nothing is raised on the way."""
    texts = {"A": [a for a, _ in rows], "B": [b for _, b in rows]}
    rule = {"value": expression, "round": "half_up"} | ({"unit": "cents"} if as_cents else {})
    found = read({"amount": rule}, texts, where=f"number(A) != 3 and {expression} != 3")
    assert found.good.height + found.bad.height + found.left_out == len(rows)


TOKENS = [*"AB()+-*/<>=!,.:'[]{}@%&|^~ 1", "if", "else", " in ", " is ", "None", "\n", "abs("]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(TOKENS), max_size=12))
def test_whatever_is_written_is_understood_or_refused(tokens: list[str]) -> None:
    text = "".join(tokens)
    try:
        found = compiled(text)
    except ExpressionError as refused:
        said = str(refused)
    else:
        said = found.kind
    assert "\n" not in said


@settings(deadline=None)
@given(st.lists(st.tuples(MONEY, MONEY), min_size=1, max_size=20))
def test_sums_and_differences_are_those_of_exact_decimals(
    pairs: list[tuple[Decimal, Decimal]],
) -> None:
    rows = {"A": [str(a) for a, _ in pairs], "B": [f"{b:,}" for _, b in pairs]}
    found = read({"amount": "A + B - 2 * A"}, rows)
    assert found.good["amount"].to_list() == [b - a for a, b in pairs]


@settings(deadline=None)
@given(st.lists(st.lists(PART, min_size=2, max_size=2), min_size=2, max_size=8))
def test_two_keys_are_one_where_their_columns_are(rows: list[list[str]]) -> None:
    found = read({"notes": "key(A, B)"}, {"A": [r[0] for r in rows], "B": [r[1] for r in rows]})
    parts = [tuple(t.strip() or None for t in r) for r in rows]
    made = list(zip(found.good["notes"], parts, strict=True))
    for key, pair in made:
        if None in pair:
            assert key is None
        else:
            assert [p == pair for _, p in made] == [k == key for k, _ in made]
