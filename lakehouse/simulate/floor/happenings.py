"""Security events as numbers, before they are dressed with names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.simulate.kernel.counter import I64, U64, draw, key
from lakehouse.simulate.kernel.world import World

Columns = dict[str, pl.Series | str | bool]


@dataclass(frozen=True)
class Happenings:
    """Security events as numbers. What `place` and `badge` mean depends on the cause."""

    cause: I64
    """Position among the causes."""
    day: I64
    ordinal: I64
    second: I64
    """Since 06:00."""
    event: I64
    """Microseconds since the epoch."""
    h: U64
    player: I64
    place: I64
    badge: I64
    case: I64
    """Number of the case that it is evidence of, or -1."""

    def __len__(self) -> int:
        return len(self.cause)


def happenings(
    cause: int,
    h: U64,
    second: I64,
    *,
    player: I64 | None = None,
    place: I64 | None = None,
    badge: I64 | None = None,
    case: I64 | None = None,
) -> Happenings:
    n = len(h)
    zero, nobody = np.zeros(n, dtype=np.int64), np.full(n, -1)
    return Happenings(
        cause=np.full(n, cause),
        day=zero,
        ordinal=zero,
        second=second,
        event=zero,
        h=h,
        player=nobody if player is None else player,
        place=zero if place is None else place,
        badge=zero if badge is None else badge,
        case=nobody if case is None else case,
    )


def hashed(world: World, day: int, stream: str, *entities: NDArray[Any]) -> U64:
    return draw(key(world.config.seed, f"security:{stream}", day), *entities)
