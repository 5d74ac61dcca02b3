"""Who may see which questions, rulings and decisions. The viewer comes first: it is their entities that count."""

from __future__ import annotations

import json
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Count, Model, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.counsel.apps import SEALED
from comity.counsel.models import AskedDecision, OpenQuestion, Ruling
from comity.ledger.models import Checkpoint, Entry
from comity.refs import read_ref
from comity.staff.guards import entities_of
from comity.staff.models import Entity, RoleGrant, Staff
from comity.vault.models import RecordedDecision

Row = TypeVar("Row", bound=Model)

STATES = {
    "open": Q(closed_at=None, ruling=None),
    "settled": Q(closed_at=None, ruling__isnull=False),
    "closed": Q(closed_at__isnull=False),
}
MOST_SHOWN = 50
"""Persons whom a question lists."""


def questions_seen_by(viewer: Staff) -> QuerySet[OpenQuestion]:
    """Return what waits or waited for a human, about our entities for which the viewer acts; with how many people."""
    seen = OpenQuestion.objects.filter(entity__in=entities_of(viewer)).select_related("entity", "assigned_to", "ruling")
    return seen.annotate(people=Count("concerned__person"))


def waiting_for(viewer: Staff) -> dict[str, int]:
    """Return how many questions are open, settled and closed, and how many open ones are the viewer's."""
    seen = OpenQuestion.objects.filter(entity__in=entities_of(viewer))
    counts = seen.aggregate(
        **{state: Count("ref", filter=condition) for state, condition in STATES.items()},
        mine=Count("ref", filter=STATES["open"] & Q(assigned_to=viewer)),
    )
    return dict(counts)


def one_question(viewer: Staff, ref: UUID) -> OpenQuestion:
    """Return one question. Raises Http404."""
    return _one(questions_seen_by(viewer), ref)


def persons_of(question: OpenQuestion) -> list[UUID]:
    """Return the refs of those whom a question is about, at most MOST_SHOWN."""
    return list(question.concerned.order_by("person").values_list("person", flat=True)[:MOST_SHOWN])


def could_settle(entity: Entity) -> QuerySet[Staff]:
    """Return the staff to whom a question of this entity can be given: whoever acts for it."""
    standing = RoleGrant.objects.standing(timezone.now()).filter(Q(entity=None) | Q(entity=entity))
    return Staff.objects.filter(is_active=True, ref__in=standing.values("staff")).order_by("name")


def rulings_seen_by(viewer: Staff) -> QuerySet[Ruling]:
    """Return the rulings of our entities for which the viewer acts."""
    return Ruling.objects.filter(entity__in=entities_of(viewer)).select_related("entity", "made_by", "taken_back_by")


def one_ruling(viewer: Staff, ref: UUID) -> Ruling:
    """Return one ruling. Raises Http404."""
    return _one(rulings_seen_by(viewer), ref)


def one_decision(viewer: Staff, text: str) -> AskedDecision:
    """Return a decision about people of an entity for which the viewer acts. Raises Http404."""
    try:
        ref = read_ref(text)
    except ValueError as error:
        raise Http404(str(error)) from error
    mine = [str(entity) for entity in entities_of(viewer)]
    return _one(AskedDecision.objects.filter(question__entity__in=mine), ref)


def recorded(decision: AskedDecision) -> RecordedDecision | None:
    """Return what the vault knows of a decision: whose it was, and about whom."""
    return RecordedDecision.objects.select_related("entry").filter(ref=decision.ref).first()


def told_in_ledger(recorded: RecordedDecision) -> dict[str, Any]:
    """Return what the ledger's entry of a decision says."""
    told: dict[str, Any] = json.loads(bytes(recorded.entry.body))["body"]
    return told


def keeps_facts(recorded: RecordedDecision | None) -> bool:
    """Say whether a decision about one person kept the facts, as its entry in the ledger has it."""
    return recorded is not None and told_in_ledger(recorded).get("facts") == SEALED


def _one(rows: QuerySet[Row], ref: UUID) -> Row:
    found = rows.filter(pk=ref).first()
    if found is None:
        raise Http404(_("There is nothing here, or it is about an entity for which you do not act."))
    return found


def entity_of(decision: AskedDecision) -> Entity:
    """Return the entity of ours that asked."""
    return Entity.objects.get(ref=decision.question["entity"])


def who_asked(recorded: RecordedDecision | None) -> str:
    """Return the name of the staff member for whom a decision was made, or that the person themself looked."""
    if recorded and recorded.visit:
        return _("the person themself")
    staff = Staff.objects.filter(ref=recorded.staff).first() if recorded and recorded.staff else None
    return staff.name if staff else ""


def covering(entry: Entry) -> Checkpoint | None:
    """Return the first checkpoint that signs an entry, if there is one yet."""
    if entry.leaf_index is None:
        return None
    return Checkpoint.objects.filter(size__gt=entry.leaf_index).order_by("size").first()
