"""A campaign's messages: composed for each person at the moment of their hand-over, as that person's law wants them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
from comity.consent.suppression.marks import Unclear
from comity.counsel.questions import Question
from comity.outreach.campaigns.channels import CHANNELS, Case, marked
from comity.outreach.campaigns.models import Campaign, Imprint
from comity.outreach.campaigns.seeing import LOOKED_UP, OnFile, on_file
from comity.outreach.campaigns.variants import chosen
from comity.outreach.composing.content import Content, NotComposed, Prepared, prepare, problems
from comity.outreach.composing.letters import Sort
from comity.outreach.composing.parties import BadAddress, Links, Origin, Recipient, Sender, Told, mail_address
from comity.outreach.composing.ways import Way, to_see_to, way_of
from comity.outreach.inbound.marks import Marked, marks_of, return_address
from comity.outreach.origins.queries import told_where_from, words_for
from comity.post.letterheads import Letterhead
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
WAYS_OUT: Final = frozenset({
    "unsubscribe", "right-to-object-notice", "withdrawal-told", "plain-option", "opt-out-link",
})  # fmt: skip
"""Obligations that want a link by which somebody refuses."""


def question_of(entity: UUID, purpose: str, channel: str) -> Question:
    """Return what the law is asked about a campaign."""
    return Question(operation="contact", purpose=purpose, channel=channel, entity=entity)


@dataclass(frozen=True, kw_only=True)
class Wordings:
    """What messages say: one wording, or several among which people are divided by a key."""

    each: Sequence[Prepared]
    split: bytes = b""

    def of(self, person: UUID) -> Prepared:
        """Return the wording that somebody gets, the same each time."""
        return self.each[chosen(self.split, person, len(self.each))]

    @property
    def call_by_name(self) -> bool:
        """Whether any of them calls somebody by their name."""
        return any(one.places() & NAMES for one in self.each)


@lru_cache(maxsize=8)
def wordings_of(campaign: UUID) -> Wordings:
    """Return what a campaign says, read once: since it was begun, its words do not change."""
    found = Campaign.objects.get(ref=campaign)
    each = [prepare(Content.from_json(one)) for one in (found.content, *found.variants)]
    return Wordings(each=each, split=bytes(found.split))


class Writer:
    """Composes the messages of campaigns; of sequences and mails to one person, where these say otherwise."""

    sort: Sort = "campaign"

    def wordings(self, dispatch: Dispatch) -> Wordings:
        """Return what its messages say."""
        return wordings_of(dispatch.about)

    def question(self, dispatch: Dispatch) -> Question:
        """Return what the law is asked about each of its messages."""
        return question_of(dispatch.entity_id, dispatch.purpose, dispatch.channel)

    def classes(self, dispatch: Dispatch) -> Sequence[FieldClass]:
        """Return what the channel needs, and the name where a wording calls somebody by it."""
        return classes_of(dispatch.channel, calls=self.wordings(dispatch).call_by_name)

    def compose(self, dispatch: Dispatch, messages: Sequence[Message], decided: Decided) -> Mapping[UUID, Composed]:
        """Return a letter to each of these people, or why there is none."""
        return self.written(dispatch, messages, decided, self.wordings(dispatch))

    def written(
        self, dispatch: Dispatch, messages: Sequence[Message], decided: Decided, wordings: Wordings, answers: str = ""
    ) -> Mapping[UUID, Composed]:
        """Return what these words become for each of these people."""
        try:
            people = [message.person for message in messages]
            desk = _Desk.for_(dispatch, decided, people, wordings, sort=self.sort, answers=answers)
        except (Imprint.DoesNotExist, BadAddress):  # no fault of theirs: somebody must mend how we sign
            return {message.ref: Later(at=timezone.now() + MENDING, why="sender") for message in messages}
        return {message.ref: desk.letter(message) for message in messages}


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """What letters of one round are made from."""

    wordings: Wordings
    sender: Sender
    entity: Entity
    purpose: str
    channel: str
    decided: Decided
    persons: Mapping[UUID, Person]
    points: Mapping[UUID, Label]
    opened: Mapping[Label, Opened]
    privacy: str
    returns_to: str
    on_file: OnFile
    origins: Mapping[UUID, Origin]  # of those who must be told from whom we have their data
    informed: Collection[UUID]  # of those who were told
    sort: Sort
    answers: str

    @classmethod
    def for_(
        cls, dispatch: Dispatch, decided: Decided, persons: Sequence[UUID], wordings: Wordings, *, sort: Sort,
        answers: str,
    ) -> _Desk:  # fmt: skip
        sender = sender_of(dispatch.entity)
        for address in filter(None, (sender.address, sender.reply_to)):
            mail_address(address)
        points = points_by(dispatch.channel, persons)
        calls = classes_of(dispatch.channel, calls=wordings.call_by_name)
        names = [name_label(person) for person in persons] if FieldClass.NAME in calls else []
        wanted = [one for person in decided.permitted for one in _obligations(decided, person)]
        known = Person.objects.in_bulk(persons)
        spoken = {ref: one.language or sender.language for ref, one in known.items()}
        return cls(
            wordings=wordings, sort=sort, answers=answers, sender=sender, entity=dispatch.entity,
            purpose=dispatch.purpose, channel=dispatch.channel, decided=decided, persons=known, points=points,
            opened=open_fields(warrant=decided.warrant, labels=[*points.values(), *names], permitted_only=True),
            privacy=_privacy_notice(dispatch.entity),
            on_file=on_file(decided.question, persons, wanted), returns_to=return_address(dispatch.entity),
            origins=words_for(known, dispatch.entity_id, spoken, sender.language),
            informed=told_where_from(persons, dispatch.entity_id),
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
        except (Unclear, BadAddress):  # theirs: ours was looked at before
            return Unsendable(why="no-such-address")
        except NotComposed:
            return Unsendable(why="unmet")

    def _made(self, message: Message, address: str, label: Label) -> Letter:
        person = self.persons[message.person]
        obligations = self._obligations(message.person)
        reader = Recipient(
            address=address, language=person.language or self.sender.language, place=person.home.partition("|")[0],
            values=self._values(message.person), called=self._called(message.person),
        )  # fmt: skip
        marks = self._marks(message)
        return CHANNELS[self.channel].make(Case(
            message=message, sort=self.sort, answers=self.answers, point=label.record,
            places=person.home.split("|"), content=self.wordings.of(message.person),
            recipient=reader, sender=self.sender, obligations=obligations, marks=marks,
            links=self._links(person, address, obligations, marks.refuses),
            told=Told(origin=self.origins.get(message.person)),
            seen_to=[*seen_to(obligations, self.channel), *self.on_file.seen(message.person, obligations)],
        ))  # fmt: skip

    def _marks(self, message: Message) -> Marked:
        if self.channel != "email":
            return Marked(name="", sender="")
        return marks_of(message.ref, sender=mail_address(self.sender.address).addr_spec, returns_to=self.returns_to)

    def _called(self, person: UUID) -> str:
        """Return the name on the envelope; nowhere else does it stand beside an address."""
        return self._values(person)["name"] if self.channel == "post" else ""

    def _obligations(self, person: UUID) -> list[Merged]:
        """Return what the message must be like: who was told where we have their data from need not be told again."""
        wanted = _obligations(self.decided, person)
        return [one for one in wanted if not (one.kind == ORIGIN and person in self.informed)]

    def _values(self, person: UUID) -> dict[str, str]:
        name = self.opened.get(name_label(person), {})
        told = {each: str(name.get(each, "")) for each in ("given", "family")}
        return told | {"name": " ".join(filter(None, told.values()))}

    def _links(self, person: Person, address: str, obligations: Sequence[Merged], refuses: str) -> Links:
        if self.sort == "personal" and not wants_way_out(obligations):
            return Links(privacy=self.privacy)  # an answer about an order is no list that one could leave
        lives = max((int(str(one.parameters.get(LONGEST_LIFE) or 0)) for one in obligations), default=0)
        about: dict[str, Any] = {
            "person": person.ref, "entity": self.entity.ref, "at": timezone.now(), "live_days": lives,
            "mark": marked(self.channel, address, person.home.split("|")),
        }  # fmt: skip
        stop = make_link(may=May.STOP, purpose=self.purpose, channel=self.channel, **about)
        return Links(
            unsubscribe=absolute(reverse("consent:one-click", args=[stop])),
            preferences=absolute(reverse("consent:choices", args=[make_link(may=May.CHOOSE, **about)])),
            privacy=self.privacy,
            unsubscribe_mail=refuses,
        )


def wants_way_out(obligations: Sequence[Merged]) -> bool:
    """Say whether the law wants a link in the message by which its reader refuses."""
    return not {one.kind for one in obligations}.isdisjoint(WAYS_OUT)


def _obligations(decided: Decided, person: UUID) -> Sequence[Merged]:
    return decided.answers[person].decision.finding.obligations


def classes_of(channel: str, *, calls: bool) -> list[FieldClass]:
    """Return the classes of fields that messages by a channel are made from; `calls` says that somebody is named."""
    return list(dict.fromkeys([*CHANNELS[channel].opens, *([FieldClass.NAME] if calls else [])]))


def calls_by_name(content: Content) -> bool:
    """Say whether a content has a place for a person's name. One with errors has none: it is not sent."""
    return not any(one.level == "error" for one in problems(content)) and bool(prepare(content).places() & NAMES)


def _privacy_notice(entity: Entity) -> str:
    """Return where everybody reads what this entity does with data; nothing where it published no such notice."""
    notice = shown_by(entity, Kind.DIRECT) or shown_by(entity, Kind.INDIRECT)
    return absolute(reverse("consent:notice-public", args=[notice.ref])) if notice else ""


def absolute(path: str) -> str:
    """Return a path of ours as the world finds it."""
    return f"{settings.ADDRESS.geturl().rstrip('/')}{path}"


def seen_to(obligations: Sequence[Merged], channel: str = "email") -> list[str]:
    """Return the obligations beyond the message itself that are seen to here; of any other nothing is sent."""
    seen = SEEN_TO | CHANNELS[channel].hands_on
    return [one.kind for one in to_see_to(obligations) if one.kind in seen]


SEEN_TO: Final[frozenset[str]] = frozenset({"calling-hours", "call-limit"})
"""Hours and limits: `post.pacing` keeps to them, for whatever is handed over."""
ORIGIN: Final = "origin-notice"
TO_TELL: Final = frozenset({"transfer-notice", "explain-logic"})
"""Obligations for which something of this reader would have to be told that the book does not hold in words yet."""


def cannot_meet(obligation: Merged, channel: str = "email") -> bool:
    """Say whether nothing here can meet an obligation, so that nothing is sent to whoever has it.

    What is looked up for each person when their turn comes may still be lacking then.
    """
    if obligation.kind in TO_TELL:
        return True
    way = way_of(obligation)
    seen = SEEN_TO | CHANNELS[channel].hands_on | LOOKED_UP
    return way is Way.NOT_HERE or (way in {Way.TIME, Way.RECORDS} and obligation.kind not in seen)


def sender_of(entity: Entity) -> Sender:
    """Return how an entity signs. Raises Imprint.DoesNotExist where nobody said so yet."""
    signs = Imprint.objects.get(entity=entity)
    return Sender(
        entity=entity.name, address=signs.address, postal_address=tuple(signs.postal_address.splitlines()),
        place=entity.place, language=signs.language, reply_to=signs.reply_to, email=signs.email, phone=signs.phone,
        website=signs.website, register=signs.register, mark=signs.mark, stop_number=signs.stop_number,
    )  # fmt: skip


def letterhead(entity: Entity) -> Letterhead | None:
    """Return how an entity signs, for rooms that write without a campaign; nothing where nobody said so yet."""
    try:
        sender = sender_of(entity)
    except Imprint.DoesNotExist:
        return None
    return Letterhead(
        name=sender.entity, address=sender.address, reply_to=sender.reply_to, postal_address=sender.postal_address,
        contacts=sender.contacts(),
    )  # fmt: skip
