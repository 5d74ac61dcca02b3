"""What these tests make messages of: a content, our entity, links, and obligations as a decision has them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any, Final
from uuid import UUID

from comity.law.obligations import Merged
from comity.outreach.composing.content import Content, Form, Wording, prepare
from comity.outreach.composing.letters import compose_email
from comity.outreach.composing.parties import Links, Origin, Recipient, Sender, Told, Transfer

DAY: Final = date(2026, 11, 22)
NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
REF: Final = UUID("01a20433-f953-708c-98b5-be67f9c95674")

ACME: Final = Sender(
    entity="Acme GmbH",
    address="news@acme.example",
    postal_address=("Musterstraße 1", "10115 Berlin"),
    place="DE",
    language="de",
    email="hallo@acme.example",
    phone="+49 30 1234567",
    mark="Acme",
)
LINKS: Final = Links(
    unsubscribe="https://acme.example/u/2f9c",
    unsubscribe_mail="stop@acme.example",
    unsubscribe_subject="stop 2f9c",
    preferences="https://acme.example/p/2f9c",
    privacy="https://acme.example/privacy",
    opt_out="https://acme.example/o/2f9c",
)
TOLD: Final = Told(
    origin=Origin(source="Katalog AG", kinds=("name", "e-mail address"), purpose="advertising"),
    transfer=Transfer(
        recipient="Relay Inc.", place="the United States", contact="privacy@relay.example", purpose="sending mail",
        how="over the Internet", kinds=("e-mail address",), rights="write to the same address",
    ),
    logic="by what you bought in the last year",
)  # fmt: skip
MIRA: Final = Recipient(address="mira@example.org", language="en", values={"given": "Mira", "family": "Roth"})


def wanted(kind: str, **parameters: object) -> Merged:
    """Return an obligation as a decision has it."""
    return Merged(kind, f"what {kind} wants", parameters, (f"xx-law/{kind}",), certain=True)


def written(
    body: str = "Hello {given|there}, see our **teas**.",
    subject: str = "Autumn",
    *,
    form: Form = "email",
    **others: Wording,
) -> Content:
    """Return a content in English, and in other languages where given."""
    return Content(language="en", form=form, wordings={"en": Wording(subject=subject, body=body), **others})


def sent(
    *obligations: Merged,
    content: Content | None = None,
    recipient: Recipient = MIRA,
    **more: Any,  # noqa: ANN401 (what compose_email takes)
) -> EmailMessage:
    """Return a message to Mira, with what her law wants beside it."""
    what = {"sender": ACME, "links": LINKS, "ref": REF, "at": NOON, "told": TOLD, **more}
    return compose_email(content=prepare(content or written()), recipient=recipient, obligations=obligations, **what)


def text_of(message: EmailMessage) -> str:
    """Return what a reader of plain text sees."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def page_of(message: EmailMessage) -> str:
    """Return what a reader of HTML gets."""
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())
