"""Honest shopping that looks like fraud of a kind: nothing to find."""

from __future__ import annotations

from lakehouse.simulate.shop.catalogue import CARDS, VOUCHERS
from lakehouse.simulate.shop.script import COMPLETED, CREDIT, FAILED, MINUTE, Script

_VPN = 850
"""Intensity from which a traveller only seems to be one."""


def card_testing(s: Script) -> None:
    """A card that is refused again and again until another one is taken; or a player who tops
    up with small vouchers."""
    c, at = s.case, s.own
    s.comes(2, 20)
    if c.below(2, "voucher"):
        for k in range(c.among(2, c.scaled(3, 6), "vouchers")):
            s.buy(at, [(VOUCHERS[c.among(1, 3, "voucher", k)], 1)], s.method)
            s.wait(c.among(40, 300, "gap", k) * 1_000)
        return
    basket = [(s.some("basket", 20, 300), 1)]
    s.look(at, basket[0][0])
    s.check_out(at, s.price(basket[0][0]))
    for k in range(c.among(2, c.scaled(3, 7), "refused")):
        s.pay(at, basket, FAILED, CREDIT, attempt=k)
        s.wait(c.among(15, 80, "gap", k) * 1_000)
    s.pay(at, basket, COMPLETED, s.method, attempt=20)


def velocity_burst(s: Script) -> None:
    """Someone in a sale: one order after another, each of them thought about."""
    c, at = s.case, s.own
    s.comes(2, 20)
    for k in range(c.among(2, c.scaled(3, 7), "orders")):
        s.buy(at, [(s.some("sale", 20, c.scaled(120, 400), k), 1)], s.method)
        s.wait(c.among(c.scaled(120, 20), 300, "gap", k) * 1_000)


def impossible_travel(s: Script) -> None:
    """A flight within a part of the world, a place told wrongly by some kilometres, or a
    network of one's own that comes out elsewhere."""
    c, at = s.case, s.own
    s.comes(1, 13)
    s.buy(at, [(s.some("own", 10, 200), 1)], s.method)
    s.leaves()
    if c.permille >= _VPN:
        s.wait(c.among(5, 90, "minutes") * MINUTE)
        out = s.stranger(s.far())
        there = at._replace(
            network=out.network, latitude=out.latitude, longitude=out.longitude, place=out.place
        )
    elif c.below(2, "flight"):
        s.wait(c.among(c.scaled(480, 310), 540, "minutes") * MINUTE)
        out = s.stranger(s.nearby())
        there = at._replace(
            network=out.network, latitude=out.latitude, longitude=out.longitude, place=out.place
        )
    else:
        s.wait(c.among(2, 30, "minutes") * MINUTE)
        off = c.scaled(10, 80)
        there = at._replace(
            network=s.stranger(at.place).network,
            latitude=at.latitude + c.among(-off, off, "north") // 2,
            longitude=at.longitude + c.among(-off, off, "east"),
        )
    s.buy(there, [(s.some("there", 10, 300), 1)], s.method)


def account_takeover(s: Script) -> None:
    """A new phone, at home for something dear, or lost and bought anew on a trip."""
    c, at = s.case, s.own
    s.comes(8, 20)
    new = s.stranger(at.place)
    if c.below(2, "abroad"):
        there = s.stranger(s.nearby())
        s.buy(there, [(s.some("abroad", 15, c.scaled(150, 400)), 1)], s.method)
        return
    own = at._replace(device=new.device, kind=new.kind, browser=new.browser)
    s.buy(own, [(s.some("dear", c.scaled(100, 500), 2_000), 1)], s.method)


def refund_abuse(s: Script) -> None:
    """Orders several sizes, keeps what fits."""
    c, at = s.case, s.own
    s.comes(2, 18)
    days = s.back_days()
    count = c.among(2, c.scaled(3, 6), "sizes")
    basket = [(s.some("size", 15, 300, k), 1) for k in range(count)]
    day = days[c.below(len(days), "back")] if days else 0
    s.buy(at, basket, s.method, back=[day] * c.among(1, count - 1, "returned"))


def gift_card_drain(s: Script) -> None:
    """Presents for many: gift cards of small worth, in an order or two."""
    c, at = s.case, s.own
    s.comes(2, 20)
    for k in range(c.among(1, 1 + c.scaled(1, 3), "orders")):
        basket = [(CARDS[c.below(c.scaled(2, 4), "card", k)], c.among(1, 5, "pieces", k))]
        s.buy(at, basket, s.method)
        s.wait(c.among(60, 600, "gap", k) * 1_000)
