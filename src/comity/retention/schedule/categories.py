"""The schedule as it is declared: categories of tables in words that people understand, read from `schedule.toml`.

How long a table's rows stay is the data map's to say (`comity.vault.data_map`); here stands what they are, what for, by
which law, and how they go. `checks.py` refuses a table that no category names, and a category that says nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parents[1] / "schedule.toml"
WORDS: Final = ("name", "says", "purpose", "goes")
"""What a category must say; `tools/translations.py` reads the same keys."""
LISTS: Final = ("tables", "rules", "records")
PEOPLE, US = "people", "us"


class WrongSchedule(ValueError):
    """The schedule does not say what it must. The message has the file, the category and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Category:
    """Tables that people think of as one thing."""

    id: str
    name: str
    says: str
    purpose: str
    goes: str
    about: str
    tables: tuple[str, ...]  # "book.Person"
    rules: tuple[str, ...]
    records: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """All categories, from when each clock runs in words, and which tables a program of their own cleans."""

    categories: tuple[Category, ...]
    since: Mapping[str, str]
    own_job: Mapping[str, str]

    def of_table(self, app: str, model: str) -> Category | None:
        """Return the category of a table; none where nobody named it."""
        name = f"{app}.{model}"
        return next((one for one in self.categories if name in one.tables), None)


@cache
def schedule() -> Schedule:
    """Return the schedule, read once. Raises WrongSchedule."""
    return read(FILE)


def read(path: Path) -> Schedule:
    """Read a schedule from a file. Raises WrongSchedule."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise WrongSchedule(f"{path}: this is no TOML: {error}") from None
    if unknown := told.keys() - {"category", "since", "own_job"}:
        raise WrongSchedule(f"{path}: {min(unknown)} is none of category, since, own_job")
    found = tuple(_category(f"{path}: [category.{id_}]", id_, one) for id_, one in told.get("category", {}).items())
    _refuse_twice(path, found)
    return Schedule(categories=found, since=told.get("since", {}), own_job=told.get("own_job", {}))


def _category(at: str, id_: str, told: Mapping[str, Any]) -> Category:
    if unknown := told.keys() - {*WORDS, *LISTS, "about"}:
        raise WrongSchedule(f"{at}: {min(unknown)} is none of {', '.join((*WORDS, *LISTS, 'about'))}")
    for key in WORDS:
        if not isinstance(told.get(key), str) or not told[key].strip():
            raise WrongSchedule(f"{at}: say {key} in words that people understand")
    if told.get("about", PEOPLE) not in {PEOPLE, US}:
        raise WrongSchedule(f'{at}: about is "{PEOPLE}" or "{US}"')
    if not told.get("tables"):
        raise WrongSchedule(f"{at}: it names no table")
    lists: dict[str, Any] = {key: tuple(told.get(key, ())) for key in LISTS}
    return Category(id=id_, about=told.get("about", PEOPLE), **{key: told[key] for key in WORDS}, **lists)


def _refuse_twice(path: Path, found: tuple[Category, ...]) -> None:
    seen: dict[str, str] = {}
    for category in found:
        for table in category.tables:
            if table in seen:
                raise WrongSchedule(f"{path}: {table} stands in {seen[table]} and in {category.id}: one of them")
            seen[table] = category.id
