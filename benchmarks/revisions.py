"""Two revisions of this project in turns: python -m benchmarks revisions.

The older one, BENCH_OLD in the environment, runs out of a git worktree with the packages that are
installed, so that figures of one moment of a shared machine can be compared.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import simulate
from benchmarks.lake import HERE, measured, run

BASE = "d8f8787"
"""The revision that the targets of docs/benchmarks.md halve."""
ROUNDS = 2


def figures(tree: Path, days: int) -> list[tuple[str, tuple[float, float, float]]]:
    """What a month, one more day and an import take in a lake of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        month = run(root, 0, days, tree=tree)
        more = run(root, days, 1, tree=tree)
        code = [sys.executable, "-c", "import igaming_assets.definitions"]
        return [
            (f"{days} days, Dagster in one process", month),
            ("one more day, from a cold start", more),
            ("importing the code location", measured(code, root, tree=tree)),
        ]


def simulated(tree: Path) -> list[tuple[str, tuple[float, float, float]]]:
    """What files of simulated rows take."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [
            simulate.generated(what, scale, folder, tree=tree)
            for what, scale in (
                ("`generate --all --days 30`", 1),
                ("10 million simulated rows", simulate.TEN_MILLION),
            )
        ]
    return [(r.what, (r.wall, r.cpu, r.peak_mb)) for r in found]


def main() -> None:
    old = os.environ.get("BENCH_OLD", BASE)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "old"
        git = ["git", "-C", str(HERE), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), old], check=True)
        try:
            print("| | revision | wall s | CPU s | peak MB |")
            print("|---|---|---|---|---|")
            for _ in range(ROUNDS):
                for name, source in ((old[:7], tree), ("this one", HERE)):
                    for what, (wall, cpu, peak) in simulated(source) + figures(source, 30):
                        print(
                            f"| {what} | {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |", flush=True
                        )
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


if __name__ == "__main__":
    main()
