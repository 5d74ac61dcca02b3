"""Headers as they are sent: what must not be encoded is not, and what could be read as something else is.

Python's own folding encodes a long link, which is none then, and loses the quotes of a long name, which then may be an
address.
"""

from __future__ import annotations

import re
from base64 import b64encode
from email.headerregistry import (
    Address,
    HeaderRegistry,
    UniqueAddressHeader,
    UniqueUnstructuredHeader,
    UnstructuredHeader,
)
from email.policy import SMTP, EmailPolicy
from typing import Any, Final

SIMPLE_NAME: Final = re.compile(r"[A-Za-z0-9]{1,40}(?: [A-Za-z0-9]{1,40}){0,3}")
QUOTED_NAME: Final = re.compile(r"[A-Za-z0-9 .,&'()+/-]{1,60}")
BYTES_OF_A_WORD: Final = 42
LETTERS_OF_A_LINE: Final = 66


class OfAddresses:
    """A header of links or Message-IDs: folded between them and never within, since encoded they would be none."""

    max_count = 1

    @staticmethod
    def parse(value: str, kwds: dict[str, Any]) -> None:
        """Take the value as it is; the policy has refused line breaks before."""
        kwds.update(decoded=value, defects=[], parse_tree=UnstructuredHeader.value_parser(value))

    def fold(self, *, policy: EmailPolicy) -> str:
        """Return the header as it is sent."""
        return f"{self.name}: {str(self).replace(', ', f',{policy.linesep} ')}{policy.linesep}"  # type: ignore[attr-defined]


class OfPeople(UniqueAddressHeader):
    """From, To and Reply-To. A name of more than letters is encoded: quoted and folded, it could become an address."""

    def fold(self, *, policy: EmailPolicy) -> str:
        """Return the header as it is sent, each piece of a name on a line of its own."""
        folded = f",{policy.linesep} ".join(_of_person(one, policy.linesep) for one in self.addresses)
        return f"{self.name}: {folded}{policy.linesep}"  # type: ignore[attr-defined]


class OfWords(UniqueUnstructuredHeader):
    """A subject: as it is where that is one short line of ASCII, else encoded piece by piece."""

    def fold(self, *, policy: EmailPolicy) -> str:
        """Return the header as it is sent; it begins on its first line."""
        text = str(self)
        plainly = text.isascii() and len(text) <= LETTERS_OF_A_LINE and "=?" not in text
        return f"{self.name}: {f'{policy.linesep} '.join([text] if plainly else _encoded(text))}{policy.linesep}"  # type: ignore[attr-defined]


def _of_person(address: Address, linesep: str) -> str:
    name = address.display_name
    if not name:
        return address.addr_spec
    if SIMPLE_NAME.fullmatch(name):
        return f"{name} <{address.addr_spec}>"
    if QUOTED_NAME.fullmatch(name):
        return f'"{name}" <{address.addr_spec}>'
    return f"{linesep} ".join([*_encoded(name), f"<{address.addr_spec}>"])


def _encoded(name: str) -> list[str]:
    """Return a name as encoded words (RFC 2047), none longer than 75 letters, no letter split between two."""
    pieces = [""]
    for letter in name:
        if len((pieces[-1] + letter).encode()) > BYTES_OF_A_WORD:
            pieces.append("")
        pieces[-1] += letter
    return [f"=?utf-8?b?{b64encode(piece.encode()).decode()}?=" for piece in pieces]


def _headers() -> HeaderRegistry:
    registry = HeaderRegistry()
    for name in ("from", "to", "reply-to"):
        registry.map_to_type(name, OfPeople)  # type: ignore[arg-type]
    registry.map_to_type("subject", OfWords)  # type: ignore[arg-type]
    for name in ("list-unsubscribe", "list-unsubscribe-post", "message-id", "in-reply-to", "references"):
        registry.map_to_type(name, OfAddresses)  # type: ignore[arg-type]
    return registry


POLICY: Final = SMTP.clone(cte_type="7bit", header_factory=_headers())
"""Bodies in ASCII on the wire: no relay changes them, so a signature over them stays good."""
