"""Reading what came: a mailbox over IMAP, or a folder of files. Read, act, then mark, and each message again if not."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from comity.post.inbound.mime import LARGEST
from comity.post.secrets import secret_of

if TYPE_CHECKING:
    from uuid import UUID

    from comity.post.inbound.models import Inbox

PATIENCE: Final = 20
"""Seconds after which a server that does not answer is left."""
AT_ONCE: Final = 200
"""Messages of one look."""
NUMBER: Final = re.compile(rb"\d{1,10}")

Take = Callable[[bytes], object]
Keep = Callable[[str], object]


class NotRead(Exception):
    """A mailbox could not be read now. `why` is a declared word."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


# ---------------------------------------------------------------- IMAP


def read_mailbox(inbox: Inbox, take: Take, keep_place: Keep) -> int:
    """Give each message that came since the last look to `take`; return how many. Raises NotRead.

    The place is kept after each of them: a server that dies in between gives the last one again, and nobody minds.
    """
    try:
        with _signed_in(inbox) as server:
            return _read_new(server, inbox, take, keep_place)
    except (imaplib.IMAP4.error, OSError, UnicodeError, ValueError) as error:
        raise NotRead(_why(error)) from error


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort):
        return "sign-in"
    return "no-answer"


@contextmanager
def _signed_in(inbox: Inbox) -> Iterator[imaplib.IMAP4]:
    told: dict[str, Any] = inbox.settings
    context = ssl.create_default_context()
    server: imaplib.IMAP4
    if told["security"] == "tls":
        server = imaplib.IMAP4_SSL(told["host"], told["port"], ssl_context=context, timeout=PATIENCE)
    else:
        server = imaplib.IMAP4(told["host"], told["port"], timeout=PATIENCE)
    try:
        if told["security"] == "starttls":
            server.starttls(context)
        server.login(told["sign_in_as"], secret_of(inbox.ref))
        yield server
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            server.logout()
        with suppress(imaplib.IMAP4.error, OSError):
            server.shutdown()


def _read_new(server: imaplib.IMAP4, inbox: Inbox, take: Take, keep_place: Keep) -> int:
    server.select(f'"{inbox.settings["folder"]}"')
    validity = _number(server.response("UIDVALIDITY")[1])
    last = _last_read(inbox.place, validity)
    _answer, found = server.uid("SEARCH", f"UID {last + 1}:*")
    numbers = sorted(
        number for part in found or [] if part for number in map(int, NUMBER.findall(part)) if number > last
    )
    for number in numbers[:AT_ONCE]:
        raw = _message(server, number)
        if raw is not None:
            take(raw)
            server.uid("STORE", str(number), "+FLAGS", "(\\Seen)")
        keep_place(f"{validity}:{number}")
    return len(numbers[:AT_ONCE])


def _number(told: Any) -> int:  # noqa: ANN401 - what imaplib gives
    found = NUMBER.search(told[0]) if told and isinstance(told[0], bytes) else None
    return int(found[0]) if found else 0


def _last_read(place: str, validity: int) -> int:
    """Return the number up to which was read; from the beginning where the server numbers anew (RFC 3501, 2.3.1.1)."""
    before, _sign, number = place.partition(":")
    return int(number) if before == str(validity) and number.isdigit() else 0


def _message(server: imaplib.IMAP4, number: int) -> bytes | None:
    _answer, told = server.uid("FETCH", str(number), f"(BODY.PEEK[]<0.{LARGEST}>)")
    return next((part[1] for part in told or [] if isinstance(part, tuple) and isinstance(part[1], bytes)), None)


# ---------------------------------------------------------------- folders


def folder_of(ref: UUID) -> Path:
    """Return where messages are put that a mail server writes as files: a maildir, or plain files."""
    return Path(settings.FOLDER) / "inbox" / str(ref)


def read_folder(inbox: Inbox, take: Take) -> int:
    """Give each file to `take`, and delete it then; return how many. One that ends in .part is not whole yet."""
    root = folder_of(inbox.ref)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    many = 0
    for path in _files(root):
        try:
            with path.open("rb") as file:
                raw = file.read(LARGEST)
        except OSError:
            continue
        take(raw)
        path.unlink(missing_ok=True)
        many += 1
        if many >= AT_ONCE:
            break
    return many


def _files(root: Path) -> Iterator[Path]:
    """Give the files in their order; of a maildir those that are new."""
    folder = root / "new" if (root / "new").is_dir() else root
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and path.suffix != ".part":
            yield path
