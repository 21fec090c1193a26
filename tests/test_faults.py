"""A handful of kill -9, each healed by running again; `make faults` does a hundred."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.faults import trial as trials
from benchmarks.faults.__main__ import SCENES
from benchmarks.faults.trial import differences, prepare, run
from lakehouse.storage import Lake
from tests.landed import CAGE
from tests.processes import Warm
from tests.small_lake import COMMIT

INGEST = next(s for s in SCENES if s.name == "ingest")


@pytest.fixture(scope="module", autouse=True)
def warm() -> Iterator[None]:
    """`make faults` starts its processes cold."""

    def started(folder: Path, scene: trials.Scene, module: list[str]) -> Warm:
        return Warm(*module, cwd=folder, env=trials.place(folder, scene))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trials, "_start", started)
        yield


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with files that nobody took in yet, and the same as it is to be."""
    folder = tmp_path_factory.mktemp("faults")
    for name in ("base", "twin"):
        prepare(folder / name, INGEST)
    run(folder / "twin", INGEST, INGEST.command)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills",
    [(("after a commit", 6), ("at a step", 30)), (("in the rebuild", 1), ("in the instance", 9))],
    ids=str,
)
def test_kills_are_healed_by_running_again(twins: Path, kills: Sequence[tuple[str, int]]) -> None:
    """One after the other, on what the one before left."""
    folder = twins / kills[0][0]
    shutil.copytree(twins / "base", folder)
    for point, number in kills:
        doomed = ["benchmarks.faults.doomed", point, str(number), *INGEST.command]
        started = trials._start(folder, INGEST, doomed)
        started.communicate(timeout=trials.BOUND)
        assert started.returncode == -9, point
    run(folder, INGEST, INGEST.heal)
    assert differences(INGEST, folder, twins / "twin") == []


@pytest.mark.slow
def test_the_comparison_sees_what_is_lost_doubled_and_underived(twins: Path) -> None:
    folder = twins / "wrong"
    shutil.copytree(twins / "twin", folder)
    lake = Lake(str(folder / "lake"))
    rows = lake.scan("bronze", CAGE).collect()
    lake.append("bronze", CAGE, rows.head(1), commit=COMMIT)
    found = differences(INGEST, folder, twins / "twin")
    assert f"bronze.{CAGE}: 0 rows lost or stale, 1 doubled or stale" in found
    assert f"bronze.{CAGE}: the ledger says otherwise" in found
    assert any(f.endswith("underived") for f in found)
