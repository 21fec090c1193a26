"""Tables of gold in other databases as assets that follow gold, where a setting names one."""

import warnings

import dagster as dg

from igaming_assets.interruption import Retries
from igaming_assets.late_data import late_data
from igaming_assets.partitions import backfill_policy, days_of, gaming_days
from igaming_assets.resources import LakeResource
from lakehouse.serve.publish.run import publish, usual
from lakehouse.serve.publish.shapes import Shape
from lakehouse.serve.publish.targets import configured, connected
from lakehouse.settings import Settings

KINDS = {"postgres": ("PostgreSQL", "postgresql"), "snowflake": ("Snowflake", "snowflake"),
         "sqlite": ("SQLite", "sqlite")}  # fmt: skip
"""What a database is called in words, and by Dagster."""


def published_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One for each table of each database. A run of all tables leaves them out: the house does
    not wait for a database that is away."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [
            _published(settings, target, shape)
            for target in configured(settings)
            for shape in usual(settings, target)
        ]


def _published(settings: Settings, target: str, shape: Shape) -> dg.AssetsDefinition:
    name, kind = KINDS[target]

    @dg.asset(
        key=[target, *([shape.layer] if shape.layer != "gold" else []), shape.table],
        deps=[dg.AssetKey([shape.layer, shape.table])],
        group_name=target,
        kinds={kind},
        description=f"{shape.name} in {name}. {shape.comment}",
        partitions_def=gaming_days(settings),
        backfill_policy=backfill_policy(),
        automation_condition=late_data(),
        retry_policy=Retries(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL),
    )
    def table(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult[None]:
        days = days_of(context.partition_key_range)
        with connected(lake.settings, target) as database:
            done = publish(lake.lake, database, [shape], days=days, tell=context.log.info)
        rows = sum(p.rows for p in done)
        return dg.MaterializeResult(metadata={"rows_sent": rows, "table": shape.name})

    return table
