"""The plays of money launderers and other rule breakers, one function a kind. Money in cents.

Amounts, spacing, durations and counts follow the scenario's intensity: the faint do about what
honest patrons do.
"""

from __future__ import annotations

from lakehouse.simulate.floor.misconduct import (
    NOTE,
    Extra,
    Observed,
    Part,
    Seat,
    arrives,
    notes,
    seat,
)
from lakehouse.simulate.kernel.counter import key
from lakehouse.simulate.kernel.scenario import Scenario


def structuring(s: Scenario, p: Part) -> None:
    """Two or three amounts just below $10,000: on one gaming day, or on several days."""
    count = 2 + (s.permille >= 500)
    at = arrives(s, count * 9_000)
    for k in range(count):
        if k * (s.days - 1) // (count - 1) == s.step:
            buy = notes(s, s.scaled(350, 465), 499, "buy", k)
            at = played(s, p, at, buy, s.among(60, 150, "hours", k), k) + 900
            at += s.below(1_800, "pause", k)


def played(s: Scenario, p: Part, at: int, buy: int, hours: int, k: int = 0) -> int:
    """A visit with one rating of fair play. Returns when it ends."""
    where = seat(s, buy // s.among(2, s.scaled(5, 30), "bets", s.step, k), k)
    start = at + s.among(240, 900, "walk", s.step, k)
    win = p.swing(s, where, hours, buy, k)
    return p.rating(p.visit(s, s.players[0], at), where, start, hours, buy, win)


def minimal_play(s: Scenario, p: Part) -> None:
    """Chips for thousands, a few hands, and money back."""
    buy = notes(s, s.scaled(100, 250), s.scaled(220, 495), "buy")
    at = arrives(s, 6_000)
    where, hours = _hardly(s, p, buy)
    few = s.below(5, "won") - 2
    visit = p.visit(s, s.players[0], at)
    p.rating(visit, where, at + s.among(240, 900, "walk"), hours, buy, few * where.bet)


def _hardly(s: Scenario, p: Part, buy: int, k: int = 0) -> tuple[Seat, int]:
    """A seat, and hundredths of an hour in which a small part of the money is bet."""
    where = seat(s, buy // _bets(s, "bets", s.step, k), k)
    share = s.among(s.eased(4_000, 5), s.eased(12_000, 60), "share", s.step, k)
    hands = max(1, buy * share // 1000 // where.bet)
    return where, min(p.hours_of(where, hands), 150)


def _bets(s: Scenario, what: str, *parts: int) -> int:
    """Bets that the money would last for: of the faint as few as others buy at a time."""
    return s.among(2, 6, what, *parts) * (1_000 + 40 * s.permille**2 // 1_000) // 1_000


def chip_walking(s: Scenario, p: Part) -> None:
    """Chips bought, hardly played and carried out; the plain ones come again the next day."""
    if s.step and s.permille < 400:
        return
    buy = notes(s, s.scaled(100, 260), s.scaled(250, 495), "buy", s.step)
    at = arrives(s, 6_000)
    where, hours = _hardly(s, p, buy)
    lost = where.bet * s.below(4, "lost", s.step)
    visit = p.visit(s, s.players[0], at)
    p.rating(visit, where, at + s.among(240, 900, "walk"), hours, buy, lost, {"walks": 1})


def bill_stuffing(s: Scenario, p: Part) -> None:
    stuffed = notes(s, s.scaled(15, 150), s.scaled(60, 450), "stuffed")
    seconds = s.among(s.scaled(900, 60), s.scaled(1_800, 300), "seconds")
    at = arrives(s, 3_600)
    visit = p.visit(s, s.players[0], at)
    p.slot(visit, at + 300, seconds, key(s.luck, "slot"), stuffed=stuffed)


def marker_cycle(s: Scenario, p: Part) -> None:
    """Credit drawn in one evening and paid back in currency, a part a day."""
    if s.step:
        return
    count = 2 + (s.permille >= 300)
    at = arrives(s, 16_000)
    visit = p.visit(s, s.players[0], at)
    for k in range(count):
        buy = notes(s, s.scaled(150, 340), s.scaled(350, 495), "buy", k)
        where = seat(s, buy // _bets(s, "bets", k), k)
        hours = s.among(s.scaled(60, 15), s.scaled(150, 40), "hours", k)
        win = where.bet * s.below(8, "lost", k)
        paid = 1 + k * (s.days - 2) // (count - 1)
        more = {"marker": 1, "paid_after": paid, "by_cheque": int(s.permille >= 500)}
        at = p.rating(visit, where, at + s.among(240, 600, "walk", k), hours, buy, win, more)


def pooling(s: Scenario, p: Part) -> None:
    """Two or three patrons buy, play little, and one takes a cheque for all their chips."""
    who = s.players[-3 if s.permille >= 400 else -2 :]
    at, chips, last = arrives(s, 16_000), 0, 0
    for k, player in enumerate(who):
        buy = notes(s, s.scaled(75, 180), s.scaled(180, 300), "buy", k)
        where = seat(s, buy // _bets(s, "bets", k), k)
        hours = s.among(5, s.scaled(150, 30), "hours", k)
        start = at + s.among(60, 1_200, "comes", k)
        lost = where.bet * s.below(5, "lost", k)
        visit = p.visit(s, player, start)
        end = p.rating(visit, where, start + 240, hours, buy, lost, {"walks": 1})
        chips, last = chips + buy - lost, max(last, end)
    p.extras.append(redeemed(s, "Check", chips, last + s.among(300, 3_600, "cheque")))


def redeemed(s: Scenario, method: str, cents: int, second: int) -> Extra:
    """Chips that the suspect brings to the cage, whoever bought them."""
    return Extra(s.suspect, "CHIP_REDEMPTION", method, cents, second, scenario=s.number)


def threshold_avoidance(s: Scenario, p: Part) -> None:
    """Asks at what amount a report is made, takes money back before paying, or both."""
    buy = notes(s, s.scaled(300, 460), 499, "buy")
    at = arrives(s, 9_000)
    played(s, p, at, buy, s.among(60, 220, "hours"))
    who = s.players[0]
    if not 333 <= s.permille < 667:
        asked = "Asked at what amount a report is made."
        p.observed.append(Observed(who, "THRESHOLD_ENQUIRY", at + 180, text=asked))
    if s.permille >= 333:
        wanted = 1_000_000 + NOTE * s.among(5, 150, "wanted")
        back = "Took money back before paying."
        p.observed.append(Observed(who, "TRANSACTION_REDUCED", at + 230, wanted, buy, back))


def card_sharing(s: Scenario, p: Part) -> None:
    """One card in two machines at the same time: for minutes, or for all of the session."""
    first, second = s.among(900, 5_400, "first"), s.among(900, 5_400, "second")
    at = arrives(s, first + second)
    both = s.scaled(60, first)
    for k, (start, seconds) in enumerate(((at, first), (at + first - both, second))):
        p.slot(p.visit(s, s.players[0], start), start + 300, seconds, key(s.luck, "slot", k))


def self_excluded_play(s: Scenario, p: Part) -> None:
    at = arrives(s, 16_000)
    visit = p.visit(s, s.players[0], at)
    for k in range(1 + s.scaled(0, 2)):
        seconds = s.among(s.scaled(200, 1_200), s.scaled(900, 4_800), "seconds", k)
        at = p.slot(visit, at + s.among(200, 600, "walk", k), seconds, key(s.luck, "slot", k))


def agent(s: Scenario, p: Part) -> None:
    """Buys chips for another, who buys some for himself and redeems the other's at the end."""
    buyer, principal = s.players
    at, cents = arrives(s, 18_000), notes(s, s.scaled(100, 260), s.scaled(300, 495), "buy")
    p.visit(s, buyer, at)
    bought = Extra(buyer, "CHIP_PURCHASE", "Cash", cents, at + 280, principal, scenario=s.number)
    own = notes(s, 100, 300, "own")
    where, hours = seat(s, own // s.among(2, 5, "bets")), s.among(100, 300, "hours")
    visit = p.visit(s, principal, at + 200)
    end = p.rating(visit, where, at + 900, hours, own, p.swing(s, where, hours, own))
    out = Extra(principal, "CHIP_REDEMPTION", "Cash", cents, end + 900, scenario=s.number)
    p.extras += [bought, out]
