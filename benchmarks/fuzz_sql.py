"""Ten thousand random queries against the SQL gate and the connection behind it:
`python -m benchmarks.fuzz_sql [QUERIES [SEED]]`; 1 where one was judged wrongly or read a path."""

import sys
import tempfile
import time
from pathlib import Path

from tests.sql_grammar import fuzz
from tests.sql_world import build


def main(queries: int = 10_000, seed: int = 1) -> int:
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(build(Path(folder)), seed, queries)
    for fault in tally.faults:
        print(fault)
    print(
        f"seed {seed}: {queries:,} queries in {time.perf_counter() - begun:.0f} s: "
        f"{tally.admitted:,} admitted, {tally.refused:,} refused; behind the gate "
        f"{tally.answered:,} answered; {len(tally.faults)} judged wrongly or read a path"
    )
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:])))
