"""Bronze, identities and planted truth: one asset per contract, from the simulator or landed."""

import dagster as dg
import polars as pl

from igaming_assets.assets import retried_if_transient, run_of, table_options
from igaming_assets.landing import landed_bronze, landed_tables
from lakehouse.contracts import contracts
from lakehouse.settings import Settings
from lakehouse.steps import bronze_rows, each_day, simulated


def bronze_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    landed = landed_tables(settings)
    return [
        landed_bronze(settings, t) if t in landed else _bronze(settings, t)
        for t in contracts("source")
    ]


def _bronze(settings: Settings, table: str) -> dg.AssetsDefinition:
    @dg.asset(**table_options(settings, "bronze", table))
    def bronze(context: dg.AssetExecutionContext) -> pl.DataFrame:
        run = run_of(context)
        world = context.resources.simulator
        with retried_if_transient():
            return bronze_rows(
                run.lake,
                run.settings,
                table,
                run.days,
                lambda name, days: world.world(run.settings).rows(name, days),
                run.now,
            )

    return bronze


def plants_asset(settings: Settings) -> dg.AssetsDefinition:
    """What the simulator planted, for scoring detectors; nothing downstream reads it."""

    @dg.asset(**table_options(settings, "truth", "plants"))
    def plants(context: dg.AssetExecutionContext) -> pl.DataFrame:
        run = run_of(context)
        world = context.resources.simulator.world(run.settings)
        with retried_if_transient():
            return simulated(
                lambda _, days: map(world.plants, each_day(days)),
                "truth",
                "plants",
                run.days,
                run.now,
            )

    return plants


def vault_asset(settings: Settings) -> dg.AssetsDefinition:
    """Full identities of everybody named, for the forms alone."""

    @dg.asset(**table_options(settings, "restricted", "identity_vault"))
    def identity_vault(context: dg.AssetExecutionContext) -> pl.DataFrame:
        from lakehouse.simulate.people import identities

        run = run_of(context)
        world = context.resources.simulator.world(run.settings)
        with retried_if_transient():
            return simulated(
                lambda _, days: identities(world, days),
                "restricted",
                "identity_vault",
                run.days,
                run.now,
            )

    return identity_vault
