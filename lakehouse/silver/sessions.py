"""Events of users in time: the silence before each, sessions, and runs of hurried actions.

`user` names the columns that tell users apart; with the gaming day among them, what is said of
a day does not depend on the days beside it. All answers are sorted by user and time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from lakehouse.texts import formatted

MADE = "made-"
"""How the name of a session begins that no client told of."""
_SPELL = "_spell"


def gaps(frame: pl.LazyFrame, user: Sequence[str], time: str) -> pl.LazyFrame:
    """`frame` with `since_last`: time since the user's event before; null of his first. Events
    without a time come first and have none."""
    return frame.sort(*user, time, maintain_order=True).with_columns(since_last=_since(user, time))


def sessions(
    frame: pl.LazyFrame,
    user: Sequence[str],
    time: str,
    silence: dt.timedelta,
    given: str | None = None,
) -> pl.LazyFrame:
    """`frame` with `session`, a name that is unique within the user: what the column `given`
    tells, and where it tells nothing, `made-1` and on, a new one after each `silence` or more
    between the user's events that have none."""
    known = pl.lit(None, pl.String) if given is None else pl.col(given)
    spell = [*user, _SPELL]
    begins = _since(spell, time).fill_null(silence) >= silence
    made = pl.when(_SPELL).then((begins & pl.col(_SPELL)).cum_sum().over(user))
    return (
        frame.with_columns(known.is_null().alias(_SPELL))
        .sort(*spell, time, maintain_order=True)
        .with_columns(session=pl.coalesce(known, formatted(MADE + "{}", made)))
        .sort(*user, time, maintain_order=True)
        .drop(_SPELL)
    )


def merged(
    spells: pl.LazyFrame, user: Sequence[str], silence: dt.timedelta, sums: Sequence[str]
) -> pl.LazyFrame:
    """Sessions of spells: user, `given` (what the client told, or null), `first`, `last` and what
    is added up. An event is a spell of its own, so that sessions of some events and the others of
    them make the sessions of all, as `sessions` has them."""
    mine = [*user, "given"]
    ordered = spells.sort(*mine, "first", "last")
    until = pl.col("last").cum_max().over(mine).shift()
    same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift()) for c in mine)
    goes_on = same & (pl.col("given").is_not_null() | (pl.col("first") - until < silence))
    numbered = ordered.with_columns((~goes_on.fill_null(value=False)).cum_sum().alias(_SPELL))
    return (
        numbered.group_by(_SPELL)
        .agg(pl.col(mine).first(), pl.col("first").min(), pl.col("last").max(), pl.col(sums).sum())
        .drop(_SPELL)
    )


def high_frequency(
    frame: pl.LazyFrame, user: Sequence[str], time: str, gap: dt.timedelta
) -> pl.LazyFrame:
    """`frame` with `is_high_frequency`: whether the event is of a run in which each comes less
    than `gap` after the one before it; the first event of the run is one of it."""
    hurried = (_since(user, time) < gap).fill_null(value=False)
    followed = hurried.shift(-1, fill_value=False)
    ordered = frame.sort(*user, time, maintain_order=True)
    return ordered.with_columns(is_high_frequency=hurried | followed)


def _since(user: Sequence[str], time: str) -> pl.Expr:
    """Of rows that are sorted by user and time."""
    same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift()) for c in user)
    return pl.when(same).then(pl.col(time) - pl.col(time).shift())
