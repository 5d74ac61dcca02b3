"""Telling webhooks what happened: signed as Standard Webhooks has it, tried again for a day, then given up.

A delivery that is taken up is put off first, and tried then: should we be killed in between, it is tried again. So
something may be told twice, under the same webhook-id.
"""

from __future__ import annotations

import base64
import hmac
import json
import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from comity.api.events import PING
from comity.api.models import Delivery, Webhook
from comity.ledger.actions import record
from comity.ledger.models import Entry
from comity.post.reaching import NotReached, Post, reach, signature

WAITS: Final = [timedelta(seconds=seconds) for seconds in (10, 60, 300, 1_800, 7_200, 18_000, 28_800, 28_800)]
"""How long until the next try, after each that failed: ten seconds to eight hours, a day together."""
LEASE: Final = timedelta(minutes=2)
"""For how long a delivery that is being tried is nobody else's."""
PATIENCE: Final = 5
"""Deliveries given up in a row, after which a webhook is switched off."""
BOTH: Final = timedelta(days=1)
"""For how long a replaced secret still signs, beside the new one."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of one try."""

    code: int | None = None
    trouble: str = ""

    @property
    def told(self) -> bool:
        return self.code is not None and HTTPStatus.OK <= self.code < HTTPStatus.MULTIPLE_CHOICES


# ---------------------------------------------------------------- signatures


def secret_of(webhook: Webhook, version: int | None = None) -> str:
    """Return a webhook's secret, as Standard Webhooks writes it. It is derived, and so kept nowhere."""
    told = f"comity webhook {webhook.ref} {version or webhook.version}".encode()
    return "whsec_" + base64.b64encode(hmac.digest(settings.SECRET_KEY.encode(), told, "sha256")).decode()


def signatures(webhook: Webhook, *, ref: UUID, at: int, body: bytes, now: datetime) -> str:
    """Return the header webhook-signature: by the secret, and for a day after a change by the one before too."""
    versions = [webhook.version]
    if webhook.version > 1 and now - webhook.version_at < BOTH:
        versions.append(webhook.version - 1)
    return " ".join(signature(secret_of(webhook, version), ref=ref, at=at, body=body) for version in versions)


def post_of(delivery: Delivery, now: datetime) -> Post:
    """Return what is sent: refs and kinds, and nobody's name."""
    body, at, webhook = payload(delivery), int(now.timestamp()), delivery.webhook
    headers = {
        "Content-Type": "application/json", "User-Agent": "Comity-Webhooks/1", "webhook-id": str(delivery.ref),
        "webhook-timestamp": str(at),
        "webhook-signature": signatures(webhook, ref=delivery.ref, at=at, body=body, now=now),
    }  # fmt: skip
    return Post(address=webhook.address, headers=headers, body=body)


def payload(delivery: Delivery) -> bytes:
    """Return the body: what kind of thing happened, when, to whom, and what the ledger calls it."""
    entry = Entry.objects.filter(ref=delivery.entry).first() if delivery.kind != PING else None
    happened = entry.recorded_at if entry else delivery.made_at
    data: dict[str, object] = {"entity": str(delivery.webhook.entity_id)}
    if entry:
        data |= {"entry": str(entry.ref), "persons": [str(person) for person in entry.persons], "about": _about(entry)}
    told = {"type": delivery.kind, "timestamp": happened.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(told, separators=(",", ":")).encode()


def _about(entry: Entry) -> dict[str, str]:
    """Return what the entry calls by ref: the consent, the decision, the ruling."""
    body = json.loads(bytes(entry.body))["body"]
    return {name: value for name, value in body.items() if name != "entity" and _is_ref(value)}


def _is_ref(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


# ---------------------------------------------------------------- tries


def deliver_due() -> datetime | None:
    """Try all that is due, one after the other; return when to come back, if anything waits.

    A webhook that was not reached is left alone until then, so that others need not wait for it.
    """
    tired: set[UUID] = set()
    while (delivery := _take(tired)) is not None:
        tried = _try(delivery)
        _settle(delivery, tried)
        if not tried.told:
            tired.add(delivery.webhook_id)
    due = _waiting().order_by("due_at").values_list("due_at", flat=True).first()
    return max(due, timezone.now() + WAITS[0]) if due else None


def _waiting() -> QuerySet[Delivery]:
    return Delivery.objects.filter(told_at=None, given_up_at=None, webhook__off_at=None)


@transaction.atomic
def _take(tired: Collection[UUID]) -> Delivery | None:
    now = timezone.now()
    due = _waiting().filter(due_at__lte=now).exclude(webhook__in=tired).select_related("webhook").order_by("due_at")
    found = due.select_for_update(of=("self",), skip_locked=True).first()
    if found is not None:
        found.tries += 1
        found.due_at = now + LEASE
        found.save(update_fields=["tries", "due_at"])
    return found


def _try(delivery: Delivery) -> Tried:
    try:
        code = reach(post_of(delivery, timezone.now()))
    except NotReached as error:
        return Tried(trouble=str(error)[:200])
    if HTTPStatus.MULTIPLE_CHOICES <= code < HTTPStatus.BAD_REQUEST:
        return Tried(code=code, trouble="it answered with a redirect, and those are not followed")
    return Tried(code=code)


@transaction.atomic
def _settle(delivery: Delivery, tried: Tried) -> None:
    now = timezone.now()
    delivery.answer, delivery.trouble = tried.code, tried.trouble
    if tried.told:
        delivery.told_at = now
        Webhook.objects.filter(pk=delivery.webhook_id).exclude(given_up=0).update(given_up=0)
    elif tried.code == HTTPStatus.GONE:
        delivery.given_up_at = now
        _switch_off(delivery.webhook, "it answered 410: it is gone for good")
    elif delivery.tries > len(WAITS):
        delivery.given_up_at = now
        _count_lost(delivery.webhook)
    else:
        wait = WAITS[delivery.tries - 1]
        delivery.due_at = now + wait * random.uniform(0.9, 1.1)
    delivery.save()


def _count_lost(webhook: Webhook) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(given_up=F("given_up") + 1)
    webhook.refresh_from_db(fields=["given_up"])
    if webhook.given_up >= PATIENCE:
        _switch_off(webhook, f"{PATIENCE} deliveries in a row could not be made, each tried for a day")


def _switch_off(webhook: Webhook, because: str) -> None:
    """Switch a webhook off; what waits for it waits until it is switched on again."""
    changed = Webhook.objects.filter(pk=webhook.pk, off_at=None).update(off_at=timezone.now(), off_because=because)
    if changed:
        record(kind="api.webhook-gave-up", body={"webhook": webhook.ref, "entity": webhook.entity_id})
