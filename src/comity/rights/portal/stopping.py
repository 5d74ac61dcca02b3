"""What people stop, at once: by their own page, or by typing an address where no code is asked for.

A no harms nobody, so nobody is asked who they are: it counts for whoever has the address. Without a code the page looks
nobody up; a worker does, seconds later, so that neither the page nor its time tells whether the address is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comity.book.models import Person, Reach
from comity.consent.actions import About, object_to_marketing
from comity.consent.models import Standing
from comity.consent.preferences.actions import refuse
from comity.consent.preferences.choices import known_of
from comity.consent.preferences.wording import WITHOUT_MESSAGE
from comity.consent.records.gpc import PURPOSE as NO_SALE
from comity.consent.records.gpc import refuse_selling
from comity.consent.suppression.actions import suppress
from comity.consent.suppression.marks import Mark
from comity.consent.suppression.models import Cause
from comity.ledger.actions import record
from comity.rights.portal.asking import WISHES, ask_us
from comity.rights.portal.models import Stop
from comity.rights.portal.signing_in import TooMany, is_shared
from comity.rights.portal.writing import label_of, people_at
from comity.rights.requests.actions import match_person
from comity.rights.requests.models import Kind, Request
from comity.vault.actions import destroy_person_key, new_person_key, seal

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity

PAGE: Final = "Own pages"
TYPED: Final = "Own pages, without a code"
MOST_OF_ONE, MOST_OF_ALL = 30, 2_000
"""Addresses an hour: from one network address, and of one entity."""
HOUR: Final = timedelta(hours=1)


class What(StrEnum):
    """What somebody stops."""

    ADVERTISING = "advertising"
    SALE = "sale"
    LIMIT = "limit"
    OTHER = "other-uses"
    CONSENTS = "consents"


CHOICES: Final[dict[What, tuple[_StrPromise, _StrPromise]]] = {
    What.ADVERTISING: (
        _("Advertising and news"),
        _("No advertising by any way any more, and an objection to all of it."),
    ),
    What.SALE: (
        _("Sale, sharing and advertising chosen for you"),
        _("Nothing known of you is sold, or shared for advertising, or used to choose what advertising you see."),
    ),
    What.LIMIT: (
        _("Use of sensitive data beyond what you asked for"),
        _("What is sensitive about you is used only for what you asked for."),
    ),
    What.OTHER: (
        _("Other uses that rest on our interest"),
        _("Whoever answers looks at your reasons; until then we do not go on with it where the law says so."),
    ),
    What.CONSENTS: (
        _("Everything you agreed to"),
        _("Each yes of yours is taken back. It counts from now on."),
    ),
}
"""What one may stop, each as it is called and what it does."""
ASKED: Final[dict[What, tuple[Kind, tuple[str, ...]]]] = {
    What.ADVERTISING: (Kind.OBJECTION, ("marketing",)),
    What.SALE: (Kind.OPT_OUT, (NO_SALE,)),
    What.LIMIT: (Kind.LIMIT, (NO_SALE, "analytics")),
    What.OTHER: (Kind.OBJECTION, ("analytics",)),
    What.CONSENTS: (Kind.WITHDRAWAL, ()),
}
"""Which request each is to the law, and for which purposes."""


@transaction.atomic
def stop(
    *, people: Sequence[Person], entity: Entity, mark: Mark, address: str, what: Collection[str], at: datetime,
    language: str, signal: bool,
) -> None:  # fmt: skip
    """Stop this at once, for all these people who have an address, and receive it as what it is to the law.

    One person's request takes effect as it is received. Where several have the address, it counts for each of them, and
    whose request it is stays open.
    """
    if len(people) != 1:
        stop_for(persons=people, entity=entity, mark=mark, what=what, at=at, source=PAGE, signal=signal)
    elif signal and What.SALE in what:
        refuse_selling(person=people[0], entity=entity, at=at, signal=True, source=PAGE)
    person = people[0].ref if len(people) == 1 else None
    _received(entity=entity, what=what, address=address, person=person, language=language, at=at)


def _received(
    *, entity: Entity, what: Collection[str], address: str, person: UUID | None, language: str, at: datetime
) -> list[UUID]:
    received: list[Request] = []
    for each in What:
        if each in what:
            kind, purposes = ASKED[each]
            wants = {"stop": [each.value], **({"purposes": list(purposes)} if purposes else {})}
            received += ask_us(
                entity=entity, kinds=[kind], address=address, person=person, words="", language=language, at=at,
                wants=wants,
            )  # fmt: skip
    return [one.ref for one in received]


def stop_for(
    *, persons: Iterable[Person], entity: Entity, mark: Mark, what: Collection[str], at: datetime, source: str,
    signal: bool,
) -> None:  # fmt: skip
    """Record the noes for each of these persons and for the address. The caller has a transaction.

    What a human must look at (a limit, an objection to other uses) is their request alone.
    """
    for person in sorted(persons, key=lambda each: each.ref):
        held = Person.objects.select_for_update(of=("self",)).get(ref=person.ref)
        if What.ADVERTISING in what:
            _no_advertising(held, entity, source, at)
        if What.SALE in what:
            refuse_selling(person=held, entity=entity, at=at, signal=signal, source=source)
        if What.CONSENTS in what:
            _take_back(held, entity, source, at)
    if What.ADVERTISING in what:
        suppress(entity=entity, marks=[mark], cause=Cause.OPTED_OUT, source=source, since=at)


def _no_advertising(person: Person, entity: Entity, source: str, at: datetime) -> None:
    for purpose, channel in sorted(known_of(person, entity).cells):
        if purpose not in WITHOUT_MESSAGE:
            refuse(About(person=person.ref, entity=entity, purpose=purpose, channel=channel), source, at)
    if person.objected_at is None:
        object_to_marketing(person=person.ref, entity=entity, said_at=at, source=source, heard_by=None)


def _take_back(person: Person, entity: Entity, source: str, at: datetime) -> None:
    given = Standing.objects.filter(person=person.ref, entity=entity, given__isnull=False)
    for purpose, channel in sorted(given.values_list("purpose", "channel")):
        refuse(About(person=person.ref, entity=entity, purpose=purpose, channel=channel), source, at)


def called(request: Request) -> _StrPromise | str:
    """Return what a request is called on the page of who sent it: as the button or the wish was."""
    for each in What:
        if each.value in request.wants.get("stop", ()):
            return CHOICES[each][0]
    titles = [wish.title for wish in WISHES.values() if request.kind in wish.kinds]
    return titles[0] if titles else request.get_kind_display()


# ---------------------------------------------------------------- without a code


@transaction.atomic
def take_stop(
    *, entity: Entity, address: str, mark: Mark, client: bytes, what: Collection[str], signal: bool, language: str,
    at: datetime,
) -> Stop:  # fmt: skip
    """Take down what an address that somebody typed is to be left alone with. Nobody is looked up. Raises TooMany."""
    _refuse_haste(entity, client, at)
    chosen = [each.value for each in What if each in what or (each is What.SALE and signal)]
    typed = Stop.objects.create(
        entity=entity, mark=mark.digest, client=client, what=chosen, signal=signal, language=language, said_at=at
    )
    new_person_key(person=typed.ref)
    seal(label=label_of(typed.ref), fields={"email": address})
    typed.requests = _received(entity=entity, what=chosen, address=address, person=None, language=language, at=at)
    typed.save(update_fields=["requests"])
    body: dict[str, JSON] = {"stop": typed.ref, "entity": entity.ref, "what": chosen, "signal": signal}
    record(kind="rights.stop-typed", body=body)
    _defer(typed)
    return typed


def _defer(typed: Stop) -> None:
    from comity.rights.portal import jobs

    jobs.stop.defer(ref=str(typed.ref), entity=str(typed.entity_id))


def _refuse_haste(entity: Entity, client: bytes, at: datetime) -> None:
    lately = Stop.objects.filter(said_at__gt=at - HOUR)
    if lately.filter(client=client).count() >= MOST_OF_ONE or lately.filter(entity=entity).count() >= MOST_OF_ALL:
        raise TooMany("more than people type in an hour")


@transaction.atomic
def do_stop(*, ref: UUID) -> None:
    """Stop what was typed, for everybody who has the address; then the address goes. Done twice, it is done once."""
    typed = Stop.objects.select_for_update(of=("self",)).select_related("entity").filter(ref=ref, done_at=None).first()
    if typed is None:
        return
    persons = people_at(label_of(typed.ref), typed.entity_id)
    if len(persons) == 1 and not is_shared(persons):
        for request in Request.objects.filter(ref__in=typed.requests).open():
            match_person(request=request, person=persons[0], by=None)
    stop_for(
        persons=Person.objects.filter(ref__in=persons), entity=typed.entity, mark=Mark(Reach.EMAIL, bytes(typed.mark)),
        what=typed.what, at=typed.said_at, source=TYPED, signal=typed.signal,
    )  # fmt: skip
    destroy_person_key(person=typed.ref, staff=None)
    typed.done_at = timezone.now()
    typed.save(update_fields=["done_at"])
    record(kind="rights.stopped", persons=persons, body={"stop": typed.ref, "entity": typed.entity_id})
