"""How the values of a column may be read as a type: the rules under which all of them can."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lakehouse.ingest.files.inference.looks import Look, found_once, spoken
from lakehouse.ingest.files.inference.names import plain
from lakehouse.ingest.files.mapping import ColumnMapping
from lakehouse.ingest.files.values import BY_SIZE, SIGNS, typed_column

TOLERATED = 0.01
"""Share of a sample's values that may be damaged, in what is proposed."""
LEGIBLE = 0.7
"""Share of the values from which a form is thought of; a trial reading decides."""
_CENTS = {"cent", "cents", "centavos", "centimes", "centesimi", "centimos", "ct", "cts", "kopeken"}
_DAYS_FIRST = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y", "%d-%m-%y")
_MONTHS_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
_OTHERS = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S%.f")
_JOINED = ("%Y%m%d%H%M%S", "%Y%m%d %H%M%S", "%d.%m.%Y, %H:%M", "%d.%m.%Y, %H:%M:%S")
_DATED = (
    r"^\d{1,4}[./年-]\d{1,2}[./月-]\d{1,4}|^\d{8,17}(\.\d+)?$|^\d{8} \d"
    r"|^\d{1,2}[ -][A-Za-z]{3}|^[A-Za-z]{3} \d"
)
"""What a day may begin with, or a count since 1970."""
_CARE: tuple[dict[str, Any], ...] = (
    {},
    {"round": "noise"},
    {"scientific": True},
    {"scientific": True, "round": "noise"},
)
_ANYHOW: dict[str, Any] = {"scientific": True, "round": "half_up"}
_WIDE = pl.Decimal(38, 6)
"""The rule and the type under which all is read that any other reads as money or a count."""
_EPOCHS = {"epoch_s": (9e8, 3e9), "epoch_ms": (9e11, 3e12), "epoch_us": (9e14, 3e15)}


@dataclass(frozen=True)
class Form:
    """`rule`: entries of a column's mapping beside its origin. `value`: an expression to say
    instead of `from`. `doubt`: what else it may be. `aside`: what has to be decided first."""

    rule: dict[str, Any] = field(default_factory=dict)
    value: str = ""
    why: str = ""
    doubt: str = ""
    aside: str = ""

    @property
    def is_day(self) -> bool:
        return bool(self.rule.get("date_only"))


@dataclass(frozen=True)
class Habits:
    """What a file's columns share: its language, whether it writes 1,5 for one and a half, the
    zone of times without offset, its column of times of day, for days that lack them, its only
    column of moments, where there is one alone, whether it counts pieces, and the last year that
    any of its days is in; of several columns of moments, the one that is never after another in
    its row, and the one that never is before; and how many columns of
    moments there are. Habits by which values are read alike are equal."""

    language: str = "en"
    has_comma: bool = False
    timezone: str = "UTC"
    clock: Look | None = None
    only_time: str = field(default="", compare=False)
    has_quantity: bool = field(default=False, compare=False)
    last_year: int = field(default=0, compare=False)
    first_time: str = field(default="", compare=False)
    last_time: str = field(default="", compare=False)
    times: int = field(default=0, compare=False)


def reads(
    look: Look, dtype: pl.DataType, rule: dict[str, Any], share: float = 1 - TOLERATED
) -> bool:
    """Whether that share of the values can be read."""
    return _unread(look, dtype, tuple(rule.items())) <= (1 - share) * len(look.values)


@found_once
def _unread(look: Look, dtype: pl.DataType, rule: tuple[tuple[str, Any], ...]) -> int:
    values = _typed(look.values, dtype, dict(rule), None)
    return values.null_count()


def _read(
    texts: pl.Series,
    dtype: pl.DataType,
    rule: dict[str, Any],
    zone: str | None,
    share: float = 1 - TOLERATED,
) -> pl.Series | None:
    values = _typed(texts, dtype, rule, zone)
    return values if values.null_count() <= (1 - share) * len(values) else None


def _typed(
    texts: pl.Series, dtype: pl.DataType, rule: dict[str, Any], zone: str | None
) -> pl.Series:
    typed = typed_column(texts, dtype, ColumnMapping(**rule), zone)
    return texts if typed is None else typed.values


@found_once
def number_form(look: Look, dtype: pl.DataType, habits: Habits, *, is_rate: bool) -> Form | None:
    """Of a money, rate or count."""
    if look.digits < LEGIBLE:
        return None
    comma = habits.has_comma if look.has_comma is None else look.has_comma
    base: dict[str, Any] = {} if comma == habits.has_comma else {"decimal_comma": comma}
    said = "every value is a number" + (", with a decimal comma" if comma else "")
    currency = currency_of(look)
    shared: dict[str, Any] = {"decimal_comma": comma, "currency": currency}
    base |= {} if currency == "USD" else {"currency": currency}
    if is_rate:
        return _rate(look, dtype, base, shared)
    is_exact = isinstance(dtype, pl.Decimal) or dtype.is_integer()
    if is_exact and not reads(look, _WIDE, {**shared, **_ANYHOW}, LEGIBLE):
        return None
    words = set(re.findall(r"[^\W\d_]+", plain(re.sub(r"([a-z])([A-Z])", r"\1 \2", look.name))))
    if words & _CENTS and isinstance(dtype, pl.Decimal):
        is_whole = not look.is_fractional
        base |= {"unit": "cents"} if is_whole else {}
    for share in (1 - TOLERATED, LEGIBLE):
        for more in _CARE if isinstance(dtype, pl.Decimal) else _CARE[::2]:
            if reads(look, dtype, {**shared, **base, **more}, share):
                return Form({**base, **more}, why=said if share > LEGIBLE else "most are numbers")
    if isinstance(dtype, pl.Decimal) and reads(look, dtype, {**shared, **base, "round": "half_up"}):
        fine = "it has more decimals than money here: say whether they may be rounded"
        return Form({**base, "round": "half_up"}, why=said, aside=fine)
    return None


@found_once
def currency_of(look: Look) -> str:
    """Whose sign or code most values show; dollars, where none does."""
    if look.share(r"\d") < 1:
        return "USD"
    shown = (c for c in ("EUR", "GBP", "BRL", "CNY", "CHF", "MXN", "PLN") if _shows(look, c))
    return next(shown, "USD")


def _shows(look: Look, currency: str) -> bool:
    marks = "|".join(re.escape(m) for m in (*SIGNS.get(currency, ()), currency))
    return look.share(rf"(?:^[-+(]?\s*(?:{marks})|(?:{marks})\s*[-)]?$)") > 0.9


def numbers(look: Look, habits: Habits) -> pl.Series | None:
    """Every row's number, with twelve decimals; nothing where the column is none of numbers."""
    comma = habits.has_comma if look.has_comma is None else look.has_comma
    if look.is_empty or look.share(r"\d") < 1:
        return None
    rule: dict[str, Any] = {"decimal_comma": comma, "currency": currency_of(look), **_ANYHOW}
    values = _typed(look.texts, _WIDE, rule, None)
    lost = values.null_count() - look.texts.null_count()
    return values.cast(pl.Float64) if lost <= TOLERATED * len(look.values) else None


def _rate(
    look: Look, dtype: pl.DataType, base: dict[str, Any], shared: dict[str, Any]
) -> Form | None:
    has_sign = look.share(r"%\s*$") > 0.5
    bare = Look(look.name, look.texts.str.replace(r"\s*%\s*$", ""))
    found = _read(bare.values, pl.Decimal(18, 6), {**shared, "round": "half_up"}, None)
    if found is None or not len(found):
        return None
    is_percent = has_sign or bool((found.abs() > 1).any())
    if not is_percent:
        return Form(base, why="fractions") if reads(look, dtype, {**shared, **base}) else None
    column = spoken(look.name)
    text = f"replace(text({column}), '%', '')" if has_sign else column
    value = f"number({text}) / 100" if has_sign else f"{column} / 100"
    return Form({**base, "round": "half_up"}, value, "percentages, made fractions")


@found_once
def day_form(look: Look, habits: Habits) -> Form | None:
    if look.share(_DATED) < 1 - TOLERATED:
        return None
    return _best([f for f in ("", *_ordered(habits))], look.values, pl.Date(), {}, None)


def days_of(look: Look, form: Form) -> pl.Series | None:
    return _read(look.values, pl.Date(), form.rule, None)


def moments_of(look: Look, form: Form, zone: str) -> pl.Series | None:
    """Every row's moment; nothing, where an expression makes it of two columns."""
    if form.value:
        return None
    return _typed(look.texts, pl.Datetime("us", "UTC"), {"ambiguous": "earlier", **form.rule}, zone)


@found_once
def moment_form(look: Look, habits: Habits) -> Form | None:
    """Of a time with or without offset; of a day with a time of day in another column; or of a
    day alone, which opens the gaming day."""
    if habits.clock is not None and look is not habits.clock:
        joined = _with_clock(look, habits.clock, habits)
        if joined is not None:
            return joined
    texts, dtype = look.values, pl.Datetime("us", "UTC")
    if look.share(_DATED) < 1 - TOLERATED:
        return None
    for name, (least, most) in _EPOCHS.items():
        if look.share(r"^\d+(\.\d+)?$") == 1 and reads(look, dtype, {"format": name}):
            count = texts.cast(pl.Float64)
            if count.is_between(least, most).all():
                return Form({"format": name}, why=f"{name.replace('epoch_', 'epoch in ')}")
    zoned = _best([""], texts, dtype, {}, None)
    if zoned is not None:
        return Form(zoned.rule, why="times with their offset")
    return _in_several_forms(look, habits) or _without_offset(look, habits)


def _without_offset(look: Look, habits: Habits) -> Form | None:
    texts, dtype = look.values, pl.Datetime("us", "UTC")
    clocked = [f"{d}{s}{c}" for d in _ordered(habits) for s in (" ", "T") for c in _CLOCKS]
    rule = {"ambiguous": "earlier"}
    zone = _zone(look.name, habits)
    found = _best(["", *clocked, *_JOINED], texts, dtype, rule, zone)
    if found is not None:
        return Form({**found.rule, "timezone": zone}, why="times without offset", doubt=found.doubt)
    day = day_form(look, habits)
    if day is not None:
        return Form({**day.rule, "date_only": True}, why="days alone", doubt=day.doubt)
    return None


def _in_several_forms(look: Look, habits: Habits) -> Form | None:
    """Of counts since 1970 among times in ISO 8601."""
    counts = look.share(r"^\d{9,17}(\.\d+)?$")
    if not 0 < counts < 1:
        return None
    base: dict[str, Any] = {"format": ["iso", BY_SIZE]}
    local = {**base, "ambiguous": "earlier"}
    zone = _zone(look.name, habits)
    for rule, zoned in ((base, None), (local, zone)):
        if _read(look.values, pl.Datetime("us", "UTC"), rule, zoned) is not None:
            named = {} if zoned is None else {"timezone": zone}
            return Form({**base, **named}, why="times in ISO 8601 and counts since 1970")
    return None


def _with_clock(look: Look, clock: Look, habits: Habits) -> Form | None:
    both = pl.DataFrame({"d": look.texts, "t": clock.texts}).drop_nulls()
    texts = both.select((pl.col("d") + " " + pl.col("t")).alias("value"))["value"].unique()
    if texts.is_empty() or day_form(look, habits) is None:
        return None
    zone = _zone(clock.name, habits) or _zone(look.name, habits)
    forms = [f"{d} {c}" for d in ("%Y-%m-%d", *_ordered(habits)) for c in _CLOCKS]
    rule = {"ambiguous": "earlier"}
    found = _best(forms, texts, pl.Datetime("us", "UTC"), rule, zone)
    if found is None:
        return None
    form = found.rule["format"]
    value = f"moment(join(' ', {spoken(look.name)}, {spoken(clock.name)}), '{form}')"
    why = f"days, with the times of day of {clock.name!r}"
    return Form({"timezone": zone}, value, why, found.doubt)


def _ordered(habits: Habits) -> tuple[str, ...]:
    """Americans name the month first; where the days' span does not tell, that decides."""
    if habits.language == "en":
        return (*_MONTHS_FIRST, *_DAYS_FIRST, *_OTHERS)
    return (*_DAYS_FIRST, *_MONTHS_FIRST, *_OTHERS)


_WORDS_TOO = {"et", "est", "pt"}


def _zone(name: str, habits: Habits) -> str:
    words = set(re.findall(r"[a-zа-я]+", plain(name)))
    if habits.language != "en":  # date et heure, la fecha est...
        words -= _WORDS_TOO - {w.casefold() for w in re.findall(r"\b[A-Z]+\b", name)}
    named = {
        ("utc", "gmt"): "UTC",
        ("pst", "pdt", "pt"): "America/Los_Angeles",
        ("est", "edt", "et"): "America/New_York",
        ("cet", "cest", "mez", "mesz"): "Europe/Berlin",
        ("brt",): "America/Sao_Paulo",
        ("мск", "msk"): "Europe/Moscow",
    }
    return next((z for keys, z in named.items() if words & set(keys)), habits.timezone)


def _best(
    forms: Iterable[str],
    texts: pl.Series,
    dtype: pl.DataType,
    rule: dict[str, Any],
    zone: str | None,
) -> Form | None:
    """The form under which the values lie closest together; the first one among equals."""
    found: list[tuple[float, str]] = []
    few = texts.sample(20, seed=1) if len(texts) > 20 else texts
    shown = few.to_list()
    for form in forms:
        full = {**rule, **({"format": form} if form else {})}
        if _lacks_marks(shown, form) or _read(few, dtype, full, zone, LEGIBLE) is None:
            continue
        values = _read(texts, dtype, full, zone)
        if values is None or not len(values):
            continue
        years = values.dt.year()
        if form and not years.drop_nulls().is_between(1900, 2100).all():
            continue
        days = values.cast(pl.Date).cast(pl.Int32).cast(pl.Float64).to_numpy()
        span = float(days.max() - days.min()) if len(days) else 0.0
        found.append((span, form))
        if not form:
            break
    if not found:
        return None
    span, form = min(found, key=lambda f: f[0])
    others = [f for s, f in found if f != form and _order(f) != _order(form)]
    doubt = f"{others[0]} reads the sample too" if others else ""
    return Form({"format": form} if form else {}, doubt=doubt)


def _lacks_marks(few: Sequence[str], form: str) -> bool:
    """Whether too few texts have what stands between the parts of a form, in its order: most forms
    are passed over by that, as a reading costs a hundred times as much."""
    marks = re.sub(r"%[.\d]*[A-Za-z]|\s", "\n", form).split()
    return sum(not _has(text, marks) for text in few) > (1 - LEGIBLE) * len(few)


def _has(text: str, marks: Iterable[str]) -> bool:
    at = 0
    for mark in marks:
        at = text.find(mark, at) + len(mark)
        if at < len(mark):
            return False
    return True


def _order(form: str) -> str:
    return "".join(re.findall(r"%([dmbyY])", form))
