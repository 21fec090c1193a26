"""Expressions of mappings, such as `Bet + Profit`: what they may say, and what they mean.

The grammar is Python's, read by its own parser and never run: each node of the tree that the
vocabulary knows becomes a Polars expression, and any other is refused with its place.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache

import polars as pl

from lakehouse.ingest.files.expression_words import ALLOWED, NAMES, ORDER, SAID, TURNED
from lakehouse.ingest.files.rows import NTH
from lakehouse.ingest.files.vocabulary import (
    DECIMALS,
    FUNCTIONS,
    LARGEST,
    LONGEST,
    NUMBER,
    ORDERED,
    Function,
    Kind,
    Value,
    divided,
    first_fault,
    multiplied,
    summed,
)

FAULT = "?"


class ExpressionError(ValueError):
    """An expression that cannot be understood: where, why, and what is allowed."""


@dataclass(frozen=True)
class Read:
    """A text that an expression reads as something else. `form`: of a day or moment."""

    column: str
    text: pl.Expr
    kind: Kind
    form: str = ""


@dataclass(frozen=True)
class Step:
    """A part of an expression, worked out once, however often it is needed."""

    column: str
    value: pl.Expr
    fault: pl.Expr | None


@dataclass(frozen=True)
class Compiled:
    """`steps` come first, in order, each a column of the frame and its fault under FAULT and
    the same name; `value` and `fault` are over these. `fields`: columns of the file."""

    kind: Kind
    value: pl.Expr
    fault: pl.Expr | None
    steps: tuple[Read | Step, ...]
    fields: frozenset[str]

    def _reads(self, kind: Kind) -> bool:
        return any(isinstance(s, Read) and s.kind == kind for s in self.steps)

    @property
    def needs_rates(self) -> bool:
        return self._reads("rate")

    @property
    def needs_rows(self) -> bool:
        return self._reads("row")


def field_column(name: str) -> str:
    """The column under which an expression finds the text of a column of the file."""
    return f"={name}"


@cache
def compiled(text: str) -> Compiled:
    """Raises ExpressionError naming the place and what is allowed."""
    if len(text) > LONGEST:
        raise ExpressionError(f"is longer than {LONGEST:,} characters")
    flat = text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
    shift = len(flat) - len(flat.lstrip())
    try:
        tree = ast.parse(flat.strip(), mode="eval")
        reader = _Reader(flat.strip(), shift)
        found = reader.known(reader.value(tree.body))
    except SyntaxError as error:
        place = shift + (error.offset or len(flat.strip()) + 1)
        raise ExpressionError(f"{text!r}, at {place}: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise ExpressionError(f"{text[:60]!r}…: is nested too deeply") from None
    except ValueError as error:
        raise ExpressionError(f"{text!r}{error}") from None
    return Compiled(
        found.kind, found.value, found.fault, tuple(reader.steps), frozenset(reader.fields)
    )


@dataclass
class _Reader:
    """Walks the tree of one expression; collects what it reads."""

    text: str
    shift: int
    reads: dict[tuple[str, Kind, str], Read] = field(default_factory=dict)
    steps: list[Read | Step] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)

    def wrong(self, node: ast.AST, why: str, symbol: str = "") -> ValueError:
        """`symbol`: an operator, which stands behind what the node begins with."""
        written = self.text.encode()
        start = getattr(node, "col_offset", 0)
        if symbol and isinstance(node, ast.BinOp):
            start = written.index(symbol.encode(), node.left.end_col_offset)
        before = written[:start].decode(errors="replace")
        return ValueError(f", at {self.shift + len(before) + 1}: {why}")

    def refused(self, node: ast.AST, operator: ast.AST | None = None) -> ValueError:
        kind = type(operator or node)
        said = SAID.get(kind, kind.__name__)
        symbol = said if operator else ""
        return self.wrong(node, f"{said} is not allowed; {ALLOWED}", symbol)

    def value(self, node: ast.expr) -> Value:
        return self._settled(self._understood(node))

    def _settled(self, value: Value) -> Value:
        if (
            value.value.meta.is_column()
            or value.literal is not None
            or value.kind in ("field", "nothing")
        ):
            return value
        column = f"#{len(self.steps)}"
        self.steps.append(Step(column, value.value, value.fault))
        fault = None if value.fault is None else pl.col(FAULT + column)
        return Value(value.kind, pl.col(column), fault)

    def _understood(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.Name() | ast.Attribute():
                return self._field(self._dotted(node))
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.UnaryOp():
                return self._signed(node)
            case ast.BoolOp():
                return self._joined(node)
            case ast.Compare():
                return self._compared(node)
            case ast.IfExp():
                return self._chosen(node)
            case ast.Call():
                return self._called(node)
        raise self.refused(node)

    def known(self, value: Value) -> Value:
        """A column that nothing says how to read is text."""
        return self._read(value, "text") if value.kind == "field" else value

    def of(self, node: ast.expr, kind: Kind) -> Value:
        return self._as(node, self.value(node), kind)

    def _as(self, node: ast.AST, value: Value, kind: Kind, form: str = "") -> Value:
        if value.kind == kind:
            return value
        if value.kind == "nothing":
            return Value(kind, pl.lit(None, dtype=_dtype(kind)))
        if value.kind == "field":
            return self._read(value, kind, form)
        hint = f"; say {kind}(…)" if value.kind == "text" and kind in ORDERED else ""
        raise self.wrong(node, f"{NAMES[kind]} is needed here, not {NAMES[value.kind]}{hint}")

    def _read(self, value: Value, kind: Kind, form: str = "") -> Value:
        place = (value.said, kind, form)
        if place not in self.reads:
            self.reads[place] = Read(f"#{len(self.steps)}", value.value, kind, form)
            self.steps.append(self.reads[place])
        column = self.reads[place].column
        said: Kind = {"rate": "number", "row": "text"}.get(kind, kind)  # type: ignore[assignment]
        return Value(said, pl.col(column), first_fault(value.fault, pl.col(FAULT + column)))

    def _literal(self, node: ast.Constant) -> Value:
        given = node.value
        if given is None:
            return Value("nothing", pl.lit(None))
        if isinstance(given, bool):
            return Value("flag", pl.lit(given))
        if isinstance(given, str):
            return Value("text", pl.lit(given), literal=given)
        if isinstance(given, int | float):
            return Value("number", pl.lit(self._exact(node), dtype=NUMBER), literal=given)
        raise self.refused(node)

    def _exact(self, node: ast.Constant) -> Decimal:
        """The digits as they were written: 0.1 is one tenth."""
        written = ast.get_source_segment(self.text, node) or str(node.value)
        try:
            number = Decimal(written)
        except InvalidOperation:
            number = Decimal("Infinity")
        *_, exponent = number.normalize().as_tuple()
        if abs(number) >= LARGEST or not isinstance(exponent, int) or exponent < -DECIMALS:
            limit = f"at most 20 digits before the point and {DECIMALS} after it"
            raise self.wrong(node, f"{written} is no number with {limit}")
        return number

    def _dotted(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute):
            return f"{self._dotted(node.value)}.{node.attr}"
        raise self.refused(node)

    def _field(self, name: str) -> Value:
        self.fields.add(name)
        return Value("field", pl.col(field_column(name)), said=f"={name}")

    def _arithmetic(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add) and "text" in (left.kind, right.kind):
            a, b = self._as(node.left, left, "text"), self._as(node.right, right, "text")
            return Value("text", a.value + b.value, first_fault(a.fault, b.fault))
        done = {
            ast.Add: summed,
            ast.Sub: lambda a, b: summed(a, Value("number", -b.value, b.fault)),
            ast.Mult: multiplied,
            ast.Div: divided,
        }.get(type(node.op))
        if done is None:
            raise self.refused(node, node.op)
        return done(self._as(node.left, left, "number"), self._as(node.right, right, "number"))

    def _signed(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            flag = self.of(node.operand, "flag")
            return Value("flag", ~flag.value, flag.fault)
        if not isinstance(node.op, ast.USub | ast.UAdd):
            raise self.refused(node, node.op)
        number = self.of(node.operand, "number")
        if isinstance(node.op, ast.UAdd):
            return number
        literal = -number.literal if isinstance(number.literal, int | float) else None
        return Value("number", -number.value, number.fault, literal=literal)

    def _joined(self, node: ast.BoolOp) -> Value:
        """What the parts before have settled, no fault of a later part unsettles."""
        ends = isinstance(node.op, ast.Or)
        whole = self.of(node.values[0], "flag")
        for part in node.values[1:]:
            right = self.of(part, "flag")
            both = whole.value | right.value if ends else whole.value & right.value
            late = right.fault
            if late is not None:
                late = pl.when(whole.value.ne_missing(pl.lit(ends))).then(late)
            whole = self._settled(Value("flag", both, first_fault(whole.fault, late)))
        return whole

    def _compared(self, node: ast.Compare) -> Value:
        left, parts = node.left, []
        for op, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._comparison(node, left, op, right))
            left = right
        whole = parts[0]
        for part in parts[1:]:
            fault = first_fault(whole.fault, part.fault)
            whole = self._settled(Value("flag", whole.value & part.value, fault))
        return whole

    def _comparison(
        self, node: ast.Compare, left: ast.expr, op: ast.cmpop, right: ast.expr
    ) -> Value:
        if isinstance(op, ast.Is | ast.IsNot):
            return self._is_nothing(left, op, right)
        if isinstance(op, ast.In | ast.NotIn):
            return self._is_among(left, op, right)
        pair = self._alike(node, [(left, self.value(left)), (right, self.value(right))], op)
        a, b = pair
        fault = first_fault(a.fault, b.fault)
        if a.literal is not None:
            # Polars 2.1.0 makes one value of a literal beside a column of nothing.
            return Value("flag", ORDER[TURNED.get(type(op), type(op))](b.value, a.value), fault)
        return Value("flag", ORDER[type(op)](a.value, b.value), fault)

    def _is_nothing(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Value:
        if not (isinstance(right, ast.Constant) and right.value is None):
            raise self.wrong(right, "`is` compares with None alone; say ==")
        found = self.known(self.value(left))
        is_null = found.value.is_null()
        return Value("flag", is_null if isinstance(op, ast.Is) else ~is_null, found.fault)

    def _is_among(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Value:
        if not isinstance(right, ast.Tuple | ast.List) or not right.elts:
            raise self.wrong(right, "`in` needs a list, such as in ('A', 'B')")
        nodes = [left, *right.elts]
        first, *others = self._alike(left, [(n, self.value(n)) for n in nodes], ast.Eq())
        found = pl.any_horizontal(first.value == o.value for o in others)
        fault = first_fault(first.fault, *(o.fault for o in others))
        return Value("flag", found if isinstance(op, ast.In) else ~found, fault)

    def _alike(
        self, node: ast.AST, given: Sequence[tuple[ast.expr, Value]], op: ast.cmpop | None = None
    ) -> list[Value]:
        """Values of one kind: columns are read as what they stand beside."""
        kinds = {v.kind for _, v in given} - {"field", "nothing"}
        if len(kinds) > 1:
            said = " and ".join(sorted(NAMES[k] for k in kinds))
            raise self.wrong(node, f"{said} do not go together; say number(…), day(…) or moment(…)")
        equal = op is None or isinstance(op, ast.Eq | ast.NotEq)
        kind: Kind = kinds.pop() if kinds else "text"
        if not equal and kind not in ORDERED:
            say = "say number(…), day(…) or moment(…)"
            raise self.wrong(node, f"< and > compare numbers, days and moments: {say}")
        if op is not None and any(v.kind == "nothing" for _, v in given):
            raise self.wrong(node, "nothing equals None; say `is None` or `is not None`")
        return [self._as(n, v, kind) for n, v in given]

    def _chosen(self, node: ast.IfExp) -> Value:
        test = self.of(node.test, "flag")
        then, other = self._alike(node, [(n, self.value(n)) for n in (node.body, node.orelse)])
        chosen = pl.when(test.value).then(then.value).otherwise(other.value)
        fault = None
        if then.fault is not None or other.fault is not None:
            none = pl.lit(None, dtype=pl.String)
            parts = (none if f is None else f for f in (then.fault, other.fault))
            yes, no = parts
            fault = pl.when(test.value).then(yes).otherwise(no)
        return Value(then.kind, chosen, first_fault(test.fault, fault))

    def _called(self, node: ast.Call) -> Value:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise self.wrong(node, f"{name}(…) takes its arguments by place")
        special = {
            "col": self._named,
            "number": self._reading,
            "text": self._reading,
            "day": self._reading,
            "moment": self._reading,
            "coalesce": self._coalesce,
            "usd": self._usd,
            "row_key": self._row_key,
        }
        if name in special:
            return special[name](node)
        if name not in FUNCTIONS:
            known = ", ".join(sorted([*special, *FUNCTIONS]))
            raise self.wrong(node, f"there is no function {name or '?'}; there are {known}")
        return self._applied(node, name, FUNCTIONS[name])

    def _applied(self, node: ast.Call, name: str, function: Function) -> Value:
        if not function.takes(len(node.args)):
            raise self.wrong(node, f"it is {function.usage(name)}")
        kinds = function.kinds_of(len(node.args))
        values = [self.of(a, kind) for a, kind in zip(node.args, kinds, strict=True)]
        for i in function.literals:
            if i < len(values) and values[i].literal is None:
                raise self.wrong(node.args[i], f"must be written out: it is {function.usage(name)}")
        try:
            return function.applied(values)
        except ValueError as error:
            raise self.wrong(node, f"{error}: it is {function.usage(name)}") from None

    def _named(self, node: ast.Call) -> Value:
        match node.args:
            case [ast.Constant(value=str(name))]:
                return self._field(name)
        raise self.wrong(node, "it is col('name of a column')")

    def _reading(self, node: ast.Call) -> Value:
        name = node.func.id  # type: ignore[attr-defined]
        form = ""
        match node.args:
            case [given]:
                pass
            case [given, ast.Constant(value=str(form))] if name in ("day", "moment"):
                pass
            case _:
                more = "[, 'format']" if name in ("day", "moment") else ""
                raise self.wrong(node, f"it is {name}(column{more})")
        value = self.value(given)
        if value.kind == "text" and name != "text":
            value = Value("field", value.value, value.fault, said=ast.unparse(given))
        return self._as(given, value, name, form)

    def _coalesce(self, node: ast.Call) -> Value:
        if len(node.args) < 2:
            raise self.wrong(node, "it is coalesce(value, value, …)")
        values = self._alike(node, [(a, self.value(a)) for a in node.args])
        first, *others = values
        for v in others:
            late = None if v.fault is None else pl.when(first.value.is_null()).then(v.fault)
            both = pl.coalesce(first.value, v.value)
            first = self._settled(Value(first.kind, both, first_fault(first.fault, late)))
        return first

    def _usd(self, node: ast.Call) -> Value:
        if len(node.args) != 3:
            raise self.wrong(node, "it is usd(amount, currency, day)")
        amount, day = self.of(node.args[0], "number"), self.of(node.args[2], "day")
        currency = self.of(node.args[1], "text")
        which = currency.value.str.to_uppercase() + "|" + day.value.cast(pl.String)
        fault = first_fault(currency.fault, day.fault)
        said = f"rate {ast.unparse(node)}"
        rate = self._read(Value("field", which, fault, said=said), "rate")
        return multiplied(amount, rate)

    def _row_key(self, node: ast.Call) -> Value:
        if node.args:
            raise self.wrong(node, "it is row_key()")
        return self._read(Value("field", pl.col(NTH), said="row"), "row")


def _dtype(kind: Kind) -> pl.DataType:
    types: dict[Kind, pl.DataType] = {
        "number": NUMBER,
        "day": pl.Date(),
        "moment": pl.Datetime("us", "UTC"),
        "flag": pl.Boolean(),
    }
    return types.get(kind, pl.String())
