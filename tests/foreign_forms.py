"""Files in other people's shapes, made of good rows, and the mapping that each needs."""

import json
from collections.abc import Callable, Sequence
from typing import Any

Rows = list[dict[str, str]]
ZONE = {"timezone": "America/Los_Angeles"}
TOTAL = "Summe"


def lines(*fields: Sequence[str], delimiter: str = ",") -> str:
    return "".join(delimiter.join(f) + "\n" for f in fields)


def moment(row: dict[str, str]) -> tuple[str, str]:
    """Day and time of day, as the file's own zone has them."""
    day, _, time = row["transaction_timestamp"].partition("T")
    return day, time[:5]


def german(row: dict[str, str]) -> str:
    year, month, day = moment(row)[0].split("-")
    return f"{day}.{month}.{year}"


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def comma(amount: str) -> str:
    return amount.replace(".", ",")


def status(row: dict[str, str]) -> str:
    """Every fourth row is one that nobody wants."""
    return "VOID" if row["transaction_id"].endswith(("2", "6")) else "OK"


def worked(rows: Rows) -> bytes:
    head = ("Slip", "Player", "Tag", "Zeit", "Betrag", "Status", "Text")
    body = [
        (r["transaction_id"], "P1", german(r), moment(r)[1], sign + comma(r["amount"]), status(r),
         quoted(r["notes"]))
        for r, sign in zip(rows, "-+" * len(rows), strict=False)
    ]  # fmt: skip
    return lines(head, *body, delimiter=";").encode()


def rated(rows: Rows) -> bytes:
    head = ("Id", "Datum", "Betrag", "Text")
    body = [
        (r["transaction_id"], german(r), f"€ {comma(r['amount'])}", r["transaction_id"])
        for r in rows
    ]
    return lines(head, *body, delimiter=";").encode()


def nameless(rows: Rows) -> bytes:
    """Rows that only their place tells apart, with what is not wanted among them."""
    records = [
        {"slip": {"at": r["transaction_timestamp"], "sum": r["amount"], "state": status(r),
                  "by": r["transaction_id"]},
         "notes": [r["transaction_id"], r["notes"]]}
        for r in rows
    ]  # fmt: skip
    return "".join(json.dumps(r) + "\n" for r in records).encode()


def machine(rows: Rows) -> bytes:
    """Cents, moments in milliseconds and as text, codes, and numbers that need a prefix."""
    body = [
        (r["transaction_id"], "1736010000000" if i % 2 else r["transaction_timestamp"],
         str(100 * i + i), "CI" if i % 3 else "CO", f"{i}E1")
        for i, r in enumerate(rows)
    ]  # fmt: skip
    return lines(("no", "ms", "cents", "kind", "text"), *body, delimiter="|").encode()


def dated(rows: Rows) -> bytes:
    """Days alone, in two forms, and debit beside credit."""
    body = [
        (r["transaction_id"], german(r)[:6] + "25" if i % 2 else moment(r)[0],
         r["amount"] if i % 2 else "", "" if i % 2 else f"({r['amount']})")
        for i, r in enumerate(rows)
    ]  # fmt: skip
    return lines(("id", "on", "debit", "credit"), *body, delimiter="\t").encode()


def reported(rows: Rows) -> bytes:
    """Lines above the rows, no header, and a total below."""
    body = [(r["transaction_id"], *moment(r), r["amount"], quoted(r["notes"])) for r in rows]
    return lines(("Report",), ("", "of", "cage"), (), *body, (TOTAL, "1.00")).encode()


def lettered(text: str) -> Callable[[Rows], bytes]:
    """With letters that are none of ASCII, in the encoding of that name."""

    def write(rows: Rows) -> bytes:
        words = {"gbk": "现金", "utf-16": "Währung – złoty", "shift_jis": "入金"}[text]
        body = [
            (r["transaction_id"], r["transaction_timestamp"], r["amount"], words + str(i))
            for i, r in enumerate(rows)
        ]
        head = ("transaction_id", "transaction_timestamp", "amount", "notes")
        return lines(head, *body).encode(text)

    return write


def deep(rows: Rows) -> bytes:
    """Arrays in arrays, whose rows share a line, and values at a place in one."""
    nights = [
        {"night": {"bets": [
            {"ids": [r["transaction_id"], "x"], "when": r["transaction_timestamp"],
             "money": {"in": r["amount"]}, "tags": [r["notes"]]}
            for r in rows[i : i + 4]
        ]}}
        for i in range(0, len(rows), 4)
    ]  # fmt: skip
    return json.dumps(nights).encode()


def snapshot(rows: Rows) -> bytes:
    body = [(r["transaction_id"], r["transaction_timestamp"], r["amount"]) for r in rows]
    return lines(("transaction_id", "transaction_timestamp", "amount"), *body).encode()


def patrons(rows: Rows) -> bytes:
    """Payments that tell of their patron, whom no profile knows."""
    body = [
        (r["transaction_id"], r["transaction_timestamp"], r["amount"], f"C{r['transaction_id']}",
         quoted(f"Ann {i}, Lee"), "us", f"0{1 + i % 9}.02.7{i % 10}")
        for i, r in enumerate(rows)
    ]  # fmt: skip
    head = ("transaction_id", "transaction_timestamp", "amount", "card", "name", "land", "born")
    return lines(head, *body).encode()


FOREIGN: dict[str, tuple[Callable[[Rows], bytes], dict[str, Any]]] = {
    "worked.csv": (worked, ZONE | {
        "decimal_comma": True,
        "where": "Status == 'OK'",
        "columns": {
            "transaction_id": {"value": "key(Player, Slip)"},
            "transaction_timestamp": {"value": "Tag + ' ' + Zeit", "format": "%d.%m.%Y %H:%M"},
            "amount": {"value": "abs(Betrag)"},
            "transaction_type": {"value": "'CASH_IN' if Betrag > 0 else 'CASH_OUT'"},
            "notes": {"value": "join(' / ', Slip, Text)"},
        },
    }),
    "rated.csv": (rated, ZONE | {
        "rates": {"EUR": {"2025-01-01": "1.0290", "2025-01-03": "1.0426"}},
        "columns": {
            "transaction_id": {"from": "Id"},
            "transaction_timestamp": {
                "from": "Datum", "format": "%d.%m.%Y", "date_only": True,
            },
            "amount": {
                "value": "usd(Betrag, 'EUR', day(Datum, '%d.%m.%Y'))", "currency": "EUR",
                "round": "half_up", "decimal_comma": True,
            },
            "notes": {"from": "Text"},
        },
    }),
    "nameless.ndjson": (nameless, {
        "where": "col('slip.state') != 'VOID'",
        "columns": {
            "transaction_id": {"value": "'B-' + row_key()"},
            "transaction_timestamp": {"from": "slip.at"},
            "amount": {"value": "col('slip.sum') * 2 / 2", "round": "noise"},
            "cashier_id": {"from": "slip.by"},
            "notes": {"from": "notes.0"},
        },
    }),
    "machine.csv": (machine, ZONE | {
        "delimiter": "|",
        "columns": {
            "transaction_id": {"from": "no", "prefix": "M-"},
            "transaction_timestamp": {"from": "ms", "format": ["epoch_ms", "iso"]},
            "amount": {"from": "cents", "unit": "cents"},
            "transaction_type": {"from": "kind", "codes": {"CI": "CASH_IN", "CO": "CASH_OUT"}},
            "notes": {"from": "text"},
        },
    }),
    "dated.csv": (dated, {
        "columns": {
            "transaction_id": {"from": "id"},
            "transaction_timestamp": {
                "from": "on", "format": ["%d.%m.%y", "iso"], "date_only": True,
                "latest_year": 2025,
            },
            "amount": {"value": "coalesce(debit, abs(credit))"},
        },
    }),
    "reported.csv": (reported, ZONE | {
        "skip_rows": 3,
        "ends_at": TOTAL,
        "names": ["transaction_id", "day", "time", "amount", "notes"],
        "columns": {"transaction_timestamp": {"value": "day + 'T' + time", "format": "iso"}},
    }),
    "gbk.csv": (lettered("gbk"), {"encoding": "gbk"}),
    "sjis.csv": (lettered("shift_jis"), {"encoding": "shift_jis"}),
    "utf16.csv": (lettered("utf-16"), {}),
    "deep.json": (deep, {
        "rows": "night.bets",
        "columns": {
            "transaction_id": {"value": "key(col('night.bets.ids.0'), col('night.bets.#'))"},
            "transaction_timestamp": {"from": "night.bets.when"},
            "amount": {"from": "night.bets.money.in"},
            "notes": {"from": "night.bets.tags.0", "optional": True},
        },
    }),
    "snapshot.csv": (snapshot, {"snapshot": True}),
    "patrons.csv": (patrons, {
        "columns": {"player_id": {"from": "card"}},
        "patron": {
            "first_name": {"value": "split(name, ' ', 1)"},
            "country": {"from": "land"},
            "date_of_birth": {"from": "born", "format": "%d.%m.%y"},
        },
    }),
}  # fmt: skip
"""Form → how rows are written so, and the mapping that files of it need."""
ENCODINGS = {"gbk.csv": "gbk", "sjis.csv": "shift_jis", "utf16.csv": "utf-16"}
