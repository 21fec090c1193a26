"""Ten thousand malformed files: `python -m benchmarks.fuzz [FILES]`; 1 where one lost a row."""

import sys
import tempfile
import time
from pathlib import Path

from tests.fuzzing import fuzz


def main(files: int = 10_000) -> int:
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(range(files), Path(folder))
    for fault in tally.faults or []:
        print(fault)
    print(
        f"{tally.files:,} malformed files in {time.perf_counter() - begun:.0f} s: "
        f"{tally.rejected:,} put aside, {tally.good:,} rows read, {tally.bad:,} rejected, "
        f"{len(tally.faults or [])} files lost a row"
    )
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:])))
