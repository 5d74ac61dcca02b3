"""Consents, read: what persons agreed to, refused and took back. What is said is recorded where it is heard."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from ninja import Router
from ninja.params.functions import Query as Parameter
from pydantic import Field

from comity.api.door import ApiRequest, Caller, endpoint
from comity.api.segments import CURSOR, Cursor, Limit, page
from comity.api.shapes import Channel, Moment, Purpose, Ref, Shape
from comity.book.queries import persons_seen_by
from comity.consent.models import Consent

router = Router(tags=["Consents"])


class KeptConsent(Shape):
    """One thing that a person said about a purpose and channel, or that ran out. It is never changed.

    What was recorded by mistake stays: a row whose `said` is mistaken says so of the one that it `corrects`.
    """

    ref: Ref
    person: Ref
    purpose: str
    channel: str
    said: str = Field(description="given, refused, withdrawn, expired, objected or mistaken.")
    said_at: Moment
    recorded_at: Moment
    express: bool | None
    separate: bool
    written: bool
    parental: bool
    names_caller: bool
    double_opt_in: bool
    notice: str = Field(description="The wording that was shown, with its version.")
    source: str
    corrects: Ref | None = Field(description="The consent that was recorded by mistake and does not count.")


class ConsentPage(Shape):
    """Some consents, the latest first, and where the next ones are."""

    consents: list[KeptConsent]
    next: str | None


@endpoint(router, "GET", "/consents", may="consent.view", answers=ConsentPage)
def list_consents(
    request: ApiRequest,
    *,
    person: Ref | None = Parameter(None, description="Whose consents."),  # noqa: B008 - how django-ninja is told
    purpose: Purpose | None = Parameter(None, description="To what."),  # noqa: B008 - as above
    channel: Channel | None = Parameter(None, description="By which channel."),  # noqa: B008 - as above
    since: Moment | None = Parameter(None, description="Recorded at that moment or later."),  # noqa: B008 - as above
    limit: Limit = Parameter(50, description="How many at most."),  # noqa: B008 - as above
    cursor: Cursor | None = Parameter(None, description=CURSOR),  # noqa: B008 - as above
) -> ConsentPage:
    """List what persons said to the token's entity, the latest first."""
    said = {"person": person, "purpose": purpose, "channel": channel, "recorded_at__gte": since}
    found = _seen(request.auth).filter(**{key: value for key, value in said.items() if value is not None})
    rows, after = page(found, key="said_at", down=True, cursor=cursor, limit=limit)
    return ConsentPage(consents=[_kept(row) for row in rows], next=after)


@endpoint(router, "GET", "/consents/{ref}", may="consent.view", answers=KeptConsent, refuses=["not-found"])
def read_consent(request: ApiRequest, ref: Ref) -> KeptConsent:
    """Read one consent."""
    return _kept(_one(request.auth, ref))


def _seen(caller: Caller) -> QuerySet[Consent]:
    persons = persons_seen_by(caller.staff, caller.entity).values("ref")
    return Consent.objects.filter(entity=caller.entity, person__in=persons)


def _one(caller: Caller, ref: UUID) -> Consent:
    found = _seen(caller).filter(ref=ref).first()
    if found is None:
        raise Http404(f"There is no consent {ref} given to {caller.entity.name}.")
    return found


def _kept(row: Consent) -> KeptConsent:
    told = {name: getattr(row, name) for name in KeptConsent.model_fields if name != "corrects"}
    return KeptConsent(**told, corrects=row.corrects_id)
