"""How busy the machine is, and how fast it answers."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.paths import is_url
from lakehouse.serve.monitor.registry import Look, Measure, signal


@signal(
    "cpu",
    unit="percent",
    warning=80,
    critical=95,
    do="See what is at work (`top`); put off backfills, or give the machine more processors.",
)
def cpu(look: Look) -> Iterator[Measure]:
    """Processors in use since the last look."""
    share = look.host.cpu()
    yield Measure("machine", share, f"processors are {share:.0f}% in use")


@signal(
    "memory",
    unit="percent",
    warning=90,
    critical=97,
    do="See what holds it (`top`); lower the setting sql_memory, or run fewer days at once.",
)
def memory(look: Look) -> Iterator[Measure]:
    """Memory in use."""
    share = look.host.memory()
    yield Measure("machine", share, f"memory is {share:.0f}% in use")


@signal(
    "disk",
    unit="percent",
    warning=80,
    critical=95,
    do="Make room on the volume: `lakehouse maintain`, old exports, logs; or enlarge it.",
)
def disk(look: Look) -> Iterator[Measure]:
    """The volume of a lake in a folder, whoever fills it."""
    if is_url(look.lake.root):
        return
    size, free = look.host.disk(look.lake.root)
    share = 100 * (size - free) / max(size, 1)
    yield Measure("volume", round(share, 1), f"{free / 1e9:.1f} of {size / 1e9:.1f} GB are free")


@signal(
    "query_time",
    unit="seconds",
    warning=30,
    critical=60,
    do="`lakehouse maintain` compacts tables of many small files; see what else is at work.",
)
def query_time(look: Look) -> Iterator[Measure]:
    """How long a saved question takes (setting monitor.question)."""
    from lakehouse.serve.sql.catalog import Catalog
    from lakehouse.serve.sql.limits import Limits
    from lakehouse.serve.sql.saved_queries import saved_query

    name = look.settings.monitor.question
    found = saved_query(name)
    limits = Limits.of(look.settings)
    began = look.clock()
    with Catalog(look.lake, timezone=look.settings.timezone, limits=limits) as catalog:
        catalog.frame(found.sql, found.bound({}))
    took = round(look.clock() - began, 3)
    yield Measure(name, took, f"`lakehouse sql --saved {name}` took {took:.2f} s")
