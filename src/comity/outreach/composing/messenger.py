"""One person's message by a messenger: values for the places of a template that the messenger approved before.

The words lie with the provider; what we keep of them is what the law is shown and what readers see in previews. All
that the law wants beside them is one more value, the last: so a template for us ends with a place for it, and the
words that are kept here must be those that were approved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from comity.law.obligations import Merged
from comity.outreach.composing.content import NotComposed, Prepared
from comity.outreach.composing.parties import BadAddress, Links, Recipient, Sender, Told
from comity.outreach.composing.placeholders import plain
from comity.outreach.composing.short_messages import beside

ADDRESS: Final = re.compile(r"\+?[0-9]{7,15}|[A-Za-z][A-Za-z0-9_-]{5,63}")
"""A number, or what the messenger knows somebody by."""
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
LONGEST: Final = 1_024


class NoTemplate(NotComposed):
    """A content that does not say under which name the messenger approved its words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateMessage:
    """A message by a template: its name and language there, the values of its places, and the text as it is read."""

    to: str
    template: str
    language: str
    parameters: tuple[str, ...]
    text: str

    def as_bytes(self) -> bytes:
        """Return it as gateways take it."""
        told = {
            "template": self.template, "language": self.language, "parameters": self.parameters, "text": self.text,
        }  # fmt: skip
        return json.dumps(told, ensure_ascii=False).encode()


def compose_template(
    *,
    content: Prepared,
    recipient: Recipient,
    sender: Sender,
    obligations: Iterable[Merged],
    links: Links,
    told: Told | None = None,
    seen_to: Collection[str] = (),
) -> TemplateMessage:
    """Make one person's message. Raises Unmet, BadAddress, NothingKnown or NoTemplate: then nothing is sent.

    The subject of the content is the name under which its words were approved.
    """
    address = re.sub(r"[\s().]", "", recipient.address)
    if not ADDRESS.fullmatch(address):
        raise BadAddress(_("This is nothing by which a messenger knows anybody."))
    values = {**recipient.values, **sender.values(), **links.values()}
    filled = content.filled(recipient.language, values)
    if not NAME.fullmatch(filled.subject):
        raise NoTemplate(_("It does not say under which name the messenger approved these words: letters and digits."))
    said = beside(recipient=recipient, sender=sender, obligations=obligations, links=links, told=told, seen_to=seen_to)
    parameters = tuple(one_line(each) for each in (*content.values(recipient.language, values), said))
    text = f"{filled.text.strip()} {said}".strip()
    if len(text) > LONGEST:
        raise NotComposed(_("The message is longer than messengers take: say it more shortly."))
    return TemplateMessage(
        to=address, template=filled.subject, language=filled.language.replace("-", "_"), parameters=parameters,
        text=text,
    )  # fmt: skip


def one_line(value: str) -> str:
    """Return a value as messengers let it stand in a template: one line, no tabs, not empty, no run of spaces."""
    return plain(value, LONGEST) or "-"
