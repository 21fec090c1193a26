"""Carbon's two protocols over TCP.

Neither has an answer. What stands for one: the sender closes its half, and carbon closes the other
once it has taken all that came; a connection that breaks before that took nothing for certain, and
the same points go again. Carbon keeps the last value of a name and moment, so that nothing is
doubled by it.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterator, Sequence

from lakehouse.serve.publish.graphite.options import GraphiteSettings, Protocol

SECONDS = 15
MOST = 500
"""Points of a message of the pickle protocol: carbon takes a megabyte at most."""
_AT_ONCE = 65_536


def send(options: GraphiteSettings, lines: Sequence[str]) -> None:
    """Sends points, a line each: name, value, seconds since 1970. Raises OSError where carbon did
    not take them all."""
    with socket.create_connection(options.address, timeout=SECONDS) as connection:
        for message in encoded(lines, options.protocol):
            connection.sendall(message)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(_AT_ONCE):
            pass


def encoded(lines: Sequence[str], protocol: Protocol) -> Iterator[bytes]:
    for at in range(0, len(lines), MOST):
        some = lines[at : at + MOST]
        if protocol == "plaintext":
            yield "".join(f"{line}\n" for line in some).encode()
            continue
        body = pickle.dumps([_tuple(line) for line in some], protocol=2)
        yield struct.pack("!L", len(body)) + body


def _tuple(line: str) -> tuple[str, tuple[int, float]]:
    name, value, at = line.split(" ")
    return name, (int(at), float(value))
