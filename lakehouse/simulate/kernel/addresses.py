"""Network addresses that belong to nobody: IPv6 for documentation (RFC 3849)."""

from __future__ import annotations

import numpy as np
import polars as pl

from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.ids import digits, texts

_ANY = np.frombuffer(b"2001:db8:0000:0000::1", dtype=np.uint8)


def addresses(network: I64) -> pl.Series:
    """2001:db8:xxxx:xxxx::1 by the number of a network, below 2**32."""
    number = digits(np.asarray(network).astype(np.uint64))
    octets = np.empty((len(number), len(_ANY)), dtype=np.uint8)
    octets[:] = _ANY
    octets[:, 9:13], octets[:, 14:18] = number[:, 8:12], number[:, 12:]
    return texts(octets)
