"""What to do where a file names patrons whom no profile tells of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from lakehouse.contracts import contract
from lakehouse.ingest.files.inference.assignment import Chosen, assigned
from lakehouse.ingest.files.inference.looks import Look
from lakehouse.ingest.files.inference.scores import LIKELY, Evidence
from lakehouse.ingest.files.inference.writing import block
from lakehouse.ingest.files.mapping import PATRON, PROFILE

_MANY = 0.5
"""Share of patrons without a profile from which on it is said."""


def minimal_profiles(
    looks: list[Look], chosen: list[Chosen], evidence: Evidence, used: Collection[str]
) -> list[str]:
    """As a comment, the policy that makes minimal profiles, and what the file's other columns
    would say of them; nothing, where most patrons are known."""
    c = evidence.contract
    parent, key = c.references().get(PATRON, ("", ""))
    who = next((x for x in chosen if x.ours == PATRON and not x.aside and x.theirs), None)
    if who is None or parent != PROFILE or c.is_restricted:
        return []
    known = evidence.known.get((parent, key), frozenset())
    prefix = str(who.rule.get("prefix", ""))
    named = [prefix + v for k in looks if k.name == who.theirs[0] for v in k.distinct]
    strangers = sum(v not in known for v in named)
    if not named or strangers < _MANY * len(named):
        return []
    profile = contract(parent)
    free = [k for k in looks if k.name not in used]
    taken = frozenset({key, "gaming_day"} | {n for n in profile.columns if n in c.columns})
    told = assigned(free, replace(evidence, contract=profile, forms={}), taken)
    sure = [replace(x, aside="") for x in told if x.score >= LIKELY and not x.aside]
    said = [
        f"of {len(named):,} patrons in the sample {strangers:,} have no profile here, and silver "
        "quarantines their rows",
        "land player_profile too, or say in lakehouse.toml, before the rows are derived:",
        "[orphans]",
        f'{c.name} = "create_minimal"    # profiles of what the rows name; or "keep"',
    ]
    if sure:
        said.append("and here, what the file tells of them:")
    blocks = [block(x).replace(f"[columns.{x.ours}]", f"[patron.{x.ours}]") for x in sure]
    lines = [*said, *(line for b in blocks for line in b.strip("\n").split("\n"))]
    return ["\n".join(f"# {line.removeprefix('# ')}" for line in lines) + "\n"]
