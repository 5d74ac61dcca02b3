"""What a column of somebody's file is to us: a part of a name, an address, a note, or what a dialect of `check` reads.

A check needs to know where people live and what they said; a book also wants to know who they are. So a column may be
two things: an e-mail address reaches somebody, and its ending hints at a home. Whoever imports may choose another
meaning for a column; that one then counts alone.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from comity.check.dialects import Column, Dialect, Reads, header_key, header_words
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

AS_TOLD: Final = "law"
"""The meaning of a column that only a dialect of `check` understands."""
IGNORED: Final = "ignored"

CHANNELS: Final = ("email", "sms", "call", "autocall", "messenger", "post", "fax")
"""Channels by which marketing comes, and of which an export may say what somebody wants."""


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """One thing that a column may be; `column` is how a dialect of `check` would read its cells."""

    id: str
    title: _StrPromise | str
    column: Column | None = None
    field_class: FieldClass | None = None


def _opt_out(*channels: str) -> Column:
    marketing = frozenset({"marketing"})
    return Column(
        role="fact", fact="consent.opted_out", reads="dated", channels=frozenset(channels), purposes=marketing
    )


def _fact(fact: str, reads: Reads, *channels: str) -> Column:
    return Column(role="fact", fact=fact, reads=reads, channels=frozenset(channels))


def _yes(channel: str) -> Column:
    return _fact("consent.given", "truth", channel)


def _kept(what: str) -> Column:
    return _fact(f"consent.{what}_kept", "filled")


_BY_PHONE: Final = ("call", "autocall", "sms")
_NOTE: Final = Column(role="free-text", fact="consent.opted_out")
_SOURCE: Final = Column(
    role="fact", fact="relation.source", reads="choice", otherwise="absent",
    values={"person": "person", "published": "published", "third-party": "third-party"},
)  # fmt: skip


MEANINGS: Final[Mapping[str, Meaning]] = {
    one.id: one
    for one in (
        Meaning(id="given", title=_("Given name"), field_class=FieldClass.NAME),
        Meaning(id="family", title=_("Family name"), field_class=FieldClass.NAME),
        Meaning(id="full", title=_("Full name"), field_class=FieldClass.NAME),
        Meaning(id="title", title=_("Title, such as Dr"), field_class=FieldClass.NAME),
        Meaning(id="post", title=_("Post, what somebody is at work"), field_class=FieldClass.NAME),
        Meaning(id="email", title=_("E-mail"), field_class=FieldClass.CONTACT, column=Column(role="home.email")),
        Meaning(id="phone", title=_("Phone"), field_class=FieldClass.CONTACT, column=Column(role="home.phone")),
        Meaning(id="mobile", title=_("Mobile phone"), field_class=FieldClass.CONTACT, column=Column(role="home.phone")),
        Meaning(id="address", title=_("Postal address, whole"), field_class=FieldClass.ADDRESS),
        Meaning(id="street", title=_("Street"), field_class=FieldClass.ADDRESS),
        Meaning(id="postcode", title=_("Postcode"), field_class=FieldClass.ADDRESS),
        Meaning(id="city", title=_("City"), field_class=FieldClass.ADDRESS),
        Meaning(id="state", title=_("State or region"), column=Column(role="home.state", address="main")),
        Meaning(id="country", title=_("Country"), column=Column(role="home.country", address="main")),
        Meaning(id="organisation", title=_("Organisation")),
        Meaning(id="identifier", title=_("Number or other identifier"), field_class=FieldClass.IDENTIFIER),
        Meaning(id="note", title=_("Note"), field_class=FieldClass.NOTE, column=_NOTE),
        Meaning(id="tags", title=_("Tags"), column=_NOTE),
        Meaning(id="language", title=_("Language")),
        Meaning(id="birth", title=_("Day or year of birth"), column=Column(role="age", fact="person.age")),
        Meaning(id="birth-month", title=_("Month of birth")),
        Meaning(id="customer-since", title=_("Customer since"), column=_fact("relation.customer", "dated")),
        Meaning(id="last-purchase", title=_("Last purchase on"), column=_fact("relation.last_purchase_on", "day")),
        Meaning(id="opt-out", title=_("No marketing at all"), column=_opt_out()),
        Meaning(id="opt-out-email", title=_("No marketing by e-mail"), column=_opt_out("email")),
        Meaning(id="opt-out-phone", title=_("No marketing by phone or text"), column=_opt_out(*_BY_PHONE)),
        Meaning(id="consent-email", title=_("Yes to marketing by e-mail"), column=_yes("email")),
        Meaning(id="consent-sms", title=_("Yes to marketing by text message"), column=_yes("sms")),
        Meaning(id="consent-call", title=_("Yes to marketing by call"), column=_yes("call")),
        Meaning(id="consent-on", title=_("Day of the yes"), column=_fact("consent.given_on", "day")),
        Meaning(id="consent-source", title=_("Where the yes was given"), column=_kept("source")),
        Meaning(id="consent-wording", title=_("Wording of the yes"), column=_kept("wording")),
        Meaning(id="consent-lines", title=_("What was said, as Comity exports it")),
        Meaning(id="source", title=_("Where the data came from"), column=_SOURCE),
        Meaning(id="notice", title=_("Notice shown")),
        Meaning(id="notice-on", title=_("Notice shown on")),
        Meaning(id="ref", title=_("Person ref of Comity")),
        Meaning(id=AS_TOLD, title=pgettext_lazy("column", "As this kind of file means it")),
        Meaning(id=IGNORED, title=pgettext_lazy("column", "Leave out")),
    )
}  # fmt: skip
"""Everything a column may be, in the order in which it is offered."""

OF_COMITY: Final = {
    "personref": "ref", "exportmark": IGNORED, "givenname": "given", "familyname": "family", "fullname": "full",
    "post": "post", "email": "email", "phone": "phone", "address": "address", "organisation": "organisation",
    "home": AS_TOLD, "language": "language", "birthyear": "birth", "birthmonth": "birth-month", "metas": AS_TOLD,
    "customersince": "customer-since", "source": "source", "notice": "notice", "noticeon": "notice-on", "tags": "tags",
    "objectedat": AS_TOLD, "optoutsignalat": AS_TOLD, "restrictedat": AS_TOLD, "deceasedat": AS_TOLD,
}  # fmt: skip
"""The headers of our own export."""


@cache
def said() -> Mapping[str, frozenset[str]]:
    """Return the headers that name somebody, which a check has no use for, by what they mean."""
    told = tomllib.loads((files("comity.book.imports") / "headers.toml").read_text("utf-8"))
    return {meaning: frozenset(map(header_key, headers)) for meaning, headers in told.items()}


SHORT_OF: Final[Mapping[str, Mapping[str, str]]] = {
    "salesforce": {"title": "post", "name": "full"},
    "zoho": {"title": "post"},
}
"""Headers that mean in one kind of export what they do not mean elsewhere."""

_MOBILE: Final = re.compile(r"\b(mobile?|cell\w*|handy\w*|portable|m[óo]vil|celular|cellulare)\b|手机|移动|携帯|휴대")
_BY_ROLE: Final = {"home.country": "country", "home.state": "state", "age": "birth", "free-text": "note"}
_BY_FACT: Final = {"relation.last_purchase_on": AS_TOLD}


def meaning_of(dialect: Dialect, header: str) -> str:
    """Return what we take a column to be where nobody says otherwise."""
    key = header_key(header)
    if dialect.id == "comity":
        return "consent-lines" if header.startswith("Consent ") else OF_COMITY.get(key, IGNORED)
    if named := SHORT_OF.get(dialect.id, {}).get(key):
        return named
    known = dialect.known(header)
    for column in known:
        if column.role in {"home.email", "home.phone"} and not column.values:
            mobile = column.role == "home.phone" and _MOBILE.search(header_words(header))
            return "mobile" if mobile else column.role.removeprefix("home.")
    if named := next((meaning for meaning, headers in said().items() if key in headers), ""):
        return named
    for column in known:
        if column.role in _BY_ROLE:
            return _BY_ROLE[column.role]
    return AS_TOLD if any(column.role != "ignore" for column in known) else IGNORED


def may_be_remembered(dialect: Dialect, header: str) -> bool:
    """Say whether a header is a header: one that we know, or one that cannot be a cell of somebody's row."""
    key = header_key(header)
    known = dialect.known(header) or key in OF_COMITY or any(key in headers for headers in said().values())
    return bool(known) or not any(letter.isnumeric() or letter == "@" for letter in header)


def mapping_of(dialect: Dialect, headers: Sequence[str], chosen: Mapping[str, str]) -> list[str]:
    """Return what each column is: as was chosen (by the column's number), else as we take it."""
    return [
        chosen[str(number)] if chosen.get(str(number)) in MEANINGS else meaning_of(dialect, header)
        for number, header in enumerate(headers)
    ]


def law_columns(dialect: Dialect, header: str, meaning: str) -> list[Column]:
    """Return how a check would read a column: as its kind of file means it, unless something else was chosen."""
    if meaning == IGNORED or (dialect.id == "comity" and meaning == "consent-lines"):
        return []
    if meaning == meaning_of(dialect, header):
        return [column for column in dialect.known(header) if column.role != "ignore"] or _own(meaning)
    return _own(meaning)


def _own(meaning: str) -> list[Column]:
    column = MEANINGS[meaning].column
    return [column] if column else []
