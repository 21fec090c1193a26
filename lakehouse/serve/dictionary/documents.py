"""Documents written from code: `python -m lakehouse.serve.dictionary.documents [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.contracts import Contract, contracts
from lakehouse.serve.dictionary.describe import columns, inputs, readers, rules

ROOT = Path(__file__).parents[3]
LAYERS = {
    "source": "Sources: bronze, silver, quarantine",
    "gold": "Gold: the marts",
    "restricted": "Restricted: review cases and identities",
    "ops": "Operations",
    "truth": "Truth of the simulator",
}
ABOUT = {
    "source": "Stored three times: bronze as it came, silver as the contract says and with "
    "personal data protected, quarantine with what broke a rule. The columns are those of silver.",
    "restricted": "Absent from the ordinary SQL catalog; `lakehouse sql --restricted` is audited.",
    "truth": "Nothing downstream reads it; it scores the detectors.",
}


def dictionary() -> str:
    """docs/data_dictionary.md: every table, from its contract."""
    return "\n".join(_dictionary()) + "\n"


def command_line() -> str:
    """docs/cli.md: every command's help, and the saved queries."""
    return "\n".join(_command_line()) + "\n"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "docs/data_dictionary.md": dictionary,
    "docs/cli.md": command_line,
}


def stale(root: Path = ROOT) -> list[str]:
    """Documents that are not as the code would write them."""
    return [
        name
        for name, made in DOCUMENTS.items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != made()
    ]


def main() -> None:
    """Writes the documents; with --check only says which are stale, and exits 1 for any."""
    found = stale()
    if "--check" in sys.argv[1:]:
        sys.exit(f"stale: {', '.join(found)}; run `make docs`" if found else 0)
    for name in found:
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(DOCUMENTS[name](), encoding="utf-8")
        sys.stderr.write(f"wrote {name}\n")


def _dictionary() -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield "Generated from `lakehouse/contracts/` by `make docs`; a test fails when it is stale."
    yield "`unit` USD is dollars to the cent; `fraction` 0.05 is 5%. `null` marks columns that may"
    yield "be empty. Personal data: `direct` names a person, `quasi` narrows down to one; in silver"
    yield "it is a `token`, a `mask`, a five-year band (`year_band`) or three digits (`zip3`)."
    for layer, title in LAYERS.items():
        named = dict(sorted((n, c) for n, c in contracts().items() if c.layer == layer))
        if not named:
            continue
        yield f"\n## {title}\n"
        if layer in ABOUT:
            yield f"{ABOUT[layer]}\n"
        yield from (f"- [{n}](#{n}): {c.grain}" for n, c in named.items())
        for name, c in named.items():
            yield from _table(name, c)


def _table(name: str, c: Contract) -> Iterator[str]:
    layer = "silver" if c.layer == "source" else c.layer
    yield f"\n### {name}\n"
    yield f"{c.description}\n"
    yield f"- Grain: {c.grain}. Key: {', '.join(f'`{k}`' for k in c.key) or 'none'}."
    if c.event_time:
        yield f"- Event time: `{c.event_time}`."
    if c.confidential:
        yield "- Confidential: the folder is its owner's alone (0700)."
    if rules(c):
        yield f"- Rules: {', '.join(f'`{r}`' for r in rules(c))}."
    if inputs(layer, name):
        yield f"- Made from: {', '.join(f'`{i}`' for i in inputs(layer, name))}."
    if readers(layer, name):
        yield f"- Read by: {', '.join(f'`{r}`' for r in readers(layer, name))}."
    yield "\n| column | type | null | unit | personal data | refers to | meaning |"
    yield "|---|---|---|---|---|---|---|"
    for row in columns(layer, name).with_columns(pl.col(pl.String).fill_null("")).rows(named=True):
        personal = ", ".join(p for p in (row["pii"], row["protection"]) if p)
        bold = f"**{row['column']}**" if row["key"] else row["column"]
        cells = (bold, row["type"], "null" if row["null"] else "", row["unit"], personal)
        meaning = row["meaning"].replace("|", r"\|")
        yield f"| {' | '.join(cells)} | {row['refers_to']} | {meaning} |"


def _command_line() -> Iterator[str]:
    import typer

    from lakehouse import cli
    from lakehouse.serve.sql.saved_queries import saved_queries

    yield "# Command line"
    yield ""
    yield "Generated from the commands by `make docs`; a test fails when it is stale."
    yield "Exit status: 0 done, 1 work failed, 2 bad input; one line on standard error says why."
    yield "Data goes to standard output, everything else to standard error."
    yield from _command(typer.main.get_command(cli.build()), ("lakehouse",))
    yield "\n## Saved queries\n"
    yield "`lakehouse sql --saved NAME [--param NAME=VALUE]`\n"
    yield "| for | name | answers | parameters |"
    yield "|---|---|---|---|"
    for saved in saved_queries().values():
        given = "; ".join(f"`{n}` = {d}: {text}" for n, (d, text) in saved.parameters.items())
        yield f"| {saved.reader} | {saved.name} | {saved.title} | {given} |"


def _command(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    yield f"\n{'#' * min(len(path) + 1, 4)} {' '.join(path)}\n"
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    named = [p.metavar or p.name.upper() for p in arguments]
    places = [n if p.required else f"[{n}]" for n, p in zip(named, arguments, strict=True)]
    more = ["COMMAND …"] if inner else []
    yield f"`{' '.join([*path, '[OPTIONS]', *places, *more])}`\n"
    yield (command.help or "").strip()
    told = [p for p in command.params if p.name != "help"]
    if told:
        yield "\n| | meaning | default |"
        yield "|---|---|---|"
        yield from (_parameter(p) for p in told)
    for name in sorted(inner):
        yield from _command(inner[name], (*path, name))


def _parameter(p: Any) -> str:
    if p.param_type_name == "argument":
        label = f"`{p.metavar or p.name.upper()}`"
    else:
        names = ", ".join(f"`{o}`" for o in [*p.opts, *p.secondary_opts])
        takes = "" if p.is_flag else f" {p.metavar or 'VALUE'}"
        label = f"{names}{takes}{' (again for more)' if p.multiple else ''}"
    plain = p.default is None or p.is_flag or callable(p.default) or p.default in ([], ())
    default = "required" if p.required else "" if plain else f"`{p.default}`"
    return f"| {label} | {(p.help or '').replace('|', '/')} | {default} |"


if __name__ == "__main__":
    main()
