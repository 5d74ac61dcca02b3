"""Asking for the record: a question, its answers, and the one row by which the vault opens."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.counsel.apps import HISTORY, SEALED
from comity.counsel.asking import Answer, ask
from comity.counsel.asking_many import ask_many
from comity.counsel.models import AskedDecision, Concerned, OpenQuestion, Ruling
from comity.counsel.questions import Question
from comity.counsel.waiting import notice
from comity.law import Verdict
from comity.law.decisions import shown
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.refs import as_array, new_ref
from comity.staff.once import rows_of
from comity.vault.actions import NoKey, seal
from comity.vault.gate import Oneself, Warrant
from comity.vault.models import ONESELF
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

FRESH: Final = timedelta(minutes=10)
"""How long may be acted on a decision to look at somebody; facts and law may have changed afterwards."""
STRICTEST: Final = (Verdict.DENY, Verdict.ASK, Verdict.PERMIT)


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A decision on record: what came out for each person, and the warrant with which the vault opens."""

    question: Question
    day: date
    warrant: Warrant
    answers: Mapping[UUID, Answer]

    @property
    def ref(self) -> UUID:
        """Under which the decision is on record."""
        return self.warrant.decision

    @cached_property
    def permitted(self) -> list[UUID]:
        """The persons for whom the answer is permit."""
        return [person for person, answer in self.answers.items() if answer.verdict is Verdict.PERMIT]

    @cached_property
    def verdicts(self) -> dict[Verdict, int]:
        """How many persons have which answer."""
        verdicts = [answer.verdict for answer in self.answers.values()]
        return {verdict: many for verdict in Verdict if (many := verdicts.count(verdict))}


def decide(
    *,
    question: Question,
    persons: Sequence[UUID],
    staff: Staff | Oneself,
    field_classes: Collection[FieldClass],
    day: date | None = None,
    handled: Collection[UUID] | None = None,
    listed: bool = False,
) -> Decided:
    """Ask the law about these persons and put the answers on record: one ledger entry for all of them.

    `handled` are the persons whom this staff member's roles let them handle so; the vault opens nobody else, whatever
    the law permits. A decision about one person keeps the facts, sealed under that person's key, unless that one was
    `listed`: came up in a search, of which one hit is recorded as many are.

    Where somebody looks at their own (`Oneself`), nobody of the staff does: it is about that one person, and the vault
    opens it in that visit alone. Raises NotOneself where it is about anybody else, or does more than view as the law
    demands.
    """
    if isinstance(staff, Oneself):
        _check_oneself(question, persons, staff)
    today = day or timezone.localdate()
    alone = len(persons) == 1 and not listed
    kinds = not alone and question.channel == "none"  # else SQL would look at all contact points there are
    asking = ask_many if kinds else ask
    with transaction.atomic(savepoint=alone):  # its facts may not be sealed, and the page still stands
        answers = asking(question=question, persons=persons, day=today)
        warrant = _warrant(question, staff)
        decided = Decided(question=question, day=today, warrant=warrant, answers=answers)
        _keep(decided, field_classes, handled, alone=alone)
        notice(question=question, answers=answers, day=today)
    return decided


class NotOneself(ValueError):
    """Somebody who looks at their own asked about another person, or to do more than look: a fault of ours."""


def _check_oneself(question: Question, persons: Sequence[UUID], themself: Oneself) -> None:
    if list(persons) != [themself.person]:
        raise NotOneself("a visit is about the person who visits, and about nobody else")
    if (question.operation, question.purpose, question.channel) != ONESELF:
        raise NotOneself(f"a visit asks for {'/'.join(ONESELF)} and for nothing else")


def _warrant(question: Question, staff: Staff | Oneself) -> Warrant:
    visit = staff.visit if isinstance(staff, Oneself) else None
    return Warrant(
        decision=new_ref(), staff=None if isinstance(staff, Oneself) else staff.ref, operation=question.operation,
        purpose=question.purpose, channel=question.channel, visit=visit,
    )  # fmt: skip


def _keep(
    decided: Decided, field_classes: Collection[FieldClass], handled: Collection[UUID] | None, *, alone: bool
) -> None:
    permitted = decided.permitted
    if handled is not None:
        with_leave = set(handled)
        permitted = [person for person in permitted if person in with_leave]
    verdict = min(decided.verdicts, key=STRICTEST.index)
    if verdict is Verdict.PERMIT and len(permitted) < len(decided.answers):
        verdict = Verdict.DENY  # the law permits, a role does not
    persons, warrant, asked = list(decided.answers), decided.warrant, _asked(decided)
    body = _entry(decided, asked, SEALED if alone else HISTORY)
    if warrant.visit:
        body["visit"] = warrant.visit
    entry = record(kind="counsel.decided", staff=warrant.staff, persons=persons, body=body)
    told = (json.dumps(each) for each in (asked.question, asked.packs, asked.findings))
    rows_of(
        KEEP,
        [decided.ref, *told, f"{{{','.join(map(str, asked.of))}}}", asked.salt,
         decided.ref, warrant.staff, warrant.visit, warrant.operation, warrant.purpose, warrant.channel,
         f"{{{','.join(sorted(map(str, field_classes)))}}}", verdict.value, as_array(persons), as_array(permitted),
         decided.day, _fresh_until(), entry.ref],
    )  # fmt: skip
    if alone:
        with suppress(NoKey):  # the person was erased, and nothing more is kept of them
            _seal_facts(decided)


KEEP: Final = """
    WITH asked AS (
        INSERT INTO counsel_askeddecision (ref, question, packs, findings, "of", salt)
        VALUES (%s, %s::jsonb, %s::jsonb, %s::jsonb, %s::smallint[], %s)
    )
    INSERT INTO vault_recordeddecision (ref, staff, visit, operation, purpose, channel, field_classes, verdict, persons,
        permitted, day, fresh_until, entry_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s::varchar[], %s, %s::uuid[], %s::uuid[], %s, %s, %s)
"""
"""Both halves of the record (docs/decisions/0014), in one statement."""


def _fresh_until() -> datetime:
    return timezone.now() + FRESH


def _asked(decided: Decided) -> AskedDecision:
    findings: dict[str, tuple[int, dict[str, Any]]] = {}
    known: dict[tuple[int, Ruling | None], int] = {}
    numbers = []
    for answer in decided.answers.values():
        same = id(answer.decision.finding), answer.ruling
        if same not in known:
            told = told_of(answer)
            known[same], _first = findings.setdefault(json.dumps(told, sort_keys=True), (len(findings), told))
        numbers.append(known[same])
    return AskedDecision(
        ref=decided.ref, question=decided.question.as_json(), packs=_packs(decided), of=numbers,
        findings=[told for _, told in findings.values()], salt=secrets.token_bytes(16),
    )  # fmt: skip


def _packs(decided: Decided) -> list[dict[str, str]]:
    answer = next(iter(decided.answers.values()))
    return [{"pack": pack.id, "sha256": pack.sha256} for pack in answer.decision.plan.book.packs]


def told_of(answer: Answer) -> dict[str, Any]:
    """Return what was found, without a word about the person: rules, obligations, and the ruling that settled it."""
    finding = answer.decision.finding
    return {
        "verdict": answer.verdict.value,
        "law": finding.verdict.value,
        "because": list(finding.because),
        "obligations": [
            {"kind": each.kind, "parameters": shown(each.parameters), "rules": list(each.rules)}
            for each in finding.obligations
        ],
        "missing": list(finding.missing),
        "cures": list(finding.cures),
        "ruling": str(answer.ruling.ref) if answer.ruling else None,
    }


def _entry(decided: Decided, asked: AskedDecision, facts: str) -> dict[str, JSON]:
    """Return the ledger's words: ids, counts and a salted commitment to all that was asked and answered."""
    question = decided.question
    counts: dict[str, JSON] = {verdict.value: many for verdict, many in decided.verdicts.items()}
    return {
        "decision": str(decided.ref), "operation": question.operation, "purpose": question.purpose,
        "channel": question.channel, "entity": str(question.entity), "day": decided.day, "verdicts": counts,
        "facts": facts, "commitment": commitment(asked, list(decided.answers)),
    }  # fmt: skip


def commitment(asked: AskedDecision, persons: Sequence[UUID]) -> str:
    """Return the SHA-256 of the salt and the whole record; without the salt it says nothing about anybody."""
    told = [asked.question, asked.packs, asked.findings, asked.of, as_array(persons)]
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return "sha256:" + hashlib.sha256(bytes(asked.salt) + canonical).hexdigest()


def _seal_facts(decided: Decided) -> None:
    ((person, answer),) = decided.answers.items()
    told = json.dumps(answer.decision.as_json(), ensure_ascii=False, separators=(",", ":"))
    seal(label=Label(person, FieldClass.NOTE, "decision", decided.ref), fields={"decision": told})


# ---------------------------------------------------------------- what a human settles


@transaction.atomic
def make_ruling(
    *, question: Question, places: Collection[str] = (), person: UUID | None = None, settles: Collection[str],
    reason: str, made_by: Staff, entity: Entity, begins_on: date, ends_on: date,
) -> Ruling:  # fmt: skip
    """Settle what the law leaves open for this question: for people who live there, or for one person, until a day."""
    ruling = Ruling.objects.create(
        entity=entity, operation=question.operation, purpose=question.purpose, channel=question.channel,
        recipient=question.recipient, more=dict(question.more), places=sorted(places), person=person,
        settles=sorted(settles), reason=reason, made_by=made_by, begins_on=begins_on, ends_on=ends_on,
    )  # fmt: skip
    body: dict[str, JSON] = {"ruling": str(ruling.ref), "settles": len(ruling.settles), "until": ends_on.isoformat()}
    record(kind="counsel.ruled", staff=made_by.ref, persons=[person] if person else [], body=body)
    return ruling


LONGEST_RULING: Final = timedelta(days=731)
"""Two years, with a leap day: the law moves on, and what was settled must be looked at again."""


class TooLong(ValidationError):
    """A ruling would stand for longer than two years, or for no day at all."""


class SettledAlready(ValidationError):
    """The question does not wait any more: it was settled or closed."""


@transaction.atomic
def settle(
    *, question: OpenQuestion, reason: str, ends_on: date, made_by: Staff, day: date, person: UUID | None = None
) -> Ruling:
    """Answer an open question with yes: for all people of its places, or for one person, until a day.

    Raises TooLong, SettledAlready, and ValidationError for a scope that the question does not have.
    """
    locked = _waiting(question)
    if not day < ends_on <= day + LONGEST_RULING:
        raise TooLong(_("A ruling ends on a later day, and after two years at most."))
    if person is None and not locked.places:
        raise ValidationError(_("Nobody knows where these people live: settle it for one person, or find their homes."))
    if person and not locked.concerned.filter(person=person).exists():
        raise ValidationError(_("This question was not asked about that person."))
    ruling = make_ruling(
        question=Question.from_json(locked.question), places=() if person else locked.places, person=person,
        settles=locked.because, reason=reason, made_by=made_by, entity=locked.entity, begins_on=day, ends_on=ends_on,
    )  # fmt: skip
    _mark_settled(locked, ruling)
    return ruling


def _mark_settled(question: OpenQuestion, ruling: Ruling) -> None:
    """Mark it as settled, unless the ruling is about one person and the question about others too."""
    if ruling.person:
        Concerned.objects.filter(question=question, person=ruling.person).delete()
    if not ruling.person or not question.concerned.exists():
        question.ruling = ruling
        question.save(update_fields=["ruling"])


@transaction.atomic
def take_back_ruling(*, ruling: Ruling, taken_back_by: Staff) -> None:
    """Let a ruling settle nothing from now on; what was decided by it stays decided. Its questions are open again."""
    locked = Ruling.objects.select_for_update(of=("self",)).get(pk=ruling.pk)
    if locked.taken_back_at:
        raise ValidationError(_("This ruling was taken back already."))
    locked.taken_back_at, locked.taken_back_by = timezone.now(), taken_back_by
    locked.save(update_fields=["taken_back_at", "taken_back_by"])
    OpenQuestion.objects.filter(ruling=locked).update(ruling=None)
    persons = [locked.person] if locked.person else []
    record(kind="counsel.took-back", staff=taken_back_by.ref, persons=persons, body={"ruling": locked.ref})


@transaction.atomic
def assign(*, question: OpenQuestion, to: Staff | None, assigned_by: Staff) -> None:
    """Give an open question to one of the staff, or to nobody."""
    locked = _waiting(question)
    locked.assigned_to = to
    locked.save(update_fields=["assigned_to"])
    record(
        kind="counsel.assigned", staff=assigned_by.ref, body={"question": locked.ref, "to": to.ref if to else None}
    )  # fmt: skip


@transaction.atomic
def close(*, question: OpenQuestion, words: str, closed_by: Staff) -> None:
    """Answer an open question with no, and say why: it stays an ask, and waits for nobody."""
    locked = _waiting(question)
    locked.closed_at, locked.closed_by, locked.closing_words = timezone.now(), closed_by, words
    locked.save(update_fields=["closed_at", "closed_by", "closing_words"])
    record(kind="counsel.closed", staff=closed_by.ref, body={"question": locked.ref})


@transaction.atomic
def reopen(*, question: OpenQuestion, reopened_by: Staff) -> None:
    """Let a question wait again that words had closed."""
    locked = _locked(question)
    if not locked.closed_at:
        raise ValidationError(_("This question is not closed."))
    locked.closed_at, locked.closed_by, locked.closing_words = None, None, ""
    locked.save(update_fields=["closed_at", "closed_by", "closing_words"])
    record(kind="counsel.reopened", staff=reopened_by.ref, body={"question": locked.ref})


def _locked(question: OpenQuestion) -> OpenQuestion:
    return OpenQuestion.objects.select_for_update(of=("self",)).get(pk=question.pk)


def _waiting(question: OpenQuestion) -> OpenQuestion:
    locked = _locked(question)
    if locked.state != "open":
        raise SettledAlready(_("This question does not wait any more: somebody else has answered it."))
    return locked
