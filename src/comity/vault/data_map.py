"""The data map: of every stored column, how sensitive it is and how long it stays. Each room declares its own.

Beside its `models.py` a room has a `data_map.toml` with one table for each model, named as the class:

    [Consent]
    keep = "3 years after withdrawn_at"     # how long rows stay
    why  = "Proof of consent; the claim lapses after three years."
    ref  = ["ref", "person", "entity_id"]   # columns by how sensitive they are
    fact = ["purpose", "channel", "said", "said_at", "withdrawn_at"]
    none = ["version"]
    kept_otherwise = { said = "person" }    # columns with another clock than their rows; leave it out if there are none

Columns are named as in the database (`entity_id`, not `entity`). Sensitivities:

| word | the column holds |
|---|---|
| none | nothing about anybody |
| ref | a ref, or other number of ours, of a person |
| fact | a plain fact about a person, as coarse as the law allows |
| sealed | ciphertext |
| token | tokens of a blind index |
| staff | something about our own staff |
| secret | a password's hash, a session, a key: worth something to a thief |

How long: "person" (until the person is erased), "staff" (until the member of the staff is removed), "parent" (as long
as the row it belongs to), "ledger" (for ever: it is the proof), "book" (as long as the book is kept: settings,
vocabulary), or "<n> days|months|years after <column>". `why` is needed where it is "ledger" or "book".

What becomes of rows when a person is erased (docs/decisions/0028):

    person  = "person"              # the column with the person's ref, or several; "message in post.Message" are rows
                                    # whose `message` is one of that person's there. `person` where it is not said
    erased  = "delete"              # rows go; "unname": these columns lose the ref; "stay", and `why` says why.
                                    # "delete" where keep = "person" and nothing else is said
    cleared = ["parcel_key"]        # columns that "unname" empties besides
    records = ["consent-proof"]     # what the law calls such rows (`event.records`): it may have us keep what they say
    records_if = "customer_since"   # only rows in which this column says something

Tables of Django and of other people's apps are declared in `third_party.toml` of this room, as [app_label.Model].
`manage.py check` refuses a column without declaration and a declaration without column. The room `retention` reads
`data_map()` and lets nothing stay longer than is said here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.apps import AppConfig, apps

FILE: Final = "data_map.toml"
THIRD_PARTY: Final = Path(__file__).with_name("third_party.toml")


class Sensitivity(StrEnum):
    """How sensitive a column is; the table above says what each means."""

    NONE = "none"
    REF = "ref"
    FACT = "fact"
    SEALED = "sealed"
    TOKEN = "token"  # noqa: S105 - a word, no password
    STAFF = "staff"
    SECRET = "secret"  # noqa: S105 - a word, no password


KEPT: Final = frozenset({"person", "staff", "parent", "ledger", "book"})
WITH_REASON: Final = frozenset({"ledger", "book"})
ERASED: Final = ("delete", "unname", "stay")
PERSON: Final = ("person", "person_id")
"""Columns that hold a person's ref where nothing else is said."""
WITHIN: Final = re.compile(r"([a-z_]+)(?: in ([a-z]+)\.([A-Za-z]+))?")
AFTER: Final = re.compile(r"([1-9]\d*) (days?|months?|years?) after ([a-z][a-z0-9_]*)")


class WrongDataMap(ValueError):
    """A data map does not say what it must. The message has the file, the table and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How long something stays: `until` is one of the words, or so many units after what a column says."""

    until: str
    count: int = 0
    unit: str = ""  # days, months or years
    column: str = ""


@dataclass(frozen=True, kw_only=True)
class Column:
    """What is declared of one column."""

    sensitivity: Sensitivity
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Link:
    """A column that leads to a person: it holds their ref, or names a row `within` another table that is theirs."""

    column: str
    within: tuple[str, str] | None = None  # app label and class


@dataclass(frozen=True, kw_only=True)
class Table:
    """What is declared of one model."""

    app: str  # label
    model: str  # class
    clock: Clock
    why: str
    columns: Mapping[str, Column]
    persons: tuple[Link, ...] = ()
    erased: str = ""
    cleared: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    records_if: str = ""


@cache
def data_map() -> Mapping[tuple[str, str], Table]:
    """Return all that is declared for the installed apps, by app label and class. Raises WrongDataMap."""
    installed = {config.label for config in apps.get_app_configs()}
    found = [table for config in apps.get_app_configs() if ours(config) for table in _of_room(config)]
    found += [table for table in _third_party() if table.app in installed]
    return {(table.app, table.model): table for table in found}


def ours(config: AppConfig) -> bool:
    """Whether an app is a room of Comity."""
    return config.name.startswith("comity.")


def _of_room(config: AppConfig) -> Iterator[Table]:
    path = Path(config.path) / FILE
    if path.exists():
        for model, told in _read(path).items():
            yield _table(path, config.label, model, told)


def _third_party() -> Iterator[Table]:
    for app, models in _read(THIRD_PARTY).items():
        for model, told in models.items():
            yield _table(THIRD_PARTY, app, model, told)


def _read(path: Path) -> dict[str, dict[str, object]]:
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise WrongDataMap(f"{path}: this is no TOML: {error}") from None
    if wrong := [name for name, table in told.items() if not isinstance(table, dict)]:
        raise WrongDataMap(f"{path}: {wrong[0]} stands outside every table; begin with [Model]")
    return told


def _table(path: Path, app: str, model: str, told: object) -> Table:
    at = f"{path}: [{model}]"
    if not isinstance(told, dict):
        raise WrongDataMap(f"{at}: expected a table")
    known = {"keep", "why", "kept_otherwise", "person", "erased", "cleared", "records", "records_if", *Sensitivity}
    if unknown := told.keys() - known:
        raise WrongDataMap(f"{at}: {min(unknown)} is none of {', '.join(sorted(known))}")
    clock, why = _clock(at, told.get("keep")), str(told.get("why", ""))
    if clock.until in WITH_REASON and not why:
        raise WrongDataMap(f'{at}: it is kept for "{clock.until}": say why = "…"')
    columns = dict(_columns(at, told, clock))
    return Table(app=app, model=model, clock=clock, why=why, columns=columns, **_ending(at, told, clock, columns, why))


def _ending(
    at: str, told: Mapping[str, object], clock: Clock, columns: Mapping[str, Column], why: str
) -> dict[str, Any]:  # fmt: skip
    """Read what becomes of a table's rows when a person is erased."""
    said = told.get("person", [name for name in PERSON if name in columns])
    persons = tuple(_link(at, one) for one in (said if isinstance(said, list) else [said]))
    erased = str(told.get("erased", "delete" if clock.until == "person" and persons else ""))
    if erased and erased not in ERASED:
        raise WrongDataMap(f"{at}: erased = {erased!r} is none of {', '.join(ERASED)}")
    if persons and not erased:
        raise WrongDataMap(f'{at}: it can name a person: say erased = "delete", "unname" or "stay"')
    if erased and not persons:
        raise WrongDataMap(f"{at}: it says what is erased, and not in which column the person stands: person = …")
    if clock.until == "person" and not persons:
        raise WrongDataMap(f"{at}: it stays as long as the person, and says not in which column: person = …")
    if erased == "stay" and not why:
        raise WrongDataMap(f'{at}: refs of somebody erased stay in it: say why = "…"')
    given = {"persons": persons, "erased": erased, "records_if": str(told.get("records_if", ""))}
    return given | {name: tuple(_names(at, told, name)) for name in ("cleared", "records")}


def _link(at: str, said: object) -> Link:
    found = WITHIN.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        raise WrongDataMap(f'{at}: person = {said!r} is neither a column nor "<column> in <app>.<Model>"')
    column, app, model = found.groups()
    return Link(column=column, within=(app, model) if app else None)


def _names(at: str, told: Mapping[str, object], key: str) -> list[str]:
    said = told.get(key, [])
    if not isinstance(said, list):
        raise WrongDataMap(f"{at}: {key} lists words")
    return [str(each) for each in said]


def _columns(at: str, told: Mapping[str, object], clock: Clock) -> Iterator[tuple[str, Column]]:
    otherwise = told.get("kept_otherwise", {})
    if not isinstance(otherwise, dict):
        raise WrongDataMap(f"{at}: kept_otherwise maps columns to clocks")
    seen: set[str] = set()
    for sensitivity in Sensitivity:
        columns = told.get(sensitivity, [])
        if not isinstance(columns, list):
            raise WrongDataMap(f"{at}: {sensitivity} lists columns")
        for name in columns:
            if name in seen:
                raise WrongDataMap(f"{at}: {name} is declared twice")
            seen.add(name)
            own = _clock(f"{at}: kept_otherwise: {name}", otherwise[name]) if name in otherwise else clock
            yield name, Column(sensitivity=sensitivity, clock=own)
    if lost := set(otherwise) - seen:
        raise WrongDataMap(f"{at}: kept_otherwise names {min(lost)}, which has no sensitivity")


def _clock(at: str, told: object) -> Clock:
    if told in KEPT:
        return Clock(until=str(told))
    if isinstance(told, str) and (found := AFTER.fullmatch(told)):
        count, unit, column = found.groups()
        return Clock(until="after", count=int(count), unit=unit.removesuffix("s") + "s", column=column)
    raise WrongDataMap(
        f'{at}: keep = {told!r} is no clock. Say one of {", ".join(sorted(KEPT))}, or "3 years after added_at".'
    )
