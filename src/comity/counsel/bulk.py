"""Asking the law about many people at once, inside the database: facts never leave it, a verdict is written for each.

There each person's facts become one number (`bulk_codes`). The distinct numbers, hundreds or thousands, are decided
here, by the same law that answers about one person; one statement then writes everybody's verdict.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from comity.counsel.actions import FRESH, STRICTEST, told_of
from comity.counsel.asking import Answer, ask, plan_for
from comity.counsel.bulk_codes import Coding, coding_of, parameters
from comity.counsel.facts import PERSON
from comity.counsel.models import SegmentDecision, SegmentFinding, SegmentRow
from comity.counsel.questions import Question
from comity.counsel.rulings import ruling_for, rulings_on
from comity.counsel.waiting import Asked, notice, notice_questions
from comity.law import Decision, Verdict, finding_for
from comity.ledger.actions import Draft, record_many
from comity.ledger.bodies import JSON
from comity.refs import new_ref
from comity.vault.gate import Warrant
from comity.vault.models import RecordedDecision

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper
    from django.db.models import QuerySet

    from comity.staff.models import Staff
    from comity.vault.sealing import FieldClass

MANY, SHARE = 5_000, 0.05
"""People, and the share of all people, from which on it is quicker to read whole tables than to look each up."""
MEMORY: Final = "32MB"
"""What a step of such a statement may hold in memory; beyond it, it goes to disk."""
AT_ONCE: Final = 10_000
"""Kinds of people that are held here at a time."""
CHECKED: Final = 50
"""People who are asked about singly, too, and must get the same answer."""

MOST_NAMED: Final = 1_000
"""People whom a waiting question names; one about more is settled for their places, not for each of them."""

STAGED, KINDS = "counsel_staged", "counsel_kinds"


class AnswersDiffer(RuntimeError):
    """The database answered otherwise than the law asked about one person: a fault of ours, and nothing stands."""


class NotFresh(RuntimeError):
    """The decision is too old to act on: facts and law may have changed. Decide anew."""


@transaction.atomic
def decide_segment(
    *, question: Question, persons: QuerySet[Any], staff: Staff | None, day: date | None = None
) -> SegmentDecision:
    """Ask the law about all these persons of the book and write what came out: one transaction, one ledger entry.

    Call it behind the wall: who is not seen there is not decided about. Raises NotInSql, StrangeValue, Contradiction,
    AnswersDiffer; then nothing was written.
    """
    deciding = Deciding(question, day or timezone.localdate())
    with connection.cursor() as cursor, _planned_for(cursor, persons):
        _stage(cursor, deciding.coding, persons)
        singled_out = deciding.take_singly(cursor)
        deciding.decide_kinds(cursor)
        segment = deciding.write_segment(cursor, staff)
        _write_rows(cursor, deciding.coding.key, segment, singled_out)
        deciding.notice_questions(cursor)
        record_segment(segment, "counsel.segment-decided")
        deciding.check_some(cursor, persons.model)
        cursor.execute(f"DROP TABLE {STAGED}, {KINDS}")
    return segment


# ---------------------------------------------------------------- in the database


@contextmanager
def _planned_for(cursor: CursorWrapper, persons: QuerySet[Any]) -> Iterator[None]:
    """Where they are many, let PostgreSQL read whole tables: it guesses far too few rows behind the wall."""
    cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [persons.model._meta.db_table])  # noqa: SLF001 - Django's documented name for it
    many = max(MANY, (cursor.fetchone() or (0,))[0] * SHARE)
    wanted = {"work_mem": MEMORY, "enable_nestloop": "off"} if persons.count() >= many else {}
    before = {}
    for name, value in wanted.items():
        cursor.execute("SELECT current_setting(%s), set_config(%s, %s, true)", [name, name, value])
        before[name] = cursor.fetchone()[0]
    yield
    for name, value in before.items():
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def _stage(cursor: CursorWrapper, coding: Coding, persons: QuerySet[Any]) -> None:
    """Put everybody's numbers into a table. One statement reads all facts, so they are those of one moment."""
    words = "".join(f", word{number} bigint" for number in range(len(coding.words)))
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{STAGED}, pg_temp.{KINDS}")
    kinds = f"home text{words}, finding integer, verdict text, question integer"
    cursor.execute(f"CREATE TEMPORARY TABLE {KINDS} ({kinds}) ON COMMIT DROP")
    cursor.execute(f"CREATE TEMPORARY TABLE {STAGED} ON COMMIT DROP AS {_numbers(coding, persons)}")


def _numbers(coding: Coding, persons: QuerySet[Any]) -> str:
    """Return a query for the ref, the homes and the numbers of these persons."""
    words = "".join(f", {sql} AS word{number}" for number, sql in enumerate(coding.sql()))
    return f"SELECT {PERSON}.ref AS person, {coding.home} AS home{words} FROM {_joined(coding, persons)}"


def _joined(coding: Coding, persons: QuerySet[Any]) -> str:
    """Return the rows of these persons joined with whatever the rooms know of them and the law asks for."""
    joins = composed(" ".join(coding.joins), parameters(coding.question))
    return f"({chosen(persons)}) AS {PERSON} {joins}"


def composed(sql: str, parameters: object) -> str:
    """Return a statement with its values in it."""
    return str(connection.ops.compose_sql(sql, parameters))  # type: ignore[attr-defined]  # PostgreSQL's has it


def chosen(persons: QuerySet[Any]) -> str:
    """Return the rows of these persons as SQL, each once, with all columns."""
    query = persons.query
    odd = query.is_sliced or query.distinct or query.combinator or query.group_by or query.extra
    tables = sum(1 for used in query.alias_refcount.values() if used)
    plain = persons if tables <= 1 and not odd else persons.model.objects.filter(pk__in=persons.values("pk"))
    columns = [column.attname for column in persons.model._meta.concrete_fields]  # noqa: SLF001 - Django's documented name for it
    rows = plain.order_by().values(*columns)
    return composed(*rows.query.get_compiler(connection.alias, elide_empty=False).as_sql())


WRITE: Final = f"""
    INSERT INTO counsel_segmentrow (person, segment_id, finding, verdict)
    SELECT person, %(segment)s, finding, verdict FROM {STAGED} JOIN {KINDS} USING ({{key}}) ORDER BY person
"""
"""In the order of their refs: so they lie side by side in the index, too."""


def _write_rows(
    cursor: CursorWrapper, key: str, segment: SegmentDecision, singled_out: Sequence[tuple[UUID, int, str]]
) -> None:
    cursor.execute(f"ANALYZE {KINDS}")
    cursor.execute(WRITE.format(key=key), {"segment": segment.ref})
    written = cursor.rowcount
    SegmentRow.objects.bulk_create(
        SegmentRow(person=person, segment=segment, finding=finding, verdict=verdict)
        for person, finding, verdict in singled_out
    )
    if written + len(singled_out) != segment.people:
        raise AnswersDiffer(f"{segment.people} people were decided about, and {written + len(singled_out)} written")


DIGEST: Final = """
    SELECT sha256(coalesce(string_agg(uuid_send(person) || int4send(finding), ''::bytea ORDER BY person), ''::bytea))
    FROM counsel_segmentrow WHERE segment_id = %s
"""
"""Of everybody's ref and finding, in the order of the refs: 20 bytes a person in the server's memory."""


def digest_of(segment: SegmentDecision) -> bytes:
    """Return the digest of a decision's rows as they stand: another than the recorded one if a row was changed."""
    with connection.cursor() as cursor:
        cursor.execute(DIGEST, [segment.ref])
        (found,) = cursor.fetchone()
    return bytes(found)


# ---------------------------------------------------------------- kinds of people, here

FINDINGS: Final = """
    INSERT INTO counsel_segmentfinding (segment_id, number, verdict, because, told, people)
    SELECT %(segment)s, number, told ->> 'verdict',
           ARRAY(SELECT jsonb_array_elements_text(told -> 'because')), told, people
    FROM unnest(%(told)s::jsonb[], %(people)s::int[]) WITH ORDINALITY AS found (told, people, place),
         LATERAL (SELECT place::int - 1 AS number) AS counted
"""


CONCERNED: Final = f"""
    INSERT INTO counsel_concerned (question_id, person)
    SELECT ref, person FROM (
        SELECT person, question, row_number() OVER (PARTITION BY question) AS place
        FROM {STAGED} JOIN {KINDS} USING ({{key}}) WHERE question IS NOT NULL
    ) AS about
    JOIN unnest(%(refs)s::uuid[]) WITH ORDINALITY AS known (ref, number) ON number = question + 1
    WHERE place <= %(most)s AND ref IS NOT NULL
    ON CONFLICT DO NOTHING
"""


class Deciding:
    """One question on one day, and what was found so far: each distinct finding once, with how many it is about."""

    def __init__(self, question: Question, day: date) -> None:
        self.question, self.day = question, day
        self.plan = plan_for(question, day)
        self.coding = coding_of(self.plan, question, day)
        self.rulings = rulings_on(question, day)
        self.findings: dict[str, int] = {}  # each distinct one as JSON, with its number
        self.people: Counter[int] = Counter()  # by the number of their finding
        self.asked: dict[Asked, int] = {}  # each distinct question to a human, with its number
        self._known: dict[tuple[int, UUID | None], tuple[int, str]] = {}

    def answer(self, home: str, numbers: Sequence[int], person: UUID | None = None) -> Answer:
        """Return what the law says about people of these homes and numbers, or about one of them."""
        homes = frozenset(home.split("|")) if home else None
        decision = Decision(self.plan, finding_for(self.plan, homes, self.coding.signature(numbers)), {}, homes)
        return Answer(decision=decision, ruling=ruling_for(decision, person, self.rulings))

    def found(self, answer: Answer, people: int) -> tuple[int, str]:
        """Return the number and verdict of a finding, counting so many people to it."""
        key = id(answer.decision.finding), answer.ruling.ref if answer.ruling else None
        if key not in self._known:  # the plan keeps its findings, so no other comes to have that id
            number = self.findings.setdefault(_canonical(told_of(answer)), len(self.findings))
            self._known[key] = number, answer.verdict.value
        self.people[self._known[key][0]] += people
        return self._known[key]

    def take_singly(self, cursor: CursorWrapper) -> list[tuple[UUID, int, str]]:
        """Take those out of the crowd about whom there is a ruling of their own; return what was found of them."""
        named = [ruling.person for ruling in self.rulings if ruling.person]
        if not named:
            return []
        cursor.execute(f"DELETE FROM {STAGED} WHERE person = ANY (%s) RETURNING *", [named])
        answers = {person: self.answer(home, words, person) for person, home, *words in cursor.fetchall()}
        notice(question=self.question, answers=answers, day=self.day)
        return [(person, *self.found(answer, 1)) for person, answer in answers.items()]

    def decide(self, home: str, numbers: Sequence[int], people: int, person: UUID | None = None) -> tuple[int, str]:
        """Decide about so many people who are alike, or about one; return the number and verdict of the finding."""
        answer = self.answer(home, numbers, person)
        self.question_of(answer)
        return self.found(answer, people)

    def decide_kinds(self, cursor: CursorWrapper) -> None:
        """Decide each distinct kind of people once, and write what was found for the database to join."""
        key = self.coding.key
        with connection.chunked_cursor() as kinds:
            kinds.execute(f"SELECT {key}, count(*) FROM {STAGED} GROUP BY {key}")
            while some := kinds.fetchmany(AT_ONCE):
                with cursor.copy(f"COPY {KINDS} FROM STDIN") as copy:
                    for home, *words, people in some:
                        answer = self.answer(home, words)
                        copy.write_row((home, *words, *self.found(answer, people), self.question_of(answer)))

    def question_of(self, answer: Answer) -> int | None:
        """Return the number of the question that an answer leaves to a human, if it does."""
        if answer.verdict is not Verdict.ASK:
            return None
        return self.asked.setdefault(Asked.by(answer.decision), len(self.asked))

    def notice_questions(self, cursor: CursorWrapper) -> None:
        """Put what the law leaves to a human among what waits, each distinct question once."""
        refs = notice_questions(question=self.question, asked=list(self.asked), day=self.day) if self.asked else []
        if refs:
            cursor.execute(CONCERNED.format(key=self.coding.key), {"refs": refs, "most": MOST_NAMED})

    def write_segment(self, cursor: CursorWrapper, staff: Staff | None, **more: Any) -> SegmentDecision:  # noqa: ANN401 - of each column its own
        """Write the decision and its findings, before the rows that belong to them."""
        people = [self.people[number] for number in self.findings.values()]
        counts = self.verdicts()
        segment = SegmentDecision.objects.create(
            entity_id=self.question.entity, question=self.question.as_json(), day=self.day, people=counts.total(),
            packs=[{"pack": pack.id, "sha256": pack.sha256} for pack in self.plan.book.packs],
            permitted=counts["permit"], denied=counts["deny"], asked=counts["ask"], salt=secrets.token_bytes(16),
            made_by=staff, entry_id=new_ref(), **more,
        )  # fmt: skip
        cursor.execute(FINDINGS, {"segment": segment.ref, "told": list(self.findings), "people": people})
        return segment

    def verdicts(self) -> Counter[str]:
        """Return how many people have each verdict, as far as was found."""
        counts = Counter[str]()
        for told, number in self.findings.items():
            counts[json.loads(told)["verdict"]] += self.people[number]
        return counts

    def check_some(self, cursor: CursorWrapper, model: Any) -> None:  # noqa: ANN401 - whichever has persons
        """Ask about some of these people singly. Raises AnswersDiffer where that answer is another."""
        share = min(100.0, 100 * 100 * CHECKED / max(self.people.total(), 1))
        cursor.execute(f"SELECT * FROM {STAGED} TABLESAMPLE SYSTEM ({share}) ORDER BY random() LIMIT {CHECKED}")
        differing = self._differing(cursor.fetchall())
        if differing:  # their facts may have changed since, so both are asked once more
            cursor.execute(_numbers(self.coding, model.objects.filter(pk__in=differing)))
            differing = self._differing(cursor.fetchall())
        if differing:
            raise AnswersDiffer(f"the database decides otherwise about person {differing[0]} than the law does")

    def _differing(self, rows: Sequence[tuple[Any, ...]]) -> list[UUID]:
        singly = ask(question=self.question, persons=[row[0] for row in rows], day=self.day)
        return [
            person
            for person, home, *words in rows
            if told_of(self.answer(home, words, person)) != told_of(singly[person])
        ]


# ---------------------------------------------------------------- on record


def record_segment(segment: SegmentDecision, kind: str) -> None:
    """Record the decision in the ledger: counts, and a commitment to all of it."""
    segment.digest = digest_of(segment)
    segment.save(update_fields=["digest"])
    question = segment.question
    verdicts = {"permit": segment.permitted, "deny": segment.denied, "ask": segment.asked}
    body: dict[str, JSON] = {
        "segment": segment.ref, "operation": question["operation"], "purpose": question["purpose"],
        "channel": question["channel"], "entity": question["entity"], "day": segment.day, "people": segment.people,
        "verdicts": {verdict: many for verdict, many in verdicts.items() if many}, "commitment": commitment(segment),
    }  # fmt: skip
    staff = segment.made_by.ref if segment.made_by else None
    record_many(drafts=[Draft(kind=kind, body=body, staff=staff, ref=segment.entry_id)])


PARTS: Final = """
    SELECT sha256(coalesce(string_agg(sha256(convert_to(told::text, 'UTF8')) || int4send(people), ''::bytea
                                      ORDER BY number), ''::bytea))
    FROM counsel_segmentfinding WHERE segment_id = %s
"""


def commitment(segment: SegmentDecision) -> str:
    """Return the SHA-256 of the salt and the whole record but its rows, for which the digest stands."""
    with connection.cursor() as cursor:
        cursor.execute(PARTS, [segment.ref])
        (findings,) = cursor.fetchone()
    digests = [bytes(findings).hex(), bytes(segment.digest).hex()]
    told = _canonical([segment.question, segment.day.isoformat(), segment.packs, *digests])
    return "sha256:" + hashlib.sha256(bytes(segment.salt) + told.encode()).hexdigest()


def _canonical(told: object) -> str:
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# ---------------------------------------------------------------- reading


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """Why people of a segment got their verdict, and how many of them for just these rules."""

    verdict: Verdict
    because: tuple[str, ...]
    missing: tuple[str, ...]  # facts that would settle it for some of them
    cures: tuple[str, ...]
    people: int


def reasons_of(segment: SegmentDecision) -> list[Reasons]:
    """Return the distinct reasons, those of most people first. What differs in obligations alone is one reason."""
    alike: dict[tuple[str, tuple[str, ...]], list[SegmentFinding]] = {}
    for finding in segment.findings.order_by("number"):
        alike.setdefault((finding.verdict, tuple(finding.because)), []).append(finding)
    reasons = [_reasons(Verdict(verdict), because, found) for (verdict, because), found in alike.items()]
    return sorted(reasons, key=lambda one: (-one.people, one.because, one.verdict.value))


def _reasons(verdict: Verdict, because: tuple[str, ...], found: Sequence[SegmentFinding]) -> Reasons:
    missing, cures = (tuple(sorted({word for one in found for word in one.told[key]})) for key in ("missing", "cures"))
    people = sum(one.people for one in found)
    return Reasons(verdict=verdict, because=because, missing=missing, cures=cures, people=people)


class OnlyCounted(ValueError):
    """It was counted what the law says, and of nobody kept: decide before anything is done."""


def _rows_of(segment: SegmentDecision) -> QuerySet[SegmentRow]:
    """Return the rows of a decision. Raises OnlyCounted."""
    if segment.counted:
        raise OnlyCounted(f"of {segment.ref} no verdict of any person was kept: it only counts them")
    return SegmentRow.objects.filter(segment=segment)


def verdict_of(*, segment: SegmentDecision, person: UUID) -> Verdict | None:
    """Return what came out for one person; None for whom the decision is not about."""
    found = _rows_of(segment).filter(person=person).values_list("verdict", flat=True).first()
    return Verdict(found) if found else None


def finding_of(*, segment: SegmentDecision, person: UUID) -> SegmentFinding | None:
    """Return all that was found of one person; None for whom the decision is not about."""
    row = _rows_of(segment).filter(person=person).first()
    return segment.findings.get(number=row.finding) if row else None


def persons_with(segment: SegmentDecision, verdict: Verdict) -> QuerySet[SegmentRow, UUID]:
    """Return the refs of those with this verdict, for `ref__in` of another query."""
    return _rows_of(segment).filter(verdict=verdict.value).values_list("person", flat=True)


STREAMED: Final = "SELECT person FROM counsel_segmentrow WHERE segment_id = %s AND verdict = 'permit' ORDER BY person"


def permitted_in_turn(segment: SegmentDecision, *, at_once: int = AT_ONCE) -> Iterator[list[UUID]]:
    """Yield the refs of all whom the law permits, some at a time, as PostgreSQL finds them: never all in memory.

    Call it behind the wall, within a transaction. Raises OnlyCounted.
    """
    _rows_of(segment)
    with connection.chunked_cursor() as cursor:
        cursor.execute(STREAMED, [segment.ref])
        while some := cursor.fetchmany(at_once):
            yield [person for (person,) in some]


# ---------------------------------------------------------------- acting on it


@transaction.atomic
def warrant_for(
    *, segment: SegmentDecision, persons: Sequence[UUID], field_classes: Collection[FieldClass],
    handled: Collection[UUID] | None = None,
) -> tuple[Warrant, list[UUID]]:  # fmt: skip
    """Return a warrant for some of the segment's persons, and those whom the vault opens under it.

    The decision stays the one that was recorded, and so does its entry; as any decision it is acted on for ten minutes.
    `handled` are the persons whom the staff member's roles let them handle so. Raises NotFresh, and ValueError for a
    decision that nobody of the staff made, or for persons it is not about.
    """
    if segment.made_by_id is None:
        raise ValueError(f"decision {segment.ref} was made for nobody of the staff, so nothing is opened by it")
    if timezone.now() >= segment.decided_at + FRESH:
        raise NotFresh(f"decision {segment.ref} was made more than {FRESH} ago: decide anew")
    verdicts = dict(_rows_of(segment).filter(person__in=persons).values_list("person", "verdict"))
    if others := set(persons) - verdicts.keys():
        raise ValueError(f"decision {segment.ref} is not about {min(others)}: decide about that person too")
    may = set(persons if handled is None else handled)
    permitted = [person for person in persons if verdicts[person] == Verdict.PERMIT.value and person in may]
    verdict = next(each for each in STRICTEST if each.value in verdicts.values())
    if verdict is Verdict.PERMIT and len(permitted) < len(persons):
        verdict = Verdict.DENY  # the law permits, a role does not
    use = {name: segment.question[name] for name in ("operation", "purpose", "channel")}
    made = RecordedDecision.objects.create(
        staff=segment.made_by_id, **use, field_classes=sorted(map(str, field_classes)), verdict=verdict.value,
        persons=list(persons), permitted=permitted, day=segment.day, fresh_until=segment.decided_at + FRESH,
        entry_id=segment.entry_id,
    )  # fmt: skip
    return Warrant(decision=made.ref, staff=made.staff, **use), permitted
