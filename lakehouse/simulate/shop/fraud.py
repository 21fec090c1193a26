"""Fraud in the shop, of known kinds, from blatant to faint: what a case does on its day."""

from __future__ import annotations

from lakehouse.simulate.shop.catalogue import CARDS, VOUCHERS
from lakehouse.simulate.shop.script import COMPLETED, CREDIT, DEBIT, FAILED, MINUTE, At, Script

HOUR = 60 * MINUTE


def _thief(s: Script, place: int, from_permille: int = 300) -> At:
    """Somebody else's device and network; a faint case uses the account's own."""
    return s.stranger(place) if s.case.permille >= from_permille else s.own


def card_testing(s: Script) -> None:
    """Tries stolen cards on tiny and round amounts, one after another, as a script does; most
    are refused."""
    c = s.case
    s.comes(2, 20)
    at = _thief(s, s.nearby())
    cheap = VOUCHERS[: c.scaled(4, 2)]
    s.look(at, cheap[0])
    s.check_out(at, s.price(cheap[0]))
    for k in range(c.scaled(5, 45)):
        product = cheap[c.below(len(cheap), "product", k)]
        refused = c.below(100, "refused", k) < c.scaled(30, 75)
        card = (CREDIT, DEBIT)[c.below(3, "card", k) == 0]
        s.pay(at, [(product, 1)], FAILED if refused else COMPLETED, card)
        if refused:
            s.gives_up()
        s.wait(c.eased(4 * MINUTE, 2_200) * c.among(90, 150, "gap", k) // 100)


def velocity_burst(s: Script) -> None:
    """Buys dear things one after another, as fast as it can be paid for."""
    c = s.case
    s.comes(2, 20)
    at = _thief(s, s.own.place, 400)
    first = s.some("first", c.scaled(80, 400), c.scaled(300, 2_000))
    s.look(at, first)
    s.check_out(at, s.price(first))
    for k in range(c.scaled(3, 14)):
        product = s.some("dear", c.scaled(60, 400), c.scaled(300, 2_000), k)
        s.pay(at, [(product, c.among(1, c.scaled(1, 3), "pieces", k))], COMPLETED, CREDIT)
        s.wait(c.eased(90_000, 2_300) * c.among(90, 150, "gap", k) // 100)


def impossible_travel(s: Script) -> None:
    """Somebody pays far away, so soon after the holder that nobody could have gone there."""
    c = s.case
    s.comes(1, 15)
    s.buy(s.own, [(s.some("own", 10, 200), 1)], s.method, is_evidence=False)
    s.leaves()
    s.wait(c.scaled(280, 4) * MINUTE * c.among(75, 100, "minutes") // 100)
    at = s.stranger(s.far())
    for k in range(c.scaled(1, 3)):
        product = s.some("far", c.scaled(30, 300), c.scaled(300, 2_000), k)
        s.buy(at, [(product, 1)], CREDIT)
        s.wait(c.among(30, 200, "gap", k) * 1_000)


def account_takeover(s: Script) -> None:
    """Somebody else's device, network and place, another way to pay, and a high amount."""
    c = s.case
    s.comes(8, 20)
    at = s.stranger(s.far() if c.permille >= 500 else s.nearby())
    for k in range(c.scaled(1, 3)):
        product = s.some("taken", c.scaled(120, 700), c.scaled(600, 2_000), k)
        s.buy(at, [(product, c.among(1, c.scaled(1, 3), "pieces", k))], CREDIT)
        s.wait(c.among(20, 240, "gap", k) * 1_000)


def refund_abuse(s: Script) -> None:
    """Buys over the day and has nearly all of it given back."""
    c = s.case
    s.comes(1, 6)
    at, days = s.own, s.back_days()
    for k in range(c.scaled(3, 9)):
        product = s.some("worn", c.scaled(20, 80), c.scaled(150, 700), k)
        returned = days and c.below(100, "returned", k) < c.scaled(55, 100)
        back = [days[c.below(len(days), "days", k)]] if returned else []
        s.buy(at, [(product, 1)], s.method, back=back)
        s.wait(c.among(20, 90, "gap", k) * MINUTE)
        s.leaves()


def gift_card_drain(s: Script) -> None:
    """Turns a stolen card into gift cards, which leave no trace."""
    c = s.case
    s.comes(2, 20)
    at = _thief(s, s.nearby())
    s.look(at, CARDS[2])
    s.check_out(at, s.price(CARDS[2]))
    for k in range(c.scaled(3, 16)):
        card = CARDS[c.among(c.scaled(0, 2), len(CARDS) - 1, "card", k)]
        s.pay(at, [(card, c.among(1, c.scaled(1, 4), "pieces", k))], COMPLETED, CREDIT)
        s.wait(c.eased(6 * MINUTE, 4_000) * c.among(90, 150, "gap", k) // 100)
