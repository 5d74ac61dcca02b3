"""Lists for those who call and letters for those who print: files, closed after everybody on them was asked about anew.

A row is handed over like any message: a decision, an attempt, an outcome. But a row in a folder of ours has not reached
anybody. So whoever closes a list takes the same locks as a sender, asks the law about each row once more, strikes out
those who said no meanwhile, and makes the file in one step while the locks are held. What is withdrawn before that step
keeps the row out; what is withdrawn after it waits for the step, and is for whoever works the list to ask about when
they dial (`comity may`, the API).

A file is closed by the renaming of its folder. Who dies before it leaves rows that are still open, who dies after it a
file that the next closing writes down.

The files hold names, addresses and words in the clear, and only we may read them (0600). Nothing stays longer than
`KEPT_FOR`; whoever fetches a file answers for their copy.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import LockNotAvailable

from comity.counsel.actions import decide
from comity.ledger.actions import record
from comity.ledger.journal.keeping import refuse_if_behind
from comity.ledger.journal.lines import JournalTrouble
from comity.post.actions import NotDispatched
from comity.post.folders import folder_of, make_private, write_whole
from comity.post.gateways import KINDS
from comity.post.hands import open_hands
from comity.post.letters import Letter, composer_of, hold_still, kept_from
from comity.post.models import ClosedList, Dispatch, Gateway, Message, Stage, State, Struck
from comity.refs import new_ref
from comity.staff.guards import may_handle
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.post.hands import Hands
    from comity.staff.models import Staff

PART: Final = 500
"""Rows of one file: their locks are held until it is closed, and whoever says no waits so long."""
AT_ONCE: Final = 100
"""Rows under one decision."""
KEPT_FOR: Final = timedelta(days=30)
"""How long a file, or a row that nobody closed, stays in the folder."""
CLOSING: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s::text, 2))"


@dataclass(kw_only=True)
class Row:
    """A row that waits in the folder: its message, what stands in it, and why it is struck out if it is."""

    message: Message
    told: Mapping[str, Any] = field(repr=False)
    struck: str = ""


def open_rows(dispatch: Dispatch) -> int:
    """Return how many rows of a dispatch wait for their list to be closed; no such thing where it makes no lists."""
    if not KINDS[dispatch.gateway.kind].lists:
        return 0
    there = _names(folder_of(dispatch.gateway) / "rows")
    sent = Message.objects.filter(dispatch=dispatch, stage=Stage.SENT).values_list("ref", flat=True)
    return len(there & {str(ref) for ref in sent}) if there else 0


def place_of(closed: ClosedList) -> Path:
    """Return the folder with the files of a list."""
    return folder_of(closed.dispatch.gateway) / "lists" / str(closed.ref)


def close_lists(*, dispatch: Dispatch, staff: Staff) -> list[ClosedList]:
    """Make files of all rows that wait, each of at most `PART`. Call it outside of a transaction.

    Raises NotDispatched where there is nothing to close, where the dispatch was stopped, somebody else is at it, or
    this database may lack what somebody said.
    """
    try:
        refuse_if_behind()
    except JournalTrouble as error:
        raise NotDispatched(_("No list is closed: %(trouble)s") % {"trouble": error}) from None
    closed: list[ClosedList] = []
    with open_hands() as hands:
        while made := _close_one(dispatch, staff, hands):
            closed.append(made)
    if not closed:
        raise NotDispatched(_("No row waits: there is nothing to close."))
    return closed


def _close_one(dispatch: Dispatch, staff: Staff, hands: Hands) -> ClosedList | None:
    try:
        with hands.holding(dispatch):
            if hands.locks.execute(CLOSING, [dispatch.pk]).fetchone() != (True,):
                raise NotDispatched(_("Somebody closes this list just now."))
            with _behind(dispatch):
                now = Dispatch.objects.select_related("entity", "staff", "gateway").get(pk=dispatch.pk)
                if now.state == State.STOPPED:
                    raise NotDispatched(_("It was stopped for good: no list is made of it."))
                _recover(now, staff)
                rows = _rows(now)
            return _closed(now, rows, staff, hands) if rows else None
    except LockNotAvailable:
        raise NotDispatched(_("Somebody on the list is being changed just now. Try again.")) from None


@contextmanager
def _behind(dispatch: Dispatch) -> Iterator[None]:
    with behind_wall(staff=dispatch.staff_id, entities=[dispatch.entity_id]):
        yield


def _rows(dispatch: Dispatch) -> list[Row]:
    folder = folder_of(dispatch.gateway) / "rows"
    there = sorted(_names(folder))
    sent = Message.objects.filter(dispatch=dispatch, stage=Stage.SENT, ref__in=there).order_by("person")[:PART]
    return [Row(message=one, told=json.loads((folder / f"{one.ref}.json").read_bytes())) for one in sent]


def _names(folder: Path) -> set[str]:
    return {each.stem for each in folder.glob("*.json")} if folder.is_dir() else set()


def _closed(dispatch: Dispatch, rows: Sequence[Row], staff: Staff, hands: Hands) -> ClosedList:
    """Ask about each row once more under its locks, and close the file of the rest while they are held."""
    hold_still(hands.locks, dispatch, sorted(row.message.person for row in rows))
    for start in range(0, len(rows), AT_ONCE):
        _strike(dispatch, rows[start : start + AT_ONCE], hands)
        hands.check()
    made = ClosedList(
        ref=new_ref(), dispatch=dispatch, entity=dispatch.entity, closed_by=staff,
        rows=sum(not row.struck for row in rows), struck=sum(bool(row.struck) for row in rows),
    )  # fmt: skip
    _write(dispatch, made, rows, hands)
    with _behind(dispatch):
        _write_down(made, {str(row.message.ref): row.struck for row in rows if row.struck})
    _clear(dispatch, made)
    return made


def _strike(dispatch: Dispatch, rows: Sequence[Row], hands: Hands) -> None:
    composer = composer_of(dispatch)
    classes = composer.classes(dispatch)
    asks: dict[str, Any] = {"operation": "contact", "purpose": dispatch.purpose, "entity": dispatch.entity_id}
    with _behind(dispatch):
        allowed = all(may_handle(dispatch.staff, field_class=each, **asks) for each in classes)
        persons = sorted(row.message.person for row in rows)
        decided = decide(
            question=composer.question(dispatch), persons=persons, staff=dispatch.staff, field_classes=classes
        )
    permitted = set(decided.permitted) if allowed else set()
    kept = kept_from(hands.locks, dispatch, [(row.message, _as_letter(row)) for row in rows])
    for row in rows:
        if row.message.person not in permitted:
            row.struck = "law" if allowed else "role"
        else:
            row.struck = kept.get(row.message.ref, "")


def _as_letter(row: Row) -> Letter:
    return Letter(to=str(row.told["to"]), sender="", data=b"", ref=row.message.ref)


# ---------------------------------------------------------------- the file


def _write(dispatch: Dispatch, made: ClosedList, rows: Sequence[Row], hands: Hands) -> None:
    """Write the files into a folder beside, and close them by giving it its name."""
    folder, mine = folder_of(dispatch.gateway), str(made.ref)
    aside, closing = folder / "lists" / f"{mine}.part", folder / "closing" / mine
    for each in (aside, closing):
        make_private(each)
    kept = [row.told for row in rows if not row.struck]
    for name, data in FILES[dispatch.channel](kept).items():
        write_whole(aside / name, data)
    told = {"dispatch": str(dispatch.pk), "rows": made.rows, "struck": _struck(rows)}
    write_whole(aside / "summary.json", json.dumps(told).encode())
    for row in rows:
        (folder / "rows" / f"{row.message.ref}.json").rename(closing / f"{row.message.ref}.json")
    hands.check()  # the locks are still ours: nobody who said no has been answered yet
    _give_name(aside, folder / "lists" / mine)
    _keep_name(folder / "lists")


def _struck(rows: Sequence[Row]) -> dict[str, str]:
    return {str(row.message.ref): row.struck for row in rows if row.struck}


def _give_name(aside: Path, name: Path) -> None:
    aside.rename(name)


def _keep_name(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@transaction.atomic
def _write_down(made: ClosedList, struck: Mapping[str, str]) -> None:
    made.save(force_insert=True)
    Struck.objects.bulk_create([
        Struck(message=UUID(ref), closed=made, entity=made.entity, why=why) for ref, why in struck.items()
    ])  # fmt: skip
    body: dict[str, Any] = {
        "dispatch": made.dispatch_id, "list": made.ref, "entity": made.entity_id, "rows": made.rows,
        "struck": made.struck,
    }  # fmt: skip
    record(kind="post.list-closed", staff=made.closed_by_id, body=body)


def _clear(dispatch: Dispatch, made: ClosedList) -> None:
    shutil.rmtree(folder_of(dispatch.gateway) / "closing" / str(made.ref), ignore_errors=True)


def _recover(dispatch: Dispatch, staff: Staff) -> None:
    """Settle what a closing left that died: its file was closed, and is written down; or it was not, and rows wait."""
    folder = folder_of(dispatch.gateway)
    for closing in sorted((folder / "closing").glob("*")) if (folder / "closing").is_dir() else ():
        done = folder / "lists" / closing.name
        if not done.is_dir():
            for each in closing.glob("*.json"):
                each.rename(folder / "rows" / each.name)
            shutil.rmtree(done.with_suffix(".part"), ignore_errors=True)
        elif not ClosedList.objects.filter(pk=closing.name).exists():
            told = json.loads((done / "summary.json").read_bytes())
            whose = Dispatch.objects.filter(pk=told["dispatch"]).select_related("entity").first()
            if whose is None:  # behind another wall: whoever closes there finds it
                continue
            found = ClosedList(
                ref=UUID(closing.name), dispatch=whose, entity=whose.entity, closed_by=staff, rows=told["rows"],
                struck=len(told["struck"]),
            )  # fmt: skip
            _write_down(found, told["struck"])
        shutil.rmtree(closing, ignore_errors=True)


# ---------------------------------------------------------------- what stands in the files

CALL_COLUMNS: Final = (
    "ref", "number", "place", "language", "show-this-number", "days", "from", "until", "attempts", "in-days",
    "pause-days", "keep-records-years", "within-seconds", "opening", "script", "closing",
)  # fmt: skip
LETTER_COLUMNS: Final = ("ref", "line-1", "line-2", "line-3", "line-4", "line-5", "line-6", "line-7", "place")
RUN: Final = frozenset("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20")
"""Letters with which a cell begins that a spreadsheet would run."""


def harmless(cell: object) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe stands before what could be one."""
    text = str(cell).replace("\x00", "")
    return f"'{text}" if text[:1] in RUN or text.lstrip()[:1] in RUN - {"'"} else text


def as_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a table as spreadsheets read it, every cell in quotes."""
    written = io.StringIO(newline="")
    table = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow(columns)
    table.writerows([harmless(row.get(column, "")) for column in columns] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def _calls(rows: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the list: a number is written as an address (RFC 3966), which no spreadsheet runs and a press dials."""
    return {"calls.csv": as_csv(CALL_COLUMNS, [{**row["cells"], "number": f"tel:{row['to']}"} for row in rows])}


PAGE: Final = """\
<!doctype html>
<html><head><meta charset="utf-8"><title>{title}</title><style>
@page {{ size: A4; margin: 0 }}
body {{ margin: 0; font: 11pt/1.45 Georgia, "Noto Serif SC", serif }}
article {{ box-sizing: border-box; width: 210mm; min-height: 296mm; padding: 45mm 20mm 20mm 25mm; break-after: page }}
address {{ font-style: normal; white-space: pre-line; min-height: 45mm }}
h1 {{ font-size: 12pt }}
p {{ white-space: pre-line }}
</style></head><body>
{letters}</body></html>
"""
LETTER: Final = '<article lang="{language}"><address>{to}</address><h1>{subject}</h1><p>{text}</p></article>\n'


def _letters(rows: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the letters, a page each with the address where a window shows it, and their addresses as a table."""
    made = "".join(
        LETTER.format(**{name: escape(str(row["page"][name])) for name in ("language", "to", "subject", "text")})
        for row in rows
    )  # fmt: skip
    table = as_csv(LETTER_COLUMNS, [row["cells"] for row in rows])
    return {"letters.html": PAGE.format(title=len(rows), letters=made).encode(), "addresses.csv": table}


FILES: Final = {"call": _calls, "post": _letters}


# ---------------------------------------------------------------- how long it stays


def forget_files() -> int:
    """Delete what is in the folders of lists past its time, and say of files that they are gone; return how many."""
    gone = 0
    for gateway in Gateway.objects.filter(kind__in=[kind for kind, one in KINDS.items() if one.lists]):
        for each in _past(folder_of(gateway)):
            if each.is_dir():
                shutil.rmtree(each)
                ClosedList.objects.filter(pk=UUID(each.stem), deleted_at=None).update(deleted_at=timezone.now())
            else:
                each.unlink(missing_ok=True)
            gone += 1
    return gone


def _past(folder: Path) -> list[Path]:
    old = time.time() - KEPT_FOR.total_seconds()
    found = [each for part in ("rows", "lists", "closing") for each in (folder / part).glob("*")]
    return [each for each in found if each.stat().st_mtime < old]
