"""A connection of one's own to the database that Django uses, for what streams, waits or holds a lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection as ours
from psycopg import sql

DJANGOS = {"context", "cursor_factory", "prepare_threshold"}
"""What Django adds for its own cursors."""


@contextmanager
def own_connection() -> Iterator[psycopg.Connection]:
    """Open a connection in autocommit, in the application's role where there is one; close it afterwards."""
    given = {name: value for name, value in ours.get_connection_params().items() if name not in DJANGOS}
    with psycopg.connect(**given, autocommit=True) as connection:
        role = ours.settings_dict["OPTIONS"].get("assume_role")
        if role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        yield connection
