"""All planted scenarios of a day, ready to join the ordinary plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from lakehouse.simulate.faults.scenarios import scenarios
from lakehouse.simulate.floor import look_alikes, schemes
from lakehouse.simulate.floor.harm import escalating_harm
from lakehouse.simulate.floor.misconduct import Part, Planted, ready
from lakehouse.simulate.floor.table_play import game_rates
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.scenario import Scenario

Play = Callable[[Scenario, Part], None]
GUILTY: Mapping[str, Play] = MappingProxyType(
    {
        "structuring": schemes.structuring,
        "minimal_play": schemes.minimal_play,
        "chip_walking": schemes.chip_walking,
        "bill_stuffing": schemes.bill_stuffing,
        "marker_cycle": schemes.marker_cycle,
        "pooling": schemes.pooling,
        "threshold_avoidance": schemes.threshold_avoidance,
        "card_sharing": schemes.card_sharing,
        "self_excluded_play": schemes.self_excluded_play,
        "agent": schemes.agent,
        "escalating_harm": escalating_harm,
    }
)
HONEST: Mapping[str, Play] = MappingProxyType(
    {
        "structuring": look_alikes.structuring,
        "minimal_play": look_alikes.minimal_play,
        "chip_walking": look_alikes.chip_walking,
        "bill_stuffing": look_alikes.bill_stuffing,
        "marker_cycle": look_alikes.marker_cycle,
        "pooling": look_alikes.pooling,
        "threshold_avoidance": look_alikes.threshold_avoidance,
        "card_sharing": look_alikes.card_sharing,
        "escalating_harm": escalating_harm,
    }
)


def planted(config: WorldConfig, day: int, left_out: frozenset[int]) -> Planted:
    """All but the scenarios whose numbers are `left_out`."""
    whole = Part(game_rates(config.date(day)), config)
    for s in scenarios(config, day):
        if s.number not in left_out:
            (HONEST if s.is_look_alike else GUILTY)[s.kind](s, whole)
    return ready(day, whole)
