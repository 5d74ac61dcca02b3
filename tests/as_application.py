"""Going on as the role that the application has in the database, which walls stop; no superuser is stopped by them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

READ: Final = "SELECT"
ALL: Final = "SELECT, INSERT, UPDATE, DELETE"


@contextmanager
def application_role(rights: str = ALL) -> Iterator[None]:
    """Be `comity_app` within, with these rights on every table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'comity_app'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE ROLE comity_app NOLOGIN")
        cursor.execute(f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO comity_app")
        cursor.execute("SET LOCAL ROLE comity_app")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
