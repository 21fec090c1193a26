"""One schema per table: columns, keys, rules, meaning and PII class, declared once.

Every module of this package is loaded here, so that a new table needs no registration.
"""

import importlib
import pkgutil

import lakehouse.contracts.lean_import  # noqa: F401 - ahead of what imports dataframely
from lakehouse.contracts.registry import (
    MADE,
    PROVENANCE,
    Contract,
    came_with,
    contract,
    contracts,
    door_of,
    doors,
    is_closed,
    stored_as,
    told_apart,
)

for _module in pkgutil.walk_packages(__path__, f"{__name__}."):
    importlib.import_module(_module.name)

__all__ = [
    "MADE",
    "PROVENANCE",
    "Contract",
    "came_with",
    "contract",
    "contracts",
    "door_of",
    "doors",
    "is_closed",
    "stored_as",
    "told_apart",
]
