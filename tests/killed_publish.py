"""A publishing that is killed once the rows of its n-th transaction are in, before they are kept; a
program for the tests.

python -m tests.killed_publish LAKE N postgres|sqlite WHERE
"""

import importlib
import os
import signal
import sys
from typing import Any

from lakehouse.serve.publish import run
from lakehouse.serve.publish.shapes import shape_of
from lakehouse.serve.publish.targets import connected
from lakehouse.settings import Settings
from lakehouse.storage import Lake


def main(root: str, fatal: str, name: str, where: str) -> None:
    run.ROWS_AT_ONCE = 1  # a day is a transaction
    run.CONNECTIONS = 1  # and one comes after the other
    target: Any = importlib.import_module(f"lakehouse.serve.publish.{name}")
    left = int(fatal)

    def doomed(*_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    target.refuse_differences = doomed
    settings = Settings(root=root, **{name: where})
    with connected(settings, name) as database:
        run.publish(Lake(root), database, [shape_of("gold", "item_sales")])


if __name__ == "__main__":
    main(*sys.argv[1:])
