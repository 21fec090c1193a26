"""A full disk costs one line, and nothing that was there; with room, the same work ends well."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.commands.panics import without_panics
from lakehouse.errors import DiskFull, is_disk_full
from lakehouse.ingest.files.conservation import conservation
from lakehouse.storage import Lake
from lakehouse.storage.log import naming
from tests.landed import CAGE, bronze, cage_csv, cage_row, drop, lake_at, take_in

PANIC = """before

thread 'tokio-rt-worker' (15679) panicked at /cargo/object_store-0.13.2/src/buffered.rs:369:41:
Already shut down
stack backtrace:
   0: rust_begin_unwind
   1: core::panicking::panic_fmt
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
between
thread '<unnamed>' panicked at src/lib.rs:1:1:
it broke
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

after
"""


def test_panics_are_dropped_and_nothing_else() -> None:
    lines = PANIC.encode().splitlines(keepends=True)
    assert b"".join(without_panics(lines)) == b"before\nbetween\n\nafter\n"


@pytest.mark.parametrize(
    ("said", "full"),
    [
        ("Generic LocalFileSystem error: No space left on device (os error 28)", True),
        ("(sqlite3.OperationalError) database or disk is full", True),
        ("Disk quota exceeded (os error 122)", True),
        ("Permission denied (os error 13)", False),
    ],
)
def test_a_full_disk_is_told_from_other_errors(said: str, full: bool) -> None:
    assert is_disk_full(OSError(said)) is full


def test_a_panic_that_is_raised_becomes_an_error_of_ours() -> None:
    class PanicException(BaseException):
        """As Rust's, no Exception."""

    full = pytest.raises(DiskFull, match="cannot write there: the disk is full")
    with full, naming("there", "write"):
        raise PanicException("No space left on device (os error 28)")
    with pytest.raises(KeyboardInterrupt), naming("there", "write"):
        raise KeyboardInterrupt


@pytest.mark.slow
def test_a_file_for_which_there_is_no_room_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", cage_csv(*(cage_row(n) for n in range(3))))
    drop(lake, f"{CAGE}/b.csv", cage_csv(cage_row(7)))
    stream, together = Lake.append_stream, Lake.append_each
    full = [True]

    def no_room_at_first(self: Lake, *args: object, **said: object) -> int:
        if full and full.pop():
            raise DiskFull("cannot write bronze: the disk is full")
        return stream(self, *args, **said)  # type: ignore[arg-type]

    def no_room(self: Lake, layer: str, *args: object, **said: object) -> int:
        if layer == "bronze":
            raise DiskFull("cannot write bronze: the disk is full")
        return together(self, layer, *args, **said)  # type: ignore[arg-type]

    monkeypatch.setattr(Lake, "append_each", no_room)
    monkeypatch.setattr(Lake, "append_stream", no_room_at_first)
    found = {o.name: o.state for o in take_in(lake, settings).outcomes}
    assert found == {f"{CAGE}/a.csv": "interrupted", f"{CAGE}/b.csv": "ingested"}
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested"]
    assert [n for (n,) in bronze(lake, "transaction_id")] == ["t0", "t1", "t2", "t7"]
    assert conservation(lake, CAGE).holds


def limited() -> None:
    """No file of this process grows beyond 60 kB, as if the disk were full then."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="file size limits as a full disk")
def test_the_command_says_it_in_a_line_and_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    lake, settings = lake_at(tmp_path)
    many = cage_csv(
        *(f"t{n * 7919 % 65521}-{n},2025-01-05T12:00:00Z,{n}.{n % 90 + 10}" for n in range(30_000))
    )
    drop(lake, f"{CAGE}/a.csv", many)
    command = [sys.executable, "-m", "lakehouse", "ingest", "--bronze-only"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=limited
    )
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"lakehouse: not taken in: {CAGE}/a.csv cannot write ")
    assert "the disk is full" in last
    for noise in ("panicked", "backtrace", "Traceback"):
        assert noise not in done.stderr
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested"]
    assert len(bronze(lake, "transaction_id")) == 30_000
    assert conservation(lake, CAGE).holds
