"""Beginning a dispatch, pausing it, letting it go on, stopping it. Each counts from the moment in which it returns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.post.gateways import KINDS
from comity.post.models import Dispatch, Gateway, Message, Stage, State
from comity.post.secrets import forget_secret, keep_secret
from comity.refs import as_array, new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall


class NotDispatched(ValidationError):
    """A dispatch cannot do this now; the message says why."""


# ---------------------------------------------------------------- gateways


@transaction.atomic
def make_gateway(
    *, entity: Entity, channel: str, kind: str, name: str, settings: Mapping[str, Any], made_by: Staff | None,
    secret: str = "",
) -> Gateway:  # fmt: skip
    """Add a way out for an entity. Raises ValidationError, naming the setting and its cure."""
    if kind not in KINDS or channel not in KINDS[kind].channels:
        raise ValidationError(_("There is no gateway “%(kind)s” for this channel.") % {"kind": kind})
    gateway = Gateway.objects.create(
        ref=new_ref(), entity=entity, channel=channel, kind=kind, name=name,
        settings=dict(KINDS[kind].check(settings)),
    )  # fmt: skip
    if secret:
        keep_secret(gateway.ref, secret)
    body: dict[str, JSON] = {"gateway": gateway.ref, "entity": entity.ref, "channel": channel, "way": kind}
    record(kind="post.gateway-made", staff=made_by.ref if made_by else None, body=body)
    return gateway


@transaction.atomic
def end_gateway(*, gateway: Gateway, ended_by: Staff) -> None:
    """Let nothing go out by a gateway any more. What waits for it is stopped."""
    Gateway.objects.select_for_update(of=("self",)).get(pk=gateway.pk)
    for dispatch in Dispatch.objects.filter(gateway=gateway, state__in=[State.RUNNING, State.PAUSED]):
        stop_dispatch(dispatch=dispatch, staff=ended_by)
    Gateway.objects.filter(pk=gateway.pk, ended_at=None).update(ended_at=timezone.now())
    transaction.on_commit(lambda: forget_secret(gateway.ref))
    record(kind="post.gateway-ended", staff=ended_by.ref, body={"gateway": gateway.ref})


# ---------------------------------------------------------------- dispatches


@transaction.atomic
def begin_dispatch(
    *, kind: str, about: UUID, entity: Entity, purpose: str, gateway: Gateway, staff: Staff,
    persons: Collection[UUID] | QuerySet[Any, UUID],
) -> Dispatch:  # fmt: skip
    """Write down a message to each of these persons, once. Nothing has gone out yet: `hand_over_some` does that.

    Raises NotDispatched where the gateway is not of this entity or was ended.
    """
    gateway = Gateway.objects.select_for_update(of=("self",)).get(pk=gateway.pk)  # nobody ends it meanwhile
    if gateway.ended_at or gateway.entity_id != entity.ref:
        raise NotDispatched(_("This gateway is not in use here. Choose another."))
    dispatch = Dispatch.objects.create(
        kind=kind, about=about, entity=entity, purpose=purpose, channel=gateway.channel, gateway=gateway, staff=staff
    )
    many = _write_messages(dispatch, persons)
    if not many:
        raise NotDispatched(_("Nobody is left to write to."))
    body: dict[str, JSON] = {
        "dispatch": dispatch.ref, "about": about, "entity": entity.ref, "purpose": purpose, "channel": gateway.channel,
        "messages": many,
    }  # fmt: skip
    record(kind="post.dispatch-begun", staff=staff.ref, body=body)
    return dispatch


WRITE: Final = """
    INSERT INTO post_message (ref, dispatch_id, entity_id, person, stage, tries)
    SELECT gen_random_uuid(), %s, %s, person, 'intended', 0 FROM ({persons}) AS meant (person)
    ON CONFLICT DO NOTHING
"""


def _write_messages(dispatch: Dispatch, persons: Collection[UUID] | QuerySet[Any, UUID]) -> int:
    if isinstance(persons, QuerySet):
        meant, given = persons.order_by().query.sql_with_params()
    else:
        meant, given = "SELECT unnest(%s::uuid[])", (as_array(persons),)
    with connection.cursor() as cursor:
        cursor.execute(WRITE.format(persons=meant), [dispatch.ref, dispatch.entity_id, *given])
        return int(cursor.rowcount)


def pause_dispatch(*, dispatch: Dispatch, staff: Staff) -> Dispatch:
    """Let nothing more begin until it is resumed; waits for hand-overs that go on, ten seconds at most."""
    return _turn(dispatch, staff, {State.RUNNING}, State.PAUSED)


def resume_dispatch(*, dispatch: Dispatch, staff: Staff) -> Dispatch:
    """Let a paused dispatch go on."""
    return _turn(dispatch, staff, {State.PAUSED}, State.RUNNING)


def stop_dispatch(*, dispatch: Dispatch, staff: Staff) -> Dispatch:
    """Stop for good: what has not begun to go out never will."""

    def stop_messages(stopped: Dispatch) -> None:
        waiting = Message.objects.filter(dispatch=stopped, stage=Stage.INTENDED)
        waiting.update(stage=Stage.STOPPED, why="stopped", ended_at=timezone.now())

    return _turn(dispatch, staff, {State.RUNNING, State.PAUSED}, State.STOPPED, stop_messages)


@transaction.atomic
def _turn(
    dispatch: Dispatch, staff: Staff, before: set[State], after: State, also: Callable[[Dispatch], None] | None = None
) -> Dispatch:
    with connection.cursor() as cursor:  # senders share this lock, and new ones wait behind us
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s::text, 1))", [dispatch.pk])
    locked = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
    if locked.state not in before:
        raise NotDispatched(
            _("It is not so that this could be done: %(state)s.") % {"state": locked.get_state_display()}
        )
    locked.state = after
    locked.ended_at = timezone.now() if after == State.STOPPED else None
    locked.save(update_fields=["state", "ended_at"])
    if also:
        also(locked)
    record(kind=f"post.dispatch-{after}", staff=staff.ref, body={"dispatch": locked.ref})
    return locked


@transaction.atomic
def end_if_done(*, dispatch: Dispatch) -> bool:
    """Say of a dispatch that it ended, if no message of it waits; return whether it did."""
    locked = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
    if locked.state != State.RUNNING or locked.messages.filter(stage=Stage.INTENDED).exists():
        return False
    locked.state, locked.ended_at = State.ENDED, timezone.now()
    locked.save(update_fields=["state", "ended_at"])
    record(kind="post.dispatch-ended", staff=locked.staff_id, body={"dispatch": locked.ref})
    return True


def stop_after_put_back() -> int:
    """Stop what was on its way when a database was put back to an earlier day; return how many messages that are.

    They may have gone out since, and nobody gets two: nobody knows, and none is tried again.
    """
    with behind_wall(staff=None, entities=Entity.objects.values_list("ref", flat=True)), transaction.atomic():
        on_the_way = Dispatch.objects.filter(state__in=[State.RUNNING, State.PAUSED])
        refs = list(on_the_way.select_for_update(of=("self",)).order_by("ref").values_list("ref", flat=True))
        messages = Message.objects.filter(dispatch__in=refs, stage=Stage.INTENDED)
        many = messages.update(stage=Stage.UNCERTAIN, why="put-back", ended_at=timezone.now())
        for ref in refs:
            record(kind="post.dispatch-stopped", body={"dispatch": ref})
        Dispatch.objects.filter(ref__in=refs).update(state=State.STOPPED, ended_at=timezone.now())
    return many
