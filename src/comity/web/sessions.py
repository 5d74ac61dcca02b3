"""Sessions in the database, each of them read by a query that is written once: every page asks for one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from comity.staff.once import Once

HELD: Final = Once(
    lambda key, at: Session.objects.filter(session_key=key, expire_date__gt=at), "key", datetime.now(UTC)
)  # fmt: skip


class SessionStore(db.SessionStore):
    """Django's own, but for how one is read."""

    def load(self) -> dict[str, Any]:
        """Return what the session holds; nothing of one that is not there or has run out."""
        found = HELD(self.session_key, timezone.now())
        return self.decode(found[0].session_data) if found else super().load()
