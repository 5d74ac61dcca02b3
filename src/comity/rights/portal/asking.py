"""What people ask by their own pages: each is a request with its clock, received the moment it is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comity.rights.requests.actions import confirm_identity, receive_request
from comity.rights.requests.models import AskedBy, CameBy, Kind, Request, Shown
from comity.rights.requests.taking_effect import AT_ONCE

if TYPE_CHECKING:
    from uuid import UUID

    from django.utils.functional import _StrPromise

    from comity.staff.models import Entity

MOST_A_DAY: Final = 20
"""Requests a day about one person by their own pages; beyond it a machine is at it, and letters still come in."""
DAY: Final = timedelta(days=1)


class TooManyAsked(Exception):
    """So much was asked for one person today that no person asks it."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Something that one may ask for by one's own page."""

    id: str
    icon: str
    title: _StrPromise
    says: _StrPromise
    kinds: tuple[Kind, ...]
    words: _StrPromise | None = None  # what is asked to be written; nothing where a button is enough
    needed: bool = False  # whether something must be written


WISHES: Final = {
    wish.id: wish
    for wish in (
        Wish(
            id="correct", icon="pencil", title=_("Have something corrected"), kinds=(Kind.RECTIFICATION,),
            says=_("Write how it should be. Somebody of ours compares it and changes it, and tells you."),
            words=_("What is wrong, and how should it be?"),
        ),
        Wish(
            id="copy", icon="download", title=_("Take it all away"), kinds=(Kind.ACCESS, Kind.PORTABILITY),
            says=_(
                "You get everything that we hold about you: to read, and as files that programs read. The link to it "
                "comes to your address."
            ),
        ),
        Wish(
            id="recipients", icon="share-2", title=_("Know who got it"), kinds=(Kind.RECIPIENTS,),
            says=_("We tell you to whom your data was given, when and for what."),
        ),
        Wish(
            id="explain", icon="scale", title=_("Have a decision explained"), kinds=(Kind.EXPLANATION,),
            says=_("A human looks at what a machine decided about you, and explains it."),
            words=_("Which decision is it about? You may also say what you think of it."),
        ),
        Wish(
            id="keep", icon="lock", title=_("Have it kept and not used"), kinds=(Kind.RESTRICTION,),
            says=_("What we hold stays where it is and is not used, while something about it is in dispute."),
            words=_("Why should it not be used?"),
        ),
        Wish(
            id="erase", icon="eraser", title=_("Be erased"), kinds=(Kind.ERASURE,),
            says=_(
                "What we need not keep is erased, and you get a certificate of it. If a law makes us keep something, "
                "we say what, by which law, and until when."
            ),
            words=_("If only a part is to go, say which. You need not give a reason."),
        ),
        Wish(
            id="question", icon="message-circle-question-mark", title=_("Ask anything else"), kinds=(Kind.EXPLANATION,),
            says=_("Whatever you want to know about your data. A human answers."),
            words=_("Your question"), needed=True,
        ),
        Wish(
            id="complain", icon="megaphone", title=_("Complain"), kinds=(Kind.COMPLAINT,),
            says=_("Tell us what went wrong. You may also complain to an authority, before, after, or instead."),
            words=_("What went wrong?"), needed=True,
        ),
    )
}  # fmt: skip


def ask_us(
    *, entity: Entity, kinds: Collection[Kind], address: str, person: UUID | None, words: str, language: str,
    at: datetime, wants: Mapping[str, object] | None = None,
) -> list[Request]:  # fmt: skip
    """Receive what somebody asks: each kind is a request of its own, with the address by which to answer.

    Whose pages these are came by a code to an address that the book knew: so much is certain of who asks.
    """
    received = receive_request(
        entity=entity, kinds=list(kinds), came_by=CameBy.PORTAL, asked_by=AskedBy.PERSON, person=person, words=words,
        reach={"email": address}, language=language, received_on=timezone.localdate(at), wants=dict(wants or {}),
    )  # fmt: skip
    for one in received:
        if person is not None and one.kind not in AT_ONCE:
            confirm_identity(request=one, shown=Shown.CODE, by=None)
    return received


def refuse_too_many(*, entity: Entity, persons: Collection[UUID], at: datetime) -> None:
    """Raise TooManyAsked where more was asked by these pages today than people ask."""
    lately = Request.objects.filter(entity=entity, person__in=list(persons), came_by=CameBy.PORTAL)
    if persons and lately.filter(noted_at__gt=at - DAY).count() >= MOST_A_DAY:
        raise TooManyAsked(f"more than {MOST_A_DAY} in a day")
