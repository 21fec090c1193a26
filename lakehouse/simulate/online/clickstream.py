"""The online casino's clickstream: games are opened, rounds staked and settled, games left."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts.columns import DEVICES
from lakehouse.contracts.online.clickstream import EVENT_TYPES
from lakehouse.simulate.faults.defects import added
from lakehouse.simulate.kernel import accounts, frames
from lakehouse.simulate.kernel.addresses import addresses
from lakehouse.simulate.kernel.arrays import narrow, order_of, ordinals, owners, starts, take
from lakehouse.simulate.kernel.clock import day_seconds, gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, below, chance, draw, exp, key, normal
from lakehouse.simulate.kernel.ids import event_ids
from lakehouse.simulate.kernel.places import places
from lakehouse.simulate.kernel.plants import nothing, planted
from lakehouse.simulate.kernel.producers import label, producer
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.online import visits
from lakehouse.simulate.online.cases import cases
from lakehouse.simulate.online.games import DECIDES, LIMITS, NAMES, RETURNS, paid

TABLE = "clickstream"
START, BET, RESULT, END = range(len(EVENT_TYPES))
CUT_OFF = 0.04
"""Sessions that end without a game_end; half of them with a stake that nobody settled."""
UNTOLD = 0.06
"""Sessions of clients that tell no number."""
_USUAL, _OF_ACCOUNTS, _OF_ROUNDS = 45.0, 0.6, 0.45
"""Median stake in dollars, and the spread of its logarithm between accounts and rounds: 95 in a
hundred are from 10 to 200."""
_MOST_RUN = 6
_BONUS_SESSIONS, _BONUS_ROUNDS, _FREE_BETS = 0.08, 5, 0.01
_OPENS = 4_000, 26_000
_LEAVES = 3_000, 57_000
_MOVES = 5_000, 55_000
"""Milliseconds, least and how many more: to the first stake, to the end, to another game."""


@dataclass(frozen=True)
class Clicks:
    """Events as numbers, one entry each."""

    day: I64
    ordinal: I64
    event: I64
    """Microseconds since the epoch."""
    kind: I64
    account: I64
    game: I64
    stake: I64
    win: I64
    """Cents."""
    device: I64
    place: I64
    network: I64
    session: I64
    """Its number on the day, or -1 where the client tells none."""
    round: I64
    """Its number on the day, or -1 of what belongs to none."""
    is_bonus: NDArray[np.bool_]
    case: I64

    def __len__(self) -> int:
        return len(self.day)


def dress(config: WorldConfig, r: Clicks) -> pl.DataFrame:
    """Turns the numbers of a stretch into rows of bronze."""
    where = places()
    return frames.frame(
        TABLE,
        {
            "timestamp": frames.utc(r.event),
            "user_id": accounts.account_ids(r.account),
            "event_type": frames.code(EVENT_TYPES, r.kind),
            "game_name": frames.code(NAMES, r.game),
            "bet_amount": frames.money(r.stake),
            "win_amount": frames.money(r.win),
            "device": frames.code(DEVICES, r.device),
            "country": frames.gather(where["country"], r.place),
            "event_id": event_ids(config.seed, TABLE, r.day, r.ordinal),
            "session_id": _numbers(config, "session", r.day, r.session),
            "round_id": _numbers(config, "round", r.day, r.round),
            "is_bonus": pl.Series(r.is_bonus),
            "time_zone": frames.gather(where["time_zone"], r.place),
            "ip_address": addresses(r.network),
            **stamp(TABLE, gaming_days(config.start, r.day), r.event),
        },
    )


@producer(TABLE, dress=dress, clashing="ip_address")
def rows_of(world: World, day: int) -> Clicks:
    """A day's events in order of time: exactly its quota of rows, less those that defects will
    add; none where nobody is online."""
    config = world.config
    rows = max(0, config.quota(TABLE, day) - added(config, TABLE, day))
    v = visits.visits_on(world, day, rows)
    games, fitting = _sat(config, v, rows)
    v = take(v, slice(fitting))
    clicks = narrow(_clicks(world, day, v, games))
    order = order_of(clicks.event)
    return dataclasses.replace(take(clicks, order), ordinal=np.arange(len(order)))


@label(TABLE)
def planted_accounts(world: World, day: int) -> pl.DataFrame:
    """One plant per account that is a case, or looks like one, and has a session on the day."""
    config = world.config
    came = set(rows_of(world, day).case.tolist())
    found = [c for c in cases(config, day) if c.number in came]
    if not found:
        return nothing()
    first, last = ([config.date(getattr(c, d)) for c in found] for d in ("first_day", "last_day"))
    return planted(
        pl.Series([c.kind for c in found]),
        pl.Series([f"online:{c.number}" for c in found]),
        entity_type="account",
        entity=accounts.account_ids(np.array([c.account for c in found])),
        table=TABLE,
        key=None,
        rule=pl.Series([c.kind for c in found]),
        day=config.date(day),
        intensity=pl.Series([c.intensity for c in found]),
        is_look_alike=pl.Series([c.is_look_alike for c in found]),
    ).with_columns(pl.Series("window_start", first), pl.Series("window_end", last))


class Sat(NamedTuple):
    """Games that are played, one entry each, in order of session."""

    session: I64
    game: I64
    events: I64
    rounds: I64
    is_ended: NDArray[np.bool_]


def _sat(config: WorldConfig, v: visits.Visits, rows: int) -> tuple[Sat, int]:
    """The first games of the sessions that have `rows` events, the last of them cut short, and
    the number of sessions that they are of."""
    session = owners(v.sittings)
    turn = ordinals(v.sittings)
    h = draw(14, v.h[session], turn)
    rounds = visits.rounds_of(v, session, draw(1, h))
    cut = chance(draw(2, v.h[session]), CUT_OFF) & (turn == v.sittings[session] - 1)
    lost = np.where(cut, 1 + below(draw(3, h), 2), 0)
    events = 2 + 2 * rounds - lost
    through = np.cumsum(events)
    n = int(np.searchsorted(through, rows)) + 1 if rows else 0
    n = min(n, len(events))
    events, is_ended = events[:n].copy(), lost[:n] == 0
    over = int(through[n - 1]) - rows if n else 0
    if over > 0:
        events[-1] -= over
        is_ended[-1] = False
    game = visits.games_of(config, v, session[:n], draw(4, h[:n]))
    return Sat(session[:n], game, events, events // 2, is_ended), int(
        session[n - 1]
    ) + 1 if n else 0


def _clicks(world: World, day: int, v: visits.Visits, s: Sat) -> Clicks:
    kind, wait, sat = _waits(v, s)
    session = s.session[sat]
    per_session = np.bincount(session, minlength=len(v))
    since = np.cumsum(wait)
    since -= np.repeat(since[starts(per_session)], per_session) if len(since) else since
    lasting = since[np.cumsum(per_session) - 1] if len(since) else per_session
    length = day_seconds(world.config.date(day), world.config.timezone) * 1_000
    ordered, order, begins, lasts = visits.ordered(v, lasting, length)
    place = np.empty(len(v), dtype=np.int64)
    place[order] = np.arange(len(v))
    at = place[session]
    by_time = order_of(at)
    session, kind, sat, since = at[by_time], kind[by_time], sat[by_time], since[by_time]
    rate = lasts / np.maximum(lasting[order], 1)
    moment = begins[session] + np.where(
        lasts[session] < lasting[order][session], (since * rate[session]).astype(np.int64), since
    )
    return _settled(world, day, ordered, s, Played(session, sat, kind, moment))


class Played(NamedTuple):
    """Events, one entry each, in the order in which each person made them."""

    session: I64
    sat: I64
    kind: I64
    moment: I64
    """Milliseconds since the gaming day opened."""


def _waits(v: visits.Visits, s: Sat) -> tuple[I64, I64, I64]:
    """Kind of each event, milliseconds since the one before it, and the game it is of."""
    sat, turn = owners(s.events), ordinals(s.events)
    kind = np.where(turn == 0, START, np.where(turn % 2 == 1, BET, RESULT))
    last = np.cumsum(s.events) - 1
    kind[last[s.is_ended]] = END
    h = draw(15, v.h[s.session[sat]], sat * 1_000 + turn)
    game = s.game[sat]
    spans = np.array([_MOVES, _OPENS, (0, 0), (0, 0), _LEAVES])
    case = np.where(kind == BET, np.where(turn == 1, 1, 2), np.where(kind == RESULT, 3, kind))
    case = np.where(kind == END, 4, case)
    least, more = spans[case, 0], spans[case, 1]
    for which, pace in ((2, RETURNS), (3, DECIDES)):
        least = np.where(case == which, pace[game, 0], least)
        more = np.where(case == which, pace[game, 1] - pace[game, 0], more)
    session = s.session[sat]
    period, jitter = v.period[session], v.jitter[session]
    regular = (period > 0) & (kind != START) & (kind != END)
    wobble = below(draw(1, h), 2 * jitter + 1) - jitter
    wait = np.where(regular, np.maximum(period + wobble, 1), least + below(h, more + 1))
    return kind, wait, sat


def _settled(world: World, day: int, v: visits.Visits, s: Sat, p: Played) -> Clicks:
    """Stakes, and what each round pays: an event's round is counted on the day."""
    bets = np.flatnonzero(p.kind == BET)
    stakes, wins, is_bonus = _rounds(world.config, day, v, s, p, bets)
    n = len(p.kind)
    of_round = np.full(n, -1)
    of_round[bets] = np.arange(len(bets))
    results = np.flatnonzero(p.kind == RESULT)
    of_round[results] = of_round[results - 1]
    stake, win = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    stake[bets] = stakes
    win[results] = wins[of_round[results]]
    told = ~chance(draw(16, v.h), UNTOLD)
    opens = world.utc(day, np.zeros(1, dtype=np.int64))
    return Clicks(
        day=np.full(n, day),
        ordinal=np.arange(n),
        event=opens + p.moment * 1_000,
        kind=p.kind,
        account=v.account[p.session],
        game=s.game[p.sat],
        stake=stake,
        win=win,
        device=v.device[p.session],
        place=v.place[p.session],
        network=v.network[p.session],
        session=np.where(told[p.session], p.session, -1),
        round=of_round,
        is_bonus=(of_round >= 0) & is_bonus[np.maximum(of_round, 0)] if len(bets) else of_round > 0,
        case=v.case[p.session],
    )


def _rounds(
    config: WorldConfig, day: int, v: visits.Visits, s: Sat, p: Played, bets: I64
) -> tuple[I64, I64, NDArray[np.bool_]]:
    """Of each round: stake and win in cents, and whether it was played with a bonus."""
    session, game = p.session[bets], s.game[p.sat[bets]]
    h = draw(key(config.seed, "casino-round", day), np.arange(len(bets)))
    multiple = paid(game, h)
    run = _losses_before(multiple < 100, v.account[session] * 2 + v.stream[session])
    raised = v.level[session] + v.chase[session] * run
    spread = np.where(v.period[session] > 0, 0.0, _OF_ROUNDS)
    own = _OF_ACCOUNTS * normal(draw(key(config.seed, "casino-account:stake"), v.account))
    dollars = _USUAL * exp(own[session] + spread * normal(draw(1, h))) * raised / 1_000
    stake = np.clip(dollars.astype(np.int64), LIMITS[game, 0], LIMITS[game, 1])
    first = bets - starts(np.bincount(p.session, minlength=len(v)))[session] < 2 * _BONUS_ROUNDS
    bonus = (chance(draw(17, v.h), _BONUS_SESSIONS)[session] & first) | chance(
        draw(2, h), _FREE_BETS
    )
    return stake * 100, stake * multiple, bonus


def _losses_before(lost: NDArray[np.bool_], who: I64) -> I64:
    """Rounds that the person has lost in a row just before each, six at the most."""
    at = np.arange(len(lost))
    first = np.maximum.accumulate(np.where(np.diff(who, prepend=-1) != 0, at, 0))
    won = np.maximum.accumulate(np.where(lost, -1, at))
    before = np.concatenate([[-1], won[:-1]]) if len(at) else won
    return np.minimum(at - np.maximum(before + 1, first), _MOST_RUN)


def _numbers(config: WorldConfig, what: str, day: I64, number: I64) -> pl.Series:
    """Names of sessions and rounds by their number on the day."""
    names = event_ids(config.seed, f"{TABLE}:{what}", day, np.maximum(number, 0))
    return frames.only(names, number >= 0)
