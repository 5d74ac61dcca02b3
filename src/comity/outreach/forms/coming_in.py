"""A filled-in form comes in: sealed under a key of its own, with one message on its way to who must confirm it.

INVARIANT: nobody is looked up here. What is done is the same whether the address is in the book or not, so neither the
answer nor the time it takes tells which.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction

from comity.ledger.actions import record
from comity.outreach.campaigns.models import Imprint
from comity.outreach.forms.asking import PURPOSE
from comity.outreach.forms.models import Submission
from comity.outreach.forms.words import DAYS
from comity.post.actions import begin_dispatch
from comity.post.jobs import defer_dispatch
from comity.staff.guards import may_handle
from comity.vault.actions import new_person_key, seal
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.outreach.forms.models import FormVersion, WebForm
    from comity.outreach.forms.pages_sent import Sent
    from comity.outreach.forms.visiting import Told
    from comity.staff.models import Staff

KIND: Final = "confirmation"
SEALED: Final = "submission"
"""The kind of record that is sealed before anybody confirmed."""
CHILD, PHONE, GUARDIAN = "child", "phone", "guardian"
MOST_AN_HOUR: Final = 500
"""Filled-in forms of one form an hour; beyond it, machines are at it."""
MOST_TO_ONE: Final = 3
"""Messages a day to one address that nobody confirmed: a form is no way to fill somebody's mailbox."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HERE: Final = frozenset({"localhost", "127.0.0.1"})


class Busy(Exception):
    """So many came in within the hour that they are no people's."""


def label_of(ref: UUID, what: str = "") -> Label:
    """Return where something of a submission is sealed: the address that is written to, or `what`."""
    return Label(ref, FieldClass.CONTACT, SEALED, uuid5(ref, what) if what else ref)


def name_of(ref: UUID, what: str = "") -> Label:
    """Return where a name in a submission is sealed: of who filled it in, or `what`."""
    return Label(ref, FieldClass.NAME, SEALED, uuid5(ref, what) if what else ref)


def is_open(form: WebForm) -> bool:
    """Tell whether a form takes anything: its confirmations could go out, and their links lead here."""
    return form.withdrawn_at is None and not list(hindrances(form))


def hindrances(form: WebForm) -> list[str]:
    """Return what keeps a form's confirmations from going out, each by a word."""
    found = []
    if not (settings.ADDRESS.scheme == "https" or settings.ADDRESS.hostname in HERE):
        found.append("address")
    if not Imprint.objects.filter(entity=form.entity_id).exists():
        found.append("imprint")
    if form.gateway is None or form.gateway.ended_at:
        found.append("gateway")
    if form.sender is None or not may_send(form.sender, form.entity_id):
        found.append("sender")
    return found


def may_send(staff: Staff, entity: UUID) -> bool:
    """Tell whether a role of theirs lets confirmations go out in their name; it is asked again at each of them."""
    return staff.is_active and may_handle(
        staff, operation="contact", purpose=PURPOSE, field_class=FieldClass.CONTACT, entity=entity
    )


@transaction.atomic
def submit(
    *, version: FormVersion, sent: Sent, told: Told, at: datetime, signal: bool, framed: bool
) -> Submission | None:  # fmt: skip
    """Take a filled-in form in, and let the message go out that asks to confirm it. Raises Busy.

    Nothing is returned where nothing was done: it came in before, or the address got as many messages as it should.
    """
    if Submission.objects.filter(nonce=sent.nonce).exists() or _had_enough(version, told, at):
        return None
    _refuse_haste(version, at)
    submission, fresh = _written(version, sent, told, at, signal=signal, framed=framed)
    if not fresh:
        return None
    _seal(submission, told)
    body: dict[str, JSON] = {
        "form": version.form_id, "version": version.ref, "entity": version.entity_id, "asks": len(told.boxes),
        "signal": signal, "guardian": submission.guardian,
    }  # fmt: skip
    record(kind="outreach.form-came", persons=[submission.ref], body=body)
    _let_confirm(submission, version.form)
    return submission


def _had_enough(version: FormVersion, told: Told, at: datetime) -> bool:
    rows = Submission.objects.waiting().filter(mark=told.mark.digest, entity=version.entity_id, said_at__gt=at - DAY)
    return rows.count() >= MOST_TO_ONE


def _refuse_haste(version: FormVersion, at: datetime) -> None:
    if Submission.objects.filter(version__form=version.form_id, said_at__gt=at - HOUR).count() >= MOST_AN_HOUR:
        raise Busy(f"more than {MOST_AN_HOUR} in an hour")


def _written(
    version: FormVersion, sent: Sent, told: Told, at: datetime, *, signal: bool, framed: bool
) -> tuple[Submission, bool]:  # fmt: skip
    """Write it down, and tell whether it is new: the same page may be sent twice at the same moment."""
    year, month = told.born or (None, None)
    parts = {
        "version": version, "entity": version.entity, "mark": told.mark.digest, "language": sent.language,
        "place": told.place, "birth_year": year, "birth_month": month, "organisation": told.organisation,
        "ticked": [box.number for box in told.boxes], "signal": signal, "framed": framed,
        "guardian": bool(told.guardian), "said_at": at, "ends_at": at + timedelta(days=DAYS),
    }  # fmt: skip
    return Submission.objects.get_or_create(nonce=sent.nonce, defaults=parts)


def _seal(submission: Submission, told: Told) -> None:
    """Seal what was written, each part as the book will have it; the address that is written to lies by itself."""
    ref = submission.ref
    new_person_key(person=ref)
    seal(label=label_of(ref), fields={"email": told.guardian or told.email})
    if told.guardian:
        seal(label=label_of(ref, CHILD), fields={"email": told.email})
    if told.phone:
        seal(label=label_of(ref, PHONE), fields={"phone": told.phone})
    if name := {part: said for part, said in (("given", told.given), ("family", told.family)) if said}:
        seal(label=name_of(ref), fields=name)


def _let_confirm(submission: Submission, form: WebForm) -> None:
    if form.gateway is None or form.sender is None:
        raise Busy("the form is closed")  # `is_open` was asked before
    dispatch = begin_dispatch(
        kind=KIND, about=submission.ref, entity=submission.entity, purpose=PURPOSE, gateway=form.gateway,
        staff=form.sender, persons=[submission.ref],
    )  # fmt: skip
    defer_dispatch(dispatch=dispatch)
