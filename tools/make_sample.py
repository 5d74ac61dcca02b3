# ruff: noqa: INP001 - a script, not a package
"""Writes the sample export that Comity ships, and the parts of it in other encodings that its test reads.

The people are drawn from tools/sample_world.toml, which says how likely everything is. The same world gives the same
bytes on every machine: all chance comes from `random()`, whose sequence Python promises to keep.

    python tools/make_sample.py
"""

import csv
import io
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import Any, TypeVar

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "src/comity/check/sample/hubspot-export.csv"
PARTS = HERE.parent / "tests/check/files"

# HubSpot's labels; from "Consent date" on, columns that a firm added itself.
HEADERS = (
    "Record ID", "First Name", "Last Name", "Email", "Phone Number", "Mobile Phone Number", "City", "State/Region",
    "Country/Region", "IP Country", "Preferred language", "Company Name", "Lifecycle Stage", "Lead Status",
    "Record source", "Create Date", "Last Activity Date", "Last marketing email click date", "Became a Customer Date",
    "Recent Deal Close Date", "Marketing contact status", "Unsubscribed from all email",
    "Opted out of email: Newsletter", "Opted in to email: Newsletter", "Email Confirmation Status",
    "Legal basis for processing contact's data", "Consent date", "Consent source", "Consent wording",
    "Email from order", "Could refuse at checkout", "Date of birth", "Fair stand", "Notes",
)  # fmt: skip

Row = dict[str, str]
Table = Mapping[str, Any]
T = TypeVar("T")


class Draw:
    """Chance, from one sequence."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed).random

    def happens(self, share: float) -> bool:
        return self.random() < share

    def number(self, below: int) -> int:
        return int(self.random() * below)

    def one(self, of: Sequence[T]) -> T:
        return of[self.number(len(of))]

    def by_weight(self, table: Mapping[str, float]) -> str:
        left = self.random() * sum(table.values())
        for text, weight in table.items():
            left -= weight
            if left < 0:
                return text
        return text

    def day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.number((last - first).days + 1))

    def digits(self, template: str) -> str:
        return re.sub("#", lambda _: str(self.number(10)), template)

    def shuffled(self, rows: Iterable[T]) -> list[T]:
        return [row for _, _, row in sorted((self.random(), number, row) for number, row in enumerate(rows))]


class World:
    """Everything that tools/sample_world.toml says, and what of it is already taken."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.draw = Draw(table["seed"])
        self.dirt: Mapping[str, float] = table["dirt"]
        self.countries: Mapping[str, Table] = table["country"]
        self.states: Mapping[str, Table] = table["state"]
        self.addresses: set[str] = set()

    def dirty(self, how: str) -> bool:
        return self.draw.happens(self.dirt[how])

    def language(self, country: Table, among: str) -> Table:
        """The notes or consents in a country's language, in English where there are none."""
        texts: Mapping[str, Table] = self.table[among]
        return texts.get(country.get("language", "en"), texts["en"])


# ---------------------------------------------------------------- one person


def person(world: World, code: str, state: str) -> Row:
    """One record: who, where, how to reach them, what was agreed, and some dirt on it."""
    country = world.countries[code]
    row = dict.fromkeys(HEADERS, "")
    latin = _name(world, row, country)
    _place(world, row, country, state)
    _firm(world, row, country)
    _address(world, row, country, latin)
    _phones(world, row, country, state)
    _history(world, row)
    _agreement(world, row, country)
    _birth(world, row, country)
    _note(world, row, country)
    _blur(world, row, code)
    return row


def _name(world: World, row: Row, country: Table) -> tuple[str, str]:
    """Write the name; return it in Latin letters."""
    names, draw = world.table["names"][country["names"]], world.draw
    woman = draw.happens(0.5)
    families = names.get("family_women", names["family"]) if woman else names["family"]
    given = draw.one(names["women" if woman else "men"].split()).replace("_", " ")
    family = draw.one(families.split()).replace("_", " ")
    if names.get("two_families"):
        family += " " + draw.one(families.split())
    row["First Name"], row["Last Name"] = given.partition("|")[0], family.partition("|")[0]
    return given.rpartition("|")[2], family.rpartition("|")[2]


def _place(world: World, row: Row, country: Table, state: str) -> None:
    draw = world.draw
    row["Country/Region"] = draw.by_weight(country["spelled"])
    if state:
        there = world.states[state]
        row["City"] = there["city"]
        row["State/Region"] = state if world.dirty("state_as_code") else there["name"]
        return
    city, _, region = draw.one(country["cities"]).partition(" / ")
    row["City"] = city
    if world.dirty("state_elsewhere"):
        row["State/Region"] = region


def _firm(world: World, row: Row, country: Table) -> None:
    if world.dirty("at_work"):
        row["Company Name"] = world.draw.one(world.table["firms"][country.get("firms", "other")])


def _address(world: World, row: Row, country: Table, latin: tuple[str, str]) -> None:
    draw = world.draw
    if world.dirty("no_address"):
        return
    domain = draw.by_weight(world.table["addresses"]["anybody"])
    if row["Company Name"]:
        domain = f"{_plain(row['Company Name']) or 'firm-' + _plain(latin[1])}.example"
    if "domain" in country and draw.happens(0.08):
        domain = country["domain"]
    name = _mailbox(draw, *(_plain(part) for part in latin))
    if row["Company Name"] and world.dirty("shared_mailbox"):
        name = draw.one(world.table["oddities"]["mailboxes"])
    row["Email"] = _not_taken(world, name, domain)


def _mailbox(draw: Draw, given: str, family: str) -> str:
    return draw.one(
        (f"{given}.{family}", f"{given}.{family}", f"{given[0]}.{family}", f"{family}.{given}", given + family)
    )


def _not_taken(world: World, name: str, domain: str) -> str:
    """The address, with a number where somebody already has it."""
    address, number = f"{name}@{domain}", 1
    while address in world.addresses:
        number += 1
        address = f"{name}{number}@{domain}"
    world.addresses.add(address)
    return address


_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "å": "a", "æ": "ae", "ł": "l", "đ": "d", "ı": "i", "œ": "oe"}
)


def _plain(text: str) -> str:
    """`Öztürk` as an address has it: oeztuerk; nothing where no Latin letter is left."""
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFC", text.lower()).translate(_LETTERS))
    words = re.findall("[a-z0-9]+", "".join(letter for letter in folded if not unicodedata.combining(letter)))
    return "-".join(words)


def _phones(world: World, row: Row, country: Table, state: str) -> None:
    draw = world.draw
    if world.dirty("phone"):
        row["Phone Number"] = _number(draw, country, draw.one(country["land"]), state and world.states[state]["area"])
    if "mobile" in country and world.dirty("mobile"):
        row["Mobile Phone Number"] = _number(draw, country, draw.one(country["mobile"]), "")


def _number(draw: Draw, country: Table, template: str, area: str) -> str:
    """A number in one of the ways that people write numbers, most of them with the calling code."""
    number = draw.digits(template)
    calling: str = country["calling"]
    trunk: str = country.get("trunk", "")
    if calling == "1":
        number = f"{area}-{number}" if area else number
        three = number.replace("-", "")
        national = f"({three[:3]}) {three[3:6]}-{three[6:]}"
        return draw.one((f"+1 {number}", f"+1{three}", f"+1{three}", national, number, f"1-{number}"))
    compact = number.replace(" ", "")
    aside = f"+{calling} ({trunk}){number}" if trunk else f"+{calling}-{number.replace(' ', '-')}"
    return draw.one((
        f"+{calling} {number}", f"+{calling} {number}", f"+{calling}{compact}", f"+{calling}{compact}",
        f"00{calling} {number}", aside, trunk + number, f"{trunk}{number.replace(' ', '-')}",
    ))  # fmt: skip


# ---------------------------------------------------------------- what happened, and what was agreed


def _history(world: World, row: Row) -> None:
    draw, table = world.draw, world.table
    created = draw.day(table["first_day"], table["last_day"])
    row["Create Date"] = f"{created} {draw.number(14) + 7:02}:{draw.number(60):02}"
    row["Record source"] = draw.by_weight(table["record_source"])
    row["Lifecycle Stage"] = draw.by_weight(table["stage"])
    row["Lead Status"] = draw.by_weight(table["lead_status"])
    if draw.happens(0.4):
        row["Last Activity Date"] = str(draw.day(created, table["last_day"]))
    if draw.happens(0.12):
        row["Last marketing email click date"] = str(draw.day(created, table["last_day"]))


def _agreement(world: World, row: Row, country: Table) -> None:
    """What was agreed, in the boxes it was ticked in; sample_world.toml says what each of these words means."""
    table, draw = world.table, world.draw
    what = draw.by_weight(table["agreed"][country.get("kind", "opt_in")])
    if what in {"confirmed", "worded", "unconfirmed", "bare", "undated", "took_it_back"}:
        _yes(world, row, country, what)
    elif what in {"buyer", "customer"}:
        _sale(world, row, gave_address=what == "buyer")
    elif what == "basis":
        row["Legal basis for processing contact's data"] = "Freely given consent from contact"
    else:
        row["Legal basis for processing contact's data"] = draw.by_weight(table["basis_without_consent"])
    if what in {"unsubscribed", "took_it_back"}:
        row["Unsubscribed from all email"] = "TRUE"
    elif what == "left_newsletter":
        row["Opted out of email: Newsletter"] = "TRUE"
    elif what == "said_no_in_words":
        row["Notes"] = draw.one(world.language(country, "notes")["opt_out"])
    if draw.happens(0.3):
        row["Marketing contact status"] = "Marketing contact"


def _yes(world: World, row: Row, country: Table, what: str) -> None:
    draw, consents = world.draw, world.language(country, "consents")
    row["Opted in to email: Newsletter"] = "TRUE"
    row["Legal basis for processing contact's data"] = draw.by_weight(world.table["basis_of_consent"])
    if what != "bare":
        row["Consent source"] = draw.one(consents["sources"])
    if what not in {"bare", "unconfirmed"}:
        row["Email Confirmation Status"] = "Confirmed"
    if what not in {"bare", "undated"}:
        row["Consent date"] = _agreed_on(world, row)
    if what == "worded":
        row["Consent wording"] = draw.one(consents["wording"])
    if draw.happens(0.18):
        _sale(world, row, gave_address=draw.happens(0.5))


def _agreed_on(world: World, row: Row) -> str:
    day = world.draw.day(_created(row), world.table["last_day"])
    if world.draw.happens(0.02):
        return str(world.draw.one(world.table["nonsense"]["consent_dates"]))
    return world.draw.one((f"{day}",) * 8 + (f"{day:%d.%m.%Y}", f"{day}T09:30:00Z"))


def _sale(world: World, row: Row, *, gave_address: bool) -> None:
    draw, last_day = world.draw, world.table["last_day"]
    sold = draw.day(_created(row), last_day)
    row["Lifecycle Stage"] = "Customer"
    row["Became a Customer Date"] = str(sold)
    if draw.happens(0.5):
        row["Recent Deal Close Date"] = str(draw.day(sold, last_day))
    if gave_address:
        row["Email from order"], row["Could refuse at checkout"] = "Yes", draw.one(("Yes", "Yes", "Yes", "No"))
    if not row["Legal basis for processing contact's data"]:
        row["Legal basis for processing contact's data"] = draw.by_weight(world.table["basis_of_customers"])


def _created(row: Row) -> date:
    return date.fromisoformat(row["Create Date"][:10])


def _birth(world: World, row: Row, country: Table) -> None:
    draw = world.draw
    if not world.dirty("born_on_record"):
        return
    if world.dirty("born_nonsense"):
        row["Date of birth"] = draw.one(world.table["nonsense"]["births"])
        return
    years = (2009, 2018) if world.dirty("minor") else (1938, 2007)
    born = draw.day(date(years[0], 1, 1), date(years[1], 12, 31))
    row["Date of birth"] = _written(born, draw.by_weight(country.get("births", {"%Y-%m-%d": 1})))


def _written(born: date, form: str) -> str:
    if form == "zh":
        return f"{born.year}年{born.month}月{born.day}日"
    return f"{born.year % 100 // 10}0后" if form == "decade" else born.strftime(form)


def _note(world: World, row: Row, country: Table) -> None:
    draw, notes = world.draw, world.language(country, "notes")
    if row["Notes"] or not world.dirty("noted"):
        return
    kinds = (notes["plain"],) * 5 + (notes["look_alike"],) * 3 + (world.table["oddities"]["notes"],)
    row["Notes"] = draw.one(draw.one(kinds))


# ---------------------------------------------------------------- dirt


def _blur(world: World, row: Row, code: str) -> None:
    """Spoil some cells in the ways that people and other programs spoil them."""
    draw = world.draw
    _hide(world, row)
    if world.dirty("another_phone"):
        row["Phone Number"] = _foreign_phone(world, code)
    if row["Email"] and world.dirty("another_domain"):
        others = [other["domain"] for name, other in world.countries.items() if "domain" in other and name != code]
        row["Email"] = _not_taken(world, row["Email"].partition("@")[0], draw.one(others))
    if code != "US" and world.dirty("wrong_state"):
        row["State/Region"] = draw.one(world.table["nonsense"]["states"])
    if world.dirty("language"):
        row["Preferred language"] = world.countries[code].get("language", "en")
    if world.dirty("connection"):
        stranger = draw.one(list(world.countries)) if draw.happens(1 / 12) else code
        row["IP Country"] = next(iter(world.countries[stranger]["spelled"])).lower()
    if draw.happens(0.05):
        row["Fair stand"] = f"Hall {draw.number(9) + 1}, {draw.one('ABCDEF')}{draw.number(60) + 1}"
    _misspell(world, row)


def _hide(world: World, row: Row) -> None:
    if world.dirty("country_left_out"):
        row["Country/Region"] = world.draw.one(("", "", "", "", "N/A", "unknown", "-"))
    elif world.dirty("country_mistyped"):
        row["Country/Region"] = world.draw.one(world.table["nonsense"]["countries"])
    elif world.dirty("all_left_out"):
        for header in ("Country/Region", "State/Region", "Phone Number", "Mobile Phone Number"):
            row[header] = ""


def _foreign_phone(world: World, code: str) -> str:
    draw = world.draw
    other = world.countries[draw.one([name for name in world.countries if name not in {code, "US", "CA"}])]
    return f"+{other['calling']} {draw.digits(draw.one(other['land']))}"


def _misspell(world: World, row: Row) -> None:
    draw, names = world.draw, ("First Name", "Last Name")
    if world.dirty("shouted"):
        row.update({header: row[header].upper() for header in names})
    elif world.dirty("small"):
        row.update({header: row[header].lower() for header in names})
    if draw.happens(0.006):
        row["Last Name"] = draw.one(world.table["oddities"]["names"])
    if world.dirty("space_behind"):
        header = draw.one(("First Name", "Last Name", "Email", "Country/Region", "City", "Phone Number"))
        row[header] += " " if row[header] else ""


_NOT_TWICE = (
    "Consent date", "Consent source", "Consent wording", "Email Confirmation Status", "Notes", "Last Activity Date",
    "Last marketing email click date", "Became a Customer Date", "Recent Deal Close Date",
)  # fmt: skip


def _again(world: World, row: Row) -> Row:
    """The same person once more: the same address, entered another day, with another answer."""
    twin = dict(row)
    twin |= dict.fromkeys(_NOT_TWICE, "")
    if row["Opted in to email: Newsletter"]:
        twin["Opted in to email: Newsletter"] = ""
        twin["Unsubscribed from all email"] = world.draw.one(("TRUE", "TRUE", "FALSE"))
    else:
        twin["Opted in to email: Newsletter"] = "TRUE"
    twin["Create Date"] = f"{world.draw.day(_created(row), world.table['last_day'])} 08:00"
    twin["Email"] = world.draw.one((row["Email"], row["Email"].upper(), row["Email"]))
    return twin


# ---------------------------------------------------------------- all of them


def rows(world: World) -> list[Row]:
    """Everybody, in the order of the export, with their numbers."""
    draw = world.draw
    people: list[Row] = []
    for code, state in islice(_homes(world), world.table["rows"]):
        one = person(world, code, state)
        people.append(one)
        if one["Email"] and world.dirty("second_record"):
            people.append(_again(world, one))
    numbers = accumulate((draw.number(9) + 1 for _ in people), initial=20_001)
    everybody = draw.shuffled(people[: world.table["rows"]])
    return [row | {"Record ID": str(number)} for number, row in zip(numbers, everybody, strict=False)]


def _homes(world: World) -> Iterator[tuple[str, str]]:
    """Places without end: each country and state twice, then by weight."""
    weights = {code: country["weight"] for code, country in world.countries.items()}
    states = {code: state["weight"] for code, state in world.states.items()}
    yield from ((code, "") for code in (*weights, *weights) if code != "US")
    yield from (("US", state) for state in (*states, *states))
    while True:
        code = world.draw.by_weight(weights)
        yield code, world.draw.by_weight(states) if code == "US" else ""


def export(world: World, people: Sequence[Row]) -> bytes:
    """The shipped file, as HubSpot writes it; in some rows the notes' commas have lost their quotes."""
    lines = [_line(HEADERS)]
    for number, row in enumerate(people, 1):
        cells = [row[header] for header in HEADERS]
        if number in world.table["broken_rows"]:
            cells[-1] = "asked twice"
            lines.append(_line(cells).rstrip("\n") + ", once by phone, for a catalogue\n")
        else:
            lines.append(_line(cells))
    return "".join(lines).encode()


def _line(cells: Iterable[str], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return text.getvalue()


def parts(world: World, people: Sequence[Row]) -> dict[str, bytes]:
    """Parts of the export as other programs save it, by file name, and each as plain UTF-8 to compare with."""
    broken = world.table["broken_rows"]
    whole = [row for number, row in enumerate(people, 1) if number not in broken]
    chinese = [row for row in whole if "一" <= row["Last Name"][:1] <= "鿿"][:120]
    mixed = whole[::40]
    return {
        "part-chinese.csv": _saved(chinese, "utf-8", ","),
        "part-chinese-gb18030.csv": _saved(chinese, "gb18030", ","),
        "part-mixed.csv": _saved(mixed, "utf-8", ","),
        "part-mixed-utf16.txt": _saved(mixed, "utf-16", "\t"),
    }


def _saved(people: Sequence[Row], encoding: str, delimiter: str) -> bytes:
    lines = [_line(HEADERS, delimiter), *(_line([row[header] for header in HEADERS], delimiter) for row in people)]
    text = "".join(lines)
    return b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16" else text.encode(encoding)


def made() -> dict[Path, bytes]:
    """Every file that this script writes, with its content."""
    world = World(tomllib.loads((HERE / "sample_world.toml").read_text("utf-8")))
    people = rows(world)
    return {SAMPLE: export(world, people)} | {PARTS / name: text for name, text in parts(world, people).items()}


if __name__ == "__main__":
    for path, content in made().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
