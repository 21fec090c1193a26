"""An ingestion that kills itself before its n-th write to the disk; a program for the tests.

python -m tests.killed_ingest FOLDER N [retry | together]: status 0 where it had fewer writes than
that. Files come in batches of two rows, but for `together`.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lakehouse.ingest.files import reading, records, rejects
from lakehouse.storage import Lake
from tests.landed import AS_OF, CAGE, lake_at, take_in


def in_small_batches() -> None:
    """Two rows or so in a piece and in a commit."""
    reading.BATCH_ROWS = 2
    reading.HELD_ROWS = 1
    records.WINDOW = 80


def main(folder: str, fatal: int, what: str = "ingest") -> None:
    if what != "together":
        in_small_batches()
    writes = 0

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def doomed(*args: Any, **kwargs: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes == fatal:
                os._exit(9)
            return write(*args, **kwargs)

        return doomed

    for write in ("append", "append_each", "append_stream", "rebuild", "write_days", "take_out"):
        setattr(Lake, write, counted(getattr(Lake, write)))
    Path.rename = counted(Path.rename)  # type: ignore[method-assign]
    lake, settings = lake_at(Path(folder))
    if what == "retry":
        rejects.retry(lake, settings, CAGE, as_of=AS_OF)
    else:
        take_in(lake, settings)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
