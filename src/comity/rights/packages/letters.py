"""The letter with which a package goes to whoever asked: the answer itself, in their language, and linted.

It says what they must be told whatever is in the package: that it is the answer, what was left out and under which
exception, and what they can do who do not agree. A human reads it, adds what the plan marks, and sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from comity.book.models import Person
from comity.counsel.texts import look_through
from comity.rights.packages.contents import Where, contents_of
from comity.rights.packages.planning import refusals_of

if TYPE_CHECKING:
    from comity.law.texts import Looked
    from comity.rights.packages.models import Package


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A letter as it may be sent: subject and plain text."""

    subject: str
    body: str
    language: str


def letter_for(package: Package, link: str) -> Letter:
    """Return the letter that brings a package, in the language of the package."""
    with translation.override(package.language):
        told = {
            "entity": package.entity, "request": package.request, "exceptions": refusals_of(package),
            "address": _absolute(reverse("rights:package-link", args=[link])) if link else "",
            "until": package.expires_at, "places": package.plan["places"], "to_write": _to_write(package),
        }  # fmt: skip
        subject = _("Your request to %(entity)s: here are your data") % {"entity": package.entity.name}
        body = render_to_string("rights/packages/letter.txt", told).strip() + "\n"
    return Letter(subject=subject, body=body, language=package.language)


def _to_write(package: Package) -> Sequence[str]:
    """Return what the law wants in the answer and no package can say by itself."""
    wanted = contents_of(package.request)
    return list(dict.fromkeys(each.says for rule in wanted for each in rule.contents if each.place is Where.HUMAN))


def _absolute(path: str) -> str:
    return f"{settings.ADDRESS.geturl().rstrip('/')}{path}"


def looked_through(letter: Letter, package: Package, day: date) -> Looked:
    """Look through a letter for what the law of the person's home bans in such a text, and wants in it."""
    home = Person.objects.filter(ref=package.person).values_list("home", flat=True).first() or ""
    places = [place for place in home.split("|") if place]
    return look_through(letter.body.encode(), "ad", places, day, language=letter.language.partition("-")[0])
