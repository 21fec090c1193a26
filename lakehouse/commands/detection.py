"""`lakehouse detection`: the rules that there are, and how good each is."""

from __future__ import annotations

from typing import Annotated

import typer

from lakehouse.commands import opened, parse_day
from lakehouse.commands.printing import AsJson, chosen, put
from lakehouse.errors import BadInput

_SHOWN = (
    "rule", "strength", "cases", "recall", "recall_ended", "precision", "alerts_per_day",
    "lead_days", "base_rate", "auprc", "amount_auprc",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    detection = typer.Typer(
        help="The rules of detection, and how good each is.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    detection.command("quality")(quality)
    detection.command("rules")(listed)
    detection.command("card")(card)
    detection.command("budget")(budget)
    app.add_typer(detection, name="detection")


def quality(
    day: Annotated[
        str | None, typer.Option("--day", metavar="DAY", help="Of the four weeks up to this day.")
    ] = None,
    strength: Annotated[
        str, typer.Option(help="all, blatant, middling or faint cases; each: all of these.")
    ] = "all",
    as_json: AsJson = False,
) -> None:
    """Precision, recall and ranking of each rule against what was planted; the newest day's.

    On simulated days only: a real lake knows no truth. docs/detection.md has several worlds.
    """
    import polars as pl

    from lakehouse.contracts.columns import STRENGTHS
    from lakehouse.contracts.detection.detection_quality import EVERY, WINDOW

    if strength not in (EVERY, *STRENGTHS, "each"):
        raise BadInput(f"--strength {strength!r}: allowed are all, {', '.join(STRENGTHS)}, each")
    _, lake = opened()
    rows = lake.scan("gold", "detection_quality").collect()
    asked = parse_day(day, "--day") if day else pl.col("gaming_day").max()
    found = rows.filter(pl.col("gaming_day") == asked)
    if found.is_empty():
        raise BadInput(
            "nothing was planted in these four weeks, so nothing can be scored; `lakehouse run` "
            "simulates days that can"
        )
    if strength != "each":
        found = found.filter(pl.col("strength") == strength)
    put(found if as_json else found.select(_SHOWN), chosen(as_json=as_json))
    typer.echo(f"the {WINDOW} gaming days up to {found['gaming_day'][0]!s}", err=True)


def listed(as_json: AsJson = False) -> None:
    """Every rule: what it looks for, and its thresholds in force."""
    import polars as pl

    from lakehouse.detection.registry import rules, thresholds

    rows = []
    for name, rule in rules().items():
        params = thresholds().periods(name)[-1].params or {}
        said = ", ".join(f"{k} {v}" for k, v in params.items())
        rows.append((name, rule.family, rule.entity, rule.description, said))
    columns = ["rule", "family", "entity", "what", "thresholds"]
    put(pl.DataFrame(rows, schema=columns, orient="row"), chosen(as_json=as_json))


def budget(
    family: Annotated[str, typer.Option("--family", help="The rules that share the budget.")],
    per_day: Annotated[float, typer.Option("--per-day", help="Alerts of the family a day.")],
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First day to set it on.")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day to set it on.")],
) -> None:
    """Thresholds by which a family's alerts of past days stay within so many a day, as TOML.

    Each rule keeps the same share of its alerts, the strongest; CRITICAL ones are told whatever the
    budget. The text is for lakehouse/detection/thresholds.toml, in the place of the rules' newest
    periods.
    """
    from lakehouse.detection.budget import as_toml, proposals

    days = (parse_day(first, "--from"), parse_day(last, "--to"))
    if days[0] > days[1]:
        raise BadInput(f"--from {first} is after --to {last}")
    _, lake = opened()
    alerts = lake.scan("gold", "anomalies", days=days, columns=["gaming_day", "family", "rule",
                                                                "score"])  # fmt: skip
    found = proposals(alerts.collect(), family, days, per_day)
    typer.echo(as_toml(found, days, per_day))
    number = (days[1] - days[0]).days + 1
    before, after = (sum(n) / number for n in ([p.alerts for p in found], [p.told for p in found]))
    typer.echo(f"alerts a day: {before:.2f}, with these {after:.2f}", err=True)


def card() -> None:
    """The model card of the learned score of protection, as Markdown, from what the lake holds."""
    import polars as pl

    from lakehouse.detection.models.card import card as written

    _, lake = opened()
    columns = ["player_id", "gaming_day", "last_play", "score", "learned_score"]
    standing = lake.scan("gold", "player_protection", columns=columns)
    played = standing.filter(pl.col("last_play") == pl.col("gaming_day")).collect()
    listed = lake.scan("silver", "player_profile").filter("self_excluded")
    joined = listed.group_by("player_id").agg(joined=pl.col("gaming_day").min()).collect()
    models = lake.scan("gold", "protection_model").collect()
    typer.echo(written(models, played, joined), nl=False)
