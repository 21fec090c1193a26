"""The compliance office: it files what a day's obligations ask for, mostly right.

Everything follows from the obligation: when it is filed, and which fault the filing has.
The filings of a day are found by looking back over the days whose obligations can still
be filed on it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.simulate import frames, obligations, person, suspicions
from lakehouse.simulate.clock import stamp
from lakehouse.simulate.counter import I64, U64, below, draw, key, uniform
from lakehouse.simulate.ids import employees, hexadecimal, machines, players
from lakehouse.simulate.memory import by_day
from lakehouse.simulate.obligations import OWED
from lakehouse.simulate.planted import nothing, planted
from lakehouse.simulate.standing import totals

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

LOOKBACK = 42
"""Days after which nothing of a day is filed any more."""
FAULTS = ("late", "missing", "wrong_amount", "wrong_person", "amended")
Bools = NDArray[np.bool_]
PROPERTY = "PROP-001"
_OFFICERS = 4
_FIRST_OFFICER = 900
_OPENS, _OPEN_SECONDS = 3 * 3600, 8 * 3600
_SLIP_CENTS = {"CTR": 90_000, "W2G": 9_000, "SAR": 90_000}
RECORD_SCHEMA = pl.Schema(
    {
        "form": pl.String(),
        "report": pl.UInt64(),
        "filed_day": pl.Int64(),
        "status": pl.String(),
        "amends": pl.UInt64(),
        "player": pl.Int64(),
        "subject": pl.Date(),
        "due": pl.Date(),
        "amount_cents": pl.Int64(),
        "in_cents": pl.Int64(),
        "out_cents": pl.Int64(),
        "game_type": pl.String(),
        "machine": pl.Int64(),
        "withheld_cents": pl.Int64(),
        "rate_bp": pl.Int64(),
        "category": pl.String(),
        "narrative": pl.String(),
        "activity": pl.Date(),
        "fault": pl.String(),
        "obligation": pl.String(),
    }
)


def records(world: World, day: int) -> pl.DataFrame:
    """compliance of a gaming day, in bronze shape: one row per record written that day."""
    filed = filed_on(world, day)
    config, who = world.config, filed["player"].to_numpy()
    h = filed["report"].to_numpy()
    event = world.utc(day, _OPENS + below(h, _OPEN_SECONDS))
    order = np.argsort(event, kind="stable")
    filed, who, h, event = filed[order], who[order], h[order], event[order]
    given = _subject_columns(world, day, who) | _form_columns(filed)
    given |= {
        "report_timestamp": frames.utc(event),
        "filing_date": pl.repeat(config.date(day), len(h), dtype=pl.Date, eager=True),
        "compliance_officer_id": employees(_FIRST_OFFICER + below(h >> np.uint64(7), _OFFICERS)),
        "property_code": pl.repeat(PROPERTY, len(h), dtype=pl.String, eager=True),
    }
    return frames.frame("compliance", given | stamp("compliance", config.date(day), event))


def persons(world: World, day: int) -> I64:
    """Sorted players whom a record of that day names."""
    return np.unique(filed_on(world, day)["player"].to_numpy()).astype(np.int64)


def obliged(world: World, day: int) -> I64:
    """Sorted players on whose rows of that day a currency report rests, agents included."""
    return obligations.ctrs(world, day).persons


def truth_obligations(world: World, day: int) -> pl.DataFrame:
    """What must be filed for a day: form, player_id, obligation, subject, due, amount_cents,
    in_cents, out_cents (whole cents, null where a side is not over), fault, is_held."""
    return _decided(world, day).select(
        "form",
        pl.Series("player_id", players(_decided(world, day)["player"].to_numpy())),
        "obligation",
        "subject",
        "due",
        "amount_cents",
        "in_cents",
        "out_cents",
        "fault",
        "is_held",
    )


def plants(world: World, day: int) -> pl.DataFrame:
    """Faults in the filings of a day's obligations, one row each, on the obligation's day.

    `row_key` is the faulty record (null where it is missing), `entity_id` the obligation."""
    faulty = (
        _records_of(world, day)
        .filter(pl.col("fault") != "none")
        .unique("obligation", keep="last", maintain_order=True)
    )
    missing = _decided(world, day).filter(pl.col("fault") == "missing")
    date = world.config.date(day)
    found = [
        _fault_plants(
            date,
            fault[0],
            part,
            _report_ids(part["form"], part["report"]),
            _dates(world, part["filed_day"]),
        )
        for fault, part in faulty.partition_by("fault", as_dict=True, maintain_order=True).items()
    ]
    if len(missing):
        found.append(_fault_plants(date, "missing", missing, None, missing["due"]))
    return pl.concat([nothing(), *found])


def _fault_plants(
    date: dt.date, fault: str, part: pl.DataFrame, keys: pl.Series | None, until: pl.Series
) -> pl.DataFrame:
    return planted(
        f"filing_{fault}",
        f"filing_{fault}:" + part["obligation"],
        entity_type="filing",
        entity=part["obligation"] if keys is None or fault != "needless" else keys,
        table="compliance",
        key=keys,
        rule=fault,
        day=date,
        until=until,
    )


@by_day(8)
def filed_on(world: World, day: int) -> pl.DataFrame:
    """Records written on a day, whatever day they are about (RECORD_SCHEMA)."""
    earlier = range(max(0, day - LOOKBACK), day)
    found = [_by_filing_day(world, d).get(day) for d in earlier]
    return pl.concat([RECORD_SCHEMA.to_frame(), *(f for f in found if f is not None)])


@by_day(64)
def _by_filing_day(world: World, day: int) -> dict[int, pl.DataFrame]:
    parts = _records_of(world, day).partition_by("filed_day", as_dict=True, maintain_order=True)
    return {int(filed[0]): part for filed, part in parts.items()}


@by_day(64)
def _decided(world: World, day: int) -> pl.DataFrame:
    """Obligations of a day with the fault that the office makes of each."""
    owed = pl.concat([_ctr_rows(world, day), _w2g_rows(world, day), suspicions.rows(world, day)])
    f = world.config.faults
    edges = np.cumsum(
        [
            f.filing_late,
            f.filing_missing,
            f.filing_wrong_amount,
            f.filing_wrong_person,
            f.filing_amended,
        ]
    )
    h = owed["hash"].to_numpy()
    fault = pl.Series([*FAULTS, "none"])[
        np.searchsorted(
            edges, uniform(draw(key(world.config.seed, "filing-fault"), h)), side="right"
        )
    ]
    alone = len(world.named(day)) < 2
    # A tax form is due at the year's end: no office is late within weeks.
    unlikely = (pl.col("fault") == "late") & (pl.col("form") == "W2G")
    unlikely |= (pl.col("fault") == "wrong_person") & alone
    return owed.with_columns(fault=fault).with_columns(
        fault=pl.when(pl.col("is_held") | unlikely).then(pl.lit("none")).otherwise("fault")
    )


def _keyed(world: World, form: str, frame: pl.DataFrame, day: int, extra: I64) -> pl.DataFrame:
    base = key(world.config.seed, f"obligation:{form}", day)
    h = draw(base, frame["player"].to_numpy(), extra)
    return frame.with_columns(hash=pl.Series(h, dtype=pl.UInt64), form=pl.lit(form))


def _shaped(frame: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit(None, dtype=t).alias(n) for n, t in OWED.items() if n not in frame.columns]
    return frame.with_columns(absent).select(OWED.names()).cast(OWED)


def _ctr_rows(world: World, day: int) -> pl.DataFrame:
    found = obligations.ctrs(world, day)
    date = world.config.date(day)
    sides = [pl.col(c).fill_null(0) for c in ("in_cents", "out_cents")]
    who = players(found.owed["player"].to_numpy())
    frame = found.owed.with_columns(
        subject=pl.lit(date),
        due=pl.lit(found.due),
        amount_cents=sides[0] + sides[1],
        obligation=f"CTR-{date}-" + who,
    )
    return _shaped(_keyed(world, "CTR", frame, day, np.zeros(frame.height, dtype=np.int64)))


def _w2g_rows(world: World, day: int) -> pl.DataFrame:
    found = obligations.w2gs(world, day)
    frame = found.rename({"paid_on": "subject", "winnings_cents": "amount_cents"}).with_columns(
        due=pl.date(pl.col("subject").dt.year() + 1, 1, 31),
        obligation="W2G-" + pl.col("win_id"),
        is_held=pl.lit(value=False),
    )
    return _shaped(_keyed(world, "W2G", frame, day, found["paid_second"].to_numpy()))


@by_day(64)
def _records_of(world: World, day: int) -> pl.DataFrame:
    """All records that a day's obligations will lead to, needless ones too."""
    owed = _decided(world, day).filter(~pl.col("is_held") & (pl.col("fault") != "missing"))
    rows = pl.concat([owed, _needless(world, day)], how="vertical")
    h = rows["hash"].to_numpy()
    form, fault = rows["form"], rows["fault"]
    wait = _delays(form.to_numpy(), fault.to_numpy(), h)
    wrong = fault.is_in(["wrong_amount", "amended"]).to_numpy()
    first = _written(rows, h, day + wait, wrong).with_columns(
        player=pl.Series(_named_person(world, day, rows["player"].to_numpy(), fault, h)),
    )
    mended = rows.filter(fault == "amended")
    again = mended["hash"].to_numpy()
    later = day + wait[(fault == "amended").to_numpy()] + 2 + below(draw(7, again), 4)
    amended = _written(
        mended, draw(1, again), later, np.zeros(len(again), dtype=bool)
    ).with_columns(status=pl.lit("Amended"), amends=pl.Series(again, dtype=pl.UInt64))
    return pl.concat([first, amended])


def _written(rows: pl.DataFrame, report: U64, filed_day: I64, wrong: Bools) -> pl.DataFrame:
    slip = pl.col("form").replace_strict(_SLIP_CENTS, return_dtype=pl.Int64)
    slipped = pl.Series(wrong, dtype=pl.Boolean)
    return rows.with_columns(
        pl.when(slipped).then(pl.col(c) + slip).otherwise(pl.col(c)).alias(c)
        for c in ("amount_cents", "in_cents", "out_cents")
    ).with_columns(
        report=pl.Series(report, dtype=pl.UInt64),
        filed_day=pl.Series(filed_day, dtype=pl.Int64),
        status=pl.lit("Filed"),
        amends=pl.lit(None, dtype=pl.UInt64),
    ).select(RECORD_SCHEMA.names()).cast(RECORD_SCHEMA)  # fmt: skip


def _delays(form: NDArray[Any], fault: NDArray[Any], h: U64) -> I64:
    """Days from the subject's day to the filing."""
    spread = draw(3, h)
    wait = np.select(
        [form == "CTR", form == "W2G"],
        [2 + below(spread, 12), 1 + below(spread, 5)],
        4 + below(spread, 22),
    )
    wait = np.where(fault == "amended", np.minimum(wait, 8), wait)
    overdue = np.where(form == "CTR", 16, 31) + below(draw(5, h), 9)
    return np.where(fault == "late", overdue, wait).astype(np.int64)


def _named_person(world: World, day: int, who: I64, fault: pl.Series, h: U64) -> I64:
    """Whom the form names: now and then another patron of that day."""
    here = world.named(day)
    if not len(here):
        return who
    at = below(draw(11, h), len(here))
    other = np.where(here[at] == who, here[(at + 1) % len(here)], here[at])
    return np.where((fault == "wrong_person").to_numpy(), other, who)


def _needless(world: World, day: int) -> pl.DataFrame:
    """Currency reports on persons whose sides are not over the threshold."""
    found = obligations.ctrs(world, day)
    rate = world.config.faults.filing_needless
    count = int(rate * len(found.owed) + uniform(draw(key(world.config.seed, "needless"), day))[0])
    verified = found.near.filter(
        pl.Series(
            person.identity_verified(world.config, found.near["player"].to_numpy()),
            dtype=pl.Boolean,
        )
    )
    near = verified.head(count) if rate > 0 else verified.clear()
    date = world.config.date(day)
    frame = near.select(
        "player",
        in_cents="cents",
        amount_cents="cents",
        subject=pl.lit(date),
        due=pl.lit(found.due),
        obligation=f"needless-{date}-" + pl.Series(players(near["player"].to_numpy())),
        is_held=pl.lit(value=False),
    )
    keyed = _keyed(world, "CTR", frame, day, np.ones(near.height, dtype=np.int64))
    return _shaped(keyed).with_columns(fault=pl.lit("needless"))


def _report_ids(form: pl.Series, report: pl.Series) -> pl.Series:
    return form + "-" + hexadecimal(report.to_numpy())


def _dates(world: World, days: pl.Series) -> pl.Series:
    start = int(np.datetime64(world.config.start, "D").astype(np.int64))
    return (days + start).cast(pl.Int32).cast(pl.Date)


def _subject_columns(world: World, day: int, who: I64) -> dict[str, pl.Series]:
    """The person named, as the office knows them."""
    config = world.config
    tax, paper = person.tax_number(config, who), person.papers(config, who)
    born = person.birth_days(config, who)
    homes = person.version(config, "address", who, totals(world, day, who)[0], 60)
    return {
        "player_id": players(who),
        "player_name_hash": person.digest(config, "name", who),
        "ssn_hash": tax["ssn_hash"],
        "ssn_masked": tax["ssn_masked"],
        "date_of_birth": pl.Series(born.astype(np.int32)).cast(pl.Date),
        "address_hash": person.digest(config, "address", who, homes),
        "id_type": paper["id_type"],
        "id_number_hash": paper["id_number_hash"],
    }


def _form_columns(records: pl.DataFrame) -> dict[str, pl.Series]:
    """What the form says. Currency reports are in whole dollars, rounded up."""
    ctr, w2g = records["form"] == "CTR", records["form"] == "W2G"
    dollars = {c: (records[c] + 99) // 100 * 100 for c in ("in_cents", "out_cents")}
    whole = dollars["in_cents"].fill_null(0) + dollars["out_cents"].fill_null(0)
    amount = whole.zip_with(ctr, records["amount_cents"])
    number = records["report"].cast(pl.String).str.slice(0, 14)
    amended = records["status"] == "Amended"
    return {
        "report_id": _report_ids(records["form"], records["report"]),
        "report_type": records["form"],
        "due_date": records["due"],
        "status": records["status"],
        "transaction_date": records["subject"],
        "transaction_amount": _money(amount),
        "cash_in_amount": _money(dollars["in_cents"], ctr),
        "cash_out_amount": _money(dollars["out_cents"], ctr),
        "game_type": records["game_type"],
        "machine_id": machines(records["machine"].fill_null(-2).to_numpy()).set(
            records["machine"].is_null() | (records["machine"] < 0), None
        ),
        "jackpot_amount": _money(records["amount_cents"], w2g),
        "withholding_amount": _money(records["withheld_cents"], w2g),
        "withholding_rate": frames.rate(
            records["rate_bp"].fill_null(0).to_numpy(), records["rate_bp"].is_not_null().to_numpy()
        ),
        "sar_category": records["category"],
        "sar_narrative": records["narrative"],
        "suspicious_activity_date": records["activity"],
        "fincen_reference": _where("BSA" + number, ~w2g),
        "irs_reference": _where("IRS" + number, w2g),
        "review_notes": _where(
            pl.repeat("Corrects the amount.", len(amended), dtype=pl.String, eager=True), amended
        ),
        "amended_from": _where(
            _report_ids(records["form"], records["amends"].fill_null(0)), amended
        ),
    }


def _money(cents: pl.Series, also: pl.Series | None = None) -> pl.Series:
    valid = cents.is_not_null() if also is None else cents.is_not_null() & also
    return frames.money(cents.fill_null(0).to_numpy(), valid.to_numpy())


def _where(values: pl.Series, mask: pl.Series) -> pl.Series:
    return values.set(~mask, None)
