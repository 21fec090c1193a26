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

from lakehouse.contracts import contract
from lakehouse.simulate import frames, obligations, person, suspicions
from lakehouse.simulate.clock import gaming_days, stamp
from lakehouse.simulate.counter import I64, U64, below, draw, key, uniform
from lakehouse.simulate.ids import employees, hexadecimal, numbered, players
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
    if filed.is_empty():
        return contract("compliance").empty()
    config, who = world.config, filed["player"].to_numpy()
    h = filed["report"].to_numpy()
    event = world.utc(day, _OPENS + below(h, _OPEN_SECONDS))
    order = np.argsort(event, kind="stable")
    filed, who, h, event = filed[order], who[order], h[order], event[order]
    given = _subject_columns(world, day, who) | _form_columns(filed)
    days = gaming_days(config.start, np.full(len(h), day))
    given |= {
        "report_timestamp": frames.utc(event),
        "filing_date": days,
        "compliance_officer_id": employees(_FIRST_OFFICER + below(h >> np.uint64(7), _OFFICERS)),
        "property_code": pl.repeat(PROPERTY, len(h), dtype=pl.String, eager=True),
    }
    return frames.frame("compliance", given | stamp("compliance", days, event))


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
    rates = (
        f.filing_late,
        f.filing_missing,
        f.filing_wrong_amount,
        f.filing_wrong_person,
        f.filing_amended,
    )
    u = uniform(draw(key(world.config.seed, "filing-fault"), owed["hash"].to_numpy()))
    fault = np.searchsorted(np.cumsum(rates), u, side="right")
    # A tax form is due at the year's end: no office is late within weeks.
    unlikely = (fault == FAULTS.index("late")) & (owed["form"] == "W2G").to_numpy()
    if len(world.named(day)) < 2:
        unlikely |= fault == FAULTS.index("wrong_person")
    none = owed["is_held"].to_numpy() | unlikely
    return owed.hstack([_labels(np.where(none, len(FAULTS), fault)).alias("fault")])


def _labels(fault: I64) -> pl.Series:
    return frames.code((*FAULTS, "none"), fault)


def _owed(world: World, form: str, day: int, extra: I64, **given: pl.Series) -> pl.DataFrame:
    """Obligations from their columns; those that the form does not have are null."""
    n, base = len(extra), key(world.config.seed, f"obligation:{form}", day)
    given["hash"] = pl.Series(draw(base, given["player"].to_numpy(), extra))
    given["form"] = _same(form, n)
    return pl.DataFrame({c: given[c] if c in given else _same(None, n, t) for c, t in OWED.items()})


def _same(value: object, n: int, dtype: pl.DataType | None = None) -> pl.Series:
    return pl.Series([value], dtype=dtype).new_from_index(0, n)


def _ctr_rows(world: World, day: int) -> pl.DataFrame:
    found = obligations.ctrs(world, day)
    owed, date, n = found.owed, world.config.date(day), len(found.owed)
    moved = [owed[c].fill_null(0) for c in ("in_cents", "out_cents")]
    return _owed(
        world,
        "CTR",
        day,
        np.zeros(n, dtype=np.int64),
        **{c: owed[c] for c in owed.columns},
        subject=_same(date, n),
        due=_same(found.due, n),
        amount_cents=moved[0] + moved[1],
        obligation=numbered(f"CTR-{date}-P", owed["player"].to_numpy(), 8),
    )


def _w2g_rows(world: World, day: int) -> pl.DataFrame:
    found = obligations.w2gs(world, day)
    if found.is_empty():
        return OWED.to_frame()
    year = found["paid_on"].to_numpy().astype("datetime64[Y]") + 1
    return _owed(
        world,
        "W2G",
        day,
        found["paid_second"].to_numpy(),
        **{c: found[c] for c in ("player", "game_type", "machine", "withheld_cents", "rate_bp")},
        subject=found["paid_on"],
        due=pl.Series(year.astype("datetime64[D]") + 30),
        amount_cents=found["winnings_cents"],
        obligation="W2G-" + found["win_id"],
        is_held=_same(False, len(found)),
    )


@by_day(64)
def _records_of(world: World, day: int) -> pl.DataFrame:
    """All records that a day's obligations will lead to, needless ones too."""
    owed = _decided(world, day)
    filed = (owed["fault"] != "missing") & ~owed["is_held"]
    rows = pl.concat([owed.filter(filed), *_needless(world, day)])
    if rows.is_empty():
        return RECORD_SCHEMA.to_frame()
    h, fault, form = rows["hash"].to_numpy(), rows["fault"].to_list(), rows["form"].to_list()
    amended = np.array([f == "amended" for f in fault])
    wrong = amended | np.array([f == "wrong_amount" for f in fault])
    slip = np.where(wrong, [_SLIP_CENTS[f] for f in form], 0)
    wait = _delays(np.array(form), np.array(fault), h)
    named = _named_person(world, day, rows["player"].to_numpy(), np.array(fault), h)
    first = _written(rows, h, day + wait, slip, player=pl.Series(named))
    if not amended.any():
        return first
    again = h[amended]
    later = day + wait[amended] + 2 + below(draw(7, again), 4)
    mended = rows.filter(pl.Series(amended))
    return pl.concat(
        [
            first,
            _written(
                mended,
                draw(1, again),
                later,
                0 * later,
                status=_same("Amended", len(again)),
                amends=pl.Series(again),
            ),
        ]
    )


def _written(
    rows: pl.DataFrame, report: U64, filed_day: I64, slip: I64, **given: pl.Series
) -> pl.DataFrame:
    n = rows.height
    given = {
        "report": pl.Series(report),
        "filed_day": pl.Series(filed_day),
        "status": _same("Filed", n),
        "amends": _same(None, n, pl.UInt64()),
        **{c: rows[c] + pl.Series(slip) for c in ("amount_cents", "in_cents", "out_cents")},
    } | given
    return pl.DataFrame({c: given[c] if c in given else rows[c] for c in RECORD_SCHEMA})


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


def _named_person(world: World, day: int, who: I64, fault: NDArray[Any], h: U64) -> I64:
    """Whom the form names: now and then another patron of that day."""
    here = world.named(day)
    if not len(here):
        return who
    at = below(draw(11, h), len(here))
    other = np.where(here[at] == who, here[(at + 1) % len(here)], here[at])
    return np.where(fault == "wrong_person", other, who)


def _needless(world: World, day: int) -> list[pl.DataFrame]:
    """Currency reports on persons whose sides are not over the threshold; none on most days."""
    found = obligations.ctrs(world, day)
    luck = float(uniform(draw(key(world.config.seed, "needless"), day))[0])
    count = int(world.config.faults.filing_needless * len(found.owed) + luck)
    who = found.near["player"].to_numpy()
    at = np.flatnonzero(person.identity_verified(world.config, who))[:count]
    n, date = len(at), world.config.date(day)
    if not n or not world.config.faults.filing_needless:
        return []
    cents = found.near["cents"][at]
    owed = _owed(
        world,
        "CTR",
        day,
        np.ones(n, dtype=np.int64),
        player=found.near["player"][at],
        in_cents=cents,
        amount_cents=cents,
        subject=_same(date, n),
        due=_same(found.due, n),
        obligation=numbered(f"needless-{date}-P", who[at], 8),
        is_held=_same(False, n),
    )
    return [owed.hstack([_same("needless", n).alias("fault")])]


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
    ctr, w2g = pl.col("form") == "CTR", pl.col("form") == "W2G"
    amended = pl.col("status") == "Amended"
    whole = {side: _whole_dollars(pl.col(f"{side}_cents")) for side in ("in", "out")}
    both = whole["in"].fill_null(0) + whole["out"].fill_null(0)
    number = pl.col("report").cast(pl.String).str.slice(0, 14)
    known = pl.col("machine") >= 0
    machine = pl.lit("SLOT-") + (pl.col("machine") + 1).cast(pl.String).str.zfill(4)
    ids = records.select("form").with_columns(
        now=hexadecimal(records["report"].to_numpy()),
        before=hexadecimal(records["amends"].fill_null(0).to_numpy()),
    )
    form = records.hstack(ids.drop("form")).select(
        (pl.col("form") + "-" + pl.col("now")).alias("report_id"),
        pl.col("form").alias("report_type"),
        pl.col("due").alias("due_date"),
        "status",
        pl.col("subject").alias("transaction_date"),
        pl.when(ctr).then(both).otherwise("amount_cents").alias("transaction_amount"),
        pl.when(ctr).then(whole["in"]).alias("cash_in_amount"),
        pl.when(ctr).then(whole["out"]).alias("cash_out_amount"),
        "game_type",
        pl.when(known).then(machine).alias("machine_id"),
        pl.when(w2g).then("amount_cents").alias("jackpot_amount"),
        pl.when(w2g).then("withheld_cents").alias("withholding_amount"),
        pl.when(w2g).then("rate_bp").alias("withholding_rate"),
        pl.col("category").alias("sar_category"),
        pl.col("narrative").alias("sar_narrative"),
        pl.col("activity").alias("suspicious_activity_date"),
        pl.when(~w2g).then("BSA" + number).alias("fincen_reference"),
        pl.when(w2g).then("IRS" + number).alias("irs_reference"),
        pl.when(amended).then(pl.lit("Corrects the amount.")).alias("review_notes"),
        pl.when(amended).then(pl.col("form") + "-" + pl.col("before")).alias("amended_from"),
    )
    return {c.name: _decimal(c) if c.name.endswith(("_amount", "_rate")) else c for c in form}


def _whole_dollars(cents: pl.Expr) -> pl.Expr:
    return (cents + 99) // 100 * 100


def _decimal(values: pl.Series) -> pl.Series:
    make = frames.rate if values.name.endswith("_rate") else frames.money
    return make(values.fill_null(0).to_numpy(), values.is_not_null().to_numpy())
