"""Giving lists away in these tests: a recipient with a contract, a list that a second person approved, its file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from comity.book.exports.actions import hand_out, make_file
from comity.book.exports.models import Export
from comity.book.opening import Look
from comity.consent.actions import About, give_consent, withdraw_consent
from comity.outreach.sharing.actions import (
    ask_second_person,
    begin_sharing,
    look_at_list,
    plan_sharing,
    register_recipient,
)
from comity.outreach.sharing.models import Recipient, Sharing
from comity.staff.approvals import settle_approval
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.book.taking_out import Sign
from tests.post.writing import MONDAY


@contextmanager
def within(look: Look) -> Iterator[None]:
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        yield


def agrees(persons: Iterable[UUID], entity: Entity) -> None:
    """Let people say yes to being shared for advertising: to no channel, since nobody is contacted."""
    for person in persons:
        give_consent(
            about=About(person=person, entity=entity, purpose="marketing", channel="none"), said_at=MONDAY,
            notice="Partners v1", source="Website form", heard_by=None, express=True, separate=True,
        )  # fmt: skip


def takes_back(person: UUID, entity: Entity) -> None:
    withdraw_consent(
        about=About(person=person, entity=entity, purpose="marketing", channel="none"), said_at=timezone.now(),
        source="Telephone", heard_by=None,
    )  # fmt: skip


def a_recipient(entity: Entity, olga: Staff, **more: object) -> Recipient:
    said: dict[str, Any] = {
        "name": "Kettle Mail GmbH", "role": "third-party", "place": "DE", "address": "privacy@kettle-mail.example",
        "contract_on": date(2026, 1, 5), "contract_at": "Safe, folder 12",
        "review_on": timezone.localdate() + timedelta(days=200),
    }  # fmt: skip
    return register_recipient(entity=entity, by=olga, **(said | more))


def a_sharing(look: Look, recipient: Recipient, query: str = "", **more: object) -> Sharing:
    said: dict[str, Any] = {
        "operation": "share",
        "purpose": "marketing",
        "columns": ["given", "email"],
        "named_in": "Partners v1",
    }
    with within(look):
        planned = plan_sharing(recipient=recipient, query=query, by=look.viewer, **(said | more))
        return look_at_list(sharing=planned, look=look)


def approved(sharing: Sharing, look: Look, olga: Staff) -> Sharing:
    with within(look):
        asked = ask_second_person(sharing=sharing, reason="The partner's autumn letter", asked_by=look.viewer)
        settle_approval(approval=asked, approved=True, settled_by=olga)
    return sharing


def produced(sharing: Sharing, look: Look, sign: Sign) -> Export:
    with within(look):
        export = begin_sharing(sharing=sharing, look=look)
    made = make_file(export=export)
    sign()
    return made


def fetched(export: Export, look: Look) -> list[dict[str, str]]:
    """Hand the file out, and read it as the recipient does."""
    with within(look):
        data = b"".join(hand_out(export=export, staff=look.viewer).pieces)
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def given(
    look: Look, olga: Staff, sign: Sign, *, query: str = "", **recipient: object
) -> tuple[Sharing, list[dict[str, str]]]:
    """Share a list from its plan to the recipient's hands."""
    sharing = approved(a_sharing(look, a_recipient(look.entity, olga, **recipient), query), look, olga)
    return sharing, fetched(produced(sharing, look, sign), look)
