"""Proof that checks can fail: defects planted in copies of a clean lake, and what fails of each.

`python -m benchmarks mutations` prints the table and writes it into docs/checks.md.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.page import PAGE, written


def main() -> None:
    """Raises SystemExit where other checks failed than were to."""
    from benchmarks.mutations.declared import every_mutation
    from benchmarks.mutations.judged import clean_lake, trials
    from benchmarks.mutations.landing import landing_trial
    from benchmarks.mutations.report import table, tried

    with tempfile.TemporaryDirectory() as name:
        clean = clean_lake(Path(name) / "clean")
        done = list(trials(clean, Path(name) / "copies", every_mutation(clean)))
        wanted, found = landing_trial(Path(name) / "landing")
    text = table(tried(done))
    print(text)
    wrong = [t.wanted.items() ^ t.found.items() for t in done] + [wanted ^ found]
    if any(wrong):
        raise SystemExit(f"other checks failed than were to: {[w for w in wrong if w]}")
    written(PAGE, "mutations", text)
