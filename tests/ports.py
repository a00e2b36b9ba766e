"""Where the servers that tests start listen, and how long each may take until it does."""

from __future__ import annotations

import socket

STARTS_WITHIN_S = 180
"""For a busy machine; one that never answers still fails."""

_PORTS = range(20_000, 22_700)
"""These and those 10,000 above lie below where connections get theirs, on Linux from 32,768 on:
between the question for a free port and the server's start no connection takes one."""

_kept: list[socket.socket] = []


def free_port() -> int:
    """Return a port that is free, as is the one 10,000 above it, and that nobody else is given.

    Another process of tests sees that by a UDP socket of the same number, which is kept: a server
    takes a while until it listens.
    """
    for port in _PORTS:
        ours = socket.socket(type=socket.SOCK_DGRAM)
        if _bound(ours, port) and _unused(port) and _unused(port + 10_000):
            _kept.append(ours)
            return port
        ours.close()
    raise AssertionError("this machine has no free port")


def _unused(port: int) -> bool:
    with socket.socket() as probe:
        return _bound(probe, port)


def _bound(one: socket.socket, port: int) -> bool:
    try:
        one.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
