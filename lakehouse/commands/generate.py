"""`lakehouse generate`: files of simulated bronze, with the volumes that were asked for."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import parse_day
from lakehouse.commands.printing import lines
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.privacy import TokenKey
    from lakehouse.simulate.kernel.config import Faults, WorldConfig
    from lakehouse.simulate.output import Filled

FORMATS = ("parquet", "json", "csv")
CONSEQUENCES = 10_000
"""Rows at the most, with --all, of a table that the play leads to, such as filings."""
OPTIONS = {
    "slot_telemetry": "slots",
    "table_games": "tables",
    "player_profile": "players",
    "financial_txn": "financial",
    "security_events": "security",
    "compliance": "compliance",
    "clickstream": "clickstream",
    "online_accounts": "accounts",
    "player_events": "player-events",
    "purchases": "purchases",
    "server_metrics": "server-metrics",
    "shop_actions": "shop-actions",
    "shop_orders": "shop-orders",
    "products": "products",
}
"""Tables with an option of their own; --rows names any."""
MOST_ROWS = 10_000_000_000
LONGEST_DAYS = 3_660
FIRST_START, LAST_START = dt.date(2018, 1, 1), dt.date(2099, 12, 31)
"""Rules of every kind are on file from 2018 on."""


Output = Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        metavar="parquet|json|csv",
        help="Format of the files; json has an object a line.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", "-s", help="Same seed and key, same bytes.")]
Rows = Annotated[
    list[str] | None,
    typer.Option("--rows", metavar="TABLE=COUNT", help="Rows of any other simulated table."),
]
Players = Annotated[int | None, typer.Option(help="Players, one profile each as at the end.")]
History = Annotated[bool, typer.Option("--history", help="Each version of the players' profiles.")]
IncludePii = Annotated[
    bool, typer.Option("--include-pii", help="Names, addresses and the like as they are.")
]
Metrics = Annotated[
    int | None, typer.Option(help="Rows of the game's server metrics, at the most.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option(help="Key of the hashes. Without: OUTPUT.pii-key, made on first use."),
]
Planted = Annotated[
    bool, typer.Option("--faults/--no-faults", help="Plant dirt, misconduct, filing faults.")
]
Dirty = Annotated[
    bool,
    typer.Option(
        "--dirty",
        help="Dirt that only text can hold, in events of the online tables, with the truth of "
        "each file's lines beside it.",
    ),
]


def register(app: typer.Typer) -> None:
    app.command("generate")(generate)


def generate(
    output: Output = Path("output"),
    format_: Format = "parquet",
    days: Annotated[int, typer.Option("--days", "-d", help="Gaming days.")] = 30,
    seed: Seed = 42,
    all_: Annotated[bool, typer.Option("--all", "-a", help="All tables, default volumes.")] = False,
    slots: Annotated[int | None, typer.Option(help="Rows of slot telemetry.")] = None,
    tables: Annotated[int | None, typer.Option(help="Rows of table games.")] = None,
    players: Players = None,
    history: History = False,
    financial: Annotated[int | None, typer.Option(help="Rows of cage transactions.")] = None,
    security: Annotated[int | None, typer.Option(help="Rows of security events.")] = None,
    compliance: Annotated[int | None, typer.Option(help="Filings, at the most.")] = None,
    clickstream: Annotated[int | None, typer.Option(help="Rows of the online casino.")] = None,
    accounts: Annotated[int | None, typer.Option(help="Rows of online accounts.")] = None,
    player_events: Annotated[int | None, typer.Option(help="Rows of the game's events.")] = None,
    purchases: Annotated[int | None, typer.Option(help="Purchases in the game, at most.")] = None,
    server_metrics: Metrics = None,
    shop_actions: Annotated[int | None, typer.Option(help="Rows of the shop's visitors.")] = None,
    shop_orders: Annotated[int | None, typer.Option(help="Payments of the shop, at most.")] = None,
    products: Annotated[int | None, typer.Option(help="Rows of products, at the most.")] = None,
    rows: Rows = None,
    include_pii: IncludePii = False,
    key_file: KeyFile = None,
    start: Annotated[str, typer.Option(help="First gaming day.")] = "2025-01-01",
    scale: Annotated[float, typer.Option(help="Multiplies the default volumes.")] = 1.0,
    faults: Planted = True,
    dirty: Dirty = False,
) -> None:
    """Generate simulated casino data as files.

    Row counts are exact, but of filings, wins and the like: those are consequences of the
    play, and a count is the most that is written. Files are their owner's alone (mode 0600).
    Without --include-pii, names and the like are masked, and numbers become hashes that nobody
    without the key can try. A clickstream as CSV has the columns, local times and file name of
    the system before this one. --dirty has values of wrong types, times in mixed forms, missing
    values and lines told twice or out of order, instead of the dirt that typed rows can hold:
    FILE.truth.csv says of each such line what it has and in which layer it ends.
    """
    counts = [slots, tables, players, financial, security, compliance, clickstream, accounts]
    counts += [player_events, purchases, server_metrics, shop_actions, shop_orders, products]
    asked = dict(zip(OPTIONS, counts, strict=True)) | dict(_asked(r) for r in rows or ())
    order = Order(
        rows=_rows(asked, all_=all_, scale=scale),
        days=days,
        seed=seed,
        start=parse_day(start, "--start"),
        scale=scale,
        faults=faults,
        format=format_,
        output=output,
        include_pii=include_pii,
        key_file=key_file,
        history=history,
        dirty=dirty,
    )
    order.check()
    if include_pii:
        _warn_of_pii()
    _report(order, write(order))


def _warn_of_pii() -> None:
    typer.echo(
        "warning: --include-pii writes names, addresses and numbers unprotected; "
        "the people are invented, but treat the files as if they were not",
        err=True,
    )


@dataclass(frozen=True)
class Order:
    """What was asked for: rows by table, of consequences of the play the most."""

    rows: Mapping[str, int]
    days: int
    seed: int
    start: dt.date
    scale: float
    faults: bool
    format: str
    output: Path
    include_pii: bool
    key_file: Path | None = None
    history: bool = False
    dirty: bool = False

    def check(self) -> None:
        """Raises BadInput before anything is written."""
        if not self.rows:
            raise BadInput(
                "nothing to generate: give --all, or a count such as --slots 100000 "
                "(also --tables, --players, --financial, --security, --compliance, --clickstream, "
                "--accounts, --rows)"
            )
        if self.format not in FORMATS:
            raise BadInput(f"--format {self.format!r}: allowed are {', '.join(FORMATS)}")
        if not 1 <= self.days <= LONGEST_DAYS:
            raise BadInput(f"--days {self.days}: 1 to {LONGEST_DAYS} are allowed")
        if not 0 < self.scale <= 10_000:
            raise BadInput(f"--scale {self.scale:g}: more than 0 and at most 10000 is allowed")
        if not FIRST_START <= self.start <= LAST_START:
            raise BadInput(f"--start {self.start}: {FIRST_START} to {LAST_START} are allowed")
        if not 0 <= self.seed < 2**63:
            raise BadInput(f"--seed {self.seed}: a whole number from 0 to 2**63 - 1 is allowed")
        if self.key_file is not None and self.include_pii:
            raise BadInput("--key-file goes with protected files, not with --include-pii")
        if self.history and "player_profile" not in self.rows:
            raise BadInput("--history goes with --players or --all")
        self._check_dirt()
        self._check_output()

    def _check_dirt(self) -> None:
        from lakehouse.simulate.kernel.producers import producers

        if not self.dirty:
            return
        if self.format == "parquet":
            raise BadInput("--dirty goes with --format csv or json: Parquet holds typed values")
        if not any(map(self._is_dirty, self.rows)):
            those = ", ".join(t for t in sorted(producers()) if self._is_dirty(t))
            raise BadInput(f"--dirty is for {those}; ask for one of them")

    def _is_dirty(self, table: str) -> bool:
        from lakehouse.simulate.faults.lines import can_be_dirty

        return self.dirty and can_be_dirty(table)

    def _check_output(self) -> None:
        if not self.output.resolve().name:
            raise BadInput(f"--output {self.output}: name a folder of its own")
        existing = next(p for p in (self.output, *self.output.absolute().parents) if p.exists())
        if not existing.is_dir():
            raise BadInput(f"--output {self.output}: {existing} is no folder; name a folder")

    def config(self) -> WorldConfig:
        from lakehouse.simulate.kernel.config import PEOPLE, ROWS, WorldConfig

        people = self.rows.get(PEOPLE)
        config = WorldConfig(
            seed=self.seed,
            start=self.start,
            days=self.days,
            scale=self.scale,
            rows={t: n for t, n in self.rows.items() if t in ROWS and t != PEOPLE},
            faults=self._faults(),
        )
        return config if people is None else config.with_people(people)

    def _faults(self) -> Faults:
        """Dirt of lines stands in for that of typed rows, so that the truth of a file is whole."""
        from lakehouse.simulate.faults.defects import KINDS
        from lakehouse.simulate.kernel.config import NO_FAULTS, Faults

        if not self.faults:
            return NO_FAULTS
        return replace(Faults(), **dict.fromkeys(KINDS, 0.0)) if self.dirty else Faults()

    def key(self) -> TokenKey | None:
        """The key of the hashes, where a file has any; made beside the output where no file
        is named, so that whoever gets the folder does not get it."""
        from lakehouse.privacy import TokenKey, ensure_key_file, needs_key

        if self.include_pii or not any(needs_key(t) for t in self.rows):
            return None
        if self.key_file is not None:
            return TokenKey.load(self.key_file, root=str(self.output))
        folder = self.output.resolve()
        path = folder.with_name(f"{folder.name}.pii-key")
        key = ensure_key_file(path, root=str(folder))
        typer.echo(f"hashes are keyed with {path}; keep it apart from the files", err=True)
        return key

    def path(self, table: str) -> Path:
        from lakehouse.simulate.output import file_name

        return self.output / file_name(table, self.format, self.start)

    def truth_path(self, table: str) -> Path | None:
        """Where it is told what was done to the lines of a table's file, if anything was."""
        path = self.path(table)
        return path.with_name(f"{path.name}.truth.csv") if self._is_dirty(table) else None


def _rows(asked: Mapping[str, int | None], *, all_: bool, scale: float) -> dict[str, int]:
    given = {t: n for t, n in asked.items() if n is not None}
    for table, count in given.items():
        if not 0 <= count <= MOST_ROWS:
            option = f"--{OPTIONS[table]} " if table in OPTIONS else f"--rows {table}="
            raise BadInput(f"{option}{count}: 0 to {MOST_ROWS} rows are allowed")
    usual = _volumes()
    unknown = [t for t in given if t not in usual]
    if unknown:
        raise BadInput(f"--rows {unknown[0]}: simulated tables are {', '.join(sorted(usual))}")
    wanted = {t: round(n * max(scale, 0)) for t, n in usual.items()} if all_ else {}
    return {t: (wanted | given)[t] for t in usual if t in wanted | given}


def _volumes() -> dict[str, int]:
    """Simulated table → its rows at scale 1, the most first; consequences come last."""
    from lakehouse.simulate.kernel.config import ROWS
    from lakehouse.simulate.kernel.producers import producers

    known = sorted(producers(), key=lambda t: -ROWS.get(t, 0))
    return {t: ROWS.get(t, CONSEQUENCES) for t in known}


def _asked(text: str) -> tuple[str, int]:
    table, _, count = text.partition("=")
    if not count.strip().isdecimal():
        raise BadInput(f"--rows {text!r}: write TABLE=COUNT, such as gaming_wins=100")
    return table.strip(), int(count)


def write(order: Order) -> dict[str, Filled]:
    """Writes one file per table, for its owner alone; all are complete, or none has changed."""
    from lakehouse.outputs import replacing
    from lakehouse.simulate.kernel.config import ROWS
    from lakehouse.simulate.output import Target, Work, fill

    key = order.key()
    with ExitStack() as stack:

        def beside(path: Path) -> Path:
            return stack.enter_context(replacing(path, private=True))

        exact = sum(n for t, n in order.rows.items() if t in ROWS)
        advance = stack.enter_context(_progress(exact))
        truths = {t: path for t in order.rows if (path := order.truth_path(t)) is not None}
        told = {t: beside(path) for t, path in truths.items()}
        targets = tuple(
            Target(t, beside(order.path(t)), order.rows[t], told.get(t)) for t in order.rows
        )
        work = Work(order.config(), targets, order.format, key, order.history)
        return fill(work, advance)


@contextmanager
def _progress(rows: int) -> Iterator[Callable[[int], None]]:
    """A call counts rows on the bar, on a terminal; elsewhere nothing is shown."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.completed:,} of {task.total:,} rows"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=rows)
        yield lambda count: bar.advance(task, count)


def _report(order: Order, filled: Mapping[str, Filled]) -> None:
    """The files on standard output; what filings there were, and why, beside it."""
    from lakehouse.simulate.kernel.config import ROWS

    files = [
        (name, made.rows, order.path(name).stat().st_size, order.path(name).name)
        for name, made in filled.items()
    ]
    lines(("table", "rows", "bytes", "file"), files)
    typer.echo(f"written to {order.output}", err=True)
    if order.dirty:
        told = "what was done to which lines, and where each should end"
        typer.echo(f"lines are dirty: FILE.truth.csv beside each file says {told}", err=True)
    for name, made in filled.items():
        if name not in ROWS:
            kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(made.kinds.items()))
            typer.echo(
                f"{name}: a consequence of the play; {made.available} rows in {order.days} days, "
                f"{made.rows} written{f' ({kinds})' if kinds else ''}, at most {order.rows[name]}",
                err=True,
            )
    if order.faults:
        typer.echo("faults are planted in these files; --no-faults leaves them out", err=True)
