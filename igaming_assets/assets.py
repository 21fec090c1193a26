"""How every table of the lake is an asset: one step that writes its days, then judges them."""

import datetime as dt
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.automation import late_data
from igaming_assets.checks import contract_spec, contract_verdicts
from igaming_assets.describe import asset_options, column_lineage
from igaming_assets.failing import retried_if_transient, tell_stale
from igaming_assets.io import FOREVER, Replacing, widened, window
from igaming_assets.partitions import backfill_policy, days_of, gaming_days
from igaming_assets.verdicts import report
from lakehouse.regulation.law import Law, load
from lakehouse.settings import Settings
from lakehouse.steps import each_day, known_until
from lakehouse.storage import Days, Lake, Read, as_far_as_sound, sound

RESOURCES = {"lake", "clock", "simulator"}
Plot = Callable[[pl.DataFrame], Mapping[str, Any]]


@dataclass(frozen=True)
class Run:
    """What a step knows of the run it is in."""

    days: Days
    settings: Settings
    lake: Lake
    now: dt.datetime
    known: frozenset[dt.date] | None = None
    """The days of `days` that the lake has or is being given, where that is not all."""

    def has_day(self) -> pl.Expr:
        if self.known is None:
            return pl.lit(value=True)
        return pl.col("gaming_day").is_in(sorted(self.known))

    @property
    def as_of(self) -> dt.datetime:
        """Up to when the lake can judge."""
        return known_until(self.lake, self.days, self.settings.timezone, self.now)

    @property
    def law(self) -> Law:
        return load(self.settings.profile)


def run_of(context: dg.AssetExecutionContext) -> Run:
    resource = context.resources.lake
    days = days_of(context.partition_key_range)
    return Run(days, resource.settings, resource.lake, context.resources.clock.now())


def table_options(settings: Settings, layer: str, table: str, **more: Any) -> dict[str, Any]:
    """What all assets of the lake have in common."""
    return {
        **asset_options(layer, table, group=more.pop("group", None), code=more.pop("code", ())),
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
    before: int = 0,
    after: int = 0,
    **ins: dg.AssetIn,
) -> Callable[[Callable[..., pl.LazyFrame]], dg.AssetsDefinition]:
    """Makes an asset of a function of a Run and the inputs named; its name is the table's.

    `before` and `after`: on so many gaming days around the run's, what the table says may rest
    on the run's days. They are written with them, so that days may come in any order.
    """
    inputs = {name: widened(i, before, after) for name, i in ins.items()}

    def make(derive: Callable[..., pl.LazyFrame]) -> dg.AssetsDefinition:
        table = derive.__name__
        spec = contract_spec(settings, dg.AssetKey([layer, table]))
        options = table_options(
            settings,
            layer,
            table,
            group=group,
            code=[derive],
            ins=inputs,
            check_specs=[spec],
            automation_condition=late_data(),
        )

        def compute(context: dg.AssetExecutionContext, **frames: pl.LazyFrame) -> Iterator[Any]:
            asked = run_of(context)
            run = _touched(
                asked, [(layer, table), *(i.key.path for i in ins.values())], before, after
            )
            with retried_if_transient():
                made, stale = as_far_as_sound(
                    run.days, functools.partial(_derived, derive, run, ins, frames)
                )
                rows = pl.concat(part for _, part in made)
                tell_stale(context, stale)
                lineage = column_lineage(layer, table, [i.key.path for i in ins.values()])
                drawn = {} if plot is None else plot(rows)
                context.add_asset_metadata(
                    {"dagster/column_lineage": lineage, **drawn},
                    partition_key=asked.days[1].isoformat(),
                )
                yield dg.Output(Replacing(rows, [days for days, _ in made]))
                verdicts = contract_verdicts(run.lake, layer, table, asked.days, but=stale)
                yield report(context, spec, verdicts, stale=stale)

        return dg.asset(**options)(_with_inputs(compute, list(ins)))

    return make


def _derived(
    derive: Callable[..., pl.LazyFrame],
    run: Run,
    ins: Mapping[str, dg.AssetIn],
    frames: Mapping[str, pl.LazyFrame],
    days: Days,
) -> pl.DataFrame:
    """Rows of `days`, which are the run's or, around damaged files, some of them."""
    part = replace(run, days=days)
    windows = {name: window(i.metadata or {}, days) for name, i in ins.items()}
    with sound(run.lake, [Read(*i.key.path, windows[name]) for name, i in ins.items()]):
        near = {
            name: f
            if days == run.days
            else f.filter(pl.col("gaming_day").is_between(*windows[name]))
            for name, f in frames.items()
        }
        return derive(part, **near).lazy().filter(part.has_day()).collect()


def _touched(asked: Run, tables: list[Sequence[str]], before: int, after: int) -> Run:
    """The run with the days around it that the lake has."""
    if not before and not after:
        return asked
    first, last = asked.days
    around = (first - dt.timedelta(days=before), last + dt.timedelta(days=min(after, FOREVER)))
    stored = pl.concat([asked.lake.partitions(*t)["gaming_day"] for t in tables]).drop_nulls()
    near = set(stored.filter(stored.is_between(*around))) | set(each_day(asked.days))
    return replace(asked, days=(min(near), max(near)), known=frozenset(near))


def _with_inputs(compute: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    """Dagster reads the names of inputs from the signature."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    compute.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(n, kind) for n in ("context", *names)]
    )
    compute.__annotations__ = {}
    return compute
