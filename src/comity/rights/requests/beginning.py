"""What the rooms below must know of requests when the application starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from comity.counsel.models import OwedDuty


def begin() -> None:
    """Let duties lead to their request, letters be opened by the law, and requests follow people who are merged."""
    from comity.book.merging.actions import register as register_mover
    from comity.counsel.duties_reading import register_about, register_way
    from comity.counsel.facts import register
    from comity.ledger.bodies import declare_words
    from comity.rights.requests.letter import columns_of, facts_of
    from comity.rights.requests.merging import Mover
    from comity.rights.requests.models import AskedBy, CameBy, Kind, Level, Shown, State

    register("requests", facts_of, columns_of)
    register_mover("requests", Mover())
    register_about("requests", _about)
    register_way("requests", _way)
    for words in (Kind, CameBy, AskedBy, Level, Shown, State):
        declare_words(*words.values)


def _about(ref: UUID) -> tuple[str, str] | None:
    """Return what was asked, and where it is shown, if a duty is about a request."""
    from django.urls import reverse

    from comity.rights.requests.models import Request

    found = Request.objects.filter(ref=ref).first()
    return (found.get_kind_display(), reverse("rights:request", args=[ref])) if found else None


def _way(duty: OwedDuty) -> tuple[str, str] | None:
    """Return where a duty that is owed of a request is worked on."""
    from django.utils.translation import gettext as _

    about = _about(duty.event.about)
    return (_("Work on the request"), about[1]) if about else None
