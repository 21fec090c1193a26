"""How well a column of a file fits one of ours, and by what that is known."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field

import dataframely as dy
import polars as pl

from lakehouse.contracts import PROVENANCE, Contract
from lakehouse.contracts.columns import folded, spellings
from lakehouse.ingest.files.inference.codes import MOST, flags, translated
from lakehouse.ingest.files.inference.forms import (
    Form,
    Habits,
    day_form,
    days_of,
    moment_form,
    number_form,
    numbers,
    reads,
)
from lakehouse.ingest.files.inference.looks import Look, spoken
from lakehouse.ingest.files.inference.names import is_general, is_price, likeness, phrases
from lakehouse.ingest.files.inference.relations import Relations

ENOUGH = 0.6
SURE, LIKELY = 0.9, 0.75
NESTED = 0.95
"""What the last name of a path is worth beside all of it: `user.country` is a country."""
SIGNED = 0.05
"""Share of values below the least from which they are no damage."""
_COUNTRY, _CURRENCY = r"^[A-Za-z]{2}$", r"^[A-Z]{3}$"


@dataclass(frozen=True)
class Fit:
    """`score`: 0 to 1. `codes`: the file's code → ours, and `foreign` those without."""

    score: float
    form: Form
    why: tuple[str, ...]
    codes: dict[str, str] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What is known beside the column itself. `known`: (table, column) → values of the lake."""

    contract: Contract
    habits: Habits
    relations: Relations
    known: Dictionary[tuple[str, str], frozenset[str]]
    forms: dict[tuple[str, str], Form | None] = field(default_factory=dict)
    """How columns of the file can be read as a type, as far as that was asked."""
    counts: dict[str, pl.Series | None] = field(default_factory=dict)

    def below(self, look: Look, least: float) -> float:
        """How many of its numbers are smaller, as a share."""
        if look.name not in self.counts:
            self.counts[look.name] = numbers(look, self.habits)
        values = self.counts[look.name]
        return 0.0 if values is None else float((values < least).mean() or 0)  # type: ignore[arg-type]


def fit(look: Look, ours: str, evidence: Evidence) -> Fit | None:
    """None where the values cannot be what the column holds."""
    c = evidence.contract
    column = c.columns[ours]
    named = _named(look.name, ours, c)
    if look.is_empty:
        return Fit(named * 0.9, Form(why="empty in the sample"), ()) if named >= 1 else None
    form, codes, foreign = Form(), dict[str, str](), list[str]()
    if isinstance(column, dy.Bool):
        codes = flags(look)
        look = Look(look.name, look.texts.replace(codes), look.nulls) if codes else look
    if isinstance(column, dy.Enum):
        if len(look.distinct) > MOST or look.is_fractional:
            return None
        codes, foreign = translated(look, ours, column)
    else:
        found = _form(look, ours, column, evidence, named)
        if found is None:
            return None
        form = found
    points, why = _judged(look, ours, column, evidence, (codes, foreign))
    score = max(named, 0.0)
    for worth, said in points:
        score = max(score + worth, worth) if worth > 0 else score + worth
        why += [said] if worth > 0 else []
    return Fit(max(0.0, min(score, 1.0)), form, (_said(named), *why), codes, tuple(foreign))


def _named(theirs: str, ours: str, c: Contract) -> float:
    if is_ours(theirs, ours, c):
        return 1.0
    *_, leaf = theirs.rpartition(".")
    nested = [] if leaf == theirs or is_general(leaf) else [NESTED * _alike(leaf, ours, c)]
    return max([_alike(theirs, ours, c), *nested])


def _alike(theirs: str, ours: str, c: Contract) -> float:
    own = max(0.98 * likeness(theirs, n) for n in c.names(ours))
    given = phrases(c.name, ours)
    return max([own, *(0.97 * likeness(theirs, p) - 0.005 * i for i, p in enumerate(given))])


def is_ours(theirs: str, ours: str, c: Contract) -> bool:
    """Whether a column of a file has a name of ours."""
    return any(folded(theirs) == folded(n) for n in c.names(ours))


def _said(named: float) -> str:
    return "the name says so" if named >= LIKELY else "the name hints at it" if named >= 0.4 else ""


def _form(
    look: Look, ours: str, column: dy.Column, evidence: Evidence, named: float
) -> Form | None:
    if column.dtype == pl.String:
        return _text(look, ours, column, named)
    is_rate = (column.metadata or {}).get("unit") == "fraction"
    asked = (look.name, f"{column.dtype} {is_rate}")
    if asked not in evidence.forms:
        evidence.forms[asked] = _typed(look, column.dtype, evidence.habits, is_rate=is_rate)
    found = evidence.forms[asked]
    if found is None or not column.dtype.is_numeric():
        return found
    return _positive(look, ours, column, evidence, found)


def _typed(look: Look, dtype: pl.DataType, habits: Habits, *, is_rate: bool) -> Form | None:
    if isinstance(dtype, pl.Datetime):
        return moment_form(look, habits)
    if dtype == pl.Date:
        return day_form(look, habits)
    if dtype == pl.Boolean:
        return Form(why="every value is true or false") if reads(look, dtype, {}) else None
    return number_form(look, dtype, habits, is_rate=is_rate)


def _positive(
    look: Look, ours: str, column: dy.Column, evidence: Evidence, form: Form
) -> Form | None:
    """A bank's amounts have signs; ours of the same meaning have none, and a type instead."""
    least = getattr(column, "min", None)
    if least is None or evidence.below(look, least) < SIGNED:
        return form
    if ours not in ("amount", "coin_in", "wager") or form.value:
        return None
    said = f"{form.why}; the sign, which tells money in from money out, is taken off"
    return Form(form.rule, f"abs({spoken(look.name)})", said, form.doubt, form.aside)


def _text(look: Look, ours: str, column: dy.Column, named: float) -> Form | None:
    regex = getattr(column, "regex", None)
    upper = (column.metadata or {}).get("upper", False)
    if regex and look.share(f"(?i){regex}" if upper else regex) < 1:
        return None
    is_number = ours.endswith(("_id", "_number", "_reference"))
    if is_number and (look.is_fractional or look.is_prose or look.is_clock):
        return None
    if named < 1 and (
        look.is_clock or look.is_fractional or look.share(r"^\d{1,4}[./-]\d{1,2}[./-]\d{2,4}") > 0.9
    ):
        return None
    if ours == "email" and not look.is_email:
        return None
    if ours in ("first_name", "last_name", "city") and not look.is_words:
        return None
    if look.share(r"^[\[{]") > 0.5 or (named < 0.9 and look.is_flag):
        return None
    return Form()


def _judged(
    look: Look,
    ours: str,
    column: dy.Column,
    evidence: Evidence,
    told: tuple[dict[str, str], list[str]],
) -> tuple[list[tuple[float, str]], list[str]]:
    c, points = evidence.contract, list[tuple[float, str]]()
    if isinstance(column, dy.Enum):
        points.append(_coded(look, column, *told))
    if c.key == [ours] or ours == c.key[0]:
        points.append((0.1, "no value comes twice") if look.is_unique else (-0.6, ""))
        if look.is_prose or look.is_email or look.share(r"\S\s+\S") > 0.5:
            points.append((-0.6, ""))
    if ours == c.event_time and evidence.habits.only_time == look.name:
        points.append((0.65, "it is the only time in the file"))
    if isinstance(column, dy.Datetime):
        points += _placed(look, ours, evidence)
    if ours == "amount" and evidence.habits.has_quantity and is_price(look.name):
        points.append((-0.6, ""))
    if ours == "player_id" and len(look.distinct) == 1 and len(look.values) > 2:
        points.append((-0.2, ""))
    points += _referred(look, ours, evidence)
    points += [*_shaped(look, ours), *_titled(look, ours, c)]
    if ours == "date_of_birth" and _born(look, evidence):
        points.append((0.4, "years of grown people's births"))
    points += _followed(look, ours, column, evidence.relations)
    return points, []


def _placed(look: Look, ours: str, evidence: Evidence) -> list[tuple[float, str]]:
    """What happened first stands in the first of our columns of moments, the last in the last."""
    c, habits = evidence.contract, evidence.habits
    ours_all = [n for n, x in c.columns.items() if isinstance(x, dy.Datetime)]
    ours_all = [n for n in ours_all if n not in PROVENANCE]
    worth = 0.62 if habits.times == len(ours_all) == 2 else 0.3
    if look.name == habits.first_time and ours == ours_all[0]:
        return [(worth, "no other time of a row is before it")]
    if look.name == habits.last_time and ours == ours_all[-1] and len(ours_all) > 1:
        return [(worth, "no other time of a row is after it")]
    return []


def _coded(
    look: Look, column: dy.Enum, codes: dict[str, str], foreign: list[str]
) -> tuple[float, str]:
    known = spellings(column)
    own = [v for v in look.distinct if folded(v) in known]
    share = (len(own) + len(codes)) / len(look.distinct)
    if own and share == 1 and len(own) > 1:
        return 0.7, "its codes are ours"
    if share == 1 and len(codes) > 1 and max(map(len, codes)) > 3:
        return 0.65, "its codes are known"
    if share >= 0.5:
        return 0.15, "most codes are known" if foreign else "its codes are known"
    if not share and len(look.distinct) > 3 and len(look.distinct) > 0.8 * len(look.values):
        return -0.6, ""
    return (0.0, "") if share else (-0.3, "")


def _referred(look: Look, ours: str, evidence: Evidence) -> list[tuple[float, str]]:
    c = evidence.contract
    if not evidence.known:
        return []
    refs = {(c.name, ours), *[r for n, r in c.references().items() if n == ours]}
    points = []
    for ref in refs:
        known = evidence.known.get(ref)
        if not known or (c.key and ours == c.key[0]):
            continue
        share = float(look.distinct.is_in(list(known)).mean() or 0)  # type: ignore[arg-type]
        if share >= 0.5 and len(look.distinct) > 1:
            points.append((0.75, f"{share:.0%} of its values are known of {ref[0]}"))
    return points


def _born(look: Look, evidence: Evidence) -> bool:
    """Whether days lie as long before the file's last as those of grown people's births."""
    form = evidence.forms.get((look.name, f"{pl.Date()} False"))
    days = None if form is None else days_of(look, form)
    if days is None or len(days.unique()) < 2:
        return False
    ages = evidence.habits.last_year - days.dt.year()
    return bool(ages.is_between(18, 110).all())


def _shaped(look: Look, ours: str) -> list[tuple[float, str]]:
    if ours == "email" and look.is_email:
        return [(0.8, "e-mail addresses")]
    if ours == "ip_address":
        return [(0.7, "network addresses")] if look.is_network else [(-0.6, "")]
    if ours == "currency" and look.share(_CURRENCY) == 1:
        known = look.distinct.is_in(["USD", "EUR", "GBP", "CAD", "MXN", "BRL", "CNY", "JPY", "CHF"])
        return [(0.75, "codes of currencies")] if known.all() else []
    if ours == "country":
        return [(0.1, "codes of countries")] if look.share(_COUNTRY) == 1 else []
    if ours == "gross_amount" and look.share(r"^0*[.,]?0*$") > 0.2:
        return [(-0.3, "")]
    if ours in ("first_name", "last_name") and look.share(r"\S\s+\S") > 0.8:
        return [(-0.2, "")]
    if ours in ("first_name", "last_name", "notes", "game_theme") and not look.is_words:
        return [(-0.1, "")]
    if ours in ("machine_id", "event_id") and look.share(r"^(SLOT|EGM)-?\d+$") > 0.9:
        return [(0.65, "numbers of machines")] if ours == "machine_id" else [(-0.5, "")]
    return []


def _titled(look: Look, ours: str, c: Contract) -> list[tuple[float, str]]:
    """Where a table has number and name of a thing, what has hardly a digit is the name; a number
    alone is never one."""
    if ours.endswith("_name") and look.share(r"^\d+$") == 1:
        return [(-0.3, "")]
    if ours.endswith("_id") and f"{ours.removesuffix('_id')}_name" in c.columns:
        return [(-0.3, "")] if look.is_words else []
    is_coded = look.digits == 1 and look.share(r"\s") == 0
    if is_coded and ours.endswith("_name") and f"{ours.removesuffix('_name')}_id" in c.columns:
        return [(-0.3, "")]
    return []


def _followed(
    look: Look, ours: str, column: dy.Column, relations: Relations
) -> list[tuple[float, str]]:
    """A balance is no amount; what amounts to quantity times price is one."""
    points, theirs = list[tuple[float, str]](), look.name
    is_money = isinstance(column, dy.Decimal) and ours not in ("hours_played",)
    if not is_money:
        return points
    moved = {a: b for b, a in relations.balances.items()}
    if theirs in relations.odds:
        points.append((-0.6, ""))
    if theirs in relations.balances:
        points.append((-0.6, ""))
    if ours == "amount" and theirs in moved and theirs not in relations.balances:
        points.append((0.65, f"{moved[theirs]!r} follows from it"))
    if ours in ("amount", "coin_out", "gross_amount") and theirs in relations.products:
        a, b = relations.products[theirs]
        points.append((0.2, f"it is {a!r} times {b!r}"))
    factors = {n for f in relations.products.values() for n in f}
    if ours == "amount" and theirs in factors and theirs not in moved:
        points.append((-0.4, ""))
    if ours in ("coin_out", "gross_amount") and theirs in relations.payouts:
        a, b = relations.payouts[theirs]
        points.append((0.3, f"it is {a!r} and {b!r}"))
    return points
