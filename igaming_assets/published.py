"""Tables of gold in PostgreSQL as assets that follow gold, where the setting postgres names one."""

import warnings

import dagster as dg

from igaming_assets.automation import PUBLISHED, late_data
from igaming_assets.partitions import backfill_policy, days_of, gaming_days
from igaming_assets.resources import LakeResource
from lakehouse.serve.publish.run import publish, usual
from lakehouse.serve.publish.shapes import Shape
from lakehouse.settings import Settings


def published_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One for each table. A run of all tables leaves them out: the house does not wait for a
    database that is away."""
    if settings.postgres is None:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [_published(settings, shape) for shape in usual(settings)]


def _published(settings: Settings, shape: Shape) -> dg.AssetsDefinition:
    @dg.asset(
        key=[PUBLISHED, *([shape.layer] if shape.layer != "gold" else []), shape.table],
        deps=[dg.AssetKey([shape.layer, shape.table])],
        group_name=PUBLISHED,
        kinds={"postgresql"},
        description=f"{shape.name} in PostgreSQL. {shape.comment}",
        partitions_def=gaming_days(settings),
        backfill_policy=backfill_policy(),
        automation_condition=late_data(),
        retry_policy=dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL),
    )
    def table(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult[None]:
        from lakehouse.serve.publish.postgres import Postgres

        days = days_of(context.partition_key_range)
        with Postgres(str(lake.settings.postgres)) as target:
            done = publish(lake.lake, target, [shape], days=days, tell=context.log.info)
        rows = sum(p.rows for p in done)
        return dg.MaterializeResult(metadata={"rows_sent": rows, "table": shape.name})

    return table
