"""The one hierarchy of errors: each names the thing, the value and what is allowed."""

import datetime as dt


class LakehouseError(Exception):
    """Work failed; the lake is as it was. The CLI prints one line and exits 1."""

    exit_code = 1


class BadInput(LakehouseError):  # noqa: N818 - the input is bad; it is not an error of ours
    """The caller asked for something that is not allowed; nothing was touched. Exit 2."""

    exit_code = 2


class StorageError(LakehouseError):
    """A table could not be read or written."""


class Damaged(StorageError):  # noqa: N818 - the table is damaged; we only found it
    """A file of a table is missing or cannot be read, which trying again does not mend. `day`:
    the gaming day that the file holds, null for a table in one piece or its log."""

    def __init__(self, message: str, day: dt.date | None = None) -> None:
        super().__init__(message)
        self.day = day


class DiskFull(StorageError):  # noqa: N818 - what it is called everywhere
    """There is no room, or no more is allowed; after room is made, the same work ends well."""


def is_disk_full(error: BaseException) -> bool:
    """Whether any of the libraries means that there is no room: none has a type for it."""
    return any(said in str(error) for said in _FULL)


_FULL = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "database or disk is full",
    "the disk is full",
)


class Overtaken(StorageError):  # noqa: N818 - nothing is wrong but the moment
    """Somebody else committed to the table meanwhile; the same work may be tried again."""


class Gap(StorageError):  # noqa: N818 - what it is called everywhere
    """Rows were brought that begin beyond what a table has reached: those between would be lost."""


class ContractError(LakehouseError):
    """A frame or a stored table does not have its contract's columns."""


class LawError(LakehouseError):
    """A regulation file is malformed, or has no rule for the day asked for."""
