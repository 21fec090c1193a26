"""Bronze, identities and planted truth: one asset per contract, from the simulator or landed."""

import dagster as dg
import polars as pl

from igaming_assets.assets import Run, retried_if_transient, run_of, table_options
from igaming_assets.landing import landed_bronze, landed_tables
from lakehouse.contracts import contract, contracts
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.steps import bronze_rows, simulated


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


def simulated_tables(settings: Settings) -> list[str]:
    """Tables that the simulator has rows in."""
    return [t for t in contracts("source") if settings.source_of(t) != "landing"]


def plants_asset(settings: Settings) -> dg.AssetsDefinition:
    """What the simulator planted, for scoring detectors; nothing downstream reads it. In a
    table that it does not fill, it has planted nothing."""

    @dg.asset(**table_options(settings, "truth", "plants"))
    def plants(context: dg.AssetExecutionContext) -> pl.DataFrame:
        run = run_of(context)
        tables = simulated_tables(run.settings)
        if not tables:
            return contract("plants").bronze_schema().to_frame()
        world = context.resources.simulator.world(run.settings)
        with retried_if_transient():
            made = simulated(
                lambda _, days: map(world.plants, each_day(days)),
                "truth",
                "plants",
                run.days,
                run.now,
            )
        return made.filter(pl.col("table_name").is_in(tables))

    return plants


def vault_asset(settings: Settings) -> dg.AssetsDefinition:
    """Full identities of everybody named, for the forms alone. Those of real players come in by
    `lakehouse filings identities` and stay; of simulated ones, from the simulator."""

    @dg.asset(**table_options(settings, "restricted", "identity_vault"))
    def identity_vault(context: dg.AssetExecutionContext) -> pl.DataFrame:
        run = run_of(context)
        captured = run.lake.scan("restricted", "identity_vault", days=run.days).collect()
        source = run.settings.source_of("player_profile")
        if source == "landing":
            return captured
        made = _identities(context, run)
        if source == "simulator":
            return made
        key = contract("identity_vault").key
        return pl.concat([captured.join(made, on=key, how="anti"), made])

    return identity_vault


def _identities(context: dg.AssetExecutionContext, run: Run) -> pl.DataFrame:
    from lakehouse.simulate.floor.people import identities

    world = context.resources.simulator.world(run.settings)
    with retried_if_transient():
        return simulated(
            lambda _, days: identities(world, days),
            "restricted",
            "identity_vault",
            run.days,
            run.now,
        )
