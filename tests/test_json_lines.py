"""Lines of JSON that are cut together have the rows of lines that are decoded one by one."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.ingest.files.json_lines import Shape, Shapes
from lakehouse.ingest.files.json_rows import json_pieces, rows_of_texts
from lakehouse.ingest.files.line_bytes import Lines

LINES = [
    ('{"a":1.10,"b":null}', ("1.10", None)),
    ('{"a":20000000000000000001,"b":-0.5E+3}', ("20000000000000000001", "-0.5E+3")),
    ('{"a":"null","b":""}', ("null", "")),
    ('{"a":true,"b":false}', ("true", "false")),
    ('{"a":"twelve chars","b":"thirteen char"}', ("twelve chars", "thirteen char")),
    ('{"a":"é, 5€ and more","b":" x "}', ("é, 5€ and more", " x ")),
    ('{"a":":","b":": x"}', (":", ": x")),  # looks like the end of a name
    ('{"a":"}","b":"{1}"}', ("}", "{1}")),
    ('{"a":1,"b":2} ,\t\r', ("1", "2")),
    ('{"a":1,"b":2},,', None),
    ('{"a":1,"b":2', None),
    ('{"a":1,"b":2}}', None),
    ('{"a":1,"b":}', None),
    ('{"a":,"b":2}', None),
    ('{"a":01,"b":2}', None),
    ('{"a":nul,"b":2}', None),
    ('{"a":1 ,"b":2}', None),
    ('{"a":"x,"b":"y"}', None),
    ('{"a":"x"y","b":2}', None),
    ('{"a":"x\\n","b":2}', None),
    ('{"a":"x\t","b":2}', None),
    ('{"a":"x\x00","b":2}', None),
    ('{"a":[1],"b":2}', None),
    ('{"a":1,"c":2}', None),
    ('{"a":1,"a":1,"b":2}', None),
    ('{"a":1,"a":1}', None),
    ('{"b":1,"a":2}', None),
    (' {"a":1,"b":2}', None),
    ('{"a":1, "b":2}', None),
    ('{":a":1,"b":2}', None),
    ("", None),
    ('":":":"', None),
]


@pytest.mark.parametrize(("line", "row"), LINES)
def test_a_line_fits_a_shape_whole_or_not_at_all(line: str, row: tuple | None) -> None:
    usual = '{"a":3,"b":"y"}'
    lines = Lines.of_text("\n".join((usual, line, usual)))
    places, frame = Shape("", ("a", "b"), ",", ":").cut(lines, np.arange(3))
    rows = [("3", "y"), ("3", "y")] if row is None else [("3", "y"), row, ("3", "y")]
    assert frame.rows() == rows
    assert places.tolist() == ([0, 2] if row is None else [0, 1, 2])


def test_a_quote_too_many_and_one_too_few_do_not_make_up_for_each_other() -> None:
    lines = Lines.of_texts(pl.Series(['{"a":"x"y","b":1}', '{"a":"x","b":"y}']))
    places, _ = Shape("", ("a", "b"), ",", ":").cut(lines, np.arange(2))
    assert places.size == 0


def test_lines_of_many_shapes_keep_their_order_and_their_text() -> None:
    content = '{"a":1,"é":"ü"}\n\n\t{"b": 2, "a": 3},\n{"a":[4]}\r\n{"a":5,"é":"x"}\n{"z":6}\n'
    (piece,) = json_pieces(iter([content.encode()]))
    assert piece.frame.select("_line", "a", "b", "é", "z").rows() == [
        (1, "1", None, "ü", None),
        (3, "3", "2", None, None),
        (4, '["4"]', None, None, None),
        (5, "5", None, "x", None),
        (6, None, None, None, "6"),
    ]
    assert piece.raw([4, 2, 1]) == ['{"z":6}', '{"a":[4]}', '{"b": 2, "a": 3}']


NAMES = st.sampled_from(["a", "b", "a:", "a ", ":", "é", "a name beyond sixteen letters"])
TEXTS = st.text(st.sampled_from('aé:, {}"\\\n\t'), max_size=16)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.lists(st.integers(), max_size=2), TEXTS
)
OBJECTS = st.dictionaries(NAMES, VALUES | st.sampled_from([":", ": ", "null", "1", "a,b"]))


@st.composite
def texts(draw: st.DrawFn) -> list[str]:
    """Objects of a few shapes, some of them damaged in one place."""
    styles = st.sampled_from([(",", ":"), (", ", ": ")])
    found = [
        json.dumps(o, separators=draw(styles), ensure_ascii=False)
        for o in draw(st.lists(OBJECTS, min_size=1, max_size=4))
    ]
    found = draw(st.lists(st.sampled_from(found), min_size=1, max_size=12))
    for at in draw(st.lists(st.integers(0, len(found) - 1), max_size=2)):
        cut = draw(st.integers(0, len(found[at]) - 1))
        found[at] = found[at][:cut] + draw(st.sampled_from(list('":{}\\1 \n'))) + found[at][cut:]
    return found


@given(texts())
def test_texts_that_are_cut_together_have_the_rows_of_those_that_are_decoded(
    given_texts: list[str],
) -> None:
    series = pl.Series(given_texts, dtype=pl.String)
    cut, decoded = (rows_of_texts(series, s) for s in (Shapes(), Shapes(limit=0)))
    names = sorted(decoded.frame.columns)
    assert sorted(cut.frame.columns) == names
    assert cut.frame.select(names).equals(decoded.frame.select(names))
    assert cut.damaged.equals(decoded.damaged)
    every = list(range(cut.frame.height))
    assert cut.raw(every) == decoded.raw(every)
