"""Delta tables at <root>/<layer>/<table>: the only place that knows Delta.

One write is one commit that replaces exactly the gaming days it names. The root is a local
folder or an object-store URL; nothing here takes a URL apart.
"""

from lakehouse.regulation.gaming_day import Days
from lakehouse.storage.commits import Commit
from lakehouse.storage.damage import Looked, Read, as_far_as_sound, find_damage, sound
from lakehouse.storage.in_hand import ROWS_IN_HAND, Portion, portions, rows_stored
from lakehouse.storage.lake import AsOf, Lake
from lakehouse.storage.log import Version
from lakehouse.storage.maintenance import FORGET, RETENTION, Kept, Maintained, maintain, tend
from lakehouse.storage.marks import Tokens
from lakehouse.storage.shapes import LAYERS, stored_comments, stored_schema, stored_tables
from lakehouse.storage.turns import append_in_turn
from lakehouse.storage.written import Written

__all__ = [
    "FORGET",
    "LAYERS",
    "RETENTION",
    "ROWS_IN_HAND",
    "AsOf",
    "Commit",
    "Days",
    "Kept",
    "Lake",
    "Looked",
    "Maintained",
    "Portion",
    "Read",
    "Tokens",
    "Version",
    "Written",
    "append_in_turn",
    "as_far_as_sound",
    "find_damage",
    "maintain",
    "portions",
    "rows_stored",
    "sound",
    "stored_comments",
    "stored_schema",
    "stored_tables",
    "tend",
]
