"""What the log says: nothing that quotes a value of a row, and one line where the database is away."""

from __future__ import annotations

import logging
import re
from types import TracebackType

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError

QUOTES = re.compile(r"^(DETAIL|CONTEXT|HINT|LINE \d+):.*\n?(?:[ \t].*\n?)*", re.MULTILINE)
"""The parts of a message of PostgreSQL that may quote a person's data."""

Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Terse(logging.Formatter):
    """Formats a line, and below it how it came to an error, if that was ours."""

    def formatException(self, ei: Raised) -> str:  # noqa: N802 - logging calls it so
        """Return the traceback without values; of a database that is away what it said and no more."""
        if isinstance(ei[1], PermissionDenied):
            return f"  {ei[1]}"  # somebody was refused, as is right: nothing went wrong
        if isinstance(ei[1], OperationalError | InterfaceError):
            return f"  {type(ei[1]).__name__}: {str(ei[1]).partition(chr(10))[0]}"
        return QUOTES.sub("", super().formatException(ei))


def no_probes(record: logging.LogRecord) -> bool:
    """Leave out that a probe was told so: it asks every few seconds, and nothing is new."""
    return not getattr(getattr(record, "request", None), "path", "").startswith("/healthz")
