"""Network addresses that belong to nobody: IPv6 for documentation (RFC 3849)."""

from __future__ import annotations

import numpy as np
import polars as pl

from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.ids import hexadecimal


def addresses(network: I64) -> pl.Series:
    """2001:db8:xxxx:xxxx::1 by the number of a network, below 2**32."""
    digits = hexadecimal(np.asarray(network).astype(np.uint64)).str.tail(8)
    return "2001:db8:" + digits.str.head(4) + ":" + digits.str.tail(4) + "::1"
