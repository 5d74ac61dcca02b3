"""Ways in, and taking in what comes by them: once, whole, and with what follows from it in the same transaction."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.post.inbound.hearing import act_on
from comity.post.inbound.models import Arrival, Did, Inbox, Sort
from comity.post.inbound.originals import forget_original, keep_original
from comity.post.inbound.settings import check
from comity.post.inbound.understanding import Came, Heard
from comity.post.models import Gateway
from comity.post.secrets import forget_secret, keep_secret
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.epochs import KeyTrouble

log = logging.getLogger(__name__)

LONGEST_AGO: Final = timedelta(days=30)
"""How far back the moment lies, at most, at which something says that it happened."""


class NotIn(ValidationError):
    """A way in cannot be made so; the message says why."""


# ---------------------------------------------------------------- ways in


@transaction.atomic
def make_inbox(
    *, entity: Entity, sort: Sort, channel: str, name: str, settings: Mapping[str, Any], made_by: Staff | None,
    address: str = "", secret: str = "", gateway: Gateway | None = None,
) -> Inbox:  # fmt: skip
    """Add a way in. Raises ValidationError, naming the setting and its cure.

    The secret of a webhook is made here, where none is given; `secrets.secret_of` has it.
    """
    kept = check(sort, settings, address=address)
    if gateway is not None and (gateway.entity_id != entity.ref or gateway.channel != channel):
        raise NotIn(_("This gateway is of another entity, or for another channel."))
    inbox = Inbox.objects.create(
        ref=new_ref(), entity=entity, sort=sort, channel=channel, name=name, settings=dict(kept),
        address=address.strip().lower(), gateway=gateway,
    )  # fmt: skip
    if sort is Sort.HOOK:
        secret = secret or new_secret()
    if secret:
        keep_secret(inbox.ref, secret)
    body: dict[str, JSON] = {"inbox": inbox.ref, "entity": entity.ref, "way": sort.value, "channel": channel}
    record(kind="post.inbox-made", staff=made_by.ref if made_by else None, body=body)
    return inbox


def new_secret() -> str:
    """Return a secret that signs, as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


@transaction.atomic
def end_inbox(*, inbox: Inbox, ended_by: Staff) -> None:
    """Read this way in no more."""
    if Inbox.objects.filter(pk=inbox.pk, ended_at=None).update(ended_at=timezone.now()):
        transaction.on_commit(lambda: forget_secret(inbox.ref))
        record(kind="post.inbox-ended", staff=ended_by.ref, body={"inbox": inbox.ref})


# ---------------------------------------------------------------- taking in


def take_in(*, inbox: Inbox, heard: Heard, raw: bytes = b"") -> Arrival | None:
    """Keep what came, and act on it; nothing if it was here before. When this returns, what follows counts.

    Raises DatabaseError or KeyTrouble where it cannot be done now: then nothing was, and it is to be told again. What
    can be kept and not acted on waits for a human.
    """
    with behind_wall(staff=None, entities=[inbox.entity_id]):
        arrival, new = Arrival.objects.get_or_create(
            entity=inbox.entity, key=heard.key,
            defaults={"inbox": inbox, "came": heard.came, "occurred_at": _moment(heard.at)},
        )  # fmt: skip
        if not new:
            return None
        _act(inbox, heard, arrival)
        if arrival.waits and not arrival.person and raw:
            arrival.parcel_key = keep_original(arrival.ref, raw)
        arrival.save()
        body: dict[str, JSON] = {
            "arrival": arrival.ref, "inbox": inbox.ref, "entity": inbox.entity_id, "came": arrival.came,
            "did": arrival.did,
        }  # fmt: skip
        record(kind="post.arrived", staff=None, persons=[arrival.person] if arrival.person else [], body=body)
    return arrival


def _act(inbox: Inbox, heard: Heard, arrival: Arrival) -> None:
    try:
        with transaction.atomic():
            act_on(inbox, heard, arrival)
    except (DatabaseError, KeyTrouble):
        raise
    except Exception:
        log.exception("What came as arrival %s could not be acted on; it waits for a human.", arrival.ref)
        arrival.did, arrival.waits, arrival.person = Did.BROKEN, True, None
    if arrival.came == Came.UNKNOWN:
        arrival.waits = True


def _moment(told: datetime | None) -> datetime:
    """Return when something happened: what it says, unless that lies ahead of us or long ago."""
    now = timezone.now()
    return max(min(told, now), now - LONGEST_AGO) if told else now


@transaction.atomic
def settle(*, arrival: Arrival, by: Staff) -> bool:
    """Say that a human has seen to it; what was kept of it is forgotten. Return whether it still waited."""
    held = Arrival.objects.select_for_update(of=("self",)).get(pk=arrival.pk)
    if not held.waits:
        return False
    held.waits, held.settled_at, held.settled_by, held.parcel_key = False, timezone.now(), by, None
    held.save(update_fields=["waits", "settled_at", "settled_by", "parcel_key"])
    transaction.on_commit(lambda: forget_original(held.ref))
    persons = [held.person] if held.person else []
    record(kind="post.arrival-settled", staff=by.ref, persons=persons, body={"arrival": held.ref})
    return True
