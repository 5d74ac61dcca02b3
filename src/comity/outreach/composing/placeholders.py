"""Named places in a text, `{given}` or `{given|there}`, and what is put there: text, never read as anything else.

There is nothing else to this language: no conditions, no loops, no look into objects. `{{` and `}}` are braces. A place
is one private character until a person's values are there, so nothing that reads the text before then sees a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal, NamedTuple

from django.utils.translation import gettext as _

Kind = Literal["person", "ours", "link"]

KNOWN: Final[Mapping[str, Kind]] = {
    "given": "person", "family": "person", "name": "person", "organisation": "person",
    "entity": "ours", "address": "ours", "phone": "ours", "email": "ours", "website": "ours",
    "unsubscribe": "link", "preferences": "link", "privacy": "link",
}  # fmt: skip
"""Every place that any content may have; who sends something of their own adds to them."""

FIRST_MARK: Final = 0xF0000
MARKS: Final = re.compile("[\U000f0000-\U000ffffd]")
TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}\n]{0,200})\}|[{}]")
LONGEST_VALUE: Final = 200
UNSEEN: Final = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb]")
"""Characters that turn the reading around or hide something; joiners stay, since scripts and emoji need them."""
LIKE_A_LINK: Final = re.compile(r"://|(?i:\bwww\.)")


class Place(NamedTuple):
    """A named place in a text."""

    name: str
    fallback: str | None


class Trouble(NamedTuple):
    """What is wrong with a text, at which of its characters, and what helps."""

    at: int
    says: str
    cure: str
    level: Literal["error", "review"] = "error"


@dataclass(frozen=True, slots=True)
class Template:
    """A text with a private character for each of its places."""

    text: str
    places: tuple[Place, ...]

    def filled(self, put: Callable[[Place], str]) -> str:
        """Return the text with what `put` gives for each place."""
        return fill(self.text, self.places, put)


def fill(text: str, places: tuple[Place, ...], put: Callable[[Place], str]) -> str:
    """Return a text with its marks replaced. What is put there is not looked at again."""
    return MARKS.sub(lambda mark: put(places[ord(mark[0]) - FIRST_MARK]), text)


def read_template(text: str, known: Mapping[str, Kind] = KNOWN) -> tuple[Template, tuple[Trouble, ...]]:
    """Read a text with places; what is wrong with it comes back beside it, in the order of the text."""
    places: list[Place] = []
    troubles = [
        Trouble(one.start(), _("A character that no program shows."), _("Take it out.")) for one in MARKS.finditer(text)
    ]

    def read(token: re.Match[str]) -> str:
        if token[0] in {"{{", "}}"}:
            return token[0][0]
        if token[1] is None:
            says = _("A single %(brace)s.") % {"brace": token[0]}
            troubles.append(
                Trouble(token.start(), says, _("Write {{ or }} for a brace, and a place as {given|there}."))
            )
            return token[0]
        name, bar, fallback = token[1].partition("|")
        place = Place(name.strip(), fallback.strip() if bar else None)
        troubles.extend(_wrong(place, token.start(), known))
        places.append(place)
        return chr(FIRST_MARK + len(places) - 1)

    made = TOKEN.sub(read, MARKS.sub("", text)) if troubles else TOKEN.sub(read, text)
    return Template(made, tuple(places)), tuple(sorted(troubles))


def _wrong(place: Place, at: int, known: Mapping[str, Kind]) -> Iterator[Trouble]:
    if place.name not in known:
        near = get_close_matches(place.name, known, n=1)
        says = _("There is no {%(name)s}; did you mean {%(near)s}?") if near else _("There is no {%(name)s}.")
        says %= {"name": place.name, "near": "".join(near)}
        yield Trouble(at, says, _("There are: %(names)s.") % {"names": ", ".join(f"{{{name}}}" for name in known)})
    elif known[place.name] == "link" and place.fallback is not None:
        says = _("{%(name)s} is a link, and has no other words.") % {"name": place.name}
        yield Trouble(at, says, _("Write {%(name)s} alone.") % {"name": place.name})
    elif known[place.name] == "person" and place.fallback is None:
        says = _("{%(name)s} does not say what stands there where we do not know it.") % {"name": place.name}
        cure = _("Write {%(name)s|…} with the words for that, or {%(name)s|} for none; else who has none gets nothing.")
        yield Trouble(at, says, cure % {"name": place.name}, "review")


# ---------------------------------------------------------------- values


def plain(value: str, longest: int = LONGEST_VALUE) -> str:
    """Return a value as one line of text that shows as it is: no control or turning characters, and not too long."""
    seen = UNSEEN.sub("", value)
    kept = "".join(" " if unicodedata.category(mark) in {"Cc", "Zl", "Zp"} else mark for mark in seen)
    kept = "".join(mark for mark in kept if unicodedata.category(mark) not in {"Cs", "Co"})
    line = " ".join(kept.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def plain_of_a_person(value: str) -> str:
    """Return what a person is called, or nothing where that is an address of the web: programs would make it a link."""
    line = plain(value)
    return "" if LIKE_A_LINK.search(line) else line
