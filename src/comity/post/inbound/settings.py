"""What a way in must be told, and what is wrong with it in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from comity.post.inbound.models import Sort
from comity.post.smtp import HERE, HIGHEST_PORT, HOST, SECURITY

PLUS: Final = "+"
LONGEST_NAME: Final = 64 - 1 - 43
"""Letters before the @, so that a mark has room behind them (RFC 5321, 4.5.3.1.1)."""
ADDRESS: Final = re.compile(r"[A-Za-z0-9._-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
MAILBOX: Final = re.compile(r"[A-Za-z0-9 ._/&-]{1,60}")


def check(sort: Sort, given: Mapping[str, Any], *, address: str = "") -> Mapping[str, Any]:
    """Return the settings of a way in as they are kept. Raises ValidationError, naming the setting and its cure."""
    wrong = dict(_wrong_address(address.strip()))
    kept: Mapping[str, Any] = {}
    if sort is Sort.IMAP:
        kept = _mailbox(given, wrong)
    elif given:
        raise ValidationError(_("This way in has no settings: its place follows from its own number."))
    if wrong:
        raise ValidationError(wrong)
    return kept


def _wrong_address(address: str) -> Mapping[str, str]:
    if not address:
        return {}
    if not ADDRESS.fullmatch(address):
        return {"address": _("Write it like bounces@mail.example.com, in plain letters.")}
    if len(address.partition("@")[0]) > LONGEST_NAME:
        return {"address": _("At most %(n)d letters before the @: a mark must fit behind them.") % {"n": LONGEST_NAME}}
    return {}


def _mailbox(given: Mapping[str, Any], wrong: dict[str, str]) -> Mapping[str, Any]:
    host, port, security = str(given.get("host", "")).strip(), given.get("port", 993), given.get("security", "tls")
    folder = str(given.get("folder", "") or "INBOX").strip()
    if not HOST.fullmatch(host):
        wrong["host"] = _("The name of the mail server, as in mail.example.com.")
    if not isinstance(port, int) or not 1 <= port <= HIGHEST_PORT:
        wrong["port"] = _("A number from 1 to 65535; 993 is usual.")
    if security not in SECURITY:
        wrong["security"] = _("One of: tls, starttls, none.")
    if security == "none" and host and host not in HERE:
        wrong["security"] = _("Without encryption only on this machine: choose starttls or tls.")
    if not MAILBOX.fullmatch(folder):
        wrong["folder"] = _("The name of the folder, in plain letters: INBOX is usual.")
    if not str(given.get("sign_in_as", "")).strip():
        wrong["sign_in_as"] = _("Say as whom the mailbox is opened.")
    kept = {"host": host, "port": port, "security": security, "folder": folder}
    return kept | {"sign_in_as": str(given.get("sign_in_as", "")).strip()}
