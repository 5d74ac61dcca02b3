"""Who may see which tokens and webhooks. The viewer comes first: it is their entities and words that count."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import Count, Max, Model, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from comity.api.models import Delivery, Token, Webhook
from comity.staff.guards import entities_of
from comity.staff.models import Staff

Row = TypeVar("Row", bound=Model)
SHOWN = 100
"""Deliveries that a webhook's page shows."""


def tokens_seen_by(viewer: Staff) -> QuerySet[Token]:
    """Return the tokens of the entities for which the viewer acts."""
    seen = Token.objects.filter(entity__in=entities_of(viewer))
    return seen.select_related("staff", "entity", "made_by", "revoked_by")


def tokens_of(staff: Staff) -> QuerySet[Token]:
    """Return the tokens for which somebody answers."""
    return Token.objects.filter(staff=staff).select_related("entity", "made_by")


def one_token(rows: QuerySet[Token], ref: UUID) -> Token:
    """Return one of these tokens. Raises Http404."""
    return _one(rows, ref)


def webhooks_seen_by(viewer: Staff) -> QuerySet[Webhook]:
    """Return the webhooks of the entities for which the viewer acts, with what waits and when they were last told."""
    waiting = Q(deliveries__told_at=None, deliveries__given_up_at=None, deliveries__ref__isnull=False)
    seen = Webhook.objects.filter(entity__in=entities_of(viewer)).select_related("entity")
    return seen.annotate(
        waits=Count("deliveries", filter=waiting), last_told_at=Max("deliveries__told_at")
    )  # fmt: skip


def one_webhook(viewer: Staff, ref: UUID) -> Webhook:
    """Return one webhook. Raises Http404."""
    return _one(webhooks_seen_by(viewer), ref)


def deliveries_of(webhook: Webhook) -> QuerySet[Delivery]:
    """Return what a webhook was told lately, the latest first."""
    return webhook.deliveries.all()[:SHOWN]


def one_delivery(viewer: Staff, ref: UUID) -> Delivery:
    """Return one delivery. Raises Http404."""
    return _one(Delivery.objects.filter(webhook__entity__in=entities_of(viewer)).select_related("webhook"), ref)


def _one(rows: QuerySet[Row], ref: UUID) -> Row:
    found = rows.filter(pk=ref).first()
    if found is None:
        raise Http404(_("There is nothing here, or it is of an entity for which you do not act."))
    return found
