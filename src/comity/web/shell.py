"""What every page shows around its contents: the rail, who is signed in, which language and theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from comity.staff.addresses import address_if_there
from comity.staff.guards import may_do, standing_grants
from comity.staff.models import Staff
from comity.staff.roles import roles

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

THEMES = {"system": pgettext_lazy("theme", "System"), "light": _("Light"), "dark": _("Dark")}
THEME_COOKIE = "theme"


@dataclass(frozen=True, kw_only=True)
class Way:
    """One entry of the rail: shown where its room is there and the staff member may go in."""

    name: _StrPromise
    to: str
    icon: str
    may: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A way as one request shows it."""

    name: _StrPromise
    address: str
    icon: str
    here: bool


WAYS = (
    Way(name=_("Today"), to="desk:today", icon="house", may="desk.view"),
    Way(name=_("People"), to="book:persons", icon="user-round", may="person.view"),
    Way(name=_("Organisations"), to="book:organisations", icon="building-2", may="organisation.view"),
    Way(name=_("Campaigns"), to="outreach:campaigns", icon="send", may="campaign.view"),
    Way(name=_("Sharing"), to="outreach:sharings", icon="share-2", may="sharing.view"),
    Way(name=_("Forms"), to="outreach:forms", icon="clipboard-list", may="consent.view"),
    Way(name=_("Sequences"), to="outreach:sequences", icon="workflow", may="sequence.view"),
    Way(name=_("Notices"), to="consent:notices", icon="file-text", may="consent.view"),
    Way(name=_("Imports"), to="book:imports", icon="file-input", may="import.view"),
    Way(name=_("To settle"), to="counsel:queue", icon="message-circle-question-mark", may="decision.view"),
    Way(name=_("Requests"), to="rights:requests", icon="mail-question-mark", may="request.view"),
    Way(name=_("Duties"), to="counsel:duties", icon="calendar-check", may="duty.view"),
    Way(name=_("Law"), to="counsel:law", icon="scale", may="law.view"),
    Way(name=_("Ledger"), to="desk:ledger", icon="scroll-text", may="ledger.read"),
    Way(name=_("Staff"), to="staff:list", icon="users-round", may="staff.view"),
    Way(name=_("Approvals"), to="staff:approvals", icon="stamp", may="approval.view"),
    Way(name=_("Programs"), to="api:tokens", icon="webhook", may="token.change"),
    Way(name=_("Settings"), to="web:settings", icon="settings", may="settings.view"),
)
"""The rail from top to bottom. A way is shown where its room is there and the staff member has the word."""

DEEDS = (
    Way(name=_("Add a person"), to="book:new-person", icon="user-round-plus", may="person.edit"),
    Way(name=_("Add an organisation"), to="book:organisation-new", icon="building-2", may="organisation.edit"),
    Way(name=_("Import people"), to="book:import-new", icon="file-input", may="import.run"),
    Way(name=_("Write to many people"), to="outreach:campaign-new", icon="send", may="campaign.edit"),
    Way(name=_("Share a list"), to="outreach:sharing-new", icon="share-2", may="sharing.make"),
    Way(name=_("Let something go on by itself"), to="outreach:sequence-new", icon="workflow", may="sequence.edit"),
    Way(name=_("Add a notice"), to="consent:notice-new", icon="file-text", may="notice.edit"),
    Way(name=_("Build a web form"), to="outreach:form-new", icon="clipboard-list", may="form.edit"),
    Way(name=_("Note a request down"), to="rights:request-new", icon="inbox", may="request.note"),
    Way(name=_("Export people"), to="book:export", icon="download", may="person.export"),
    Way(name=_("Ask the law: may we?"), to="counsel:may-we", icon="scale", may="law.view"),
    Way(name=_("Add a custom field"), to="book:field-new", icon="text-cursor-input", may="field.edit"),
    Way(name=_("Invite somebody"), to="staff:invite", icon="user-round-cog", may="staff.change"),
    Way(name=_("Who may do what"), to="staff:access", icon="table-properties", may="access.view"),
    Way(name=_("My sign-in and settings"), to="staff:own", icon="shield-check", may="self.view"),
)
"""What the palette offers besides the rail: things that people come to do."""


def shell(request: HttpRequest) -> dict[str, object]:
    """Give the templates what `base.html` needs."""
    staff = getattr(request, "user", None)
    staff = staff if isinstance(staff, Staff) and staff.is_active else None
    theme = request.COOKIES.get(THEME_COOKIE, "system")
    return {
        "staff": staff,
        "rail": entries(staff, request.path) if staff else [],
        "theme": theme if theme in THEMES else "system",
        "themes": THEMES,
        "languages": settings.LANGUAGES,
        "staff_acts_as": _acts_as(staff) if staff else "",
        "search_address": address_if_there("desk:search"),
        "quick_search_address": address_if_there("desk:quick-search"),
        "language": get_language() or settings.LANGUAGE_CODE,
    }


def entries(staff: Staff, path: str, ways: tuple[Way, ...] = WAYS) -> list[Entry]:
    """Return the ways that are open to somebody; the nearest to the path they are on is marked."""
    known = [(way, address_if_there(way.to)) for way in ways if may_do(staff, way.may)]
    there = [(way, address) for way, address in known if address]
    nearest = max((address for _, address in there if path.startswith(address)), key=len, default="")
    return [Entry(name=way.name, address=a, icon=way.icon, here=a == nearest) for way, a in there]


def _acts_as(staff: Staff) -> str:
    known = roles().roles
    names = dict.fromkeys(gettext(known[grant.role].name) for grant in standing_grants(staff) if grant.role in known)
    return ", ".join(names)
