"""Looking a file over before anybody is brought in: who comes, who is here, what is broken, what the law says.

The law is asked two questions of each row: may we keep this person at all (store), and the use that whoever imports has
in mind. What is found of single rows is kept as findings, by which the import then goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import duckdb
from django.utils import timezone

from comity.book.imports.columns import mapping_of
from comity.book.imports.models import Broken, Import, ImportFinding, Known, Saying
from comity.book.imports.parcels import Contents, distinct, duck_beside, last_row, rows_of
from comity.book.imports.reading import Given, Order, Reader, Told, orders_of
from comity.book.inserting import insert_rows
from comity.book.models import Person, Reach
from comity.book.opening import GIVEN_BY_PURPOSE
from comity.check.dialects import Dialect, built_in
from comity.counsel.asking import ask
from comity.counsel.foresight import MOST_ANSWERS, Foresight
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.law.cache import collector_paused
from comity.staff.guards import may_handle
from comity.vault.recognising import Marks, Recogniser
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.counsel.asking import Answer
    from comity.law.vocabulary import Facts

AT_ONCE: Final = 2_000
"""Rows that are looked at together."""
FEW_ENOUGH: Final = 2_000
"""Rows of a file up to which namesakes are sought too; beyond, addresses and numbers must do."""
LIKE_ENOUGH: Final = 0.5
"""How much of a name two people share who have one number."""
SHOWN_REASONS: Final = 8


def reader_of(one: Import, headers: Sequence[str], connection: duckdb.DuckDBPyConnection, table: Path) -> Reader:
    """Return what reads the rows of an import, in the orders in which its columns write days."""
    reader = _reader(one, headers, {})
    orders = orders_of(reader.dated, lambda column: distinct(connection, table, column), one.dates)
    return _reader(one, headers, orders)


def _reader(one: Import, headers: Sequence[str], orders: Mapping[int, Order]) -> Reader:
    dialect = dialect_of(one)
    mapping = mapping_of(dialect, headers, one.mapping)
    return Reader(dialect=dialect, headers=headers, mapping=mapping, given=given(one), orders=orders)


def dialect_of(one: Import) -> Dialect:
    """Return the dialect of an import's file."""
    return built_in()[one.dialect]


def given(one: Import) -> Given:
    """Return what was said of all rows at once."""
    classes = frozenset(
        each
        for each in FieldClass
        if may_handle(one.begun_by, operation="import", purpose=one.purpose, field_class=each, entity=one.entity)
    )
    return Given(
        now=one.begun_at, source=one.source, notice=one.notice, notice_on=one.notice_on, home=one.home,
        tells_all=one.tells_all, classes=classes,
    )  # fmt: skip


# ---------------------------------------------------------------- the law


@dataclass
class Laws:
    """What the law says of newcomers: may they be kept, and may be done with them what is planned."""

    one: Import
    day: date
    known: dict[tuple[object, ...], Answer] = field(default_factory=dict)

    @cached_property
    def keeping(self) -> Foresight:
        """Ask whether we may keep them, for the purpose for which they come."""
        return self._ask("store", self.one.purpose, "none")

    @cached_property
    def keeping_a_no(self) -> Foresight:
        """Ask whether we may keep by what to recognise somebody who said no."""
        return self._ask("store", "legal-duty", "none")

    @cached_property
    def planned(self) -> Foresight:
        """Ask whether we may do what whoever imports has in mind."""
        return self._ask("contact", self.one.asked_purpose, self.one.asked_channel)

    def _ask(self, operation: str, purpose: str, channel: str) -> Foresight:
        return Foresight(self._question(operation, purpose, channel), self.day)

    def _question(self, operation: str, purpose: str, channel: str) -> Question:
        more = GIVEN_BY_PURPOSE.get(purpose, {})
        return Question(operation=operation, purpose=purpose, channel=channel, entity=self.one.entity_id, more=more)

    def of_keeping(self, told: Told) -> Answer:
        """Return the answer about keeping somebody."""
        return self._of(self.keeping, told, self.one.purpose, "none")

    def of_keeping_a_no(self, told: Told) -> Answer:
        """Return the answer about keeping only what it takes to respect a no."""
        return self._of(self.keeping_a_no, told, "legal-duty", "none")

    def keeps(self, persons: Sequence[UUID]) -> dict[UUID, bool]:
        """Say of people who are in the book whether they may be kept for this purpose too."""
        answers = ask(question=self._question("store", self.one.purpose, "none"), persons=persons, day=self.day)
        return {person: self.lets(answer) for person, answer in answers.items()}

    def lets(self, answer: Answer) -> bool:
        """Say whether an answer lets somebody be kept: the law does, or somebody settled what it leaves open."""
        return answer.verdict is Verdict.PERMIT or (answer.verdict is Verdict.ASK and self.one.settled_at is not None)

    def of_what_is_planned(self, told: Told) -> Answer:
        """Return the answer about what is planned."""
        return self._of(self.planned, told, self.one.asked_purpose, self.one.asked_channel)

    def _of(self, foresight: Foresight, told: Told, purpose: str, channel: str) -> Answer:
        """Return the answer; rows that are alike in all that `facts_of` reads have one, which most of a file share."""
        kind = (foresight, _point_of(told, channel), *map(told.facts.get, OF_PERSON), *map(told.relation.get, RELATION),
                *[one for one in told.spoken if (one.purpose, one.channel) == (purpose, channel)])  # fmt: skip
        answer = self.known.get(kind)
        if answer is None:
            if len(self.known) > MOST_ANSWERS:
                self.known.clear()
            facts = facts_of(told, purpose, channel, self.day)
            answer = self.known[kind] = foresight.of(facts, complete_for=told.opt_outs_known)
        return answer


REACHED_BY: Final = {"email": Reach.EMAIL, "sms": Reach.PHONE, "call": Reach.PHONE, "autocall": Reach.PHONE,
                     "fax": Reach.PHONE, "messenger": Reach.MESSENGER, "post": Reach.POST}  # fmt: skip


OF_PERSON: Final = ("home", "capacity", "subscriber", "objected_at", "opt_out_signal_at", "restricted_at",
                    "deceased_at", "birth_year", "birth_month")  # fmt: skip
RELATION: Final = ("customer_since", "contract_running", "address_from_sale", "refusal_offered", "last_purchase_on",
                   "last_inquiry_on", "last_mailed_on", "source")  # fmt: skip
"""What the law is asked of a row; of which opt-outs a file tells is the same for all of its rows."""


def facts_of(told: Told, purpose: str, channel: str, day: date) -> Facts:
    """Return what the law will know of somebody once they are in the book."""
    facts, relation = told.facts, told.relation
    known: dict[str, Any] = {
        "person.home": frozenset(facts["home"].split("|")) if facts.get("home") else None,
        "person.capacity": facts.get("capacity"),
        "person.subscriber": facts.get("subscriber"),
        "person.objected": "objected_at" in facts,
        "person.opt_out_signal": "opt_out_signal_at" in facts,
        "person.restricted": "restricted_at" in facts,
        "person.deceased": "deceased_at" in facts,
        "relation.customer": relation.get("customer_since") is not None,
        "relation.contract_running": relation.get("contract_running", False),
        "relation.address_from_sale": relation.get("address_from_sale", False),
        "relation.refusal_offered": relation.get("refusal_offered", False),
        "relation.last_purchase_on": relation.get("last_purchase_on"),
        "relation.last_inquiry_on": relation.get("last_inquiry_on"),
        "relation.last_mailed_on": relation.get("last_mailed_on"),
        "relation.source": relation.get("source"),
        **_age(facts, day), **_reached(told, channel), **_consent(told, purpose, channel),
    }  # fmt: skip
    return {name: value for name, value in known.items() if value is not None and value != ""}


def _age(facts: Mapping[str, Any], day: date) -> dict[str, Any]:
    from comity.book.facts import age_of

    if "birth_year" not in facts:
        return {}
    age = age_of(Person(birth_year=facts["birth_year"], birth_month=facts.get("birth_month")), day)
    return {"person.age": age, "person.known_age": age}


def _point_of(told: Told, channel: str) -> tuple[bool | None, bool | None] | None:
    """Return whether the contact point that a channel would reach is mobile, and whether it names no human being."""
    reach = REACHED_BY.get(channel)
    if reach is None:
        return None
    return next(((point.mobile, point.impersonal) for point in told.points if point.reach == reach), None)


def _reached(told: Told, channel: str) -> dict[str, Any]:
    point = _point_of(told, channel)
    return {"person.mobile": point[0], "person.impersonal_address": point[1]} if point else {}


def _consent(told: Told, purpose: str, channel: str) -> dict[str, Any]:
    about = (one for one in told.spoken if (one.purpose, one.channel) == (purpose, channel))
    said = sorted(about, key=lambda one: (one.said_at, one.said != "given"))  # of one instant, the no counts
    if not said:
        return {}
    last = said[-1]
    if last.said != "given":
        no = last.said in {"refused", "withdrawn"}
        withdrawn = last.said == "withdrawn" or (no and any(one.said == "given" for one in said))
        told_on = last.said_at.date() if no else None
        return {"consent.withdrawn": withdrawn, "consent.opted_out": no, "consent.opted_out_on": told_on}
    return {
        "consent.withdrawn": False, "consent.opted_out": False, "consent.given": True,
        "consent.given_on": last.said_at.date(), "consent.express": last.express, "consent.separate": last.separate,
        "consent.written": last.written, "consent.parental": last.parental,
        "consent.names_caller": last.names_caller, "consent.wording_kept": bool(last.notice),
        "consent.source_kept": bool(last.source),
    }  # fmt: skip


# ---------------------------------------------------------------- looking


@dataclass
class Look:
    """What is found while a file is looked over."""

    one: Import
    reader: Reader
    laws: Laws
    recogniser: Recogniser
    few: bool
    empty_book: bool
    seen: dict[int | tuple[int, str], int] = field(default_factory=dict)  # tokens, to the row where each stood first
    counts: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    homes: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[object, ...]] = field(default_factory=list)

    def rows(self, rows: Sequence[Sequence[Any]]) -> None:
        """Look at some rows, in the file's order."""
        told = [self.reader.told(row) for row in rows]
        marks = [self._marks(each) for each in told]
        known = {} if self.empty_book else self._known(told, marks)
        for each, mark in zip(told, marks, strict=True):
            self._row(each, mark, known.get(each.row))
        self.write()

    def _marks(self, told: Told) -> Marks:
        emails = [point.value for point in told.points if point.reach == Reach.EMAIL]
        phones = [point.value for point in told.points if point.reach == Reach.PHONE]
        return self.recogniser.marks(emails, phones)

    def _row(self, told: Told, marks: Marks, known: tuple[Saying, UUID] | None) -> None:
        self.counts["rows"] += 1
        for one in told.spoken:
            self.counts["yes" if one.said == "given" else "no"] += 1
        self.counts["opt_outs"] += told.opted_out
        self.counts["unclear"] += told.unclear
        broken = self._broken(told)
        repeated = None if broken else self._repeated(told, marks)
        if repeated:
            self.find(told.row, Saying.REPEATED, like=repeated)
        elif known and not broken:  # a namesake is listed, and comes in unless somebody says otherwise
            self.find(told.row, known[0], person=known[1], choice=Known.ADD if known[0] is Saying.NAMESAKE else "")
        kept = self._kept(told)
        verdict = self._planned(told)
        here = known is not None and known[0] is not Saying.NAMESAKE
        if broken or repeated or here or not kept:
            return
        self.counts["new"] += 1
        self.homes[told.facts.get("home", "")] += 1
        self.counts[f"verdict_{verdict}"] += 1

    def _broken(self, told: Told) -> bool:
        for column, why in told.problems:
            self.find(told.row, Saying.BROKEN, column=column, why=why)
        if not told.problems:
            return False
        self.counts["broken"] += 1
        return not comes_in_anyway(self.one, told)

    def _kept(self, told: Told) -> bool:
        """Ask whether we may keep them; say so where not."""
        answer = self.laws.of_keeping(told)
        if answer.verdict is Verdict.PERMIT:
            return True
        why = _fitting(answer.decision.because)
        says = Saying.HELD if answer.verdict is Verdict.DENY else Saying.OPEN
        self.find(told.row, says, why=why)
        self.counts["bare"] += told.opted_out
        return says == Saying.OPEN and self.one.settled_at is not None

    def _planned(self, told: Told) -> str:
        answer = self.laws.of_what_is_planned(told)
        word = answer.verdict.value
        self.verdicts[word] += 1
        if answer.verdict is not Verdict.PERMIT:
            for reason in answer.decision.because[:3]:
                self.reasons[word, reason] += 1
        return word

    # ------------------------------------------------------------ who is here already

    def _repeated(self, told: Told, marks: Marks) -> int | None:
        """Return the row before this one that is about the same person: the same address, or number and name."""
        name = " ".join(sorted(told.name.get(part, "").casefold() for part in ("given", "family", "full")))
        keys: list[int | tuple[int, str]] = [*marks.emails, *((each, name) for each in marks.phones if name.strip())]
        before = next((self.seen[key] for key in keys if key in self.seen), None)
        for key in keys:
            self.seen.setdefault(key, told.row)
        return before

    def _known(self, told: Sequence[Told], marks: Sequence[Marks]) -> dict[int, tuple[Saying, UUID]]:
        """Return who of these rows is in the book already, as far as can be told without opening anybody."""
        holders = self.recogniser.holders({token for mark in marks for token in (*mark.emails, *mark.phones)})
        near = {person for held in holders.values() for person in held} | {
            each.known_as for each in told if each.known_as
        }
        visible = self._visible(near)
        named = self.recogniser.named(visible)
        found: dict[int, tuple[Saying, UUID]] = {}
        for each, mark in zip(told, marks, strict=True):
            if match := self._match(each, mark, holders, visible, named):
                found[each.row] = match
        return found

    def _visible(self, persons: Iterable[UUID]) -> set[UUID]:
        theirs = Person.objects.filter(ref__in=list(persons), entities__contains=[self.one.entity_id], merged_into=None)
        return set(theirs.values_list("ref", flat=True))

    def _match(
        self, told: Told, marks: Marks, holders: Mapping[int, set[UUID]], visible: set[UUID],
        named: Mapping[UUID, set[int]],
    ) -> tuple[Saying, UUID] | None:  # fmt: skip
        if told.known_as and told.known_as in visible:
            return Saying.KNOWN, told.known_as
        with_email = sorted({person for token in marks.emails for person in holders.get(token, ())} & visible)
        if with_email:
            return Saying.KNOWN, with_email[0]
        with_phone = {person for token in marks.phones for person in holders.get(token, ())} & visible
        likeness = {person: self.recogniser.likeness(told.name, named.get(person, set())) for person in with_phone}
        if alike := [person for person, like in likeness.items() if like >= LIKE_ENOUGH]:
            return Saying.LIKELY, min(alike)
        return self._namesake(told) if self.few else None

    def _namesake(self, told: Told) -> tuple[Saying, UUID] | None:
        home = told.facts.get("home")
        if not home:
            return None
        called = self.recogniser.namesakes(told.name)
        near = Person.objects.filter(ref__in=self._visible(called), home=home)
        alike = [
            ref
            for ref in near.values_list("ref", flat=True)
            if self.recogniser.likeness(told.name, called[ref]) > LIKE_ENOUGH
        ]
        return (Saying.NAMESAKE, min(alike)) if alike else None

    # ------------------------------------------------------------ what is kept of it

    def find(
        self, row: int, says: Saying, *, column: int | None = None, why: str = "", person: UUID | None = None,
        like: int | None = None, choice: str = "",
    ) -> None:  # fmt: skip
        """Find something to be said about a row."""
        if says != Saying.BROKEN:
            self.counts[says.value] += 1
        self.findings.append((row, says, column, why, person, like, choice))

    def write(self) -> None:
        """Keep what was found since this was last called."""
        columns = ["row", "says", "cell", "why", "person", "alike", "choice"]
        alike = {"imported_id": self.one.ref, "entity_id": self.one.entity_id}
        insert_rows(ImportFinding, columns, self.findings, alike=alike)
        self.findings.clear()

    def told(self) -> dict[str, object]:
        """Return what was found, in numbers and ids of rules."""
        return {
            **self.counts,
            "verdicts": dict(self.verdicts),
            "reasons": [[word, reason, many] for (word, reason), many in self.reasons.most_common(SHOWN_REASONS)],
            "homes": dict(self.homes.most_common(SHOWN_REASONS)),
            "more_homes": max(len(self.homes) - SHOWN_REASONS, 0),
        }


def _fitting(reasons: Iterable[str], most: int = 200) -> str:
    """Return as many ids of rules as there is room for, whole."""
    told = ""
    for reason in reasons:
        if len(told) + len(reason) < most:
            told += f",{reason}" if told else reason
    return told


def comes_in_anyway(one: Import, told: Told) -> bool:
    """Say whether a row comes in although something in it cannot be read: as was chosen, and always with a no."""
    if all(why == "nobody" for _, why in told.problems):
        return False
    return one.for_broken == Broken.BRING or (told.opted_out and bool(told.points or told.name))


def look_over(
    one: Import, contents: Contents, table: Path, wall: Callable[[], AbstractContextManager[None]]
) -> dict[str, object]:
    """Look at every row, keep what is to be said about single ones, and return what was found.

    Each stretch of rows is a transaction behind `wall`, so that whoever waits sees how far it has come.
    """
    with duck_beside(table) as duck:
        duck.execute("SET threads = 1")
        with wall():
            look = _begun(one, contents, duck, table)
        last = last_row(duck, table)
        for first in range(1, last + 1, AT_ONCE):
            until = min(first + AT_ONCE - 1, last)
            with collector_paused(), wall():
                look.rows(rows_of(duck, table, look.reader.select, first=first, last=until))
                Import.objects.filter(pk=one.pk).update(seen_rows=until)
    return look.told()


def _begun(one: Import, contents: Contents, duck: duckdb.DuckDBPyConnection, table: Path) -> Look:
    """Make ready to look; the rows that could not be read at all are known before."""
    look = Look(
        one=one, reader=reader_of(one, contents.headers, duck, table), laws=Laws(one, timezone.localdate()),
        recogniser=Recogniser(), few=last_row(duck, table) <= FEW_ENOUGH,
        empty_book=not Person.objects.filter(entities__contains=[one.entity_id]).exists(),
    )  # fmt: skip
    for row, _, _ in contents.rejects:
        look.find(row, Saying.BROKEN, why="row")
        look.counts.update(("broken", "rows"))
    look.write()
    return look
