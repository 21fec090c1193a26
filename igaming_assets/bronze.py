"""Bronze, identities and planted truth: one asset per contract, from the simulator or landed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.assets import Step, step_of, table_asset
from igaming_assets.checks import at_once, judged_at_once, spec_of
from igaming_assets.failing import retried_if_transient
from igaming_assets.landing import landed_bronze
from igaming_assets.streamed import streamed_bronze
from lakehouse.contracts import contract
from lakehouse.pipeline.bronze import bronze_rows, simulated, simulated_portions
from lakehouse.quality.landing_checks import landed_tables, simulated_tables
from lakehouse.quality.results import Check
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Portion, Read, sound


def bronze_assets(settings: Settings, every: Sequence[Check]) -> list[dg.AssetsDefinition]:
    how = dict.fromkeys(settings.tables("source"), _bronze)
    how |= dict.fromkeys(landed_tables(settings), landed_bronze)
    how |= dict.fromkeys(settings.streamed(), streamed_bronze)
    return [make(settings, table, every) for table, make in how.items()]


def _bronze(settings: Settings, table: str, every: Sequence[Check]) -> dg.AssetsDefinition:
    def bronze(context: dg.AssetExecutionContext, step: Step, days: Days) -> pl.DataFrame:
        world = context.resources.simulator.world(step.settings)
        return bronze_rows(step.lake, step.settings, table, days, world.rows, step.now)

    return _made(settings, every, "bronze", table, bronze)


def _made(
    settings: Settings,
    every: Sequence[Check],
    layer: str,
    table: str,
    make: Callable[..., pl.DataFrame],
) -> dg.AssetsDefinition:
    """The asset whose days `make` gives for a context, a run and some of its days, then judged
    by its contract."""
    mine = at_once(every, layer, table)
    specs = [spec_of(settings, check) for check in mine]

    @table_asset(settings, layer, table, code=[make], check_specs=specs)
    def asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        step = step_of(context)

        def portion(days: Days) -> Portion:
            with sound(step.lake, _kept(step, layer, table, days)):
                return Portion(days, make(context, step, days))

        with retried_if_transient():
            yield dg.Output(map(portion, simulated_portions(step.settings, table, step.days)))
            yield from judged_at_once(context, step.lake, step.days, mine)

    return asset


def _kept(step: Step, layer: str, table: str, days: Days) -> list[Read]:
    """Rows that are there already and stay: of landed tables, of captured identities, and what
    was planted among events."""
    of = "player_profile" if table == "identity_vault" else table
    stays = _of_topics(step.settings) if layer == "truth" else _is_landed(step.settings, of)
    return [Read(layer, table, days)] if stays else []


def _is_landed(settings: Settings, table: str) -> bool:
    return settings.source_of(table) != "simulator"


def _of_topics(settings: Settings) -> list[str]:
    """Tables whose events may be produced into topics, and are in no run's simulated rows."""
    simulated = simulated_tables(settings)
    return [t for t, c in settings.tables("source").items() if c.topic and t not in simulated]


def plants_asset(settings: Settings, every: Sequence[Check]) -> dg.AssetsDefinition:
    """What the simulator planted, for scoring detectors; nothing downstream reads it. In a
    table that it does not fill, it has planted nothing, but for what is told of its events."""

    def plants(context: dg.AssetExecutionContext, step: Step, days: Days) -> pl.DataFrame:
        tables = simulated_tables(step.settings)
        told = step.lake.scan("truth", "plants", days=days).filter(
            pl.col("table_name").is_in(_of_topics(step.settings))
        )
        if not tables:
            return told.collect()
        world = context.resources.simulator.world(step.settings)
        made = simulated(
            lambda _, days: (world.plants(day, tables) for day in each_day(days)),
            "truth",
            "plants",
            days,
            step.now,
        )
        return pl.concat([told.collect(), made.filter(pl.col("table_name").is_in(tables))])

    return _made(settings, every, "truth", "plants", plants)


def vault_asset(settings: Settings, every: Sequence[Check]) -> dg.AssetsDefinition:
    """Full identities of everybody named, for the forms alone. Those of real players come in by
    `lakehouse filings identities` and stay; of simulated ones, from the simulator."""

    def identity_vault(context: dg.AssetExecutionContext, step: Step, days: Days) -> pl.DataFrame:
        source = step.settings.source_of("player_profile")
        if source == "simulator":
            return _identities(context, step, days)
        captured = step.lake.scan("restricted", "identity_vault", days=days).collect()
        if source == "landing":
            return captured
        made = _identities(context, step, days)
        key = contract("identity_vault").key
        return pl.concat([captured.join(made, on=key, how="anti"), made])

    return _made(settings, every, "restricted", "identity_vault", identity_vault)


def _identities(context: dg.AssetExecutionContext, step: Step, days: Days) -> pl.DataFrame:
    from lakehouse.simulate.floor.people import identities

    world = context.resources.simulator.world(step.settings)
    return simulated(
        lambda _, asked: identities(world, asked), "restricted", "identity_vault", days, step.now
    )
