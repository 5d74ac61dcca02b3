"""What somebody wrote, and how to reach them: sealed under a key of the request's own, opened for who works on it.

Before anybody knows whose data it is about there is somebody who asks, and nobody in the book. So what they wrote lies
under the request's ref, and is opened by the law of where they say that they live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from comity.book.opening import GIVEN_BY_PURPOSE, Look, purposes_of
from comity.counsel.actions import decide
from comity.counsel.facts import Columns
from comity.counsel.questions import Question
from comity.rights.requests.models import Request
from comity.vault.actions import discard, new_person_key, open_fields, seal
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from datetime import date

    from comity.law.vocabulary import Facts
    from comity.rights.requests.models import Proof
    from comity.staff.models import Staff

SEALED: Final = "request"
"""The kind of record that is sealed."""
NAME: Final = "name"
ABOUT_A_REQUEST: Final = {"use.legal_duty": True, "event.kind": "request-received"}
"""What a look at a request says of itself: to answer is a legal duty."""
SHOWN: Final = (FieldClass.NAME, FieldClass.CONTACT, FieldClass.MESSAGE)


@dataclass(frozen=True, kw_only=True)
class Read:
    """A letter as one of the staff reads it: what was not opened is empty."""

    words: str = ""
    name: str = ""
    reach: Mapping[str, str]
    decision: UUID | None = None


def label_of(ref: UUID, field_class: FieldClass) -> Label:
    """Return where a part of a request lies."""
    return Label(ref, field_class, SEALED, ref)


def label_of_proof(proof: Proof) -> Label:
    """Return where that lies by which somebody showed who they are."""
    return Label(proof.request_id, FieldClass.IDENTIFIER, SEALED, uuid5(proof.request_id, str(proof.ref)))


def seal_letter(ref: UUID, *, words: str, reach: Mapping[str, str]) -> None:
    """Seal what was written, and by what to reach who wrote it."""
    new_person_key(person=ref)
    seal(label=label_of(ref, FieldClass.MESSAGE), fields={"text": words})
    if said := {way: value for way, value in reach.items() if value and way != NAME}:
        seal(label=label_of(ref, FieldClass.CONTACT), fields=said)
    if name := reach.get(NAME):
        seal(label=label_of(ref, FieldClass.NAME), fields={"full": name})


def forget_proof(proof: Proof) -> None:
    """Destroy what was shown: it was for this alone (11 CCR 7060(e))."""
    discard(labels=[label_of_proof(proof)])


# ---------------------------------------------------------------- reading it


def question_about(request: Request, purpose: str) -> Question:
    """Return the question that looking at a request is."""
    more = {**GIVEN_BY_PURPOSE.get(purpose, {}), **ABOUT_A_REQUEST}
    return Question(operation="view", purpose=purpose, entity=request.entity_id, more=more)


def open_letter(viewer: Staff, request: Request) -> Read | None:
    """Open a letter, as far as law and role permit; nothing where neither lets the viewer read any of it."""
    purposes = purposes_of(viewer, request.entity)
    if not purposes:
        return None
    purpose = "legal-duty" if "legal-duty" in purposes else purposes[0]
    look = Look(viewer=viewer, entity=request.entity, purpose=purpose)
    classes = [each for each in look.classes() if each in SHOWN]
    decided = decide(
        question=question_about(request, purpose), persons=[request.ref], staff=viewer, field_classes=classes,
        handled=[request.ref] if classes else [],
    )  # fmt: skip
    labels = [label_of(request.ref, each) for each in classes]
    opened = open_fields(warrant=decided.warrant, labels=labels, permitted_only=True)
    if not opened:
        return None
    name, reach, text = (opened.get(label_of(request.ref, each), {}) for each in SHOWN)
    return Read(
        words=str(text.get("text", "")), name=str(name.get("full", "")),
        reach={way: str(value) for way, value in reach.items()}, decision=decided.warrant.decision,
    )  # fmt: skip


# ---------------------------------------------------------------- what the law is told of who asks


def is_about_a_request(question: Question) -> bool:
    """Tell whether a question is a look at a request."""
    return question.operation == "view" and question.more.get("event.kind") == ABOUT_A_REQUEST["event.kind"]


def facts_of(question: Question, persons: Sequence[UUID], day: date) -> Mapping[UUID, Facts]:
    """Return where those say they live whom no book has; for a look at their request, and nothing else."""
    del day
    if not is_about_a_request(question):
        return {}
    rows = Request.objects.filter(ref__in=list(persons)).select_related("entity")
    # BLIND SPOT: who did not say where they live is read by the law of our own place, since else nobody could read it.
    return {one.ref: {"person.home": frozenset({one.wants.get("home") or one.entity.place})} for one in rows}


def columns_of(question: Question, _day: date) -> Columns:
    """Say that requests are looked at one at a time, never inside the database."""
    return Columns(facts={}, only_singly=frozenset({"person.home"}) if is_about_a_request(question) else frozenset())
