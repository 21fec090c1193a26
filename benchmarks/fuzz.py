"""Ten thousand malformed files: `python -m benchmarks.fuzz [FILES]`; 1 where one lost a row.

Each is read alone, then landed with 99 others in a lake of their own, up to silver.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.fuzzing import Tally, fuzz
from tests.fuzzing_lakes import fuzz_lake

TOGETHER = 100


def told(tally: Tally, begun: float) -> str:
    return (
        f"{tally.files:,} malformed files in {time.process_time() - begun:.0f} CPU s: "
        f"{tally.rejected:,} put aside, {tally.good:,} rows read, {tally.bad:,} rejected, "
        f"{tally.left_out:,} left out, {tally.made:,} profiles made, {len(tally.faults)} faults"
    )


def landed(files: int, together: int) -> Tally:
    every = Tally()
    for first in range(0, files, together):
        with tempfile.TemporaryDirectory() as folder:
            some = fuzz_lake(range(first, min(first + together, files)), Path(folder))
        for name in ("files", "rejected", "good", "bad", "left_out", "made", "faults"):
            setattr(every, name, getattr(every, name) + getattr(some, name))
    return every


def main(files: int = 10_000) -> int:
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        alone = fuzz(range(files), Path(folder))
    print("read alone:", told(alone, begun), *alone.faults, sep="\n", flush=True)
    begun = time.process_time()
    together = landed(files, TOGETHER)
    print("landed together:", told(together, begun), *together.faults, sep="\n")
    return 1 if alone.faults or together.faults else 0


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:])))
