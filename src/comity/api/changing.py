"""Changing the book for a program: the verbs of the book, with the leave that each takes of role and law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from comity.api.findings import finding_of
from comity.api.problems import Problem
from comity.book.actions import Newcomer, add_persons
from comity.book.editing.actions import add_point, change_facts, change_name, change_relation
from comity.book.editing.leave import Leave, ask_leave
from comity.book.models import ContactPoint, Organisation, Post, Reach
from comity.counsel.duties import data_came, note_event
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.book.opening import Look


@transaction.atomic
def add_person(*, look: Look, newcomer: Newcomer, organisation: Organisation | None) -> Leave:
    """Bring one person into the book, if the law lets us keep them; it is asked with the facts they come with.

    What we owe them since is kept with its day, whoever brought them.
    """
    add_persons(newcomers=[newcomer], entity=look.entity, staff=look.viewer)
    if organisation:
        Post.objects.create(person_id=newcomer.ref, organisation=organisation)
    leave = _leave(look, newcomer.ref, facts=False)
    event = data_came(on=timezone.localdate(), source=str(newcomer.relation["source"]), purpose=look.purpose)
    note_event(event=event, entity=look.entity, about=newcomer.ref, persons=[newcomer.ref], staff=look.viewer)
    return leave


@transaction.atomic
def change_person(
    *, look: Look, person: UUID, name: Mapping[str, str] | None, facts: Mapping[str, Any], relation: Mapping[str, Any]
) -> None:
    """Change the name, plain facts, and what there is between us; what the facts were stays known."""
    leave = _leave(look, person, facts=name is None)
    if name is not None:
        change_name(leave=leave, name=dict(name))
    if facts:
        change_facts(leave=leave, facts=facts)
    if relation:
        change_relation(leave=leave, facts=relation)


@transaction.atomic
def add_way(*, look: Look, person: UUID, reach: Reach, value: str, facts: Mapping[str, Any]) -> ContactPoint:
    """Add a way to reach a person."""
    sealed_as = FieldClass.ADDRESS if reach == Reach.POST else FieldClass.CONTACT
    leave = _leave(look, person, facts=False, field_class=sealed_as)
    return add_point(leave=leave, reach=reach, value=value, facts=facts)


def _leave(look: Look, person: UUID, *, facts: bool, field_class: FieldClass = FieldClass.NAME) -> Leave:
    """Ask law and role. Raises Problem, and then nothing was changed."""
    leave = ask_leave(look, person, field_class)
    if not leave.covers(facts=facts):
        verdict = leave.answer.verdict.value
        raise Problem(
            "law-refuses", f"May we keep this? The answer is {verdict}; the finding has the reasons.", verdict=verdict,
            finding=finding_of(leave.answer).model_dump(mode="json"),
        )  # fmt: skip
    return leave
