"""What a message is made of: who writes, who reads, by which links they answer, and what must be told beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Final

from django.utils.translation import gettext as _

from comity.outreach.composing.content import NotComposed
from comity.outreach.composing.placeholders import plain

WEB_ADDRESS: Final = re.compile(r"(?:https://|http://(?:localhost|127\.0\.0\.1)[:/])[^\s<>\"',;\\@]{4,800}")
"""What a link may be. Without TLS only what never leaves this machine: a demo."""
DOMAIN: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
LOCAL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}|\"[ !#-\[\]-~]{1,62}\"")


class BadAddress(NotComposed):
    """An address to which, or from which, nothing can be sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """Who reads. `address` is an e-mail address, a number or a postal address, as the channel has it.

    `values` fill the places of the content ("given", "family", …): what was opened for that, and nothing else.
    `called` is the name beside the address, and empty unless the caller may show it there.
    """

    address: str
    language: str = "en"
    place: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    called: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who writes: an entity of ours, and how to reach it.

    `place` and `language` are its own. `message_domain` is the domain of Message-IDs, that of the address if empty.
    `mark` is the registered signature of text messages, `stop_number` where STOP is sent to if not back to the sender.
    """

    entity: str
    address: str = ""
    postal_address: tuple[str, ...] = ()
    place: str = ""
    language: str = "en"
    reply_to: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    register: str = ""
    message_domain: str = ""
    mark: str = ""
    stop_number: str = ""
    caller: str = ""
    mobile: bool = False

    def values(self) -> dict[str, str]:
        """Return what stands in the places of a content that are ours."""
        return {
            "entity": self.entity, "address": ", ".join(self.postal_address), "phone": self.phone,
            "email": self.email or self.reply_to or self.address, "website": self.website,
        }  # fmt: skip

    def contacts(self) -> tuple[str, ...]:
        """Return the ways in which people reach us."""
        ways = (self.email or self.reply_to or self.address, self.phone, self.website)
        return tuple(plain(way) for way in ways if way)


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """By what links this person answers; each is signed for them alone. `works_for_days` is None for links without end.

    `unsubscribe` must take a POST of RFC 8058 as a refusal, and a GET as a page that asks. `unsubscribe_mail` is an
    address of ours that takes refusals, with the subject that tells whose it is.
    """

    unsubscribe: str = ""
    unsubscribe_mail: str = ""
    unsubscribe_subject: str = "unsubscribe"
    preferences: str = ""
    privacy: str = ""
    opt_out: str = ""
    works_for_days: int | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no plain https address: it stands in headers and pages."""
        for name, link in (*self.values().items(), ("opt_out", self.opt_out)):
            if link and not WEB_ADDRESS.fullmatch(link):
                raise BadAddress(
                    _("The link %(name)s is no plain https address: %(link)r.") % {"name": name, "link": link}
                )

    def values(self) -> dict[str, str]:
        """Return what stands in the places of a content that are links."""
        named = {"unsubscribe": self.unsubscribe, "preferences": self.preferences, "privacy": self.privacy}
        return {**named, **self.more}


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """From whom we have somebody's data, what we hold, and for what: in words that this person reads."""

    source: str
    kinds: tuple[str, ...]
    purpose: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfer:
    """Who abroad gets somebody's data: in words that this person reads."""

    recipient: str
    place: str
    contact: str
    purpose: str
    how: str
    kinds: tuple[str, ...]
    rights: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What must be told beside the content, where the law wants it: without it, nothing is sent that needs it.

    `logic` says how a program chose this person. `sent_words` are further sentences of the caller's own, as text.
    """

    origin: Origin | None = None
    transfer: Transfer | None = None
    logic: str = ""


def mail_address(address: str, called: str = "") -> Address:
    """Return an address as headers have it, its domain in letters that every relay takes. Raises BadAddress."""
    local, at, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode().lower() if domain else ""
    except UnicodeError:
        ascii_domain = ""
    if (
        not at
        or not LOCAL.fullmatch(local)
        or local.strip('"') == ""
        or ".." in local
        or local[0] == "."
        or local[-1] == "."
    ):
        raise BadAddress(_bad(local, at))
    if not DOMAIN.fullmatch(ascii_domain):
        raise BadAddress(_("This is no e-mail address: its domain is none."))
    try:
        return Address(display_name=plain(called), addr_spec=f"{local}@{ascii_domain}")
    except (HeaderParseError, ValueError, IndexError):
        raise BadAddress(_("This is no e-mail address.")) from None


def _bad(local: str, at: str) -> str:
    """Say what is wrong without the address itself: messages of errors are logged."""
    if at and not local.isascii():
        return _("What stands before the @ is not in ASCII letters: relays are not known to take such an address.")
    return _("This is no e-mail address: write it as name@example.com.")
