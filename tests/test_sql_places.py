"""A lake may lie anywhere, and be asked there."""

import shutil
from pathlib import Path

import pytest

from lakehouse.serve.sql.catalog import Catalog
from lakehouse.storage import Lake
from tests.small_lake import fill


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(str(tmp_path_factory.mktemp("filled")))
    fill(made)
    return made


@pytest.mark.parametrize("folder", ["it's a lake", "day=1", "ünï çödé", "a[1]*"])
def test_a_lake_may_lie_anywhere(filled: Lake, tmp_path: Path, folder: str) -> None:
    root = str(tmp_path / folder / "lake")
    shutil.copytree(filled.root, root)
    with Catalog(Lake(root)) as catalog:
        assert catalog.frame("SELECT count(*) FROM gold.player_day").item() == 4
        assert catalog.frame("SELECT count(*) FROM silver.player_profile").item() == 1


def test_a_lake_at_a_url(filled: Lake) -> None:
    with Catalog(Lake(f"file://{filled.root}")) as catalog:
        found = catalog.frame("SELECT gaming_day, sum(theo) FROM player_day GROUP BY 1 ORDER BY 1")
        assert [str(v) for v in found.to_series(1)] == ["12.50", "0.25", "100.00"]
        assert catalog.frame("SELECT report_id FROM silver.compliance").height == 2
