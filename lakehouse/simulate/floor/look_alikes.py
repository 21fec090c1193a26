"""Honest play that looks like misconduct of a kind: nothing to find. Money in cents."""

from __future__ import annotations

from lakehouse.simulate.floor.misconduct import CHIP, NOTE, Observed, Part, arrives, notes, seat
from lakehouse.simulate.floor.schemes import played, redeemed
from lakehouse.simulate.kernel.counter import key
from lakehouse.simulate.kernel.scenario import Scenario

CLOSE = 700
"""Intensity from which a look-alike does almost what the guilty do."""


def structuring(s: Scenario, p: Part) -> None:
    """A regular who brings about $9,500 and plays it all, now and again a week or more later."""
    days = {0, s.days - 1} if s.days > 7 else {0}
    if s.step not in days:
        return
    at = arrives(s, 2 * 18_000)
    for k in range(2 if s.days == 1 and s.permille >= CLOSE else 1):
        buy = notes(s, 400, 499, "buy", s.step, k)
        at = played(s, p, at, buy, s.among(200, 400, "hours", s.step, k), k) + 1_800


def minimal_play(s: Scenario, p: Part) -> None:
    """Luck decides it within a few hands: leaves with near twice the money, or with hardly any."""
    buy = notes(s, 100, s.scaled(200, 400), "buy")
    at = arrives(s, 3_600)
    where, hours = seat(s, buy // s.among(3, 12, "bets")), s.among(5, s.scaled(60, 15), "hours")
    much = buy * s.among(60, 100, "luck") // (100 * CHIP) * CHIP
    win = much if s.below(2, "side") else -much
    p.rating(p.visit(s, s.players[0], at), where, at + 600, hours, buy, win)


def chip_walking(s: Scenario, p: Part) -> None:
    """Keeps the chips in a pocket and redeems them hours later, or the next day."""
    buy = notes(s, 150, s.scaled(300, 495), "buy")
    where, hours = seat(s, buy // s.among(3, 40, "bets")), s.among(20, 150, "hours")
    lost = where.bet * s.below(6, "lost")
    at = arrives(s, 24_000)
    if s.step == 0:
        visit = p.visit(s, s.players[0], at)
        at = p.rating(visit, where, at + 600, hours, buy, lost, {"walks": 1}) + 7_200
    if s.step == s.days - 1:
        p.visit(s, s.players[0], at)
        p.extras.append(redeemed(s, "Cash", buy - lost, at + 280))


def bill_stuffing(s: Scenario, p: Part) -> None:
    """Puts in more than is needed, plays for a while and is called away."""
    at, stuffed = arrives(s, 3_600), notes(s, 15, s.scaled(60, 250), "stuffed")
    seconds = s.among(300, s.scaled(3_000, 900), "seconds")
    visit = p.visit(s, s.players[0], at)
    p.slot(visit, at + 300, seconds, key(s.luck, "slot"), stuffed=stuffed)


def marker_cycle(s: Scenario, p: Part) -> None:
    """Draws one or two markers, plays them, and pays them in currency."""
    if s.step:
        return
    at = arrives(s, 26_000)
    visit = p.visit(s, s.players[0], at)
    for k in range(1 + (s.permille >= CLOSE)):
        buy = notes(s, 150, 495, "buy", k)
        where, hours = seat(s, buy // s.among(3, 20, "bets", k), k), s.among(60, 240, "hours", k)
        more = {"marker": 1, "paid_after": 1 + (k + s.days) % 14}
        win = p.swing(s, where, hours, buy, k)
        at = p.rating(visit, where, at + 600, hours, buy, win, more)


def pooling(s: Scenario, p: Part) -> None:
    """A couple who come and play together; of some, one redeems the chips of both."""
    at, chips, last = arrives(s, 20_000), 0, 0
    together = s.permille >= CLOSE
    where = seat(s, NOTE * s.among(1, 5, "bet"))
    for k, player in enumerate(s.players[-2:]):
        buy, hours = notes(s, 75, 300, "buy", k), s.among(90, 300, "hours", k)
        win = p.swing(s, where, hours, buy, k)
        visit = p.visit(s, player, at + 30 * k)
        end = p.rating(visit, where, at + 600, hours, buy, win, {"walks": int(together)})
        chips, last = chips + buy - win, max(last, end)
    if together and chips:
        method = "Check" if chips > 1_000_000 else "Cash"
        p.extras.append(redeemed(s, method, chips, last + 600))


def threshold_avoidance(s: Scenario, p: Part) -> None:
    """Asks when a report is made, out of curiosity."""
    at, buy = arrives(s, 12_000), notes(s, 50, s.scaled(150, 499), "buy")
    played(s, p, at, buy, s.among(60, 260, "hours"))
    asked = "Asked when a report is made."
    p.observed.append(Observed(s.players[0], "THRESHOLD_ENQUIRY", at + 180, text=asked))


def card_sharing(s: Scenario, p: Part) -> None:
    """From one machine to the next within a minute, over and over."""
    at = arrives(s, 12_000)
    visit = p.visit(s, s.players[0], at)
    for k in range(2 + s.below(3, "sessions")):
        seconds = s.among(600, 2_400, "seconds", k)
        at = p.slot(visit, at + s.among(5, 60, "walk", k), seconds, key(s.luck, "slot", k))
