"""The command `lakehouse`: finds the commands, and turns errors into one line and a status."""

from __future__ import annotations

import functools
import gc
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

import lakehouse.commands
from lakehouse.commands.damage import damage_behind
from lakehouse.commands.panics import hide_panics
from lakehouse.errors import BadInput, LakehouseError, is_disk_full

PANELS = {
    "Make": ("init", "generate", "run", "demo", "land", "ingest", "maintain"),
    "Take away": ("publish",),
    "Look": ("sql", "tables", "describe", "catalog", "quarantine", "report"),
    "Live": ("live", "topics", "stream", "serve", "users", "monitor"),
    "Comply": (
        "cases",
        "filings",
        "checks",
        "expectations",
        "alerts",
        "detection",
        "access",
        "keys",
    ),
}
"""Where a command stands in the help; one that is not named stands under Commands."""

INTERRUPTED = 130
OBJECTS_BETWEEN = 50_000
"""New objects between two looks for unreachable ones. What a command imports and declares stays:
to look through it at every 700, as Python does, was a fifteenth of a day's run."""
OPTIONS = {"context_settings": {"help_option_names": ["-h", "--help"]}}


def build() -> typer.Typer:
    """The whole command line, from every module of `lakehouse.commands`."""
    app = typer.Typer(
        name="lakehouse",
        help="A casino and iGaming lakehouse: make it, look at it, comply.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        **OPTIONS,  # type: ignore[arg-type]
    )
    app.callback(invoke_without_command=True)(start)
    for module in sorted(m.name for m in pkgutil.iter_modules(lakehouse.commands.__path__)):
        loaded = importlib.import_module(f"lakehouse.commands.{module}")
        if hasattr(loaded, "register"):
            loaded.register(app)
    _into_panels(app)
    return app


def start(
    context: typer.Context,
    root: Annotated[
        str | None, typer.Option("--root", help="Folder or URL of the lake (LAKEHOUSE_ROOT).")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any setting, such as scale=0.1."),
    ] = None,
    debug: Annotated[  # noqa: ARG001 - read from the arguments before they are parsed
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Settings come from these options, then LAKEHOUSE_… variables, then lakehouse.toml."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"lakehouse {installed('casino-lakehouse')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit
    named = dict(_setting(s) for s in settings or ())
    if root is not None:
        named["root"] = root
    _put_in_environment(context, named)


@functools.cache
def command() -> TyperGroup:
    """The command line, made once in a process: that takes longer than most commands."""
    return typer.main.get_group(build())


def run(arguments: Sequence[str]) -> int:
    """Runs one command line in this process and returns its exit status."""
    debug = "--debug" in arguments
    try:
        _refuse_unusable(arguments)
        status = command().main(list(arguments), prog_name="lakehouse", standalone_mode=False)
    except TyperException as error:
        if debug:
            raise
        return _complain(error.format_message(), 2)
    except LakehouseError as error:
        if debug:
            raise
        error = damage_behind(error) or error
        return _complain(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader, such as `head`, has enough; nothing is left to say on this stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except BaseException as error:
        # A panic in Rust is no Exception.
        told = None if debug else _told(error)
        if told is None:
            raise
        return _complain(told, 1)
    if status == INTERRUPTED:  # typer's way to pass on Ctrl-C
        return _complain("interrupted", INTERRUPTED)
    return status if isinstance(status, int) else 0


def _told(error: BaseException) -> str | None:
    """What a line can say of an error that is none of ours: a damaged file, or the system's."""
    damage = damage_behind(error)
    if damage is not None:
        return str(damage)
    if not isinstance(error, OSError) or error.strerror is None:
        return None
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def main() -> None:
    """Entry point of the `lakehouse` command."""
    arguments = sys.argv[1:]
    gc.set_threshold(OBJECTS_BETWEEN)
    if "--debug" not in arguments:
        hide_panics()
    try:
        status = run(arguments)
        sys.stdout.flush()
    except Exception as error:
        if "--debug" in arguments:
            raise
        said = " ".join(str(error).split())
        if is_disk_full(error):
            raise SystemExit(_complain(f"the disk is full: {said[:200]}", 1)) from None
        status = _complain(f"unexpected {type(error).__name__}: {said} (see --debug)", 1)
        raise SystemExit(status) from None
    raise SystemExit(status)


def _refuse_unusable(arguments: Sequence[str]) -> None:
    """An empty value would pass for one that was left out, and no table or file can hold what
    is no text."""
    for option, value in zip(("", *arguments), arguments, strict=False):
        about = f"{option} {value!r}" if option.startswith("-") else repr(value)
        if not value.strip():
            raise BadInput(f"{about}: a value is needed")
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise BadInput(f"{about}: UTF-8 text without NUL is allowed")


def _complain(message: str, status: int) -> int:
    # A name that is not UTF-8 comes as surrogates, which no stream takes.
    printable = message.encode(errors="backslashreplace").decode()
    typer.echo(f"lakehouse: {' '.join(printable.split())}", err=True)
    return status


def _setting(text: str) -> tuple[str, str]:
    from lakehouse.settings import Settings

    name, equals, value = text.partition("=")
    if not equals or name not in Settings.model_fields:
        allowed = ", ".join(Settings.model_fields)
        raise BadInput(f"--set {text!r}: write NAME=VALUE with a name of {allowed}")
    return name, value


def _put_in_environment(context: typer.Context, named: dict[str, str]) -> None:
    """Options become variables, so that processes started from here see the same settings."""
    variables = {f"LAKEHOUSE_{name.upper()}": value for name, value in named.items()}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)

    def restore() -> None:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    context.call_on_close(restore)


def _into_panels(app: typer.Typer) -> None:
    panel_of = {name: panel for panel, names in PANELS.items() for name in names}
    for command in app.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", ""))
        command.rich_help_panel = panel_of.get(name, "Commands")
    for group in app.registered_groups:
        group.rich_help_panel = panel_of.get(group.name or "", "Commands")
