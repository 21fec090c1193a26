"""Which column of a file is which of ours: the choice that is best for all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lakehouse.contracts import PROVENANCE, Contract
from lakehouse.ingest.files.inference.looks import Look, spoken
from lakehouse.ingest.files.inference.names import is_price, likeness
from lakehouse.ingest.files.inference.scores import ENOUGH, Evidence, Fit, fit

_CLOSE = 0.06
_REQUIRED = 0.015


@dataclass(frozen=True)
class Chosen:
    """One of our columns, and where it comes from. `rule`: its entries in the mapping. `aside`:
    why it is proposed as a comment alone, where it is."""

    ours: str
    theirs: tuple[str, ...]
    rule: dict[str, Any]
    score: float
    why: tuple[str, ...]
    foreign: tuple[str, ...] = ()
    doubt: str = ""
    aside: str = ""
    more: tuple[str, ...] = field(default=())


def assigned(looks: list[Look], evidence: Evidence, taken: frozenset[str]) -> list[Chosen]:
    """In the order of the contract. `taken`: our columns that are already spoken for."""
    from scipy.optimize import linear_sum_assignment

    c = evidence.contract
    names = [n for n in c.columns if n not in (*PROVENANCE, *taken)]
    if not looks or not names:
        return []
    fits = {(o, k.name): f for o in names for k in looks if (f := fit(k, o, evidence))}
    worth = [[_worth(c, o, fits.get((o, k.name))) for k in looks] for o in names]
    rows, columns = linear_sum_assignment(worth, maximize=True)
    found = []
    for row, column in zip(rows, columns, strict=True):
        ours, theirs = names[row], looks[column].name
        if worth[row][column] > 0:
            rivals = [(f.score, t) for (o, t), f in fits.items() if o == ours and t != theirs]
            found.append(_chosen(ours, theirs, fits[ours, theirs], rivals))
    return found


def _worth(c: Contract, ours: str, found: Fit | None) -> float:
    if found is None or found.score < ENOUGH:
        return 0.0
    return found.score - ENOUGH + 0.05 + (0 if c.columns[ours].nullable else _REQUIRED)


def _chosen(ours: str, theirs: str, found: Fit, rivals: list[tuple[float, str]]) -> Chosen:
    close = [t for s, t in rivals if s >= max(ENOUGH, found.score - _CLOSE)]
    doubt = f"or {close[0]!r}, which fits as well" if close else found.form.doubt
    rule: dict[str, Any] = {"value": found.form.value} if found.form.value else {"from": theirs}
    rule |= found.form.rule
    if found.codes:
        rule["codes"] = found.codes
    why = tuple(w for w in (*found.why, found.form.why) if w)
    score = min(found.score, 0.74) if close else found.score
    more = (_direction(theirs),) if ours == "amount" and found.form.value.startswith("abs(") else ()
    aside = found.form.aside
    return Chosen(ours, (theirs,), rule, score, why, found.foreign, doubt, aside, more)


def _direction(amount: str) -> str:
    yes, no = "'FRONT_MONEY_DEPOSIT'", "'FRONT_MONEY_WITHDRAWAL'"
    value = f"{yes} if {spoken(amount)} > 0 else {no}"
    return f'the sign may tell transaction_type: value = "{value}"'


def derived(
    looks: list[Look], chosen: list[Chosen], evidence: Evidence, taken: frozenset[str]
) -> list[Chosen]:
    """What relations between the columns give beside: payouts, sides, products, keys."""
    found = {x.ours: x for x in chosen}
    c = evidence.contract
    free = {k.name for k in looks} - {t for x in chosen for t in x.theirs}
    open_ends = [n for n in c.columns if n not in found and n not in taken]
    made = [
        _payout(free, found, open_ends),
        _side(free, evidence, open_ends),
        _product(looks, free, found, evidence.relations.products, open_ends),
        _order(found, c, open_ends),
        _books(found, open_ends),
        _dollars(looks, open_ends),
        _key(c, open_ends),
    ]
    return [x for x in made if x is not None]


def _payout(free: set[str], found: dict[str, Chosen], open_ends: list[str]) -> Chosen | None:
    profit = [n for n in free if likeness(n, "profit") >= 0.7]
    if "coin_out" in open_ends and "coin_in" in found and len(profit) == 1:
        staked = found["coin_in"]
        value = f"{spoken(staked.theirs[0])} + {spoken(profit[0])}"
        rule = {"value": value} | {
            k: v for k, v in staked.rule.items() if k in ("unit", "decimal_comma")
        }
        why = (f"what was staked, and the profit {profit[0]!r} beyond it",)
        return Chosen("coin_out", (profit[0],), rule | {"round": "noise"}, 0.7, why)
    return None


def _side(free: set[str], evidence: Evidence, open_ends: list[str]) -> Chosen | None:
    if "amount" not in open_ends:
        return None
    for left, right in evidence.relations.sides:
        names = {_side_of(n): n for n in (left, right) if n in free}
        if {"debit", "credit"} <= names.keys():
            debit, credit = spoken(names["debit"]), spoken(names["credit"])
            value = f"coalesce(abs({credit}), abs({debit}))"
            why = ("each row is a debit or a credit",)
            more = (
                "which of the two a row is, for transaction_type: "
                f"value = \"'FRONT_MONEY_DEPOSIT' if {credit} is not None else "
                "'FRONT_MONEY_WITHDRAWAL'\"",
            )
            return Chosen("amount", (left, right), {"value": value}, 0.9, why, more=more)
    return None


def _side_of(name: str) -> str:
    sides = {s: max(likeness(name, s), likeness(name, f"{s} amount")) for s in ("debit", "credit")}
    side = max(sides, key=lambda s: sides[s])
    return side if sides[side] >= 0.6 else ""


def _product(
    looks: list[Look],
    free: set[str],
    found: dict[str, Chosen],
    products: Mapping[str, tuple[str, str]],
    open_ends: list[str],
) -> Chosen | None:
    known = free | {t for n in ("quantity", "unit_price") if n in found for t in found[n].theirs}
    quantity = [k.name for k in looks if k.name in known and likeness(k.name, "quantity") >= 0.7]
    price = [k.name for k in looks if k.name in known and is_price(k.name)]
    if "amount" not in open_ends or len(quantity) != 1 or len(price) != 1:
        return None
    pair = {quantity[0], price[0]}
    total = next((t for t, f in products.items() if {*f} == pair and t in free), "")
    if total:
        why = (f"it is {quantity[0]!r} times {price[0]!r}",)
        return Chosen("amount", (total,), {"from": total}, 0.85, why)
    value = f"{spoken(quantity[0])} * {spoken(price[0])}"
    why = ("quantity times price; the file has no amount",)
    return Chosen("amount", (quantity[0], price[0]), {"value": value}, 0.8, why)


def _books(found: dict[str, Chosen], open_ends: list[str]) -> Chosen | None:
    """Days alone are of the gaming day that they name: the day of the books."""
    moment = found.get("transaction_timestamp")
    if "business_date" not in open_ends or moment is None or not moment.rule.get("date_only"):
        return None
    rule = {k: v for k, v in moment.rule.items() if k in ("from", "format", "latest_year")}
    why = ("days alone are those of the books",)
    return Chosen("business_date", moment.theirs, rule, 0.75, why, doubt=moment.doubt)


def _order(found: dict[str, Chosen], c: Contract, open_ends: list[str]) -> Chosen | None:
    """An order of which the file has one row is its own payment."""
    key = found.get(c.key[0])
    if "order_id" not in open_ends or key is None or not key.theirs:
        return None
    if likeness(key.theirs[0], "order id") < 0.6:
        return None
    why = ("a row is an order and its payment",)
    return Chosen("order_id", key.theirs, key.rule, min(key.score, 0.8), why)


def _dollars(looks: list[Look], open_ends: list[str]) -> Chosen | None:
    if "currency" not in open_ends:
        return None
    said = [
        k.name for k in looks if k.share(r"^[-+(]?\s*(US)?\$") == 1 or "usd" in k.name.casefold()
    ]
    if not said:
        return None
    return Chosen("currency", (), {"constant": "USD"}, 0.9, (f"{said[0]!r} is in dollars",))


def _key(c: Contract, open_ends: list[str]) -> Chosen | None:
    key = c.key[0] if c.key else ""
    if key not in open_ends or key == "player_id" or c.columns[key].dtype != pl.String():
        return None
    why = ("no column is a number that comes once; made of the file and the row's place",)
    return Chosen(key, (), {"value": "row_key()"}, 0.8, why)
