"""Tax forms for winnings: W-2G and 1042-S, per play and by the day of payment."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl

from lakehouse.regulation.business_days import next_business_day
from lakehouse.regulation.gaming_day import local_day
from lakehouse.regulation.law import Law, Period
from lakehouse.regulation.people import known_at

RULES = {
    "SLOT": "w2g_slot",
    "BINGO": "w2g_bingo",
    "KENO": "w2g_keno",
    "POKER_TOURNAMENT": "w2g_poker_tournament",
    "TABLE": "w2g_other",
    "TABLE_SIDE_BET": "w2g_other",
    "OTHER": "w2g_other",
}
TABLE_TYPES = ("TABLE", "TABLE_SIDE_BET")
CENT = pl.lit(Decimal("0.01"))


def wins_with_winner(
    gaming_wins: pl.LazyFrame, player_profile: pl.LazyFrame, timezone: str
) -> pl.LazyFrame:
    """Wins with the local days of win and payment, the wager that counts (free play: none),
    the net winnings, and what was on file of the winner on the gaming day of payment."""
    stake = pl.when(pl.col("is_free_play").fill_null(value=False)).then(0).otherwise("wager")
    dated = gaming_wins.with_columns(
        local_day(pl.col("won_at"), timezone).alias("won_on"),
        local_day(pl.col("paid_at"), timezone).alias("paid_on"),
        stake.cast(pl.Decimal(18, 2)).alias("wager"),
    ).with_columns((pl.col("gross_amount") - pl.col("wager")).alias("net"))
    facts = ["tin_on_file", "tax_residency"]
    return known_at(dated, player_profile, "gaming_day", facts).with_columns(
        (pl.col("tax_residency") == "NRA").fill_null(value=False).alias("is_nra"),
        pl.col("tin_on_file").fill_null(value=False),
        pl.col("paid_on").dt.year().cast(pl.Int64).alias("tax_year"),
    )


def reportable(wins: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Wins of US persons that a W-2G is due for, with box 1 and the tax withheld
    (26 CFR 1.6041-10; IRC 3402(q), 3406). Adds reportable_winnings, withholding,
    withholding_kind and citation; winners nobody knows are among them."""
    return (
        wins.filter(~pl.col("is_nra"))
        .with_columns(_basis(law).alias("reportable_winnings"), _citation(law).alias("citation"))
        .filter(_is_reportable(law))
        .with_columns(_kind(law).alias("withholding_kind"))
        .with_columns(_withheld(law).alias("withholding"))
    )


def foreign_income(wins: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Wins of non-resident aliens that are taxed at source (IRC 871(a), 1441); wagers in the
    games of IRC 871(j) are exempt. Adds amount, withholding and citation."""
    day = pl.col("paid_on")
    exempt = pl.lit(value=False)
    for period in law.periods("nra_withholding"):
        games = (period.params or {}).get("exempt_games", [])
        exempt = exempt | (_paid_within(period) & pl.col("table_game").is_in(games))
    taxed = ~(pl.col("game_type").is_in(TABLE_TYPES) & exempt.fill_null(value=False))
    rate = law.dated("nra_withholding", _rate, day)
    return wins.filter(pl.col("is_nra") & taxed & (pl.col("gross_amount") > 0)).with_columns(
        pl.col("gross_amount").alias("amount"),
        _share("gross_amount", rate).alias("withholding"),
        law.dated("nra_withholding", lambda p: p.citation, day).alias("citation"),
    )


def annual_dates(law: Law, rule: str, years: list[int]) -> pl.DataFrame:
    """One row per tax year: winner_copy_due, paper_due and efile_due, on business days of the
    year after. Columns: tax_year and those."""
    rows = [
        {"tax_year": year}
        | {f"{copy}_due": _due(law, rule, copy, year) for copy in ("winner_copy", "paper", "efile")}
        for year in years
    ]
    schema = pl.Schema({"tax_year": pl.Int64()})
    schema.update({f"{copy}_due": pl.Date() for copy in ("winner_copy", "paper", "efile")})
    return pl.DataFrame(rows, schema=schema)


def _due(law: Law, rule: str, copy: str, year: int) -> dt.date:
    month, day = law.param(rule, copy, dt.date(year, 12, 31)).split("-")
    return next_business_day(dt.date(year + 1, int(month), int(day)))


def _paid_within(period: Period) -> pl.Expr:
    last = period.effective_to or dt.date.max
    return pl.col("paid_on").is_between(pl.lit(period.effective_from), pl.lit(last))


def _by_game(of_rule: dict[str, pl.Expr], otherwise: pl.Expr) -> pl.Expr:
    value = otherwise
    for game, rule in RULES.items():
        value = pl.when(pl.col("game_type") == game).then(of_rule[rule]).otherwise(value)
    return value


def _basis(law: Law) -> pl.Expr:
    day = pl.col("paid_on")
    gross = {r: law.dated(r, lambda p: p.basis == "gross", day) for r in set(RULES.values())}
    is_gross = _by_game(gross, pl.lit(value=False))
    return pl.when(is_gross).then("gross_amount").otherwise("net")


def _citation(law: Law) -> pl.Expr:
    day = pl.col("paid_on")
    by_rule = {r: law.dated(r, lambda p: p.citation, day) for r in set(RULES.values())}
    return _by_game(by_rule, pl.lit(None, pl.String))


def _is_reportable(law: Law) -> pl.Expr:
    day, amount = pl.col("paid_on"), pl.col("reportable_winnings")
    by_rule = {
        r: law.over(r, amount, day) & _odds(law, r).fill_null(value=True)
        for r in set(RULES.values())
    }
    return _by_game(by_rule, pl.lit(value=False))


def _odds(law: Law, rule: str) -> pl.Expr:
    """Net winnings of at least so many times the wager; null where the rule sets no odds."""
    times = law.dated(rule, lambda p: p.times_wager, pl.col("paid_on")).cast(pl.Int64)
    return _cents("net") >= times * _cents("wager")


def _kind(law: Law) -> pl.Expr:
    day, net = pl.col("paid_on"), pl.col("net")
    wagered = pl.col("game_type").is_in([g for g, r in RULES.items() if r == "w2g_other"])
    regular = wagered & law.over("regular_withholding", net, day)
    regular = regular & _odds(law, "regular_withholding").fill_null(value=True)
    return (
        pl.when(regular).then(pl.lit("regular")).when(~pl.col("tin_on_file")).then(pl.lit("backup"))
    )


def _withheld(law: Law) -> pl.Expr:
    day, goods = pl.col("paid_on"), (pl.col("prize_type") == "GOODS").fill_null(value=False)

    def rate(rule: str) -> pl.Expr:
        usual, on_goods = law.dated(rule, _rate, day), law.dated(rule, _rate_on_goods, day)
        return pl.when(goods).then(on_goods).otherwise(usual)

    return (
        pl.when(pl.col("withholding_kind") == "regular")
        .then(_share("net", rate("regular_withholding")))
        .when(pl.col("withholding_kind") == "backup")
        .then(_share("reportable_winnings", rate("backup_withholding")))
        .otherwise(pl.lit(Decimal("0.00"), dtype=pl.Decimal(18, 2)))
    )


def _rate(period: Period) -> int:
    """Ten-thousandths, so that no digit is lost in a product of decimals."""
    return int((period.rate or Decimal(0)) * 10_000)


def _rate_on_goods(period: Period) -> int:
    stated = (period.params or {}).get("rate_on_goods", period.rate or 0)
    return int(Decimal(str(stated)) * 10_000)


def _cents(column: str) -> pl.Expr:
    return (pl.col(column) * 100).cast(pl.Int64)


def _share(column: str, rate: pl.Expr) -> pl.Expr:
    """A share in ten-thousandths of dollars, rounded half up to the cent."""
    cents = (_cents(column) * rate.cast(pl.Int64) + 5_000) // 10_000
    return (cents.cast(pl.Decimal(38, 2)) * CENT).cast(pl.Decimal(18, 2))
