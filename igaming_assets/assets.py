"""How every table of the lake is an asset: one step that writes its days, then judges them."""

import datetime as dt
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.automation import freshness, late_data
from igaming_assets.checks import contract_spec, contract_verdicts, report
from igaming_assets.describe import asset_options
from igaming_assets.io import CHANGES_BEFORE
from igaming_assets.partitions import backfill_policy, days_of, gaming_days
from lakehouse.errors import LakehouseError, StorageError
from lakehouse.regulation.law import Law, load
from lakehouse.settings import Settings
from lakehouse.steps import known_until
from lakehouse.storage import Days, Lake

RESOURCES = {"lake", "clock", "simulator"}
Plot = Callable[[pl.DataFrame], Mapping[str, Any]]


@dataclass(frozen=True)
class Run:
    """What a step knows of the run it is in."""

    days: Days
    settings: Settings
    lake: Lake
    now: dt.datetime

    @property
    def as_of(self) -> dt.datetime:
        """Up to when the lake can judge."""
        return known_until(self.lake, self.days, self.settings.timezone, self.now)

    def widened(self, before: int) -> "Run":
        first = self.days[0] - dt.timedelta(days=before)
        return replace(self, days=(first, self.days[1]))

    @property
    def law(self) -> Law:
        return load(self.settings.profile)


def run_of(context: dg.AssetExecutionContext) -> Run:
    resource = context.resources.lake
    days = days_of(context.partition_key_range)
    return Run(days, resource.settings, resource.lake, context.resources.clock.now())


@contextmanager
def retried_if_transient() -> Iterator[None]:
    """Storage errors are tried again by the retry policy; bad input and broken contracts fail
    at once, in one line."""
    try:
        yield
    except StorageError:
        raise
    except LakehouseError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def table_options(settings: Settings, layer: str, table: str, **more: Any) -> dict[str, Any]:
    """What all assets of the lake have in common."""
    return {
        **asset_options(layer, table, group=more.pop("group", None)),
        "partitions_def": gaming_days(settings),
        "backfill_policy": backfill_policy(),
        "retry_policy": dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL),
        "io_manager_key": "lake_io",
        "required_resource_keys": RESOURCES,
        **more,
    }


def mart(
    settings: Settings,
    layer: str = "gold",
    *,
    group: str | None = None,
    plot: Plot | None = None,
    changes_before: int = 0,
    **ins: dg.AssetIn,
) -> Callable[[Callable[..., pl.LazyFrame]], dg.AssetsDefinition]:
    """Makes an asset of a function of a Run and the inputs named; its name is the table's.
    `changes_before`: so many gaming days before the run's change with it and are written too.
    """

    def make(derive: Callable[..., pl.LazyFrame]) -> dg.AssetsDefinition:
        table = derive.__name__
        spec = contract_spec(dg.AssetKey([layer, table]))
        options = table_options(
            settings,
            layer,
            table,
            group=group,
            ins=ins,
            check_specs=[spec],
            automation_condition=late_data(),
            freshness_policy=freshness(settings),
        )
        options["metadata"] = options["metadata"] | {CHANGES_BEFORE: changes_before}

        def compute(context: dg.AssetExecutionContext, **frames: pl.LazyFrame) -> Iterator[Any]:
            run = run_of(context)
            with retried_if_transient():
                made = derive(run.widened(changes_before), **frames).lazy().collect()
                yield dg.Output(made, metadata=dict(plot(made)) if plot else {})
                yield report(context, spec, contract_verdicts(run.lake, layer, table, run.days))

        return dg.asset(**options)(_with_inputs(compute, list(ins)))

    return make


def _with_inputs(compute: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    """Dagster reads the names of inputs from the signature."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    compute.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(n, kind) for n in ("context", *names)]
    )
    compute.__annotations__ = {}
    return compute
