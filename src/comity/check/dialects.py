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
_PLAIN_KEYS = ("fact", "yes", "no", "otherwise", "empty", "address", "national", "why")
_DIALECT_KEYS = frozenset({"id", "name", "recognise", "order", "column"})
_GENERIC = "generic"


def load(path: Path) -> Dialect:
    """A dialect file of the user's own; what it does not know falls to the generic one."""
    return parse(_text_of(path), where=str(path), falls_to=built_in()[_GENERIC])


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


def parse(text: str, *, where: str, falls_to: Dialect | None = None) -> Dialect:
    """A dialect from the text of its file."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DialectError(f"This is not TOML: {error}.", where=where, cure="Correct that line.") from None
    _only(table, _DIALECT_KEYS, where)
    for key in ("id", "name"):
        if not isinstance(table.get(key), str):
            raise DialectError(f"A dialect needs `{key}`.", where=where, cure=f'Add {key} = "…" at the top.')
    telling = table.get("recognise", {})
    return Dialect(
        id=table["id"],
        name=table["name"],
        telling=frozenset(header_key(header) for header in telling.get("columns", [])),
        at_least=telling.get("at_least", 1),
        columns=tuple(_column(entry, f"{where}, column {n}") for n, entry in enumerate(table.get("column", []), 1)),
        order=table.get("order", "auto"),
        falls_to=falls_to,
    )


def _column(entry: Mapping[str, Any], where: str) -> Column:
    _only(entry, _COLUMN_KEYS, where)
    headers = _list(entry.get("header", []))
    if not headers and "pattern" not in entry:
        raise DialectError("A column needs `header` or `pattern`.", where=where, cure='Add header = ["…"].')
    where = f"{where} ({headers[0] if headers else entry['pattern']})"
    plain = {key: entry[key] for key in _PLAIN_KEYS if key in entry}
    return Column(
        headers=frozenset(header_key(header) for header in headers),
        pattern=_pattern(entry.get("pattern"), where),
        unless=_pattern(entry.get("unless"), where),
        national_when=_pattern(entry.get("national_when"), where),
        role=_one_of(entry.get("role", "fact"), Role, "role", where),
        reads=_one_of(entry.get("reads", "truth"), Reads, "reads", where),
        channels=frozenset(_list(entry.get("channels", []))),
        purposes=frozenset(_list(entry.get("purposes", []))),
        operations=frozenset(_list(entry.get("operations", []))),
        complete_for=tuple(_list(entry.get("complete_for", []))),
        values={value_key(value): meaning for value, meaning in entry.get("values", {}).items()},
        **_checked(plain, entry, where),
    )


def _checked(plain: dict[str, Any], entry: Mapping[str, Any], where: str) -> dict[str, Any]:
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


def _only(table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    for key in table:
        if key not in known:
            cure = f"Use one of {', '.join(sorted(known))}."
            raise DialectError(f"Nothing is called `{key}` here.", where=where, cure=cure)


def _one_of(value: Any, choices: Any, key: str, where: str) -> Any:  # noqa: ANN401 - TOML gives any value
    if value in get_args(choices):
        return value
    raise DialectError(f"`{key}` cannot be {value!r}.", where=where, cure=f"Use one of {', '.join(get_args(choices))}.")


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _pattern(text: str | None, where: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text is not None else None
    except re.error as error:
        raise DialectError(f"`{text}` is no pattern: {error}.", where=where, cure="Correct it.") from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DialectError(f"Cannot be read: {error.strerror}.", where=str(path), cure="Check the path.") from None
    except UnicodeDecodeError:
        raise DialectError("Is not UTF-8 text.", where=str(path), cure="Save it as UTF-8.") from None
