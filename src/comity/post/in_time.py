"""A talk with another server that ends in time, however slowly that server says its letters."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer

SHORTEST = 0.1
"""Seconds that are left for a talk at least, so that its end is heard and not only cut."""


@contextmanager
def done_by(until: float, talk: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Be done by `until` (`time.monotonic`): whatever goes on then is cut.

    `talk` gives the socket as it is at that moment, for it may be made within.
    """
    left = max(SHORTEST, until - time.monotonic())
    if begun := talk():
        begun.settimeout(left)
    watch = Timer(left, lambda: _cut(talk()))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _cut(line: socket.socket | None) -> None:
    if line is not None:
        with suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)  # TLS's own would go on in the clear for an instant
