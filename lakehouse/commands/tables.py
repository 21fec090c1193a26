"""`lakehouse tables` and `lakehouse describe`: what there is, and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.contracts import Contract
    from lakehouse.storage import Lake


def register(app: typer.Typer) -> None:
    app.command("tables")(tables)
    app.command("describe")(describe)


def tables(
    layer: Annotated[str | None, typer.Argument(help="Only this layer, such as gold.")] = None,
) -> None:
    """List the tables, with their days and rows."""
    import polars as pl

    from lakehouse.contracts import contract
    from lakehouse.serve.reports.render import show
    from lakehouse.serve.sql.visible import views
    from lakehouse.storage.shapes import LAYERS, stored_tables

    if layer is not None and layer not in LAYERS:
        raise BadInput(f"unknown layer {layer!r}; known: {', '.join(LAYERS)}")
    _, lake = opened()
    shown = views()
    rows = [
        (f"{la}.{ta}", *_stored(lake, la, contract(ta)), f"{la}.{ta}" in shown, contract(ta).grain)
        for la in ([layer] if layer else LAYERS)
        for _, ta in sorted(stored_tables(la))
    ]
    schema = {"table": pl.String, "first day": pl.Date, "last day": pl.Date, "days": pl.Int64}
    schema |= {"rows": pl.Int64, "made": pl.Boolean, "in sql": pl.Boolean, "holds": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    made = frame.filter("made").drop("made")
    show(made.with_columns(pl.when("in sql").then(pl.lit("yes")).alias("in sql")))
    if made.height < frame.height:
        missing = frame.height - made.height
        typer.echo(f"{missing} tables of the contracts are not made yet in {lake.root}", err=True)


def describe(
    name: Annotated[
        str | None, typer.Argument(metavar="TABLE", help="Such as gold.player_value.")
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option("--rule", help="Explain this rule, of the table or of all that have it."),
    ] = None,
) -> None:
    """Say what a table holds: columns, units, personal data, keys, rules, lineage. With --rule,
    what a rule demands, what makes a row break it, and how that is mended."""
    if rule is not None:
        _explain(rule, name)
        return
    if name is None:
        raise BadInput("Missing argument 'TABLE', such as gold.player_value, or a rule with --rule")
    _describe(name)


def _explain(rule: str, name: str | None) -> None:
    from lakehouse.contracts import contracts
    from lakehouse.quality.rule_words import known_rules, rules_named
    from lakehouse.serve.dictionary import describe as about
    from lakehouse.serve.sql.query_guard import nearest

    table = None if name is None else about.find(name)[1].name
    found = rules_named(rule, table)
    if not found:
        tables = contracts().values() if table is None else [contracts()[table]]
        known = sorted({r for c in tables for r in known_rules(c)})
        close = nearest(rule, known) or known[:5]
        hint = f"such as {', '.join(close)}; `lakehouse quarantine list` names what was broken"
        raise BadInput(f"{f'{table} has no' if table else 'no table has a'} rule {rule!r}; {hint}")
    tables_of: dict[tuple[str, str, str, str], list[str]] = {}
    for said in found:
        alike = (said.rule, said.holds, said.broken_by, said.mend)
        tables_of.setdefault(alike, []).append(said.table)
    for (named, holds, broken_by, mend), of in tables_of.items():
        typer.echo(f"{'rule':<10} {named}, of {', '.join(of)}")
        typer.echo(f"{'holds':<10} {holds}")
        typer.echo(f"{'broken by':<10} {broken_by}")
        typer.echo(f"{'mend':<10} {mend}\n")


def _describe(name: str) -> None:
    from lakehouse.serve.dictionary import describe as about
    from lakehouse.serve.reports.render import show

    layer, c = about.find(name)
    made_from = about.inputs(layer, c.name)
    read_by = about.readers(layer, c.name)
    for label, said in (
        ("table", f"{layer}.{c.name}"),
        ("holds", c.grain),
        ("meaning", c.description),
        ("key", ", ".join(c.key)),
        ("rules", ", ".join(about.rules(c)) or "-"),
        ("made from", ", ".join(made_from) or "-"),
        ("read by", ", ".join(read_by) or "-"),
        ("in sql", _in_sql(layer, c)),
    ):
        typer.echo(f"{label:<10} {said}")
    typer.echo()
    show(_short(about.columns(layer, c.name)))


def _stored(lake: Lake, layer: str, c: Contract) -> tuple[object, ...]:
    """Days, rows, and whether it is there. Those of a restricted table tell of its cases."""
    if not lake.exists(layer, c.name):
        return None, None, None, None, False
    if not c.is_countable:
        return None, None, None, None, True
    days = lake.partitions(layer, c.name)
    stored = days["gaming_day"].drop_nulls()
    return stored.min(), stored.max(), stored.n_unique() or None, int(days["rows"].sum()), True


def _in_sql(layer: str, c: Contract) -> str:
    from lakehouse.serve.sql.visible import views

    name = f"{layer}.{c.name}"
    if name in views():
        return "yes"
    return "with --restricted" if name in views(restricted=True) else "no"


def _short(columns: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    needed = pl.when("null").then(pl.lit("null")).otherwise(pl.lit(""))
    key = pl.when("key").then(pl.lit("key")).otherwise(needed).alias("key")
    personal = pl.concat_str(["pii", "protection"], separator=", ", ignore_nulls=True).alias("pii")
    return columns.select("column", "type", key, "unit", personal, "refers_to", "meaning")
