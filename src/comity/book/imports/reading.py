"""One row of a file as a newcomer: names, contact points, plain facts, what they said; and what of it cannot be read.

Nothing is guessed in silence. A cell that cannot be read is a problem of its row, with a reason; an opt-out counts in
whatever column or words it stands; a yes counts only with its day.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from functools import cached_property, lru_cache
from typing import Any, Final, Literal
from uuid import UUID

from comity.book.actions import NewActivity, Newcomer, NewPoint
from comity.book.exports.cells import apart, unguarded
from comity.book.imports.columns import CHANNELS, law_columns
from comity.book.imports.languages import language_of
from comity.book.imports.newcomers import Spoken, SpokenWrongly, writers
from comity.book.models import Doing, Reach
from comity.check import values
from comity.check.coding import BLANK, Coded, Part, find_home, key_sql
from comity.check.dialects import BLANK_KEYS, Dialect, Understood, value_key
from comity.refs import read_ref
from comity.vault.sealing import FieldClass, Fields

Order = values.Order | Literal["auto"]

LONGEST_NAME: Final = 300
LONGEST_NOTE: Final = 50_000
LONGEST_HOME: Final = 120
MOST_READINGS: Final = 50_000
"""Cells of a column whose meaning is remembered, since most repeat themselves."""

EMAIL: Final = re.compile(r"[^\s@,;<>()\[\]\"]{1,64}@[^\s@,;<>()\[\]\"/]{1,190}\.[^\s@,;<>()\[\]\"/.]{2,63}")
NAMED_EMAIL: Final = re.compile(r".*<([^<>]+)>\s*")
HOME: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?(\|[A-Z]{2}(-[A-Z0-9]{1,3})?)*")
REFUSED: Final = re.compile(
    r"opt(ed)?[ _-]?out|unsub|cleaned|declin|refus|revok|withdr|退订|abgemeldet|widerruf|d[ée]sins"
)
IMPERSONAL: Final = frozenset({
    "info", "sales", "office", "contact", "support", "hello", "admin", "service", "kontakt", "mail", "team", "vertrieb",
    "billing", "accounts", "marketing", "press", "jobs", "hr", "help", "enquiries", "reception", "noreply", "no-reply",
    "post", "zentrale", "buero", "contacto", "contatti", "vendas",
})  # fmt: skip
"""What stands before the @ of an address that names no human being."""
SEVERAL, LINES, TAGS = re.compile(r"[;,\s|]+"), re.compile(r"[;|\n]| / "), re.compile(r"[;,|\n]")
"""What stands between addresses, between numbers, and between tags, in one cell."""
FEWEST_DIGITS, MOST_DIGITS = 5, 20
TOO_MANY_DIGITS: Final = 10
"""Digits that no tag and no notice has, even one that tells its day."""
WORDS: Final = re.compile(r"[^\W_]+")
YEAR: Final = re.compile(r"(18|19|20)\d\d")
YEAR_MONTH: Final = re.compile(r"((?:18|19|20)\d\d)[-/.](0?[1-9]|1[0-2])")
OPTED_OUT: Final = frozenset({"consent.opted_out", "consent.withdrawn"})
BESIDE: Final = ("express", "separate", "written", "parental", "names_caller")
RELATION_DAYS: Final = {"relation.last_purchase_on", "relation.last_inquiry_on", "relation.last_mailed_on"}
RELATION_TRUTHS: Final = {"relation.contract_running", "relation.address_from_sale", "relation.refusal_offered"}


@dataclass(frozen=True, kw_only=True)
class Given:
    """What whoever imports said of all rows at once."""

    now: datetime
    source: str = ""
    notice: str = ""
    notice_on: date | None = None
    home: str = ""
    tells_all: bool = False  # of who opted out
    classes: frozenset[FieldClass] = frozenset(FieldClass)  # of fields that their role may bring in

    @property
    def day(self) -> date:
        """The day on which the file is read."""
        return self.now.date()


@dataclass(slots=True)
class Told:
    """What one row says."""

    row: int
    name: dict[str, str] = field(default_factory=dict)
    points: list[NewPoint] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    relation: dict[str, Any] = field(default_factory=dict)
    organisation: str = ""
    identifiers: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    problems: list[tuple[int | None, str]] = field(default_factory=list)
    opted_out: bool = False
    unclear: bool = False  # a yes without its day, or of which nobody can say to what
    known_as: UUID | None = None
    opt_outs_known: Sequence[str] | None = ()  # channels and operations of whose opt-outs the file tells all; None: all

    def wrong(self, column: int | None, why: str) -> None:
        """Remember that a cell cannot be read."""
        self.problems.append((column, why))

    def say_as(self, other: Told) -> None:
        """Let this row say what another said, whose cells were the same."""
        self.facts |= other.facts
        self.relation |= other.relation
        self.spoken += other.spoken
        self.problems += other.problems
        self.opted_out |= other.opted_out
        self.unclear |= other.unclear

    def newcomer(self, ref: UUID, now: datetime) -> Newcomer:
        """Return who this is, ready to be brought into the book."""
        also: list[tuple[FieldClass, Fields]] = []
        if self.identifiers:
            also.append((FieldClass.IDENTIFIER, self.identifiers))
        activities = [NewActivity(doing=Doing.NOTE, at=now, text=note) for note in self.notes]
        return Newcomer(
            ref=ref, name=self.name, points=self.points, facts=self.facts,
            relation={**self.relation, "opt_outs_known": self.opt_outs_known}, organisation=self.organisation,
            activities=activities, also=also,
        )  # fmt: skip

    @property
    def noes(self) -> list[Spoken]:
        """What they said that forbids or ends something; a yes is none."""
        return [one for one in self.spoken if one.said != "given"]

    def bare(self) -> None:
        """Keep only by what somebody is recognised who said no: so that the no is never lost, and nothing else held."""
        self.name, self.organisation, self.identifiers, self.notes, self.tags = {}, "", {}, [], []
        self.points = [point for point in self.points if point.reach != Reach.POST]
        kept = {"objected_at", "opt_out_signal_at", "restricted_at", "deceased_at", "home", "home_from"}
        self.facts = {name: value for name, value in self.facts.items() if name in kept}
        self.spoken = self.noes


@dataclass(slots=True)
class Reads:
    """One column that `check` understands, with what its cells turned out to say."""

    part: Part
    order: Order
    scope: frozenset[str]  # channels of which it speaks
    selling: bool  # it speaks of selling or sharing data, or of advertising made from it
    of_consent: bool  # it speaks of what somebody said, not of who they are
    seen: dict[str, Any] = field(default_factory=dict)

    def value(self, text: str) -> Any:  # noqa: ANN401 - a value of the vocabulary
        """Return what a cell says: a value, None for what settles nothing, or BLANK."""
        known = self.seen.get(text, self)
        if known is not self:
            return known
        if len(self.seen) > MOST_READINGS:
            self.seen.clear()
        found = self.seen[text] = self.part.read(text, self.order)
        return found

    def day(self, text: str) -> date | None:
        """Return the day that a cell names, if it names one."""
        return values.day(text, self.order)


Filled = dict[str, list[tuple[int, str]]]
"""The filled cells of a row with their columns' numbers, by what the columns are."""
Held = tuple[Reads, str, Any]
"""A column, one of its cells, and what it says."""
Channels = dict[str, dict[str, list[Held]]]
"""What cells say of consents, by channel and fact."""


# ---------------------------------------------------------------- the whole of a file


class Reader:
    """Reads rows of one file, whose columns mean what `mapping` says."""

    def __init__(
        self, *, dialect: Dialect, headers: Sequence[str], mapping: Sequence[str], given: Given,
        orders: Mapping[int, Order],
    ) -> None:  # fmt: skip
        self.dialect, self.headers, self.mapping, self.given, self.orders = dialect, headers, mapping, given, orders
        self.ours = dialect.id == "comity"
        self.at = given.now
        self.by_meaning: dict[str, list[int]] = defaultdict(list)
        for number, meaning in enumerate(mapping):
            self.by_meaning[meaning].append(number)
        self.parts = list(self._parts())
        self.of_home = [Coded(part, "", [], [], {}) for part in self._home_parts()]
        self.free = [each for each in self.parts if each.part.understood.role == "free-text"]
        self.facts = [each for each in self.parts if each.part.understood.role != "free-text"]
        self.homes: dict[tuple[str, ...], tuple[str, list[str]]] = {}
        self.same: dict[tuple[object, ...], Told] = {}  # what rows said that had these cells

    def _parts(self) -> Iterator[Reads]:
        for number, header in enumerate(self.headers):
            for column in law_columns(self.dialect, header, self.mapping[number]):
                if column.role.startswith("home.") or column.role == "age":
                    continue
                part = Part(
                    understood=Understood(index=number, header=header, column=column, how=""), today=self.given.day
                )
                selling = bool(column.operations) and "contact" not in column.operations
                selling = selling or (bool(column.purposes) and "marketing" not in column.purposes)
                scope = frozenset(column.channels & set(CHANNELS)) if column.channels else frozenset(CHANNELS)
                if scope or selling:
                    yield Reads(
                        part=part, order=self._order(number), scope=scope, selling=selling,
                        of_consent=part.fact.startswith("consent."),
                    )  # fmt: skip

    def _order(self, number: int) -> Order:
        return self.orders.get(number, self.dialect.order)

    @cached_property
    def complete_for(self) -> list[str] | None:
        """Channels and operations of whose opt-outs the file tells every one, as its columns have it; None is all.

        Whoever brings it may know that it tells them all, and says so in their name.

        BLIND SPOT: a file of our own book is taken to tell all, also of people of whom that book did not know.
        """
        columns = [law_columns(self.dialect, header, self.mapping[at]) for at, header in enumerate(self.headers)]
        words = {word for several in columns for column in several for word in column.complete_for}
        if self.ours or self.given.tells_all or "opt-outs" in words:
            return None
        return sorted(word.removeprefix("opt-outs:") for word in words)

    def _home_parts(self) -> Iterator[Part]:
        if self.ours:
            return
        for number, header in enumerate(self.headers):
            for column in law_columns(self.dialect, header, self.mapping[number]):
                if column.role.startswith("home."):
                    yield Part(
                        understood=Understood(index=number, header=header, column=column, how=""), today=self.given.day
                    )

    @cached_property
    def select(self) -> list[str]:
        """What of each row is read, as SQL: its cells, then what tells the home, then which notes may say no."""
        cells = [f"c{number}" for number in range(len(self.headers))]
        homes = [key_sql(coded.part, many=False) for coded in self.of_home]
        stems = values.opt_out_stems().replace("'", "''")
        free = [f"REGEXP_MATCHES(c{each.part.number}, '{stems}')" for each in self.free]
        return ["row", *cells, *homes, *free]

    @property
    def dated(self) -> list[int]:
        """The columns that hold days, whose order must be learnt."""
        found = {each.part.number for each in self.facts if each.part.understood.column.reads in {"day", "dated"}}
        return sorted(found | {number for name in ("birth", "notice-on") for number in self.by_meaning[name]})

    def told(self, selected: Sequence[Any]) -> Told:
        """Read a row, as `select` gave it."""
        width = len(self.headers)
        clean = unguarded if self.ours else _clean
        cells = [clean(text) if text else "" for text in selected[1 : 1 + width]]
        filled: Filled = {}
        for number, text in enumerate(cells):
            if text:
                filled.setdefault(self.mapping[number], []).append((number, text))
        told = Told(row=selected[0], opt_outs_known=self.complete_for)
        self._names(told, filled)
        self._points(told, filled)
        self._plain(told, filled)
        self._home(told, cells, selected[1 + width : 1 + width + len(self.of_home)])
        self._said(told, cells, selected[1 + width + len(self.of_home) :])
        if not (told.name or told.points or told.identifiers or told.problems):
            told.wrong(None, "nobody")
        return told

    # ------------------------------------------------------------ who it is

    def _names(self, told: Told, filled: Filled) -> None:
        if FieldClass.NAME in self.given.classes:
            for part in ("given", "family", "full", "title", "post"):
                for number, text in filled.get(part, ()):
                    self._name(told, part, number, text)
            if not self.ours and "full" in told.name and told.name.keys() & {"given", "family"}:
                del told.name["full"]
        for number, text in filled.get("organisation", ()):
            if len(text) > LONGEST_NAME:
                told.wrong(number, "too-long")
            else:
                told.organisation = told.organisation or text.replace("\0", "")
        if FieldClass.IDENTIFIER in self.given.classes:
            for number, text in filled.get("identifier", ()):
                told.identifiers[self.headers[number][:LONGEST_NAME]] = text[:LONGEST_NAME]
        for number, text in filled.get("ref", ()):
            self._ref(told, number, text)

    def _name(self, told: Told, part: str, number: int, text: str) -> None:
        if len(text) > LONGEST_NAME:
            told.wrong(number, "too-long")
        elif part == "full" or part not in told.name:
            told.name.setdefault(part, text)
        elif text != told.name[part]:
            told.name[part] = f"{told.name[part]} {text}"

    def _ref(self, told: Told, number: int, text: str) -> None:
        try:
            told.known_as = read_ref(text)
        except ValueError:
            told.wrong(number, "ref")

    def _points(self, told: Told, filled: Filled) -> None:
        seen: set[str] = set()
        if FieldClass.CONTACT in self.given.classes:
            for number, text in filled.get("email", ()):
                for address in self._addresses(text):
                    self._email(told, number, address, seen)
            for meaning, mobile in (("mobile", True), ("phone", None)):
                for number, text in filled.get(meaning, ()):
                    for line in self._numbers(text):
                        self._phone(told, number, line, mobile, seen)
        if FieldClass.ADDRESS in self.given.classes:
            told.points += [NewPoint(reach=Reach.POST, value=address) for address in self._postal(filled)]

    def _email(self, told: Told, number: int, address: str, seen: set[str]) -> None:
        same = address.casefold()
        if not EMAIL.fullmatch(address):
            told.wrong(number, "email")
        elif same not in seen:
            seen.add(same)
            impersonal = same.partition("@")[0] in IMPERSONAL
            told.points.append(NewPoint(reach=Reach.EMAIL, value=address, impersonal=impersonal))

    def _phone(self, told: Told, number: int, line: str, mobile: bool | None, seen: set[str]) -> None:  # noqa: FBT001 - a fact
        digits = "".join(filter(str.isdigit, line))
        if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
            told.wrong(number, "phone")
        elif digits not in seen:
            seen.add(digits)
            told.points.append(NewPoint(reach=Reach.PHONE, value=line, mobile=mobile))

    def _addresses(self, text: str) -> list[str]:
        if self.ours:
            return apart(text)
        if text.count("@") == 1:
            named = NAMED_EMAIL.fullmatch(text)
            return [(named[1] if named else text).strip().removeprefix("mailto:")]
        return [part.strip() for part in SEVERAL.split(text) if part.strip()] if "@" in text else [text]

    def _numbers(self, text: str) -> list[str]:
        if self.ours:
            return apart(text)
        plain = text.removeprefix("'")
        return [part.strip() for part in LINES.split(plain) if part.strip()]

    def _postal(self, filled: Filled) -> Iterator[str]:
        for _, text in filled.get("address", ()):
            yield from apart(text) if self.ours else [text]
        lines = [", ".join(text for _, text in filled.get("street", ()))]
        lines.append(" ".join(text for name in ("postcode", "city") for _, text in filled.get(name, ())))
        if any(lines):
            lines += [next((text for _, text in filled.get(name, ())), "") for name in ("state", "country")]
            yield ", ".join(filter(None, lines))

    # ------------------------------------------------------------ plain facts

    def _plain(self, told: Told, filled: Filled) -> None:
        for number, text in filled.get("language", ()):
            if (language := language_of(text)) is None:
                told.wrong(number, "language")
            else:
                told.facts.setdefault("language", language)
        self._born(told, filled)
        self._informed(told, filled)
        if FieldClass.NOTE in self.given.classes:
            told.notes = [text[:LONGEST_NOTE] for _, text in filled.get("note", ())]
        for number, text in filled.get("tags", ()):
            split = apart(text) if self.ours else TAGS.split(text)
            told.tags += [tag for part in split if (tag := self._plainly(told, number, part.strip())[:60])]

    def _born(self, told: Told, filled: Filled) -> None:
        facts = told.facts
        for number, text in filled.get("birth", ()):
            born = _birth(text, self._order(number), self.given.day)
            if born is None:
                told.wrong(number, "birth")
            else:
                facts |= {"birth_year": born[0]} | ({"birth_month": born[1]} if born[1] else {})
        for number, text in filled.get("birth-month", ()):
            if text.isdigit() and 1 <= int(text) <= 12 and "birth_year" in facts:  # noqa: PLR2004 - a year has twelve months
                facts["birth_month"] = int(text)
            else:
                told.wrong(number, "birth")

    def _informed(self, told: Told, filled: Filled) -> None:
        """Where the data came from, and which notice was shown when: as the row says, else as was said of all."""
        if self.given.source:
            told.relation["source"] = self.given.source
        notices = (self._plainly(told, number, text) for number, text in filled.get("notice", ()))
        if notice := next(filter(None, notices), self.given.notice):
            told.relation["notice"] = notice[:60]
        shown = self.given.notice_on
        for number, text in filled.get("notice-on", ()):
            shown = values.day(text, self._order(number)) or shown
        if shown:
            told.relation["notice_on"] = shown

    def _plainly(self, told: Told, number: int, text: str) -> str:
        """Return a text that is to stand plain in the book; nothing if it names or reaches whom the row is about."""
        if self.ours or not names_them(text, told):
            return text
        told.wrong(number, "names")
        return ""

    def _home(self, told: Told, cells: Sequence[str], keys: Sequence[Any]) -> None:
        if self.ours:
            home = next((text for number, text in enumerate(cells) if self.headers[number] == "Home"), "")
            if home and HOME.fullmatch(home):
                told.facts["home"], told.facts["home_from"] = home, ["comity"]
            elif home:
                told.wrong(None, "home")
            return
        texts = tuple(text or "" for text in keys)
        known = self.homes.get(texts)
        if known is None:
            if len(self.homes) > MOST_READINGS:
                self.homes.clear()
            known = self.homes[texts] = self._found(texts)
        home, evidence = known
        if home:
            told.facts["home"], told.facts["home_from"] = home, evidence

    def _found(self, texts: Sequence[str]) -> tuple[str, list[str]]:
        """Return the home, and from which evidence; what was said of all rows counts where there is none."""
        found = find_home(self.of_home, texts)
        roles = [coded.part.understood.role for coded, text in zip(self.of_home, texts, strict=True) if text.strip()]
        if found.places and len(found.text) <= LONGEST_HOME:
            return found.text, sorted({role.removeprefix("home.") for role in roles})
        written = {"home.country", "home.state"} & set(roles)
        return (self.given.home, ["told"]) if self.given.home and not written and not found.places else ("", [])

    # ------------------------------------------------------------ what they said

    def _said(self, told: Told, cells: Sequence[str], flags: Sequence[Any]) -> None:
        """Read what a row says of the law's facts; rows whose cells say the same are read once."""
        if any(flags) or self.by_meaning.get("consent-lines"):
            self._read_said(told, cells, flags)
        else:
            phone = any(point.reach == Reach.PHONE for point in told.points)
            texts = (phone, *[cells[each.part.number] for each in self.facts])
            same = self.same.get(texts)
            if same is None:
                if len(self.same) > MOST_READINGS:
                    self.same.clear()
                same = self.same[texts] = Told(row=0, points=[NewPoint(reach=Reach.PHONE, value="")] if phone else [])
                self._read_said(same, cells, flags)
            told.say_as(same)
        if told.spoken and not self.ours:
            told.spoken = [_harmless(one, told) for one in told.spoken]

    def _read_said(self, told: Told, cells: Sequence[str], flags: Sequence[Any]) -> None:
        channels: Channels = {}
        for each in self.facts:
            text = cells[each.part.number]
            if text and (value := each.value(text)) != BLANK:
                if each.of_consent:
                    self._heard(told, channels, each, text, value)
                else:
                    self._fact(told, each, text, value)
        for each, flag in zip(self.free, flags, strict=True):
            if flag and each.value(cells[each.part.number]) is True:
                self._refused_all(told, self.at)
        if channels:
            self._by_channel(told, channels)
        for number in self.by_meaning.get("consent-lines", ()):
            if cells[number]:
                self._lines(told, number, cells[number])

    def _heard(self, told: Told, channels: Channels, each: Reads, text: str, value: Any) -> None:  # noqa: ANN401 - as read
        """Put what a cell says of a consent to the channels of which it speaks; a "no" to an opt-out says nothing."""
        fact = each.part.fact
        if value is False and fact != "consent.given":
            return
        if each.selling:
            self._sold(told, each, value)
            return
        for channel in each.scope:
            channels.setdefault(channel, {}).setdefault(fact, []).append((each, text, value))

    def _sold(self, told: Told, each: Reads, value: object) -> None:
        """A no to selling, sharing or targeted advertising: kept as a signal, which counts for all of them."""
        if each.part.fact in OPTED_OUT and value is not False:
            told.opted_out = True
            told.facts.setdefault("opt_out_signal_at", self.at)
            told.spoken.append(self._spoken("refused", self.at, "none", purpose="targeted-advertising"))

    def _spoken(self, said: str, at: datetime, channel: str, **more: Any) -> Spoken:  # noqa: ANN401 - parts of Spoken
        return Spoken(said=said, said_at=at, channel=channel, **{"source": "import", **more})

    def _fact(self, told: Told, each: Reads, text: str, value: Any) -> None:  # noqa: ANN401 - a value of the vocabulary
        """A fact about the person, or about what is between us."""
        fact = each.part.fact
        if value is None:
            if each.part.understood.column.reads == "day":
                told.wrong(each.part.number, "day")
            elif fact in _MOMENTS:
                told.wrong(each.part.number, "unclear")
        elif fact in _MOMENTS:
            if value is True:
                told.facts[_MOMENTS[fact]] = _moment(text, each) or self.at
                told.opted_out = told.opted_out or fact in {"person.objected", "person.opt_out_signal"}
        elif fact in {"person.capacity", "person.subscriber"}:
            told.facts[fact.removeprefix("person.")] = value
        else:
            self._between(told, each, text, value)

    def _between(self, told: Told, each: Reads, text: str, value: Any) -> None:  # noqa: ANN401 - a value of the vocabulary
        relation, fact = told.relation, each.part.fact
        name = fact.removeprefix("relation.")
        if fact == "relation.customer" and value is True:
            days = filter(None, (each.day(text), relation.get("customer_since")))
            relation["customer_since"] = min(days, default=self.given.day)  # today at the latest: the file says so
        elif fact == "relation.source":
            relation["source"] = value
        elif fact in RELATION_DAYS:
            relation[name] = max(filter(None, (value, relation.get(name))))
        elif fact in RELATION_TRUTHS:
            relation[name] = bool(value)

    def _refused_all(self, told: Told, at: datetime, source: str = "import") -> None:
        """A no that names no channel counts for each, and is an objection."""
        told.opted_out = True
        told.facts["objected_at"] = min(at, told.facts.get("objected_at") or at)
        reached = {point.reach for point in told.points}
        channels = ["email", *(("sms", "call") if Reach.PHONE in reached else ())]
        already = {one.channel for one in told.spoken if one.said == "refused"}
        told.spoken += [
            self._spoken("refused", at, channel, source=source) for channel in channels if channel not in already
        ]

    def _by_channel(self, told: Told, channels: Channels) -> None:
        for channel, facts in sorted(channels.items()):
            noes = [held for fact in OPTED_OUT for held in facts.get(fact, ())]
            given = facts.get("consent.given", ())
            noes += [held for held in given if held[2] is False and REFUSED.search(value_key(held[1]))]
            if noes:
                self._refused(told, channel, facts, noes)
            yes = [held for held in given if held[2] is True]
            if yes and not any(held[2] is False for held in given):
                self._agreed(told, channel, facts)
            elif any(held[2] is not False for held in given):
                told.unclear = True

    def _refused(self, told: Told, channel: str, facts: Mapping[str, Any], noes: Sequence[Held]) -> None:
        dates = [each.day(text) for each, text, _ in noes]
        dates += [value for _, _, value in facts.get("consent.opted_out_on", ()) if isinstance(value, date)]
        at = _noon(min(filter(None, dates), default=None)) or self.at
        for each, _, value in noes:
            if value is None:
                told.wrong(each.part.number, "opt-out")
        if any(len(each.scope) == len(CHANNELS) for each, _, _ in noes):
            self._refused_all(told, at)
        elif not any(one.channel == channel and one.said == "refused" for one in told.spoken):
            told.opted_out = True
            told.spoken.append(self._spoken("refused", at, channel))

    def _agreed(self, told: Told, channel: str, facts: Mapping[str, Any]) -> None:
        """A yes, with its day, where it was given and to which words. Without a day it would prove nothing."""
        days = [value for _, _, value in facts.get("consent.given_on", ()) if isinstance(value, date)]
        days += [day for each, text, _ in facts.get("consent.given", ()) if (day := each.day(text))]
        if unread := [each for each, _, value in facts.get("consent.given_on", ()) if value is None]:
            told.wrong(unread[0].part.number, "day")
        at = _noon(min(days, default=None))
        if at is None:
            told.unclear = True
            return
        source, wording = (_first(facts.get(name, ())) for name in ("consent.source_kept", "consent.wording_kept"))
        stated = {name: _truth(facts.get(f"consent.{name}", ())) for name in BESIDE}
        express = stated["express"]
        told.spoken.append(
            Spoken(
                said="given", said_at=at, channel=channel, source=source, notice=wording, double_opt_in=express is True,
                express=True if express is None and (source or wording) else express,
                separate=stated["separate"] is True, written=stated["written"] is True,
                parental=stated["parental"] is True, names_caller=stated["names_caller"] is True,
            )
        )  # fmt: skip

    def _lines(self, told: Told, number: int, cell: str) -> None:
        for writer in writers():
            try:
                read = writer.read(about=self.headers[number].removeprefix("Consent "), cell=cell)
            except SpokenWrongly:
                told.wrong(number, "consent")
                return
            told.spoken += read
            told.opted_out = told.opted_out or any(one.said in {"refused", "withdrawn", "objected"} for one in read)
            objected = [one.said_at for one in read if one.said == "objected"]
            if objected:
                told.facts["objected_at"] = min([*objected, *filter(None, [told.facts.get("objected_at")])])


_MOMENTS: Final = {
    "person.objected": "objected_at", "person.opt_out_signal": "opt_out_signal_at",
    "person.restricted": "restricted_at", "person.deceased": "deceased_at",
}  # fmt: skip
"""Facts that stand in the book as the moment since when they hold."""


LONGEST_BLANK: Final = max(map(len, BLANK_KEYS)) + 2


def _clean(text: str) -> str:
    """Return a cell without outer spaces; nothing for one that only says that it says nothing, such as "n/a"."""
    stripped = text.strip()
    return "" if len(stripped) <= LONGEST_BLANK and _says_nothing(stripped) else stripped


@lru_cache(maxsize=10_000)
def _says_nothing(text: str) -> bool:
    return text.casefold() in BLANK_KEYS


def _moment(text: str, each: Reads) -> datetime | None:
    """Return an instant as it is written, else noon of the day that is."""
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        return _noon(each.day(text))
    return read if read.tzinfo else _noon(read.date())


def _noon(day: date | None) -> datetime | None:
    """Return noon of a day, UTC: nearly everywhere on Earth it is that day then."""
    return datetime.combine(day, time(12), tzinfo=UTC) if day else None


def _birth(text: str, order: Order, today: date) -> tuple[int, int | None] | None:
    """Return year and month of birth, as far as a cell tells them; of a stated age the later year."""
    if YEAR.fullmatch(text):
        return int(text), None
    if match := YEAR_MONTH.fullmatch(text):
        return int(match[1]), int(match[2])
    if (day := values.day(text, order)) and day <= today:
        return day.year, day.month
    bounds = values.age_bounds(text, today, order)
    return (today.year - bounds[0], None) if bounds else None


def _first(held: Iterable[Held]) -> str:
    return next((text.strip() for _, text, _ in held), "")


def _truth(held: Iterable[Held]) -> bool | None:
    said = [value for _, _, value in held if isinstance(value, bool)]
    return any(said) if said else None


def _harmless(one: Spoken, told: Told) -> Spoken:
    """Return where and to what somebody agreed, unless it names them: the columns in which it will stand are plain."""
    if one.source in KNOWN_HARMLESS and one.notice in KNOWN_HARMLESS:
        return one
    source, notice = _unnamed(one.source, told), _unnamed(one.notice, told)
    return one if (source, notice) == (one.source, one.notice) else replace(one, source=source, notice=notice)


KNOWN_HARMLESS: Final = frozenset({"", "import"})


def _unnamed(text: str, told: Told) -> str:
    small = text.casefold()
    named = [*(part for part in told.name.values() if len(part) > 1), *(point.value for point in told.points)]
    return "import" if "@" in small or any(part.casefold() in small for part in named) else text[:60]


def names_them(text: str, told: Told) -> bool:
    """Say whether a text names or reaches whom a row is about, and so is neither a tag nor a notice.

    An address or number does; so does a text of which every word stands in their name or before the @ of their address.
    """
    small = text.casefold()
    if "@" in small or sum(map(str.isdecimal, small)) >= TOO_MANY_DIGITS:
        return True
    theirs = [*told.name.values(), *(point.value.partition("@")[0] for point in told.points)]
    words = WORDS.findall(small)
    return bool(words) and set(words) <= {word for each in theirs for word in WORDS.findall(each.casefold())}


def orders_of(columns: Iterable[int], distinct: Callable[[int], Iterable[str]], chosen: str) -> dict[int, Order]:
    """Return how each of these columns writes its days: as was chosen, else as learnt from its cells."""
    if chosen in {"dmy", "mdy"}:
        return dict.fromkeys(columns, chosen)  # type: ignore[arg-type]  # one of the two
    learnt = {number: values.day_order(distinct(number)) for number in columns}
    return {number: order for number, order in learnt.items() if order}
