"""Who may see which tokens and webhooks. The viewer comes first: it is their entities and words that count."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import Count, Max, Model, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from comity.api.models import Delivery, Token, Webhook
from comity.staff.guards import entities_with
from comity.staff.models import Entity, Staff

Row = TypeVar("Row", bound=Model)
SHOWN = 100
"""Deliveries that a webhook's page shows."""


def tokens_seen_by(viewer: Staff) -> QuerySet[Token]:
    """Return the tokens of the entities whose tokens the viewer may change."""
    seen = Token.objects.filter(entity__in=entities_with(viewer, "token.change"))
    return seen.select_related("staff", "entity", "made_by", "revoked_by")


def tokens_of(staff: Staff) -> QuerySet[Token]:
    """Return the tokens for which somebody answers."""
    return Token.objects.filter(staff=staff).select_related("entity", "made_by")


def one_token(rows: QuerySet[Token], ref: UUID) -> Token:
    """Return one of these tokens. Raises Http404."""
    return _one(rows, ref)


def entities_for(viewer: Staff, word: str) -> QuerySet[Entity]:
    """Return the entities for which the viewer has the word."""
    return Entity.objects.filter(pk__in=entities_with(viewer, word))


def those_who_sign_in() -> QuerySet[Staff]:
    """Return the staff in whose name a program may act."""
    return Staff.objects.filter(is_active=True).order_by("name")


def webhooks_seen_by(viewer: Staff, word: str = "settings.view") -> QuerySet[Webhook]:
    """Return the webhooks of the entities for which the viewer has the word, with what waits for each."""
    waiting = Q(deliveries__told_at=None, deliveries__given_up_at=None, deliveries__ref__isnull=False)
    seen = Webhook.objects.filter(entity__in=entities_with(viewer, word)).select_related("entity")
    return seen.annotate(
        waits=Count("deliveries", filter=waiting), last_told_at=Max("deliveries__told_at")
    )  # fmt: skip


def one_webhook(viewer: Staff, ref: UUID, word: str = "settings.view") -> Webhook:
    """Return one webhook of an entity for which the viewer has the word. Raises Http404."""
    return _one(webhooks_seen_by(viewer, word), ref)


def deliveries_of(webhook: Webhook) -> QuerySet[Delivery]:
    """Return what a webhook was told lately, the latest first."""
    return webhook.deliveries.all()[:SHOWN]


def one_delivery(viewer: Staff, ref: UUID) -> Delivery:
    """Return one delivery of a webhook that the viewer may change. Raises Http404."""
    mine = Delivery.objects.filter(webhook__entity__in=entities_with(viewer, "settings.change"))
    return _one(mine.select_related("webhook"), ref)


def _one(rows: QuerySet[Row], ref: UUID) -> Row:
    found = rows.filter(pk=ref).first()
    if found is None:
        raise Http404(_("There is nothing here, or it is of an entity for which you do not act."))
    return found
