"""Settings: the way to everything that is set up once, what we keep and for how long, and what runs here."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from comity import __version__
from comity.counsel.reading import shelves
from comity.desk.recorded import verifier_key
from comity.staff.guards import StaffRequest, may_do, staff_page
from comity.vault.data_map import Clock, Sensitivity, Table, data_map

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, kw_only=True)
class Place:
    """Something that is set up, and where; shown where its page is there and the staff member has the word."""

    title: _StrPromise
    says: _StrPromise
    to: str
    icon: str
    may: str


PLACES: Final[tuple[tuple[_StrPromise, tuple[Place, ...]], ...]] = (
    (gettext_lazy("Who we are"), (
        Place(title=gettext_lazy("Our legal entities"), to="staff:entities", icon="building", may="entity.view",
              says=gettext_lazy("Who answers for whom: where each is established, and what the law asks of it.")),
        Place(title=gettext_lazy("Staff"), to="staff:list", icon="users-round", may="staff.view",
              says=gettext_lazy("Who works here, and in which roles.")),
        Place(title=gettext_lazy("Who may do what"), to="staff:access", icon="table-properties", may="access.view",
              says=gettext_lazy("Roles, purposes and fields as a matrix, as roles.toml says.")),
        Place(title=gettext_lazy("Tokens"), to="api:tokens", icon="key-square", may="token.change",
              says=gettext_lazy("What programs may do: for which purposes, and until when.")),
        Place(title=gettext_lazy("Webhooks"), to="api:webhooks", icon="webhook", may="token.change",
              says=gettext_lazy("Whom we tell when something changes.")),
    )),
    (gettext_lazy("What we keep"), (
        Place(title=gettext_lazy("What we keep and how long"), to="web:kept", icon="archive", may="settings.view",
              says=gettext_lazy("Every column that is stored: how sensitive it is, and when it goes.")),
        Place(title=gettext_lazy("What is cleaned up"), to="retention:cleaning", icon="brush-cleaning",
              may="settings.view",
              says=gettext_lazy("What goes by itself, prospects gone quiet, and when backups forget.")),
        Place(title=gettext_lazy("Erasures"), to="retention:erasures", icon="eraser", may="erasure.view",
              says=gettext_lazy("Who was erased, by a number alone; what went, what stays, and the proof.")),
        Place(title=pgettext_lazy("legal", "Holds"), to="retention:holds", icon="anchor", may="hold.view",
              says=gettext_lazy("What must be kept for a claim or a court, and when somebody looks at it again.")),
        Place(title=gettext_lazy("Custom fields"), to="book:fields", icon="text-cursor-input", may="field.edit",
              says=gettext_lazy("What else is kept about people, each field with its sensitivity and its clock.")),
        Place(title=gettext_lazy("Other systems"), to="rights:systems", icon="database", may="system.change",
              says=gettext_lazy("Where else the same people are held, to be found and erased there too.")),
        Place(title=gettext_lazy("Keys"), to="vault:keys", icon="key-round", may="key.view",
              says=gettext_lazy("Which keys seal the book, and from which day on backups have forgotten.")),
    )),
    (gettext_lazy("How we write to people"), (
        Place(title=gettext_lazy("Sending"), to="outreach:sending", icon="send", may="gateway.change",
              says=gettext_lazy("How each entity signs what it sends, and by which ways it goes out.")),
        Place(title=gettext_lazy("What comes back"), to="outreach:inboxes", icon="undo-2", may="gateway.change",
              says=gettext_lazy("Where bounces, complaints and answers are read, and how many there were.")),
        Place(title=gettext_lazy("Answers to read"), to="outreach:answers", icon="inbox", may="answer.settle",
              says=gettext_lazy("Answers that may be a no, and mail that nobody could place.")),
        Place(title=gettext_lazy("Pace"), to="post:pace", icon="gauge", may="gateway.change",
              says=gettext_lazy("At which hours and how often people hear from us, and how much a gateway takes.")),
        Place(title=gettext_lazy("Addresses left alone"), to="consent:suppressed", icon="ban", may="consent.view",
              says=gettext_lazy("Addresses that must not be used, whoever they belong to. Nobody can read them.")),
        Place(title=gettext_lazy("Registers"), to="consent:registers", icon="book-marked", may="consent.view",
              says=gettext_lazy("National lists of people who must not be called or written to, and their age here.")),
    )),
    (gettext_lazy("What runs here"), (
        Place(title=gettext_lazy("About"), to="web:about", icon="info", may="settings.view",
              says=gettext_lazy("Versions of the program and of every law pack, with their hashes.")),
        Place(title=gettext_lazy("Ledger"), to="desk:ledger", icon="scroll-text", may="ledger.read",
              says=gettext_lazy("What was recorded, what is signed, and whether somebody outside has seen it.")),
        Place(title=gettext_lazy("Components"), to="web:styleguide", icon="swatch-book", may="styleguide.view",
              says=gettext_lazy("Every part of which the pages are made.")),
    )),
)  # fmt: skip


@staff_page(may="settings.view")
def home(request: StaffRequest) -> HttpResponse:
    """Show the way to everything that is set up."""
    shown = [(name, list(_open_to(request, places))) for name, places in PLACES]
    return render(request, "web/settings.html", {"groups": [(name, places) for name, places in shown if places]})


def _open_to(request: StaffRequest, places: Iterable[Place]) -> Iterable[dict[str, object]]:
    for one in places:
        if may_do(request.staff, one.may) and (href := _address(one.to)):
            yield {"title": one.title, "says": one.says, "icon": one.icon, "href": href}


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


# ---------------------------------------------------------------- what we keep and how long

ROOMS: Final[dict[str, _StrPromise]] = {
    "book": gettext_lazy("The book: people, organisations, imports, exports"),
    "consent": gettext_lazy("What people said: consents, refusals, objections"),
    "vault": gettext_lazy("The vault: sealed identity and its keys"),
    "counsel": gettext_lazy("Decisions, rulings, questions and duties"),
    "ledger": gettext_lazy("The ledger"),
    "staff": gettext_lazy("Our staff"),
    "api": gettext_lazy("Programs that work with the book"),
}
WORDS: Final[dict[Sensitivity, tuple[_StrPromise, str]]] = {
    Sensitivity.SEALED: (gettext_lazy("sealed"), "permit"),
    Sensitivity.TOKEN: (gettext_lazy("blind tokens"), "permit"),
    Sensitivity.FACT: (gettext_lazy("plain facts about people"), "ask"),
    Sensitivity.REF: (gettext_lazy("refs of people"), "accent"),
    Sensitivity.STAFF: (gettext_lazy("about our staff"), "accent"),
    Sensitivity.SECRET: (gettext_lazy("secrets"), "deny"),
    Sensitivity.NONE: (gettext_lazy("about nobody"), ""),
}
"""How sensitive columns are, in words, each with its colour; the most telling first."""
UNTIL: Final[dict[str, _StrPromise]] = {
    "person": gettext_lazy("until the person is erased"),
    "staff": gettext_lazy("until the member of the staff is removed"),
    "parent": gettext_lazy("as long as what it belongs to"),
    "ledger": gettext_lazy("for ever: it is the proof"),
    "book": gettext_lazy("as long as the book is kept"),
}


@staff_page(may="settings.view")
def kept(request: StaffRequest) -> HttpResponse:
    """Show of every stored column how sensitive it is and how long it stays, as the data maps declare it."""
    tables = list(data_map().values())
    told = {
        "rooms": [(name, [_table(one) for one in tables if one.app == app]) for app, name in ROOMS.items()],
        "others": [_table(one) for one in tables if one.app not in ROOMS],
        "columns": sum(len(one.columns) for one in tables), "tables": len(tables),
        "words": WORDS.values(),
    }  # fmt: skip
    return render(request, "web/kept.html", told)


def _table(table: Table) -> dict[str, Any]:
    """Return a table as the page lists it: its columns by how sensitive they are, and those with another clock."""
    by_word = [
        {"word": word, "kind": kind, "columns": [_column(table, name) for name in _those(table, sensitivity)]}
        for sensitivity, (word, kind) in WORDS.items()
    ]
    return {
        "name": table.model, "says": _what(table), "clock": clock_said(table.clock), "why": table.why,
        "columns": [group for group in by_word if group["columns"]],
    }  # fmt: skip


def _those(table: Table, sensitivity: Sensitivity) -> list[str]:
    return [name for name, column in table.columns.items() if column.sensitivity is sensitivity]


def _column(table: Table, name: str) -> dict[str, str]:
    own = table.columns[name].clock
    return {"name": name, "clock": clock_said(own) if own != table.clock else ""}


def _what(table: Table) -> str:
    """Return the first sentence that a class of ours says of itself; Django's own say nothing that helps here."""
    said = inspect.getdoc(apps.get_model(table.app, table.model)) or ""
    first = said.partition("\n")[0]
    return "" if first.startswith(f"{table.model}(") else first


def clock_said(clock: Clock) -> str:
    """Say how long something stays."""
    if clock.until != "after":
        return str(UNTIL[clock.until])
    n, after = clock.count, {"n": clock.count, "column": clock.column}
    match clock.unit:
        case "days":
            return ngettext("%(n)d day after %(column)s", "%(n)d days after %(column)s", n) % after
        case "months":
            return ngettext("%(n)d month after %(column)s", "%(n)d months after %(column)s", n) % after
    return ngettext("%(n)d year after %(column)s", "%(n)d years after %(column)s", n) % after


# ---------------------------------------------------------------- about


@staff_page(may="settings.view")
def about(request: StaffRequest) -> HttpResponse:
    """Show what runs here: versions of the program, of what it stands on, and of every law pack."""
    told = {
        "version": __version__, "python": platform.python_version(), "postgres": _postgres(), "key": verifier_key(),
        "shelves": shelves(), "rules": sum(shelf.rules for shelf in shelves()),
    }  # fmt: skip
    return render(request, "web/about.html", told)


def _postgres() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        row = cursor.fetchone()
    return str(row[0]) if row else _("not known")
