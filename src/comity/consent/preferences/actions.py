"""What somebody says by a link: yes, no, no to everything, or the second step of a yes. It counts when it returns.

A no is never refused, whatever else goes wrong with the person or their rows: it ends the purpose for the person, and
for the address the link was sent to, whoever else that is held of (`comity.consent.suppression`).

INVARIANT: whoever changes several rows locks the person first, then standing rows, then addresses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from comity.book.editing.history import keep_past
from comity.book.facts import REACHED_BY
from comity.book.models import Person
from comity.consent.actions import About, give_consent, object_to_marketing, withdraw_consent
from comity.consent.models import Consent, Said, Standing
from comity.consent.preferences.choices import Cell, known_of
from comity.consent.suppression.actions import release, suppress
from comity.consent.suppression.models import Cause, Suppressed
from comity.counsel.duties import note_event
from comity.counsel.questions import ADVERTISING
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.actions import seal
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.consent.preferences.links import Link
    from comity.consent.preferences.wording import Wording
    from comity.consent.suppression.marks import Mark
    from comity.staff.models import Staff
    from comity.vault.sealing import Fields

PAGE: Final = "Preference page"
MOST_CHANGES: Final = 30
"""Times a day that one person's mind is changed by links. After that a no is still taken, and a yes tomorrow."""
WITHOUT_LINK: Final = "Page for whoever has no link"
MOST_TYPED: Final = 2_000
"""Addresses an hour that are taken down without a link: no firm is left by so many, but a machine may type them."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOES: Final = (Said.REFUSED, Said.WITHDRAWN, Said.OBJECTED)
EVERY_WAY: Final = (*REACHED_BY, "in-app", "face-to-face", "none")


class TooOften(Exception):
    """Whoever has the link has changed their mind so often today that it is no person."""


class Confirmed(StrEnum):
    """What became of the second step of a yes."""

    DONE = "done"
    ALREADY = "already"  # by this very link
    SINCE_REFUSED = "since-refused"  # and a no that was said later counts


# ---------------------------------------------------------------- no


@transaction.atomic
def say_no(*, link: Link, person: Person | None, entity: Entity, cell: Cell, at: datetime) -> bool:
    """Record a no to one purpose and channel; return whether it is news. Nothing more is sent once it is committed."""
    about = About(person=person.ref, entity=entity, purpose=cell[0], channel=cell[1]) if person else None
    news = about is not None and refuse(about, _source(link), at)
    if link.mark and REACHED_BY.get(cell[1]) == link.mark.reach:
        added = suppress(
            entity=entity, marks=[link.mark], cause=Cause.OPTED_OUT, source=_source(link), since=at,
            purposes=[cell[0]], channels=[cell[1]],
        )  # fmt: skip
        news = news or bool(added)
    return news


@transaction.atomic
def stop_everything(*, link: Link, person: Person | None, entity: Entity, at: datetime) -> bool:
    """Record a no to all that one may say no to, and the objection to advertising; return whether it is news."""
    news = False
    if person:
        _hold(person)
        for cell in _to_refuse(person, entity):
            about = About(person=person.ref, entity=entity, purpose=cell[0], channel=cell[1])
            news = refuse(about, _source(link), at) or news
        news = _object(person, entity, _source(link), at) or news
    if link.mark:
        marks = [link.mark]
        added = suppress(entity=entity, marks=marks, cause=Cause.OPTED_OUT, source=_source(link), since=at)
        news = news or bool(added)
    return news


def leave_alone(*, mark: Mark, entities: Collection[Entity], at: datetime) -> None:
    """Take down an address that somebody typed without a link: none of these entities advertises to it any more.

    Whoever it belongs to may say yes again by a link that is sent there. Raises TooOften where machines type.
    """
    with behind_wall(staff=None, entities=[entity.ref for entity in entities]):
        typed = Suppressed.objects.filter(entity__in=entities, source=WITHOUT_LINK, added_at__gt=at - HOUR)
        if typed.count() >= MOST_TYPED:
            raise TooOften(f"more than {MOST_TYPED} addresses in an hour")
        for entity in entities:
            suppress(entity=entity, marks=[mark], cause=Cause.OPTED_OUT, source=WITHOUT_LINK, since=at)


def _to_refuse(person: Person, entity: Entity) -> list[Cell]:
    """Return what they have not said no to, in the order in which standing rows are locked."""
    known = known_of(person, entity)
    given = {cell for cell, row in known.standing.items() if row.given_id}
    return sorted(
        {cell for cell in known.cells if cell not in known.standing or not _is_no(known.standing[cell])} | given
    )


def _is_no(row: Standing) -> bool:
    return row.withdrawn or row.opted_out_on is not None


def refuse(about: About, source: str, at: datetime, *, heard_by: Staff | None = None) -> bool:
    """Record a no, unless one stands: who says it twice has said it. Return whether it is news.

    The caller has a transaction, and has locked the person before where it takes more than one of their rows.
    """
    which = {"person": about.person, "entity": about.entity, "purpose": about.purpose, "channel": about.channel}
    row = Standing.objects.select_for_update().filter(**which).first()
    if row is not None and _is_no(row):
        return False
    consent = withdraw_consent(about=about, said_at=at, source=source, heard_by=heard_by)
    if consent.said == Said.WITHDRAWN:
        _owe(consent, {"event.kind": "consent-withdrawn"})
    return True


def _hold(person: Person) -> Person:
    return Person.objects.select_for_update(of=("self",)).get(ref=person.ref)


def _object(person: Person, entity: Entity, source: str, at: datetime) -> bool:
    if _hold(person).objected_at:
        return False
    consent = object_to_marketing(person=person.ref, entity=entity, said_at=at, source=source, heard_by=None)
    _owe(consent, {"event.kind": "request-received", "event.request": "objection"})
    return True


def _owe(consent: Consent, event: Mapping[str, object]) -> None:
    """Keep what we owe since they said so, with its day."""
    said_at = min(consent.said_at, timezone.now())  # an instant that has not come yet is that of a clock that was ahead
    told = {
        **event, "event.on": timezone.localtime(said_at).date(), "use.purpose": consent.purpose,
        "use.channel": consent.channel,
    }  # fmt: skip
    note_event(event=told, entity=consent.entity, about=consent.person, persons=[consent.person], staff=None)


def _source(link: Link) -> str:
    """Return how it was said, so that it is found again."""
    return f"{PAGE}, link of {link.made_at:%Y-%m-%d %H:%M:%S} UTC"


# ---------------------------------------------------------------- yes


@transaction.atomic
def say_yes(*, link: Link, person: Person, entity: Entity, cell: Cell, wording: Wording, at: datetime) -> Consent:
    """Record an express yes to one purpose and channel, with the very words that were shown. Raises TooOften.

    Who had objected to advertising objects no more, and has said yes to this alone: all else that the objection ended
    is recorded as refused.
    """
    _refuse_haste(_hold(person), entity, at)
    about = About(person=person.ref, entity=entity, purpose=cell[0], channel=cell[1])
    by_it = link.mark is not None and REACHED_BY.get(cell[1]) == link.mark.reach
    consent = _yes(about, wording, at, source=_source(link), double_opt_in=by_it)
    _release(link, consent)
    return consent


@transaction.atomic
def agree(
    *, about: About, wording: Wording, at: datetime, source: str, mark: Mark, evidence: Fields | None = None,
    parental: bool = False, heard_by: Staff | None = None,
) -> Consent:  # fmt: skip
    """Record a yes that was confirmed from a mailbox, whose mark this is; the caller holds the person.

    It is a double opt-in where that very mailbox will be written to. `evidence` is sealed beside the wording. What a
    yes does to an objection, `say_yes` says. A guardian's mailbox is not the child's, and takes no address off the list
    of refusals.
    """
    by_it = REACHED_BY.get(about.channel) == mark.reach and not parental
    consent = _yes(
        about, wording, at, source=source, double_opt_in=by_it, evidence=evidence, parental=parental, heard_by=heard_by
    )  # fmt: skip
    if by_it:
        release(mark=mark, consent=consent)
    return consent


def no_since(*, about: About, since: datetime) -> bool:
    """Tell whether somebody said no to this, or objected to all advertising, and we wrote it down since then."""
    said = Consent.objects.counting().filter(person=about.person, entity=about.entity, said__in=NOES)
    this = Q(purpose=about.purpose, channel=about.channel)
    return said.filter(this | Q(said=Said.OBJECTED), recorded_at__gte=since).exists()


def _yes(
    about: About, wording: Wording, at: datetime, *, source: str, double_opt_in: bool, evidence: Fields | None = None,
    parental: bool = False, heard_by: Staff | None = None,
) -> Consent:  # fmt: skip
    if about.purpose in ADVERTISING:
        _object_no_more(about, at, source)
    consent = give_consent(
        about=about, said_at=at, notice=wording.notice, source=source, heard_by=heard_by, express=True, separate=True,
        names_caller=True, double_opt_in=double_opt_in, notice_version=wording.version,
        notice_language=wording.language if wording.version else "", parental=parental,
    )  # fmt: skip
    seal(
        label=Label(about.person, FieldClass.NOTE, "consent", consent.ref),
        fields={
            "wording": wording.text, "notice": wording.notice, "language": wording.language, **(evidence or {})
        },
    )  # fmt: skip
    return consent


def _release(link: Link, consent: Consent) -> None:
    """Take the address that the link was sent to off the list, as far as its owner agreed to be written to there."""
    if link.mark and REACHED_BY.get(consent.channel) == link.mark.reach:
        release(mark=link.mark, consent=consent)


def _refuse_haste(person: Person, entity: Entity, at: datetime) -> None:
    if _changes(person, entity, at) >= MOST_CHANGES:
        raise TooOften(f"more than {MOST_CHANGES} changes in a day")


def _changes(person: Person, entity: Entity, at: datetime) -> int:
    """Return how often a yes was said by links today: that, and not who came from where, is what is counted."""
    said = Consent.objects.filter(person=person.ref, entity=entity, said=Said.GIVEN, source__startswith=PAGE)
    return said.filter(recorded_at__gt=at - DAY).count()


def _object_no_more(about: About, at: datetime, source: str) -> None:
    """Let a yes to one thing take back an objection to all: to each other thing that it ended, a no is recorded.

    An objection holds for all of our entities that know the person, so the others' rows say no, too.
    """
    held = Person.objects.get(ref=about.person)  # locked before
    if held.objected_at is None:
        return
    with behind_wall(staff=None, entities=held.entities):
        for entity in Entity.objects.filter(ref__in=held.entities).order_by("ref"):
            for purpose, channel in _ended_by_it(held, entity):
                other = About(person=held.ref, entity=entity, purpose=purpose, channel=channel)
                if other != about:
                    withdraw_consent(about=other, said_at=at, source=source, heard_by=None)
        keep_past([held])
        Person.objects.filter(ref=held.ref).update(objected_at=None, changed_at=Now())


def _ended_by_it(person: Person, entity: Entity) -> Iterable[Cell]:
    """Return what an objection to advertising ends and nobody has said no to apart from it."""
    rows = Standing.objects.filter(person=person.ref, entity=entity)
    noes = {(row.purpose, row.channel) for row in rows if _is_no(row)}
    ended = [
        (purpose, channel)
        for purpose in sorted(ADVERTISING)
        for channel in (*EVERY_WAY, "in-app", "face-to-face", "none")
    ]
    return sorted(cell for cell in ended if cell not in noes)


# ---------------------------------------------------------------- the second step of a yes


@transaction.atomic
def confirm(*, link: Link, person: Person, entity: Entity, wording: Wording, at: datetime) -> Confirmed:
    """Record the yes that the link is about, once. A no that was said after it was made counts, however often it comes.

    Raises TooOften.
    """
    _hold(person)
    about = About(person=person.ref, entity=entity, purpose=link.purpose, channel=link.channel)
    if no_since(about=about, since=link.made_at):
        return Confirmed.SINCE_REFUSED
    source = f"Confirmed, link of {link.made_at:%Y-%m-%d %H:%M:%S} UTC"
    said = Consent.objects.counting().filter(person=person.ref, entity=entity, said=Said.GIVEN, source=source)
    if said.filter(purpose=link.purpose, channel=link.channel).exists():
        return Confirmed.ALREADY
    _refuse_haste(person, entity, at)
    _release(link, _yes(about, wording, at, source=source, double_opt_in=True))
    return Confirmed.DONE
