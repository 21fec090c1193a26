"""`quarantine retry --mapping` takes the rows that silver rejected too."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.rejects import rejects
from lakehouse.storage import Lake
from tests.landed import CAGE, bronze, cage_csv, cage_row, drop, mapped
from tests.test_rejection import WHOLE, lake, said, whole_lake  # noqa: F401


@pytest.mark.slow
def test_rows_that_silver_rejected_are_read_with_the_mapping(
    lake: Lake,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two of four types are the cage's own words; a copy of one of them stays a copy."""
    plain = WHOLE.replace('transaction_type = { constant = "CHIP_PURCHASE" }\n', "")
    assert plain != WHOLE
    mapped(lake, plain)
    kinds = ("CHIP_PURCHASE", "Jetons", "Jetons", "CASH_IN")
    rows = [f"{cage_row(n)},{kind}" for n, kind in enumerate(kinds)]
    text = cage_csv(*rows, rows[1]).replace("amount\n", "amount,transaction_type\n")
    drop(lake, f"{CAGE}/a.csv", text)
    said(capsys, "ingest", status=1)
    mended = Path("mended.toml")
    mended.write_text(plain + 'transaction_type = { codes = { Jetons = "CHIP_PURCHASE" } }\n')
    retry = ("quarantine", "retry", CAGE, "--mapping", str(mended))
    told = said(capsys, *retry)
    assert "3 that silver rejected were read anew; silver rejects " in told
    kinds_now = bronze(lake, "transaction_id", "transaction_type")
    assert len(kinds_now) == 5
    assert [k for _, k in kinds_now] == ["CHIP_PURCHASE"] * 4 + ["CASH_IN"]
    assert conservation(lake, CAGE).holds
    assert rejects(lake, tables=[CAGE]).height == 0
    assert said(capsys, *retry).startswith(f"{CAGE}: 0 of 0 rejected rows went to bronze; silver")
