"""People who come to their own pages in these tests: they ask for a code, read it in their mailbox, and type it."""

from __future__ import annotations

import re
from typing import Any, Final

from django.http import HttpResponse
from django.test import Client

from comity.outreach.campaigns.models import Imprint
from comity.post.models import Dispatch
from comity.rights.portal.actions import open_portal
from comity.rights.portal.models import Code, Portal
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.post.relays import Keeper
from tests.post.writing import send_all, way_out

GRETA: Final = "greta@kettle.example"
NOBODY: Final = "nobody@kettle.example"


def opened(firm: Entity, olga: Staff, *, port: int = 1) -> Portal:
    """Let people sign in at an entity: its imprint, a relay, and who answers for the codes."""
    Imprint.objects.create(entity=firm, address="privacy@comity.example", postal_address="1 Quay Street\nDublin")
    return open_portal(entity=firm, gateway=way_out(firm, port=port), opened_by=olga)


def door(firm: Entity, *more: str) -> str:
    """Return the address of a page of these."""
    return "/".join(["/you", str(firm.ref), *more, ""])


def asks(browser: Client, firm: Entity, address: str = GRETA, **headers: str) -> HttpResponse:
    """Ask for a code."""
    return browser.post(door(firm), {"address": address}, headers=headers)  # type: ignore[return-value]  # as Django's client gives it


def hand_over(firm: Entity) -> None:
    """Let the worker hand over what is on its way."""
    with behind_wall(staff=None, entities=[firm.ref]):
        waiting = list(Dispatch.objects.filter(state="running").select_related("entity", "staff", "gateway"))
    for dispatch in waiting:
        send_all(dispatch)


def letter_to(kept: Keeper, address: str) -> str:
    """Return the text of the one message that came to an address."""
    (letter,) = kept.to(address)
    body = letter.message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def code_in(text: str) -> str:
    """Return the code in a message."""
    found = re.search(r"^\s+(\d{4} \d{4})\s*$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


def types(browser: Client, firm: Entity, code: str) -> HttpResponse:
    """Type a code."""
    return browser.post(door(firm, "code"), {"code": code})  # type: ignore[return-value]  # as Django's client gives it


def comes_in(browser: Client, firm: Entity, address: str = GRETA) -> Client:
    """Come in by the code that was made for this browser, without waiting for its mail."""
    from comity.rights.portal.codes import digits_of

    assert asks(browser, firm, address).status_code == 302
    answer = types(browser, firm, digits_of(Code.objects.latest("asked_at")))
    assert answer.status_code == 302, answer.content.decode()
    return browser


def text_of(browser: Client, firm: Entity, *more: str, **query: Any) -> str:  # noqa: ANN401 - of an address
    """Return a page of theirs."""
    answer = browser.get(door(firm, *more), query)
    assert answer.status_code == 200, (answer.status_code, answer.headers)
    return answer.content.decode()
