"""Who runs a command, and when: the one place that asks the machine's clock and user."""

from __future__ import annotations

import datetime as dt

from lakehouse.errors import BadInput


def now() -> dt.datetime:
    """The present moment, in UTC."""
    return dt.datetime.now(dt.UTC)


def user() -> str:
    """The name that the system knows the caller by."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise BadInput("the system does not know who runs this; set LOGNAME") from error
