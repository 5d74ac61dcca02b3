"""What a message says before it is anybody's: subject, preview and body in each language, looked over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final, Literal, cast

from django.utils.translation import gettext as _

from comity.outreach.composing.markup import Rendered, render
from comity.outreach.composing.placeholders import (
    KNOWN,
    Kind,
    Place,
    Template,
    Trouble,
    fill,
    plain,
    plain_of_a_person,
    read_template,
)

Form = Literal["email", "sms", "messenger", "call", "post"]
Field = Literal["subject", "preheader", "body"]
LONGEST: Final[Mapping[Field, int]] = {"subject": 200, "preheader": 200, "body": 200_000}
LONG_SUBJECT: Final = 90


class NotComposed(ValueError):
    """A message that is not made, and so not sent: why, and what to do about it."""


class NothingKnown(NotComposed):
    """A place for which nothing is known of this person, and which has no words for that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """A message in one language. The body is Markdown; a text message or a call has no subject."""

    body: str
    subject: str = ""
    preheader: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """A message in all its languages (BCP 47 codes), and which of them it was written in."""

    language: str
    wordings: Mapping[str, Wording]
    form: Form = "email"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "form": self.form, "language": self.language,
            "wordings": {
                code: {"subject": one.subject, "preheader": one.preheader, "body": one.body}
                for code, one in self.wordings.items()
            },
        }  # fmt: skip

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Content:
        """Return the content that `as_json` wrote."""
        wordings = {str(code): Wording(**one) for code, one in told["wordings"].items()}
        return cls(language=told["language"], wordings=wordings, form=cast("Form", told["form"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something in a content that must be mended (error) or looked at (review) before it is anybody's message."""

    language: str
    where: Field
    line: int
    column: int
    says: str
    cure: str
    level: Literal["error", "review"]

    def __str__(self) -> str:
        return f"{self.language}, {self.where}, {self.line}:{self.column}: {self.says} {self.cure}"


class ContentProblems(NotComposed):
    """A content with errors: nothing is made of it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


# ---------------------------------------------------------------- prepared


@dataclass(frozen=True, slots=True)
class Filled:
    """A message in one person's words. `html` and `text` say the same."""

    language: str
    subject: str
    preheader: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class _Ready:
    subject: Template
    preheader: Template
    body: Rendered
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A content read once, to be filled for many."""

    form: Form
    language: str
    known: Mapping[str, Kind]
    ready: Mapping[str, _Ready] = field(repr=False)

    def language_for(self, wanted: str) -> str:
        """Return the language of ours that is nearest to the one wanted; else that of the original."""
        return nearest_language(wanted, self.ready) or self.language

    def places(self) -> frozenset[str]:
        """Return the names of all places in it: what of a person must be opened to fill them, and no more."""
        return frozenset(
            place.name
            for one in self.ready.values()
            for place in (*one.subject.places, *one.preheader.places, *one.places)
        )

    def filled(self, wanted: str, values: Mapping[str, str]) -> Filled:
        """Fill it for one person. Raises NothingKnown where a place stays empty and says nothing for that."""
        language = self.language_for(wanted)
        one = self.ready[language]
        put = _Values(values, self.known)
        return Filled(
            language,
            plain(one.subject.filled(put.text), LONGEST["subject"] * 2),
            plain(one.preheader.filled(put.text), LONGEST["preheader"] * 2),
            fill(one.body.html, one.places, put.html),
            fill(one.body.text, one.places, put.text),
        )

    def values(self, wanted: str, values: Mapping[str, str]) -> tuple[str, ...]:
        """Return what stands in each place of the body, in their order. Raises NothingKnown."""
        put = _Values(values, self.known)
        return tuple(put.text(place) for place in self.ready[self.language_for(wanted)].places)


CLEAN: Final[Mapping[Kind, Callable[[str], str]]] = {"person": plain_of_a_person, "ours": plain, "link": str}


class _Values:
    """What stands in the places of one person's message."""

    def __init__(self, values: Mapping[str, str], known: Mapping[str, Kind]) -> None:
        self.values, self.known = values, known

    def text(self, place: Place) -> str:
        value = self.values.get(place.name, "")
        kind = self.known[place.name]
        shown = CLEAN[kind](value)
        if shown:
            return shown
        if place.fallback is None:
            says = _("Nothing is known for {%(name)s}, and the message has no words for that: write {%(name)s|…}.")
            raise NothingKnown(says % {"name": place.name})
        return plain(place.fallback)

    def html(self, place: Place) -> str:
        return escape(self.text(place))


def nearest_language(wanted: str, ours: Mapping[str, object]) -> str:
    """Return the code among ours that is this language, or the same one elsewhere ("de" for "de-AT"); or nothing."""
    by_code = {code.lower().replace("_", "-"): code for code in ours}
    code = wanted.lower().replace("_", "-")
    while code:
        if code in by_code:
            return by_code[code]
        code = code.rpartition("-")[0]
    first = wanted.lower().replace("_", "-").partition("-")[0]
    return next((ours for low, ours in sorted(by_code.items()) if first and low.partition("-")[0] == first), "")


# ---------------------------------------------------------------- looking it over


def problems(content: Content, known: Mapping[str, Kind] = KNOWN) -> tuple[Problem, ...]:
    """Return what is wrong with a content, or wants a look, in the order in which it is read."""
    return _read(content, known)[1]


def prepare(content: Content, known: Mapping[str, Kind] = KNOWN) -> Prepared:
    """Read a content once, to be filled for many. Raises ContentProblems for one with errors."""
    ready, found = _read(content, known)
    errors = tuple(one for one in found if one.level == "error")
    if errors:
        raise ContentProblems(errors)
    return Prepared(content.form, content.language, known, ready)


def _read(content: Content, known: Mapping[str, Kind]) -> tuple[dict[str, _Ready], tuple[Problem, ...]]:
    ready: dict[str, _Ready] = {}
    found: list[Problem] = []
    if content.language not in content.wordings:
        says = _("There is no wording in %(language)s, the language it is written in.") % {"language": content.language}
        found.append(_problem(content.language, "body", "", Trouble(0, says, _("Write it."))))
    for code, wording in content.wordings.items():
        ready[code], troubles = _read_wording(content.form, wording, known)
        found += [_problem(code, where, getattr(wording, where), trouble) for where, trouble in troubles]
    return ready, tuple(found)


def _read_wording(
    form: Form, wording: Wording, known: Mapping[str, Kind]
) -> tuple[_Ready, list[tuple[Field, Trouble]]]:
    parts: dict[Field, Template] = {}
    found: list[tuple[Field, Trouble]] = []
    for where in LONGEST:
        text = getattr(wording, where)
        parts[where], troubles = read_template(text.replace("\r\n", "\n"), known)
        found += [(where, trouble) for trouble in (*_bad_characters(where, text), *_of_length(where, text), *troubles)]
    found += [(where, trouble) for where in ("subject", "preheader") for trouble in _of_one_line(parts[where], known)]
    body, troubles = render(parts["body"].text, parts["body"].places, known)
    found += [("body", trouble) for trouble in troubles]
    found += [("subject", trouble) for trouble in _of_subject(form, wording.subject)]
    if not wording.body.strip():
        found.append(("body", Trouble(0, _("The body is empty."), _("Write it."))))
    return _Ready(parts["subject"], parts["preheader"], body, parts["body"].places), found


def _of_subject(form: Form, subject: str) -> Iterator[Trouble]:
    """An e-mail has a subject; of a message by messenger it is the name of the template that was approved there."""
    if form == "email" and not plain(subject):
        yield Trouble(0, _("The subject is empty."), _("Say in it what the message is about."))
    if form == "messenger" and not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", subject):
        says = _("It is no name of a template at the messenger.")
        yield Trouble(0, says, _("Write the name or number under which the messenger approved these words."))


def _bad_characters(where: Field, text: str) -> Iterator[Trouble]:
    """Refuse what would end a header line, and what no text holds: a subject never becomes two headers."""
    allowed = "\n\r\t" if where == "body" else ""
    for at, mark in enumerate(text):
        if (mark < " " or mark in "\x7f\x85\u2028\u2029") and mark not in allowed:
            broken = mark in "\r\n\x85\u2028\u2029"
            says = _("There is a line break in it.") if broken else _("There is a control character in it.")
            yield Trouble(at, says, _("Take it out."))
            return
        if "\ud800" <= mark <= "\udfff":
            yield Trouble(at, _("Half a character, which cannot be sent."), _("Take it out."))
            return


def _of_length(where: Field, text: str) -> Iterator[Trouble]:
    if len(text) > LONGEST[where]:
        says = _("It is %(many)s characters long; %(most)s are the most.") % {"many": len(text), "most": LONGEST[where]}
        yield Trouble(0, says, _("Say it more shortly."))
    elif where == "subject" and len(text) > LONG_SUBJECT:
        yield Trouble(
            0, _("A subject this long is cut off by most mail programs."), _("Say it more shortly."), "review"
        )


def _of_one_line(template: Template, known: Mapping[str, Kind]) -> Iterator[Trouble]:
    for place in template.places:
        if known.get(place.name) == "link":
            yield Trouble(0, _("A link does not stand here."), _("Put it into the body."))


def _problem(language: str, where: Field, text: str, trouble: Trouble) -> Problem:
    before = text[: trouble.at]
    return Problem(
        language=language, where=where, line=before.count("\n") + 1, column=len(before) - (before.rfind("\n") + 1) + 1,
        says=trouble.says, cure=trouble.cure, level=trouble.level,
    )  # fmt: skip
