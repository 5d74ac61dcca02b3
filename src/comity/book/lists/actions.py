"""Keeping views, and changing many people at once: each verb is one transaction.

What many people share goes into one ledger entry for each thousand of them, which is what a decision and an entry hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from comity.book.editing.history import keep_past
from comity.book.editing.leave import may_edit, permits, question
from comity.book.lists.models import Before, Deed, FirstView, SavedView, Together
from comity.book.models import Person, Tag, Tagging
from comity.book.queries import tag_called
from comity.counsel.actions import decide
from comity.ledger.actions import record
from comity.ledger.bodies import JSON, declare_words
from comity.vault.models import MOST_PERSONS
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.book.opening import Look
    from comity.staff.models import Entity, Staff

declare_words(*Deed.values)


# ---------------------------------------------------------------- views


@transaction.atomic
def save_view(*, owner: Staff, entity: Entity, name: str, query: str, shared: bool) -> SavedView:
    """Keep a list under a name. Raises ValidationError where the owner has a view of that name."""
    _refuse_twice(owner, entity, name)
    view = SavedView.objects.create(owner=owner, entity=entity, name=name, query=query, shared=shared)
    if shared:
        _note("book.view-shared", view)
    return view


@transaction.atomic
def change_view(*, view: SavedView, name: str, shared: bool, query: str | None = None) -> SavedView:
    """Give a view another name, share it or keep it for oneself, or let it show another list."""
    locked = SavedView.objects.select_for_update().get(pk=view.pk)
    if name != locked.name:
        _refuse_twice(locked.owner, locked.entity, name)
    was_shared = locked.shared
    locked.name, locked.shared = name, shared
    locked.query = locked.query if query is None else query
    locked.save(update_fields=["name", "shared", "query"])
    if was_shared or shared:
        _note("book.view-shared" if shared and not was_shared else "book.view-changed", locked)
    return locked


@transaction.atomic
def delete_view(*, view: SavedView) -> None:
    """Keep a view no longer; for nobody it opens first any more."""
    if view.shared:
        _note("book.view-deleted", view)
    view.delete()


@transaction.atomic
def open_first(*, staff: Staff, view: SavedView | None) -> None:
    """Let this view open first for somebody, or none. It is a habit of theirs, and no entry tells of it."""
    FirstView.objects.filter(staff=staff).delete()
    if view is not None:
        FirstView.objects.create(staff=staff, view=view)


def _refuse_twice(owner: Staff, entity: Entity, name: str) -> None:
    if SavedView.objects.filter(owner=owner, entity=entity, name=name).exists():
        raise ValidationError({"name": _("You have a view of that name. Take another, or change that one.")})


def _note(kind: str, view: SavedView) -> None:
    body: dict[str, JSON] = {"view": view.ref, "entity": view.entity_id, "shared": view.shared}
    record(kind=kind, staff=view.owner_id, body=body)


# ---------------------------------------------------------------- many at once

MOST_TOGETHER: Final = 10_000
"""People who are changed at once; of more, parts are chosen by a filter."""


class NothingToUndo(ValidationError):
    """It was undone already."""


@transaction.atomic
def change_together(*, look: Look, persons: Sequence[UUID], deed: Deed, value: str) -> Together:
    """Do one thing with many people, as far as role and law permit it for each; all of it, or nothing.

    `value` is the name of the tag, or the language. Raises ValidationError for a tag that nobody has.
    """
    if len(persons) > MOST_TOGETHER:
        raise ValidationError(_("These are too many at once: filter them first."))
    doing = _Doing(look, deed, value)
    done = Together.objects.create(entity=look.entity, staff=look.viewer, deed=deed, value=doing.kept, many=0)
    for begin in range(0, len(persons), MOST_PERSONS):
        part = persons[begin : begin + MOST_PERSONS]
        done.many += _change(done, doing, part)
    done.save(update_fields=["many"])
    return done


class _Doing:
    """What is done with each: the tag, or the language, and what must be kept to undo it."""

    def __init__(self, look: Look, deed: Deed, value: str) -> None:
        self.look, self.deed, self.value = look, deed, value
        self.tag = None if deed == Deed.LANGUAGE else _tag(look, value, make=deed == Deed.ADD_TAG)
        self.kept = str(self.tag.ref) if self.tag else value

    def changes(self, persons: Sequence[UUID]) -> Mapping[UUID, str]:
        """Change those of them for whom it changes anything; return what each had before."""
        if self.tag is None:
            return set_language(persons, dict.fromkeys(persons, self.value))
        put = put_tag if self.deed == Deed.ADD_TAG else take_tag
        return dict.fromkeys(put(self.tag, persons), "")


def _tag(look: Look, name: str, *, make: bool) -> Tag:
    found = tag_called(look.viewer, look.entity, name)
    if found is None and not make:
        raise ValidationError({"value": _("There is no tag of that name.")})
    return found or Tag.objects.get_or_create(name=name)[0]


def _change(done: Together, doing: _Doing, persons: Sequence[UUID]) -> int:
    permitted, decision = ask_for(doing.look, persons, doing.deed)
    before = doing.changes(permitted)
    Before.objects.bulk_create(Before(together=done, person_id=ref, value=had) for ref, had in before.items())
    if before:
        _record("book.changed-together", done, decision, list(before))
    return len(before)


def ask_for(look: Look, persons: Sequence[UUID], deed: str) -> tuple[list[UUID], UUID]:
    """Ask role and law about changing these people, on record; return who may be changed, and the decision."""
    decided = decide(
        question=question(look), persons=persons, staff=look.viewer, field_classes=[FieldClass.NAME],
        handled=persons if may_edit(look) else [],
    )  # fmt: skip
    if not may_edit(look):
        return [], decided.ref
    facts = deed == Deed.LANGUAGE
    return [ref for ref, answer in decided.answers.items() if permits(answer, facts=facts)], decided.ref


def _record(kind: str, done: Together, decision: UUID, persons: list[UUID]) -> None:
    Person.objects.filter(ref__in=persons).update(changed_at=Now())
    body: dict[str, JSON] = {
        "together": done.ref, "entity": done.entity_id, "deed": done.deed, "decision": decision, "many": len(persons),
    }  # fmt: skip
    record(kind=kind, staff=done.staff_id, persons=persons, body=body)


def put_tag(tag: Tag, persons: Sequence[UUID]) -> list[UUID]:
    """Put a tag on those who lack it; return them."""
    having = set(Tagging.objects.filter(tag=tag, person__in=persons).values_list("person_id", flat=True))
    lacking = [ref for ref in persons if ref not in having]
    Tagging.objects.bulk_create((Tagging(tag=tag, person_id=ref) for ref in lacking), ignore_conflicts=True)
    return lacking


def take_tag(tag: Tag, persons: Sequence[UUID]) -> list[UUID]:
    """Take a tag off those who have it; return them."""
    found = Tagging.objects.filter(tag=tag, person__in=persons)
    having = list(found.values_list("person_id", flat=True))
    found.delete()
    return having


def set_language(persons: Sequence[UUID], languages: Mapping[UUID, str]) -> dict[UUID, str]:
    """Set the language of each, keeping the past; return what those had who had another."""
    rows = Person.objects.filter(ref__in=persons).select_for_update(of=("self",)).order_by("ref")
    changing = [row for row in rows if row.language != languages[row.ref]]
    before = {row.ref: row.language for row in changing}
    keep_past(changing)
    for row in changing:
        row.language = languages[row.ref]
    Person.objects.bulk_update(changing, ["language"], batch_size=MOST_PERSONS)
    return before


@transaction.atomic
def undo_together(*, done: Together, look: Look) -> int:
    """Undo it for those who are as it left them, as far as role and law permit; return for how many."""
    locked = Together.objects.select_for_update(of=("self",)).get(pk=done.pk)
    if look.entity.ref != locked.entity_id:
        raise NothingToUndo(_("This was done for another of our entities; it is undone there."))
    if locked.undone_at is not None:
        raise NothingToUndo(_("This was undone already."))
    before = dict(locked.before.values_list("person_id", "value"))
    undo, many = _undoing(locked, before), 0
    persons = list(before)
    for begin in range(0, len(persons), MOST_PERSONS):
        permitted, decision = ask_for(look, persons[begin : begin + MOST_PERSONS], locked.deed)
        undone = undo(permitted)
        many += len(undone)
        if undone:
            _record("book.undid-together", locked, decision, undone)
    Together.objects.filter(pk=locked.pk).update(undone_at=Now())
    return many


def _undoing(done: Together, before: Mapping[UUID, str]) -> Callable[[Sequence[UUID]], list[UUID]]:
    if done.deed == Deed.LANGUAGE:

        def undo(persons: Sequence[UUID]) -> list[UUID]:
            same = Person.objects.filter(ref__in=persons, language=done.value)
            return list(set_language(list(same.values_list("ref", flat=True)), before))

        return undo
    tag = Tag.objects.filter(ref=done.value).first()
    if tag is None:
        raise NothingToUndo(_("The tag itself is gone."))
    turned = take_tag if done.deed == Deed.ADD_TAG else put_tag
    return lambda persons: turned(tag, persons)
