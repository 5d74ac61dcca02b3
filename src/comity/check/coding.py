"""Replace each cell by the class of what the law can tell apart.

Ten million rows hold few different cells, and the law asks few questions of each. So every understood column is read
once a distinct value, in Python; values that the law cannot tell apart share a code; and a row becomes one number, its
codes in mixed radix. All that is left to do for each row is a look-up a column and a sum, which any SQL engine does.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Literal, cast

from comity.check import dialects, homes
from comity.check.dialects import Said, Silence, Understood
from comity.check.engines import Engine
from comity.check.homes import Home
from comity.check.suppression import listed_sql
from comity.check.values import Order, day_order, opt_out_stems
from comity.law.conditions import Test
from comity.law.folding import test_truth
from comity.law.vocabulary import Facts, Value

BLANK: Final = "blank"
"""What an empty cell is read as, unless its column says otherwise."""

PHONE_BEGINNING: Final = 9
"""Characters of a phone number that tell its country, with a calling code of three digits and two signs between."""

ONE_PHONE: Final = 17
"""Characters in which no two phone numbers with their calling codes can stand."""

LONGEST_PHONE: Final = 22
"""Characters of one phone number; a longer cell may hold several, and is read whole."""

NATIONAL_BEGINNING: Final = 4
"""Digits by which a dialect may tell whose national number it is."""

EMAIL_ENDING: Final = 4
"""Characters of an e-mail address that hold an ending which names a country, with its dot."""

LARGEST_KEY: Final = 2**62

ROOM: Final = 8
"""How many more codes than twice those that part of a file has taught the whole of it may have."""

LONGEST_LISTED: Final = 100
"""Characters of a cell that may stand in a query itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One column as it is understood for one use: a role, and how its cells are read."""

    understood: Understood
    today: date
    order: Order | Literal["auto"] = "auto"  # how the dialect says that dates are written
    listed: bool = False  # read not for what it says but for whether it stands in the suppression lists

    @property
    def number(self) -> int:
        """The column's place in the file, from 0."""
        return self.understood.index

    @property
    def of_home(self) -> bool:
        """Whether the column says where the person lives, rather than a fact."""
        return self.understood.role.startswith("home.") and not self.listed

    @property
    def fact(self) -> str:
        """The fact the column speaks of, if it is not about the home."""
        return "consent.opted_out" if self.listed else self.understood.fact or ""

    @property
    def table(self) -> str:
        """A name for the column's codes, unlike any other's."""
        words = (self.number, self.understood.role, self.fact, "listed" if self.listed else "")
        return "codes_" + "_".join(re.sub(r"\W", "_", str(word)) for word in words if word != "")

    def evidence(self, text: str, near: homes.Evidence = homes.NOTHING) -> homes.Evidence:
        """Return what a cell, whole or as `key_sql` shortened it, says of the home."""
        if self.understood.role == "home.phone" and _cut_phone(text):
            return _from_beginning(text)
        if self.understood.role == "home.email" and "@" not in text and not self.understood.column.values:
            return _from_ending(text.rstrip("<>\"'./ "))
        return self.understood.evidence(text, near)

    def read(self, text: str, order: Order | Literal["auto"] = "auto") -> Value:
        """Return the fact's value, None for what settles nothing or cannot be read, or BLANK for what says nothing."""
        if self.listed:
            return True if text else BLANK
        reading = self.understood.read(text, today=self.today, order=order)
        if isinstance(reading, Silence):
            return BLANK if reading is Silence.ABSENT else None
        if reading is False and self.fact in dialects.ONE_IS_ENOUGH and not self.understood.complete_for:
            return BLANK  # a tick that is missing here may stand elsewhere
        return reading


def _cut_phone(text: str) -> bool:
    return len(text) == (
        PHONE_BEGINNING if text.startswith("+") else PHONE_BEGINNING + 1 if text.startswith("00") else 0
    )


def _from_beginning(text: str) -> homes.Evidence:
    """Return what the first signs of a number say; nothing where no number of North America can begin so."""
    digits = re.sub(r"\D", "", text.removeprefix("00"))
    if digits.startswith("1") and not re.match(r"1(?:$|[2-9](?:$|\d(?:$|\d(?:$|[2-9]))))", digits):
        return None
    return homes.from_beginning(re.sub(r"\(0?$", "", text))


def _from_ending(text: str) -> homes.Evidence:
    """Return what the last signs of an address say; the longer endings are those of other scripts."""
    if "." in text:
        return homes.from_domain("x@x" + text[text.rfind(".") :])
    scripts = homes.DOMAINS.items() if text and not text.isascii() else ()
    return frozenset(country for domain, country in scripts if domain.endswith(text)) or None


def parts_of(understood: Iterable[Understood], today: date, order: Order | Literal["auto"] = "auto") -> list[Part]:
    """Return the columns that play a part."""
    return [Part(understood=one, today=today, order=order) for one in understood if not one.ignored]


def listed_parts(parts: Iterable[Part]) -> list[Part]:
    """Return the columns of addresses and numbers once more, to be looked up in the suppression lists."""
    reached = (part for part in parts if part.understood.role in {"home.email", "home.phone"})
    return [replace(part, listed=True) for part in reached]


@dataclass(slots=True)
class Coded:
    """A column's codes: code 0 is the empty cell; each has one text (or value) that stands for all of its class."""

    part: Part
    cell: str  # the column of the engine's cells: x0, x1, …
    texts: list[str]
    values: list[Value]
    codes: dict[str, int]  # of each distinct text that is not empty
    unreadable: Counter[str] = field(default_factory=Counter)
    order: Order | Literal["auto"] = "auto"  # how the column writes dates
    asked: Sequence[Test] = ()  # what the law asks of the column
    classes: dict[Hashable, int] = field(default_factory=dict)  # the code of each class

    @property
    def radix(self) -> int:
        """How many codes there are."""
        return len(self.texts)

    @property
    def filled(self) -> Mapping[str, int]:
        """The codes of the texts that say something."""
        return {text: code for text, code in self.codes.items() if code}

    def add(self, counted: Iterable[tuple[str | None, int]]) -> None:
        """Give each distinct text its code; texts that the law cannot tell apart share one."""
        part, asked = self.part, self.asked
        choice = part.understood.column.reads == "choice"
        of_value: dict[Value, Hashable] = {}
        for text, rows in counted:
            if not text:
                continue
            value = BLANK if part.of_home else part.read(text, self.order)
            unread = (
                part.evidence(text) is None if part.understood.role == "home.country" else value is None and not choice
            )
            if unread:
                self.unreadable[text] += rows
            if part.of_home:
                key = _class(part, text, value, asked)
            else:
                if value not in of_value:
                    of_value[value] = _class(part, text, value, asked)
                key = of_value[value]
            if key not in self.classes:
                self.classes[key] = self.radix
                self.texts.append(text)
                self.values.append(value)
            self.codes[text] = self.classes[key]

    def learned(self) -> Coded:
        """Forget the texts that could not be read: in how many rows they stand, the whole file must tell."""
        for text in self.unreadable:
            del self.codes[text]
        self.unreadable.clear()
        return self

    def fits(self, counted: Iterable[tuple[str | None, int]]) -> bool:
        """Tell whether these texts leave it at how the column writes dates."""
        return _order(self.part, [*self.codes, *(text for text, _ in counted if text)]) == self.order


def key_sql(part: Part, *, many: bool = True) -> str:
    """Return SQL for what of a cell can matter, so that a column has few distinct values.

    `many` says that a column of notes holds many different ones, so that it pays to pass over those without a word that
    could be an opt-out.
    """
    cell = f"c{part.number}"
    column = part.understood.column
    if part.listed:
        return listed_sql(cell, phone=column.role == "home.phone")
    if column.role == "home.phone":
        return _phone_sql(cell, national=bool(column.national))
    if column.role == "home.email" and not column.values:
        return _email_sql(cell)
    if column.role == "free-text" and many:
        stems = opt_out_stems().replace("'", "''")
        return f"CASE WHEN REGEXP_MATCHES({cell}, '{stems}') THEN {cell} ELSE NULL END"
    if column.role == "age" or column.reads in {"day", "dated"}:
        timed = f"LENGTH({cell}) > 10 AND ({cell} LIKE '____-__-__T%' OR {cell} LIKE '____-__-__ %:%')"
        return f"CASE WHEN {timed} THEN LEFT({cell}, 10) ELSE {cell} END"
    return cell


def _phone_sql(cell: str, *, national: bool) -> str:
    """A number with a calling code keeps its beginning; one without says nothing of a country.

    Where a dialect reads national numbers, those keep their beginning and shape. A cell that may hold several numbers,
    or one whose calling code does not stand first, is left whole.
    """
    rest = f"TRANSLATE(SUBSTR({cell}, {NATIONAL_BEGINNING + 1}), '123456789', '000000000')"
    otherwise = f"LEFT({cell}, {NATIONAL_BEGINNING}) || {rest}" if national else "''"
    inner = f"({cell} LIKE '%00%' OR {cell} LIKE '%００%') AND REGEXP_MATCHES({cell}, '{_INNER_00}')"
    alone = f"LENGTH({cell}) <= {ONE_PHONE} OR REGEXP_MATCHES({cell}, '^[+0][0-9 ().-]*$')"
    one = f"{cell} LIKE '+%' AND {cell} NOT LIKE '+%+%'"
    return (
        f"CASE WHEN {one} AND LENGTH({cell}) <= {ONE_PHONE} THEN LEFT({cell}, {PHONE_BEGINNING}) "  # as most are
        f"WHEN {cell} = '' THEN '' WHEN LENGTH({cell}) > {LONGEST_PHONE} THEN {cell} "
        f"WHEN {one} AND {cell} NOT LIKE '%＋%' AND NOT ({inner}) THEN LEFT({cell}, {PHONE_BEGINNING}) "
        f"WHEN {cell} LIKE '00%' AND ({alone}) THEN LEFT({cell}, {PHONE_BEGINNING + 1}) "
        f"WHEN {cell} LIKE '%+%' OR {cell} LIKE '%＋%' OR {cell} LIKE '%011%' OR ({inner}) THEN {cell} "
        f"ELSE {otherwise} END"
    )


_INNER_00: Final = "(^|[;,/|\n]|or|ou|oder)(tel:)?[^0-9A-Za-z０]*(00|００)"
"""A calling code after two zeros that does not begin the cell, as in (0049) or after another number."""


def _email_sql(cell: str) -> str:
    """An address keeps its ending, unless that is the one of most, which says nothing.

    Several addresses, and those of other scripts in disguise, are left whole.
    """
    whole = f"{cell} LIKE '%@%@%' OR {cell} LIKE '%.xn--%'"
    return f"CASE WHEN {whole} THEN {cell} WHEN {cell} LIKE '%.com' THEN '' ELSE RIGHT({cell}, {EMAIL_ENDING}) END"


def code_column(part: Part, cell: str, counted: Iterable[tuple[str | None, int]], tests: Sequence[Test]) -> Coded:
    """Give each distinct text of a column its code."""
    counted = list(counted)
    order = _order(part, (text for text, _ in counted if text))
    age = {part.fact, "person.known_age"} if part.fact == "person.age" else {part.fact}
    asked = [test for test in tests if test.fact in age]
    blank = BLANK if part.of_home else part.read("")
    coded = Coded(part, cell, [""], [blank], {}, order=order, asked=asked)
    coded.classes[_class(part, "", blank, asked)] = 0
    coded.add(counted)
    return coded


def _order(part: Part, texts: Iterable[str]) -> Order | Literal["auto"]:
    """Return how a column of dates writes them: as the dialect says, or learnt from values that can only be one."""
    column = part.understood.column
    dated = column.role == "age" or column.reads in {"day", "dated"}
    if part.order != "auto" or not dated or part.of_home:
        return part.order
    return day_order(texts) or "auto"


def _class(part: Part, text: str, value: Value, tests: Sequence[Test]) -> Hashable:
    """Return what two cells of a column have in common if nothing tells them apart."""
    if part.of_home:
        near = _NEAR if part.understood.role == "home.state" else _NEAR[:1]
        return tuple(part.evidence(text, place) for place in near)
    if value is None or value == BLANK:
        return value
    joined = isinstance(value, bool | str) and (tests or part.fact in DRAWN_ON)
    return (value if joined else None, *(test_truth(test, value) for test in tests))


DRAWN_ON: Final = frozenset({"consent.given", "consent.source_kept", "consent.wording_kept"})
"""Facts from which `join_facts` draws another. Of days and ages, truths alone tell what several columns say together;
of answers and choices, that they are the same or not."""


_NEAR = (frozenset[str](), frozenset({"US"}), frozenset({"US", "GE", "CA", "BG", "MX", "AU", "BR", "IN", "LR", "UY"}))


def _fits_a_query(texts: Iterable[str], few: int) -> bool:
    listed = list(texts)
    return len(listed) <= few and all(len(text) <= LONGEST_LISTED and text.isprintable() for text in listed)


def _looked_up(column: Coded) -> str:
    """Return SQL for a cell's code."""
    known = " ".join(f"WHEN {_literal(text)} THEN {code}" for text, code in column.filled.items())
    return f"CAST(CASE {column.cell} {known} ELSE 0 END AS BIGINT)"


def _looked_up_if_known(column: Coded) -> str:
    """Return SQL for a cell's code, or NULL where it has none."""
    empty = f"WHEN {column.cell} IS NULL OR {column.cell} = '' THEN 0"
    known = " ".join(f"WHEN {column.cell} = {_literal(text)} THEN {code}" for text, code in column.codes.items())
    return f"CAST(CASE {empty} {known} END AS BIGINT)"


def _literal(text: str) -> str:
    """Return SQL for a cell's text, in which no engine finds the word that stands for its rows."""
    return "'" + text.replace("'", "''").replace("RELATION", "RELA'||'TION") + "'"


class Key:
    """One number for each row: the codes of all columns in mixed radix.

    A key made of what part of a file has taught (`learning`) leaves room for more codes, and gives no number to a row
    with a cell that it does not know. Every other key takes a cell that it does not know for an empty one.
    """

    def __init__(self, columns: Sequence[Coded], *, learning: bool = False) -> None:
        self.learning = learning
        told = (one for one in columns if one.radix > 1 or learning)
        self.columns = sorted(told, key=lambda column: not column.part.of_home)
        self.radix = {column.cell: 2 * column.radix + ROOM if learning else column.radix for column in self.columns}
        self.homes = math.prod(self.radix[column.cell] for column in self.columns if column.part.of_home)
        self.joined: dict[str, Coded] = {column.cell: column for column in self.columns}
        self.words: list[list[Coded]] = [[]]
        size = 1
        for column in self.columns:
            if size * self.radix[column.cell] >= LARGEST_KEY:
                self.words.append([])
                size = 1
            self.words[-1].append(column)
            size *= self.radix[column.cell]

    @property
    def fits(self) -> bool:
        """Whether every column's codes have room in it."""
        return all(column.radix <= self.radix[column.cell] for column in self.columns)

    def store(self, engine: Engine) -> None:
        """Keep the codes of each column as a table of the engine, unless they are few enough to stand in the query."""
        self.joined = {one.cell: one for one in self.columns if not _fits_a_query(self._known(one), engine.few)}
        for column in self.joined.values():
            codes = {"": 0, **self._known(column)}  # a join is quicker when it finds every cell
            engine.keep(column.part.table, (("cell", "VARCHAR"), ("code", "BIGINT")), codes.items())

    def _known(self, column: Coded) -> Mapping[str, int]:
        return column.codes if self.learning else column.filled

    def query(self, cells: str, *more: str) -> str:
        """Return the query that gives every row of `cells` its number, as words k0, k1, … of BIGINT, and more of it."""
        words = ", ".join(f"{self._word(word)} AS k{number}" for number, word in enumerate(self.words))
        joins = " ".join(
            f"LEFT JOIN {column.part.table} AS t{column.cell} ON t{column.cell}.cell = {column.cell}"
            for column in self.joined.values()
        )
        return f"SELECT {', '.join(['row', words, *more])} FROM {cells} {joins}"

    def _word(self, columns: Sequence[Coded]) -> str:
        terms, weight = [], 1
        for column in columns:
            terms.append(f"{self._code(column)} * {weight}")
            weight *= self.radix[column.cell]
        return "CAST(" + (" + ".join(terms) or "0") + " AS BIGINT)"

    def _code(self, column: Coded) -> str:
        if column.cell not in self.joined:
            return _looked_up_if_known(column) if self.learning else _looked_up(column)
        code = f"t{column.cell}.code"
        return f"CASE WHEN {column.cell} IS NULL THEN 0 ELSE {code} END" if self.learning else f"COALESCE({code}, 0)"

    def halves(self, words: Sequence[int]) -> tuple[Hashable, Hashable]:
        """Return what of a row's number tells the home, and what the facts; all of it where a word cannot hold both."""
        if self.homes >= LARGEST_KEY:
            return tuple(words), tuple(words)
        what, where = divmod(words[0], self.homes)
        return where, (what, *words[1:])

    def read(self, words: Sequence[int]) -> Iterator[tuple[Coded, int]]:
        """Yield the code of each column in a row's number."""
        for word, columns in zip(words, self.words, strict=True):
            rest = int(word)
            for column in columns:
                rest, code = divmod(rest, self.radix[column.cell])
                yield column, code


class People:
    """Turns codes back into people: their home from all the evidence, their facts from all the columns."""

    def __init__(self, columns: Sequence[Coded]) -> None:
        self.columns = columns
        self.homes: dict[tuple[int, ...], Home] = {}
        self.facts: dict[tuple[int, ...], Facts] = {}
        self.same_home: dict[Home, Home] = {}
        self.same_facts: dict[frozenset[tuple[str, Value]], Facts] = {}
        self.of_home = [column for column in columns if column.part.of_home]
        self.of_facts = [column for column in columns if not column.part.of_home]

    def person(self, codes: Mapping[int, int]) -> tuple[Home, Facts]:
        """Return the home and the facts that a row's codes (by column number) stand for."""
        where = tuple(codes.get(id(column), 0) for column in self.of_home)
        what = tuple(codes.get(id(column), 0) for column in self.of_facts)
        if where not in self.homes:
            home = find_home(
                self.of_home, [column.texts[code] for column, code in zip(self.of_home, where, strict=True)]
            )
            self.homes[where] = self.same_home.setdefault(home, home)
        if what not in self.facts:
            read = [(column.part.fact, column.values[code]) for column, code in zip(self.of_facts, what, strict=True)]
            facts = join_facts(read)
            self.facts[what] = self.same_facts.setdefault(frozenset(facts.items()), facts)
        return self.homes[where], self.facts[what]


def find_home(columns: Sequence[Coded], texts: Sequence[str]) -> Home:
    """Return the home that one person's cells speak of."""
    cells = [(column.part, text) for column, text in zip(columns, texts, strict=True) if text]

    def seen(role: str, near: homes.Evidence = homes.NOTHING, address: str | None = None) -> list[homes.Evidence]:
        return [
            part.evidence(text, near)
            for part, text in cells
            if part.understood.role == role and address in {None, part.understood.column.address}
        ]

    phones = seen("home.phone")
    near = homes.NOTHING.union(*(phone for phone in phones if phone))
    countries, states = [], []
    placed = (part.understood for part, _ in cells if part.understood.role in {"home.country", "home.state"})
    for address in sorted({one.column.address for one in placed}):
        country = homes.same_place(seen("home.country", address=address))
        countries.append(country)
        states.append(homes.same_place(seen("home.state", near if country == homes.NOTHING else country, address)))
    return homes.settle(countries, states, phones, [*seen("home.email"), *seen("home.weak")])


def join_facts(read: Iterable[tuple[str, Value]]) -> Facts:
    """Join what several columns say of the same facts."""
    said: dict[str, list[Said]] = {}
    for fact, value in read:
        if value != BLANK:
            said.setdefault(fact, []).append(cast("Said", value))
    facts: Facts = {fact: dialects.join(fact, values) for fact, values in said.items()}
    if facts.get("consent.given") is True and (facts.get("consent.source_kept") or facts.get("consent.wording_kept")):
        # No export has a column "express". A yes with its form or wording on file is an act that can be shown; a yes
        # without either lacks evidence anyway.
        facts.setdefault("consent.express", True)
    if facts.get("person.age") is not None:
        facts.setdefault("person.known_age", facts["person.age"])
    return facts
