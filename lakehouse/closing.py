"""What is held open, and ends with the block that it is used in."""

from __future__ import annotations

from typing import Protocol, Self


class Closing(Protocol):
    """Ended by `close`, and by the end of its `with`."""

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
