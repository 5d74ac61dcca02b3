"""What is done with tokens and webhooks: one verb, one transaction, one ledger entry each."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comity.api.events import KINDS, PING
from comity.api.jobs import deliver
from comity.api.models import LONGEST, Delivery, Token, Webhook
from comity.api.sending import secret_of
from comity.api.tokens import digest, new_token
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.post.reaching import Forbidden, check_address, check_form
from comity.refs import new_ref
from comity.staff.guards import demand, entities_of, may_do
from comity.staff.models import Entity, Staff

# ---------------------------------------------------------------- tokens


@transaction.atomic
def make_token(
    *, name: str, staff: Staff, entity: Entity, purposes: Collection[str], words: Collection[str], expires_at: datetime,
    made_by: Staff,
) -> Token:  # fmt: skip
    """Make leave for a program, in the name of one of the staff, who takes the token itself. Raises ValidationError."""
    demand(made_by, "token.change", entity)
    _check_leave(staff, entity, words, expires_at)
    token = Token.objects.create(
        name=name, staff=staff, entity=entity, purposes=sorted(set(purposes)), words=sorted(set(words)),
        expires_at=expires_at, made_by=made_by, made_at=timezone.now(),
    )  # fmt: skip
    body: dict[str, JSON] = {
        "token": token.ref,
        "staff": staff.ref,
        "entity": entity.ref,
        "until": expires_at,
        "words": len(token.words),
    }
    record(kind="api.token-made", body=body, staff=made_by.ref)
    return token


def _check_leave(staff: Staff, entity: Entity, words: Collection[str], expires_at: datetime) -> None:
    """Refuse what would open nothing: a program may never more than who answers for it."""
    if not staff.is_active or entity.ref not in entities_of(staff):
        raise ValidationError(_("%(name)s does not act for this entity."), params={"name": staff.name})
    if lacking := sorted(word for word in words if not may_do(staff, word, entity)):
        told = {"name": staff.name, "words": ", ".join(lacking)}
        raise ValidationError(_("%(name)s may not do this themselves: %(words)s."), params=told)
    if not timezone.now() < expires_at <= timezone.now() + LONGEST:
        raise ValidationError(_("A token ends on a later day, and after a year at most."))


@transaction.atomic
def take_token(*, token: Token, staff: Staff) -> str:
    """Make the token itself and return it, once, to whoever answers for it. Raises ValidationError."""
    locked = Token.objects.select_for_update(of=("self",)).get(pk=token.pk)
    if locked.staff_id != staff.ref:
        raise ValidationError(_("Only who answers for a token can take it."))
    if locked.taken_at or locked.revoked_at or locked.expires_at <= timezone.now():
        raise ValidationError(_("This token was taken, revoked, or has expired. Ask for another."))
    secret = new_token()
    locked.digest, locked.taken_at = digest(secret), timezone.now()
    locked.save(update_fields=["digest", "taken_at"])
    record(kind="api.token-taken", body={"token": token.ref}, staff=staff.ref)
    return secret


@transaction.atomic
def revoke_token(*, token: Token, revoked_by: Staff) -> None:
    """End a token at once: whoever answers for it may, and whoever may change its entity's. Raises ValidationError."""
    if token.staff_id != revoked_by.ref:
        demand(revoked_by, "token.change", token.entity_id)
    locked = Token.objects.select_for_update(of=("self",)).get(pk=token.pk)
    if locked.revoked_at:
        raise ValidationError(_("This token was revoked already."))
    locked.revoked_at, locked.revoked_by = timezone.now(), revoked_by
    locked.save(update_fields=["revoked_at", "revoked_by"])
    record(kind="api.token-revoked", body={"token": token.ref}, staff=revoked_by.ref)


# ---------------------------------------------------------------- webhooks


@transaction.atomic
def make_webhook(*, name: str, entity: Entity, address: str, kinds: Collection[str], made_by: Staff) -> Webhook:
    """Let an address be told of what happens to people of an entity. Raises ValidationError."""
    demand(made_by, "settings.change", entity)
    check_webhook(address, kinds)
    webhook = Webhook.objects.create(
        name=name, entity=entity, address=address, kinds=sorted(set(kinds)), made_by=made_by,
        made_at=timezone.now(), version_at=timezone.now(),
    )  # fmt: skip
    body: dict[str, JSON] = {"webhook": webhook.ref, "entity": entity.ref, "kinds": webhook.kinds}
    record(kind="api.webhook-made", body=body, staff=made_by.ref)
    return webhook


@transaction.atomic
def change_webhook(*, webhook: Webhook, name: str, address: str, kinds: Collection[str], changed_by: Staff) -> None:
    """Set what a webhook is called, where it is, and of what it is told. Raises ValidationError."""
    locked = _locked(webhook, changed_by)
    check_webhook(address, kinds)
    locked.name, locked.address, locked.kinds = name, address, sorted(set(kinds))
    locked.save(update_fields=["name", "address", "kinds"])
    record(
        kind="api.webhook-changed", body={"webhook": locked.ref, "kinds": locked.kinds}, staff=changed_by.ref
    )  # fmt: skip


def check_webhook(address: str, kinds: Collection[str]) -> None:
    """Refuse an address to which nothing can be sent, and kinds that there are not. Raises ValidationError."""
    try:
        parts = check_form(address)
        with suppress(ValueError):  # a name: what it means is looked up when something is sent
            ipaddress.ip_address(str(parts.hostname))
            check_address(str(parts.hostname))
    except Forbidden as error:
        raise ValidationError(str(error)) from None
    if not kinds or set(kinds) - KINDS.keys():
        raise ValidationError(_("Choose of what it is to be told."))


@transaction.atomic
def switch_webhook(*, webhook: Webhook, on: bool, switched_by: Staff) -> None:
    """Switch a webhook on or off. What waited for it is told once it is on; what happens meanwhile is not."""
    locked = _locked(webhook, switched_by)
    if (locked.off_at is None) == on:
        return
    locked.off_at, locked.off_because, locked.given_up = None if on else timezone.now(), "", 0
    locked.save(update_fields=["off_at", "off_because", "given_up"])
    kind = "api.webhook-switched-on" if on else "api.webhook-switched-off"
    record(kind=kind, body={"webhook": locked.ref}, staff=switched_by.ref)
    if on:
        deliver.defer()


@transaction.atomic
def change_secret(*, webhook: Webhook, changed_by: Staff) -> str:
    """Give a webhook a new secret and return it; for a day, what is sent is signed with the one before too."""
    locked = _locked(webhook, changed_by)
    locked.version, locked.version_at = locked.version + 1, timezone.now()
    locked.save(update_fields=["version", "version_at"])
    record(kind="api.webhook-secret", body={"webhook": locked.ref, "version": locked.version}, staff=changed_by.ref)
    return secret_of(locked)


@transaction.atomic
def try_webhook(*, webhook: Webhook, tried_by: Staff) -> Delivery:
    """Send a webhook a ping, as soon as may be."""
    locked = _locked(webhook, tried_by)
    ping = Delivery.objects.create(webhook=locked, entry=new_ref(), kind=PING, made_at=timezone.now())
    record(kind="api.webhook-tried", body={"webhook": locked.ref, "delivery": ping.ref}, staff=tried_by.ref)
    deliver.defer()
    return ping


@transaction.atomic
def send_again(*, delivery: Delivery, sent_by: Staff) -> None:
    """Send something again that was told already or given up; its webhook-id stays the same."""
    _locked(delivery.webhook, sent_by)
    locked = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    locked.told_at = locked.given_up_at = None
    locked.tries, locked.due_at = 0, timezone.now()
    locked.save(update_fields=["told_at", "given_up_at", "tries", "due_at"])
    body = {"webhook": locked.webhook_id, "delivery": locked.ref}
    record(kind="api.webhook-sent-again", body=body, staff=sent_by.ref)
    deliver.defer()


def _locked(webhook: Webhook, staff: Staff) -> Webhook:
    demand(staff, "settings.change", webhook.entity_id)
    return Webhook.objects.select_for_update(of=("self",)).get(pk=webhook.pk)
