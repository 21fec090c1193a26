"""Requests made up from the application's own description, of each route so many:
`python -m benchmarks.fuzz_http [REQUESTS [SEED]]`; 1 where one was answered with an error of ours,
or otherwise than the description tells."""

import sys
import tempfile
import time
from pathlib import Path

from tests.http_fuzz import VIEWS, fuzz
from tests.served import served, settings_of


def main(requests: int = 500, seed: int = 1) -> int:
    begun = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(settings_of(Path(folder)), views=VIEWS) as address,
    ):
        tally, faults = fuzz(address, requests, seed)
    for fault in faults:
        print(fault)
    told = ", ".join(f"{n:,} of {path} {status}" for (path, status), n in sorted(tally.items()))
    print(
        f"seed {seed}: {sum(tally.values()):,} requests in {time.perf_counter() - begun:.0f} s: "
        f"{told}; {len(faults)} answered wrongly"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:])))
