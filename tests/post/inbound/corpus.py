"""Messages that come back, in the shapes in which well-known servers write them. All names and hosts are invented.

`{bounce}` and `{name}` stand where a server returns the envelope's sender or the Message-ID that we gave the message.
"""

from __future__ import annotations

import tomllib
from itertools import count
from pathlib import Path
from typing import Final

MESSAGES: Final = Path(__file__).with_name("messages")
_number: Final = count(1_000)


def _all(kind: str) -> dict[str, str]:
    files = sorted(MESSAGES.glob(f"{kind}-*.eml"))
    return {file.stem.removeprefix(f"{kind}-"): file.read_text("utf-8") for file in files}


BOUNCES: Final = _all("bounce")
MEANT: Final[dict[str, list[str]]] = tomllib.loads((MESSAGES / "bounces.toml").read_text("utf-8"))["bounce"]
COMPLAINTS, NO_COMPLAINTS, AUTOMATIC = _all("complaint"), _all("feedback"), _all("machine")


def report(fields: str) -> str:
    """Return a report of a server about other recipients."""
    before, _line, after = BOUNCES["postfix-no-such-user"].partition("Final-Recipient")
    return f"{before}{fields}\n\n--=_b{after.partition('--=_b')[2]}"


def fields(action: str, status: str, to: str) -> str:
    """Return what a report says of one recipient."""
    return f"Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; said\n"


def answer(text: str, *, more: str = "", subject: str = "Re: Kettles", by: str = "person-0@kettle.example") -> str:
    """Return what somebody answers; no two are the same message."""
    return f"""From: Greta <{by}>
To: news@comity.example
Subject: {subject}
In-Reply-To: <{{name}}@comity.example>
Message-ID: <{next(_number)}@kettle.example>
Date: Sun, 22 Nov 2026 11:00:00 +0100
{more}Content-Type: text/plain; charset=utf-8

{text}
"""


def written(template: str, *, bounce: str, name: str) -> bytes:
    """Return a message with the marks of one of ours, as a server sends it."""
    return template.replace("{bounce}", bounce).replace("{name}", name).replace("\n", "\r\n").encode()
