"""Reading what the schedule has done and will do, and how long one person's data stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.queries import persons_seen_by, relation_of
from comity.consent.preferences.public import LANGUAGE
from comity.counsel.keeping import LAST_HEARD, Outcome, Term, outcome, terms
from comity.retention.holds.models import Hold, Restriction
from comity.retention.holds.queries import holds_on, restriction_of
from comity.retention.schedule.categories import schedule
from comity.retention.schedule.keys import KIND
from comity.retention.schedule.models import QuietPolicy, QuietRound
from comity.staff.guards import entities_of
from comity.staff.models import Approval, Entity

if TYPE_CHECKING:
    from comity.book.models import Person
    from comity.staff.models import Staff

CUSTOMER, PROSPECT = "customer", "prospect"


def entity_named(ref: UUID) -> Entity | None:
    """Return an entity of ours, whoever asks: that it exists is no secret."""
    return Entity.objects.filter(ref=ref).first()


def languages_of(path: str, here: str | None) -> list[tuple[str, str, str]]:
    """Return the other languages of a public page, by code, name and address."""
    return [(code, name, f"{path}?{urlencode({LANGUAGE: code})}") for code, name in settings.LANGUAGES if code != here]


# ---------------------------------------------------------------- prospects gone quiet


def quiet_policies(viewer: Staff) -> list[QuietPolicy]:
    """Return the policy of each entity for which somebody acts; one that nobody set is off."""
    refs = entities_of(viewer)
    known = {one.entity_id: one for one in QuietPolicy.objects.filter(entity__in=refs).select_related("entity")}
    entities = Entity.objects.filter(ref__in=refs, closed_at=None).order_by("name")
    return [known.get(one.ref) or QuietPolicy(entity=one, set_by_id=viewer.ref) for one in entities]


def rounds_seen_by(viewer: Staff) -> QuerySet[QuietRound]:
    """Return the clean-ups of the entities for which somebody acts, the newest first."""
    return QuietRound.objects.filter(entity__in=entities_of(viewer)).select_related("entity", "stopped_by")


def open_rounds(viewer: Staff) -> QuerySet[QuietRound]:
    """Return those that are previewed and not done."""
    return rounds_seen_by(viewer).filter(ended_at=None)


def keys_asked() -> Approval | None:
    """Return the key policy that waits for a second person, if one does."""
    waiting = Approval.objects.filter(kind=KIND, settled_at=None, expires_at__gt=timezone.now())
    return waiting.select_related("asked_by").order_by("-asked_at").first()


# ---------------------------------------------------------------- one person


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What the laws say of one category of somebody's data, should its purpose end today, and what that comes to."""

    name: str
    terms: Sequence[Term]
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class HowLong:
    """How long somebody's data stays: holds beat what a law has us keep, and that beats what it has us delete."""

    person: UUID
    entity: Entity
    home: str
    kept: Sequence[Kept]
    holds: Sequence[Hold]
    restriction: Restriction | None
    restricted: bool

    @property
    def stays_until(self) -> date | None:
        """The last day of all that a law certainly has us keep."""
        return max((one.outcome.stays_until for one in self.kept if one.outcome.stays_until), default=None)


def how_long(viewer: Staff, entity: Entity, person: UUID, today: date) -> HowLong | None:
    """Return how long somebody's data stays with an entity; none where the viewer does not act for it."""
    found = persons_seen_by(viewer, entity).filter(ref=person).first()
    if found is None:
        return None
    return HowLong(
        person=person, entity=entity, home=found.home, kept=clocks_of(found, entity, today),
        holds=list(holds_on(viewer, person, entity.ref)), restriction=restriction_of(person, entity.ref),
        restricted=found.restricted_at is not None,
    )  # fmt: skip


def clocks_of(person: Person, entity: Entity, today: date) -> list[Kept]:
    """Ask the law of somebody's home about each category, as if the purpose ended today. Read behind the wall."""
    facts, sort = _facts(person, entity), _sort(person, entity)
    found = []
    for category in schedule().categories:
        records = [kind for kind in category.records if kind in {sort, *(set(category.records) - {PROSPECT, CUSTOMER})}]
        if records:
            said = terms(entity, records, on=today, today=today, facts=facts)
            found.append(Kept(name=_(category.name), terms=said, outcome=outcome(said)))
    return found


def _facts(person: Person, entity: Entity) -> dict[str, object]:
    """Return what the law of records may ask about somebody, as TOML would write it."""
    relation = relation_of(person, entity)
    facts: dict[str, object] = {"person.deceased": True} if person.deceased_at else {}
    if person.home:
        facts["person.home"] = person.home.split("|")
    if person.last_contact_on:
        facts[LAST_HEARD] = person.last_contact_on.isoformat()
    if relation is not None and relation.last_purchase_on:
        facts["relation.last_purchase_on"] = relation.last_purchase_on.isoformat()
    return facts


def _sort(person: Person, entity: Entity) -> str:
    relation = relation_of(person, entity)
    return CUSTOMER if relation is not None and relation.customer_since is not None else PROSPECT
