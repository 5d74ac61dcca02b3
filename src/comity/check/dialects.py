"""What the columns of somebody else's export mean: dialects are TOML files, one per kind of export.

A dialect lists columns by header (or by pattern) with the role each plays: evidence for a person's home, a fact of the
vocabulary, free text to be searched for opt-outs, or something to ignore, with the reason. What a dialect does not know
falls to `generic.toml`, which knows headers by their words in several languages; a file nobody recognises is read by it
alone. `Column` says what each key of a `[[column]]` means; a file that does not keep to them is refused.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from comity.check import homes, values
from comity.law.folding import FIXED_NAMESPACES, HOME
from comity.law.vocabulary import Fact, Vocabulary, nearest

Role = Literal[
    "home.country", "home.state", "home.phone", "home.email", "home.weak", "fact", "age", "free-text", "ignore"
]
Reads = Literal["truth", "day", "dated", "filled", "positive", "choice"]


class Silence(Enum):
    """What a cell says that is neither a fact nor evidence."""

    ABSENT = "absent"  # nothing: the vocabulary says what absence means
    UNKNOWN = "unknown"  # something that settles nothing: the fact is unknown, whatever its absence would mean


Reading = bool | date | tuple[int, int] | str | Silence
Meaning = bool | str  # in a dialect: true, false, "absent", "unknown", or a choice of the vocabulary


class DialectError(Exception):
    """A dialect file that cannot be used: what is wrong, where, and what to do."""

    def __init__(self, what: str, *, where: str, cure: str) -> None:
        super().__init__(f"{where}: {what} {cure}")
        self.what, self.where, self.cure = what, where, cure


# ---------------------------------------------------------------- values


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column that a dialect knows, and how its cells are read."""

    headers: frozenset[str] = frozenset()  # as `header_key` writes them
    pattern: re.Pattern[str] | None = None  # over the words of a header, as `header_words` writes them
    unless: re.Pattern[str] | None = None
    role: Role
    fact: str | None = None
    reads: Reads = "truth"
    channels: frozenset[str] = frozenset()  # none named: every one
    purposes: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()
    values: Mapping[str, Meaning] = field(default_factory=dict)
    yes: Meaning = True
    no: Meaning = False
    otherwise: Meaning = "unknown"  # a filled cell that none of these explains
    empty: Meaning = "absent"
    address: str = ""  # cells of one address explain each other: its country by name and by code
    national: str = ""  # a calling code for numbers written without one, where `national_when` fits
    national_when: re.Pattern[str] | None = None
    complete_for: tuple[str, ...] = ()  # "opt-outs:email": whoever opted out of it is marked in this very column
    why: str = ""

    def fits(self, header: str) -> bool:
        if header_key(header) in self.headers:
            return True
        words = header_words(header)
        return bool(self.pattern and self.pattern.search(words) and not (self.unless and self.unless.search(words)))

    def speaks_of(self, *, operation: str, purpose: str, channel: str) -> bool:
        wanted = ((self.operations, operation), (self.purposes, purpose), (self.channels, channel))
        return all(not named or asked in named for named, asked in wanted)


@dataclass(frozen=True, kw_only=True)
class Understood:
    """What one column of a file means for one use; a column with two meanings is understood twice."""

    index: int
    header: str
    column: Column
    how: str

    @property
    def role(self) -> Role:
        return self.column.role

    @property
    def fact(self) -> str | None:
        return self.column.fact

    @property
    def ignored(self) -> bool:
        return self.column.role == "ignore"

    @property
    def complete_for(self) -> tuple[str, ...]:
        return self.column.complete_for

    def read(self, text: str, *, today: date, order: values.Order | Literal["auto"] = "auto") -> Reading:
        """What a cell says of the fact; `today` is the day of the decision, `order` the column's order of dates."""
        key = value_key(text)
        if key in BLANK_KEYS:
            return _meaning(self.column.empty)
        named = self.column.values.get(key)
        return _meaning(named) if named is not None else self._read_by_kind(text, today, order)

    def evidence(self, text: str, near: homes.Evidence = homes.NOTHING) -> homes.Evidence:
        """What a cell says of the home; `near` helps a state: the places of the country, else of the phone."""
        column = self.column
        if _is_blank(text):
            return homes.NOTHING
        if column.values or column.yes is not True:
            return self._declared_place(text)
        if column.role == "home.state":
            return homes.from_state(text, near)
        if column.role == "home.phone":
            return homes.from_phone(self._with_calling_code(text))
        return homes.from_domain(text) if column.role == "home.email" else homes.from_country(text)

    def _read_by_kind(self, text: str, today: date, order: values.Order | Literal["auto"]) -> Reading:
        column = self.column
        if column.role == "free-text":
            return True if values.opt_out_words(text) else Silence.ABSENT
        if column.role == "age":
            return values.age_bounds(text, today, order) or Silence.UNKNOWN
        if column.reads == "day":
            return values.day(text, order) or Silence.UNKNOWN
        if column.reads == "dated" and values.day(text, order):
            return _meaning(column.yes)
        if column.reads == "filled":
            return _meaning(column.yes)
        return self._read_truth(text)

    def _read_truth(self, text: str) -> Reading:
        column = self.column
        said = _positive(text) if column.reads == "positive" else values.truth(text)
        if said is None or column.reads == "choice":
            return _meaning(column.otherwise)
        return _meaning(column.yes if said else column.no)

    def _declared_place(self, text: str) -> homes.Evidence:
        """A value map or a tick box that stands for a place: "EU resident: yes"."""
        named = self.column.values.get(value_key(text))
        if named is None and self.column.yes is not True:
            said = values.truth(text)
            named = None if said is None else self.column.yes if said else self.column.no
        return homes.from_country(str(named)) if named is not None else homes.from_country(text)

    def _with_calling_code(self, text: str) -> str:
        column = self.column
        digits = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", text))
        fits = column.national_when is not None and column.national_when.fullmatch(digits)
        return f"{column.national}{digits}" if fits else text


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A kind of export: how it is recognised and what its columns mean."""

    id: str
    name: str
    telling: frozenset[str] = frozenset()  # header keys that mark such a file
    at_least: int = 1  # how many of them it takes
    columns: tuple[Column, ...] = ()
    order: values.Order | Literal["auto"] = "auto"  # how it writes 03/04/2024
    falls_to: "Dialect | None" = None

    def understand(
        self, columns: Sequence[str], purpose: str, channel: str, *, operation: str = "contact"
    ) -> list[Understood]:
        """What each column means for a use; every header appears, the ignored with the reason."""
        use = {"operation": operation, "purpose": purpose, "channel": channel}
        return [one for index, header in enumerate(columns) for one in self._one(index, header, use)]

    def known(self, header: str) -> list[Column]:
        """The meanings of a header: the first that fits for each role and fact, none behind an `ignore`."""
        found: dict[tuple[str, str | None], Column] = {}
        for column in self.columns:
            if column.fits(header):
                if column.role == "ignore" and found:
                    break
                found.setdefault((column.role, column.fact), column)
                if column.role == "ignore":
                    break
        return list(found.values()) or (self.falls_to.known(header) if self.falls_to else [])

    def _one(self, index: int, header: str, use: Mapping[str, str]) -> list[Understood]:
        known = self.known(header)
        speaking = [column for column in known if column.speaks_of(**use)]
        if not speaking:
            speaking = [Column(role="ignore", why=_silent_because(known))]
        return [Understood(index=index, header=header, column=column, how=_how(column)) for column in speaking]

    def score(self, columns: Iterable[str]) -> int:
        """How many of its telling columns a file has; 0 where they are too few."""
        hits = len(self.telling & {header_key(column) for column in columns})
        return hits if hits >= self.at_least else 0


# ---------------------------------------------------------------- several columns, one fact

Said = bool | date | tuple[int, int] | str | None  # None: unknown

# Facts of which one column that says so is enough, whatever the others say.
ONE_IS_ENOUGH = frozenset({
    "consent.opted_out", "consent.withdrawn", "person.objected", "person.opt_out_signal", "person.on_register",
    "person.deceased",
})  # fmt: skip
_LATEST = re.compile(r"\.(opted_out_on|last_\w+_on|register_checked_on)$")


def join(fact: str, said: Sequence[Said]) -> Said:
    """What several cells of one row say together of one fact; cells that say nothing are left out before.

    - Of opt-outs and objections one yes is enough, and something unreadable beside a no is unknown.
    - Of other yes-or-no facts and choices, two answers are unknown; one answer beside something unreadable stands.
    - Of two days the later counts for what happened last, the earlier for a consent; two ages give the bounds of both.
    """
    if fact in ONE_IS_ENOUGH:
        return True if True in said else None if None in said else False
    known = [value for value in said if value is not None]
    days = [value for value in known if isinstance(value, date)]
    ages = [value for value in known if isinstance(value, tuple)]
    if days:
        return max(days) if _LATEST.search(fact) else min(days)
    if ages:
        return min(low for low, _ in ages), max(high for _, high in ages)
    return known[0] if len(set(known)) == 1 else None


# ---------------------------------------------------------------- words


def header_key(header: str) -> str:
    """`hasoptedoutofemail` for "Has Opted Out Of Email", `has_opted_out_of_email` and HasOptedOutOfEmail."""
    folded = unicodedata.normalize("NFKC", header).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] in "LNM")


def header_words(header: str) -> str:
    """The words of a header with single spaces, for patterns: `has opted out of email`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFKC", header))
    return " ".join(re.sub(r"[\W_]+", " ", apart).split()).casefold()


def value_key(text: str) -> str:
    """Values are compared without case, outer spaces and the kind of dash."""
    if text.isascii():
        return " ".join(text.strip().strip("\"'").casefold().split())
    folded = unicodedata.normalize("NFKC", text).strip().strip("\"'").casefold()
    return " ".join(re.sub("[‐-―]", "-", folded).split())


def _is_blank(text: str) -> bool:
    return value_key(text) in BLANK_KEYS


BLANK_KEYS = frozenset({"", "-", "--", "n/a", "#n/a", "null", "none", "nan", "(no value)", "(none)", "-none-"})


def _meaning(meaning: Meaning) -> Reading:
    return Silence(meaning) if meaning in {"absent", "unknown"} else meaning


def _positive(text: str) -> bool | None:
    number = re.fullmatch(r"[^\d\-]{0,4}(-?\d[\d\s.,']*)[^\d]{0,4}", text.strip())
    return any(digit in "123456789" for digit in number[1]) if number else None


def _silent_because(known: Sequence[Column]) -> str:
    if not known:
        return "No dialect knows this header."
    named = sorted({channel for column in known for channel in column.channels})
    other = sorted({word for column in known for word in (*column.purposes, *column.operations)})
    return f"Speaks of {', '.join(named + other)}, not of this use."


def _how(column: Column) -> str:
    if column.role == "ignore":
        return column.why or "Says nothing that a law asks for."
    plain = {
        "home.country": "Country, as evidence for the home.",
        "home.state": "State or region, as evidence for the home.",
        "home.phone": "Calling code, as evidence for the home.",
        "home.email": "End of the e-mail domain, as weak evidence for the home.",
        "home.weak": "A guess at the country, as weak evidence for the home.",
        "free-text": "Free text, searched for opt-outs.",
        "age": "Age, from the date of birth or as stated.",
    }
    said = plain.get(column.role, f"{column.fact}, read as {column.reads}.")
    complete = f" Complete for {', '.join(column.complete_for)}." if column.complete_for else ""
    return f"{said}{complete} {column.why}".strip()


# ---------------------------------------------------------------- files

_COLUMN_KEYS = frozenset(
    "header pattern unless role fact reads channels purposes operations values yes no otherwise empty address national"
    " national_when complete_for why".split(),
)
_TEXT_KEYS = ("fact", "address", "national", "why")
_MEANING_KEYS = ("yes", "no", "otherwise", "empty")
_PATTERN_KEYS = ("pattern", "unless", "national_when")
_DIALECT_KEYS = frozenset({"id", "name", "recognise", "order", "pieces", "column"})
_GENERIC = "generic"


def load(path: Path, vocabulary: Vocabulary) -> Dialect:
    """A dialect file of the user's own; what it does not know falls to the generic one. Raises DialectError."""
    if str(path) in built_in() and not path.exists():
        cure = "Leave out --dialect, which names a file of your own."
        raise DialectError("Comes with Comity, and is recognised by its columns.", where=str(path), cure=cure)
    return parse(_text_of(path), where=str(path), vocabulary=vocabulary, falls_to=built_in()[_GENERIC])


def recognise(columns: Sequence[str]) -> Dialect:
    """The dialect that most of a file's telling columns belong to; the generic one where none is recognised."""
    dialects = built_in()
    best = max(dialects.values(), key=lambda dialect: (dialect.score(columns), dialect.id))
    return best if best.score(columns) else dialects[_GENERIC]


@cache
def built_in() -> Mapping[str, Dialect]:
    """The dialects that come with Comity, by id."""
    texts = {
        file.name: file.read_text(encoding="utf-8")
        for file in (files("comity.check") / "dialects").iterdir()
        if file.name.endswith(".toml")
    }
    generic = parse(texts.pop(f"{_GENERIC}.toml"), where=f"{_GENERIC}.toml")
    others = (parse(text, where=name, falls_to=generic) for name, text in sorted(texts.items()))
    return {dialect.id: dialect for dialect in (generic, *others)}


def parse(text: str, *, where: str, vocabulary: Vocabulary | None = None, falls_to: Dialect | None = None) -> Dialect:
    """A dialect from the text of its file. Raises DialectError.

    It is held to a vocabulary where one is given; tests hold the built-in dialects to theirs, so that no check has to.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DialectError(f"This is not TOML: {error}.", where=where, cure="Correct that line.") from None
    _only(table, _DIALECT_KEYS, where)
    for key in ("id", "name"):
        if not isinstance(table.get(key), str):
            raise DialectError(f"A dialect needs `{key}`.", where=where, cure=f'Add {key} = "…" at the top.')
    telling = _table(table.get("recognise", {}), "recognise", where)
    _only(telling, frozenset({"columns", "at_least"}), f"{where}, recognise")
    entries = table.get("column", [])
    if not isinstance(entries, list):
        raise DialectError("`column` is one table.", where=where, cure="Write [[column]] with two brackets.")
    given = _table(table.get("pieces", {}), "pieces", where)
    pieces = {name: _text(piece, name, f"{where}, pieces") for name, piece in given.items()}
    return Dialect(
        id=table["id"],
        name=table["name"],
        telling=frozenset(header_key(header) for header in _list(telling, "columns", where)),
        at_least=telling.get("at_least", 1),
        columns=tuple(
            _column(_spelled_out(entry, pieces, at), at, vocabulary)
            for at, entry in ((f"{where}, column {n}", entry) for n, entry in enumerate(entries, 1))
        ),
        order=_one_of(table.get("order", "auto"), ("auto", *get_args(values.Order)), "order", where),
        falls_to=falls_to,
    )


def _spelled_out(entry: object, pieces: Mapping[str, str], where: str) -> object:
    """Return a column whose patterns have the dialect's pieces in place of their names. Raises DialectError."""

    def piece(named: re.Match[str]) -> str:
        return pieces[_one_of(named[1], tuple(pieces), "pieces", where)]

    if not isinstance(entry, dict):
        return entry
    patterns = {key: entry[key] for key in _PATTERN_KEYS if isinstance(entry.get(key), str)}
    return entry | {key: _PIECE.sub(piece, text) for key, text in patterns.items()}


_PIECE = re.compile(r"\{([a-z_]+)\}")  # a count, as in \d{9}, is none


def _column(given: object, where: str, vocabulary: Vocabulary | None) -> Column:
    entry = _table(given, "column", where)
    _only(entry, _COLUMN_KEYS, where)
    headers = _list(entry, "header", where)
    if not headers and "pattern" not in entry:
        raise DialectError("A column needs `header` or `pattern`.", where=where, cure='Add header = ["…"].')
    where = f"{where} ({headers[0] if headers else entry['pattern']})"
    meanings = _table(entry.get("values", {}), "values", where)
    column = Column(
        headers=frozenset(header_key(header) for header in headers),
        pattern=_pattern(entry, "pattern", where),
        unless=_pattern(entry, "unless", where),
        national_when=_pattern(entry, "national_when", where),
        role=_one_of(entry.get("role", "fact"), get_args(Role), "role", where),
        reads=_one_of(entry.get("reads", "truth"), get_args(Reads), "reads", where),
        channels=frozenset(_list(entry, "channels", where)),
        purposes=frozenset(_list(entry, "purposes", where)),
        operations=frozenset(_list(entry, "operations", where)),
        complete_for=tuple(_list(entry, "complete_for", where)),
        values={value_key(text): _a_meaning(meaning, "values", where) for text, meaning in meanings.items()},
        **_plain(entry, where),
    )
    if vocabulary is not None:
        _hold_to(vocabulary, column, where)
    return column


def _plain(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The keys of a column that are taken as they stand."""
    plain: dict[str, Meaning] = {key: _text(entry[key], key, where) for key in _TEXT_KEYS if key in entry}
    plain |= {key: _a_meaning(entry[key], key, where) for key in _MEANING_KEYS if key in entry}
    role = entry.get("role", "fact")
    if role == "free-text":
        plain.setdefault("fact", "consent.opted_out")
    if role == "age":
        plain.setdefault("fact", "person.age")
    if role == "fact" and "fact" not in plain:
        raise DialectError("The role `fact` needs `fact`.", where=where, cure='Add fact = "consent.given".')
    if role == "ignore" and "why" not in plain:
        raise DialectError("An ignored column needs its reason.", where=where, cure='Add why = "…".')
    if "complete_for" in entry and "why" not in plain:
        raise DialectError("A complete column needs the reason.", where=where, cure='Add why = "…".')
    return plain


# ---------------------------------------------------------------- the words that laws know


def _hold_to(vocabulary: Vocabulary, column: Column, where: str) -> None:
    """Refuse a column with a word that no law knows, which would silently play no part. Raises DialectError."""
    channels, operations = (vocabulary.facts[f"use.{word}"].choices for word in ("channel", "operation"))
    known = {
        "channels": (column.channels, channels),
        "purposes": (column.purposes, vocabulary.facts["use.purpose"].choices),
        "operations": (column.operations, operations),
        "complete_for": (column.complete_for, ["opt-outs", *(f"opt-outs:{word}" for word in (*channels, *operations))]),
    }
    for key, (words, choices) in known.items():
        for word in sorted(words):
            _one_of(word, choices, key, where)
    if column.fact is not None:
        _hold_to_fact(_fact_of_a_person(vocabulary, column, where), column, where)


def _fact_of_a_person(vocabulary: Vocabulary, column: Column, where: str) -> Fact:
    facts = [name for name, fact in vocabulary.facts.items() if fact.namespace not in FIXED_NAMESPACES and name != HOME]
    if column.fact == HOME:
        cure = 'Use role = "home.country", "home.state", "home.phone" or "home.email".'
        raise DialectError(f"`fact` cannot be {HOME!r}, which evidence settles.", where=where, cure=cure)
    if column.fact in vocabulary.facts and column.fact not in facts:
        cure = "Say what holds for all rows with --set, or in org.toml."
        raise DialectError(f"`fact` cannot be {column.fact!r}, which is no fact of a person.", where=where, cure=cure)
    return vocabulary.facts[_one_of(column.fact, facts, "fact", where)]


def _hold_to_fact(fact: Fact, column: Column, where: str) -> None:
    """Refuse a way of reading, or a meaning, that can give no value of the fact."""
    if column.role == "fact" and (fact.kind == "date") != (column.reads == "day"):
        reads = '"day"' if fact.kind == "date" else '"truth", "dated", "filled", "positive" or "choice"'
        raise DialectError(f"`reads` gives no value of {fact.name}.", where=where, cure=f"Write reads = {reads}.")
    if column.role == "fact" and fact.kind == "age":
        raise DialectError(f"{fact.name} is an age.", where=where, cure='Write role = "age", and no fact.')
    choices: dict[str, tuple[Meaning, ...]] = {"bool": (True, False), "choice": fact.choices}
    meant = [("values", meaning) for meaning in column.values.values()]
    if column.reads != "choice" and fact.kind in choices:
        meant += [("yes", column.yes), ("no", column.no)]
    for key, meaning in (*meant, ("otherwise", column.otherwise), ("empty", column.empty)):
        _one_of(meaning, [*choices.get(fact.kind, ()), *(silence.value for silence in Silence)], key, where)


# ---------------------------------------------------------------- the shape of a file


def _only(table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    for key in table:
        if key not in known:
            cure = f"Use one of {', '.join(sorted(known))}."
            raise DialectError(f"Nothing is called `{key}` here{nearest(key, known)}.", where=where, cure=cure)


def _one_of(value: Any, choices: Sequence[Meaning], key: str, where: str) -> Any:  # noqa: ANN401 - TOML gives any value
    if value in choices:
        return value
    near = nearest(value, [word for word in choices if isinstance(word, str)]) if isinstance(value, str) else ""
    listed = ", ".join(str(word).lower() if isinstance(word, bool) else word for word in choices)
    shown = str(value).lower() if isinstance(value, bool) else repr(value)  # as TOML writes them
    raise DialectError(f"`{key}` cannot be {shown}{near}.", where=where, cure=f"Use one of {listed}.")


def _table(value: object, key: str, where: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise DialectError(f"`{key}` cannot be {value!r}.", where=where, cure=f"Make it a table, with a line [{key}].")


def _text(value: object, key: str, where: str) -> str:
    if isinstance(value, str):
        return value
    raise DialectError(f"`{key}` cannot be {value!r}.", where=where, cure=f'Write {key} = "…".')


def _a_meaning(value: object, key: str, where: str) -> Meaning:
    if isinstance(value, bool | str):
        return value
    cure = 'A meaning is true, false, "absent", "unknown", or a word in quotes.'
    raise DialectError(f"`{key}` cannot be {value!r}.", where=where, cure=cure)


def _list(entry: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = entry.get(key, [])
    return [_text(one, key, where) for one in (value if isinstance(value, list) else [value])]


def _pattern(entry: Mapping[str, Any], key: str, where: str) -> re.Pattern[str] | None:
    if key not in entry:
        return None
    text = _text(entry[key], key, where)
    try:
        return re.compile(text)
    except re.error as error:
        raise DialectError(f"`{text}` is no pattern: {error}.", where=where, cure="Correct it.") from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DialectError(f"Cannot be read: {error.strerror}.", where=str(path), cure="Check the path.") from None
    except UnicodeDecodeError:
        raise DialectError("Is not UTF-8 text.", where=str(path), cure="Save it as UTF-8.") from None
