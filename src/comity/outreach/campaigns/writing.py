"""A campaign's messages: composed for each person at the moment of their hand-over, as that person's law wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from comity.book.models import Person
from comity.book.opening import name_label
from comity.book.reaching import points_by
from comity.consent.notices.models import Kind
from comity.consent.notices.queries import shown_by
from comity.consent.preferences.links import May, make_link
from comity.consent.suppression.marks import Unclear, mark_of
from comity.counsel.questions import Question
from comity.outreach.campaigns.models import Campaign, Imprint
from comity.outreach.composing.content import Content, NotComposed, Prepared, prepare, problems
from comity.outreach.composing.letters import compose_email
from comity.outreach.composing.parties import BadAddress, Links, Recipient, Sender, mail_address
from comity.outreach.composing.ways import Way, to_see_to, way_of
from comity.post.letters import Composed, Later, Letter, Unsendable
from comity.vault.actions import Opened, open_fields
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.counsel.actions import Decided
    from comity.law.obligations import Merged
    from comity.post.models import Dispatch, Message
    from comity.staff.models import Entity

KIND: Final = "campaign"
NAMES: Final = frozenset({"given", "family", "name"})
"""Places of a content for which the name is opened."""
MENDING: Final = timedelta(minutes=15)
"""After which it is looked again whether somebody mended how we sign."""
LONGEST_LIFE: Final = "live_days"


def question_of(entity: UUID, purpose: str, channel: str = "email") -> Question:
    """Return what the law is asked about a campaign."""
    return Question(operation="contact", purpose=purpose, channel=channel, entity=entity)


class Writer:
    """Composes the messages of campaigns."""

    def question(self, dispatch: Dispatch) -> Question:
        """Return what the law is asked about each of its messages."""
        return question_of(dispatch.entity_id, dispatch.purpose, dispatch.channel)

    def classes(self, dispatch: Dispatch) -> Sequence[FieldClass]:
        """Return the address, and the name where the content calls somebody by it."""
        wants_name = prepared_of(dispatch.about).places() & NAMES
        return [FieldClass.CONTACT, *([FieldClass.NAME] if wants_name else [])]

    def compose(self, dispatch: Dispatch, messages: Sequence[Message], decided: Decided) -> Mapping[UUID, Composed]:
        """Return a letter to each of these people, or why there is none."""
        try:
            desk = _Desk.for_(dispatch, decided, [message.person for message in messages])
        except (Imprint.DoesNotExist, BadAddress):  # no fault of theirs: somebody must mend how we sign
            return {message.ref: Later(at=timezone.now() + MENDING, why="sender") for message in messages}
        return {message.ref: desk.letter(message) for message in messages}


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """What letters of one round are made from."""

    prepared: Prepared
    sender: Sender
    entity: Entity
    purpose: str
    channel: str
    decided: Decided
    persons: Mapping[UUID, Person]
    points: Mapping[UUID, Label]
    opened: Mapping[Label, Opened]
    privacy: str

    @classmethod
    def for_(cls, dispatch: Dispatch, decided: Decided, persons: Sequence[UUID]) -> _Desk:
        sender = sender_of(dispatch.entity)
        for address in filter(None, (sender.address, sender.reply_to)):
            mail_address(address)
        prepared, points = prepared_of(dispatch.about), points_by(dispatch.channel, persons)
        names = [name_label(person) for person in persons] if prepared.places() & NAMES else []
        return cls(
            prepared=prepared, sender=sender, entity=dispatch.entity, purpose=dispatch.purpose,
            channel=dispatch.channel, decided=decided, persons=Person.objects.in_bulk(persons), points=points,
            opened=open_fields(warrant=decided.warrant, labels=[*points.values(), *names], permitted_only=True),
            privacy=_privacy_notice(dispatch.entity),
        )  # fmt: skip

    def letter(self, message: Message) -> Composed:
        label = self.points.get(message.person)
        address = str(next(iter(self.opened.get(label, {}).values()), "")) if label else ""
        if message.person not in self.persons:
            return Unsendable(why="gone")
        if not label or not address:
            return Unsendable(why="no-address")
        try:
            return self._made(message, address, label)
        except Unclear:
            return Unsendable(why="no-such-address")
        except NotComposed:
            return Unsendable(why="unmet")

    def _made(self, message: Message, address: str, label: Label) -> Letter:
        person = self.persons[message.person]
        obligations = self.decided.answers[message.person].decision.finding.obligations
        reader = Recipient(
            address=address, language=person.language or self.sender.language, place=person.home.partition("|")[0],
            values=self._values(message.person),
        )  # fmt: skip
        made = compose_email(
            content=self.prepared, recipient=reader, sender=self.sender, obligations=obligations, ref=message.ref,
            links=self._links(message.person, address, obligations), at=timezone.now(),
            seen_to=seen_to(obligations),
        )  # fmt: skip
        return Letter(
            to=mail_address(address).addr_spec,
            sender=mail_address(self.sender.address).addr_spec,
            data=made.as_bytes(),
            point=label.record,
        )

    def _values(self, person: UUID) -> dict[str, str]:
        name = self.opened.get(name_label(person), {})
        told = {each: str(name.get(each, "")) for each in ("given", "family")}
        return told | {"name": " ".join(filter(None, told.values()))}

    def _links(self, person: UUID, address: str, obligations: Sequence[Merged]) -> Links:
        lives = max((int(str(one.parameters.get(LONGEST_LIFE) or 0)) for one in obligations), default=0)
        about: dict[str, Any] = {
            "person": person, "entity": self.entity.ref, "at": timezone.now(), "live_days": lives,
            "mark": mark_of("email", address),
        }  # fmt: skip
        stop = make_link(may=May.STOP, purpose=self.purpose, channel=self.channel, **about)
        return Links(
            unsubscribe=absolute(reverse("consent:one-click", args=[stop])),
            preferences=absolute(reverse("consent:choices", args=[make_link(may=May.CHOOSE, **about)])),
            privacy=self.privacy,
        )


def calls_by_name(content: Content) -> bool:
    """Say whether a content has a place for a person's name. One with errors has none: it is not sent."""
    return not any(one.level == "error" for one in problems(content)) and bool(prepare(content).places() & NAMES)


def _privacy_notice(entity: Entity) -> str:
    """Return where everybody reads what this entity does with data; nothing where it published no such notice."""
    notice = shown_by(entity, Kind.DIRECT)
    return absolute(reverse("consent:notice-public", args=[notice.ref])) if notice else ""


def absolute(path: str) -> str:
    """Return a path of ours as the world finds it."""
    return f"{settings.ADDRESS.geturl().rstrip('/')}{path}"


def seen_to(obligations: Sequence[Merged]) -> list[str]:
    """Return the obligations beyond the message itself that are seen to here; of any other nothing is sent."""
    return [one.kind for one in to_see_to(obligations) if one.kind in SEEN_TO]


SEEN_TO: Final[frozenset[str]] = frozenset()
TO_TELL: Final = frozenset({"origin-notice", "transfer-notice", "explain-logic"})
"""Obligations for which something of this reader would have to be told that the book does not hold in words yet."""


def cannot_meet(obligation: Merged) -> bool:
    """Say whether nothing here can meet an obligation, so that nothing is sent to whoever has it."""
    if obligation.kind in TO_TELL:
        return True
    way = way_of(obligation)
    return way is Way.NOT_HERE or (way in {Way.TIME, Way.RECORDS} and obligation.kind not in SEEN_TO)


def sender_of(entity: Entity) -> Sender:
    """Return how an entity signs. Raises Imprint.DoesNotExist where nobody said so yet."""
    signs = Imprint.objects.get(entity=entity)
    return Sender(
        entity=entity.name, address=signs.address, postal_address=tuple(signs.postal_address.splitlines()),
        place=entity.place, language=signs.language, reply_to=signs.reply_to, email=signs.email, phone=signs.phone,
        website=signs.website, register=signs.register,
    )  # fmt: skip


@lru_cache(maxsize=8)
def prepared_of(campaign: UUID) -> Prepared:
    """Return what a campaign says, read once: since it began, it does not change."""
    return prepare(Content.from_json(Campaign.objects.get(ref=campaign).content))
