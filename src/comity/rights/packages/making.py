"""Packages: ticked, approved, made by a job, handed out by a link, deleted at their end.

INVARIANT: a package is whole or is not there. Each try writes a file of its own; its key and name enter the database in
one transaction at the end, and until then nothing leads to it. So the job may be killed at any point, and run again.
What was opened for a try that failed stays on record: it was opened.
"""

from __future__ import annotations

import errno
import hashlib
import secrets
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from comity.law.cache import collector_paused
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.refs import new_ref
from comity.rights.packages.beyond import found_beyond
from comity.rights.packages.collecting import File, bytes_of, collect
from comity.rights.packages.contents import contents_of, withholds
from comity.rights.packages.links import ends_on, make_link
from comity.rights.packages.models import CHANGED, FAULT, FULL, Fetch, Package, What
from comity.rights.packages.packing import PAGE, Contents, packed
from comity.rights.packages.planning import (
    CHORES,
    KIND,
    WORKS,
    left_to_do,
    needs_approval,
    refusals_of,
    request_of,
    who,
)
from comity.rights.packages.redacting import redact
from comity.rights.requests.models import Step
from comity.staff.approvals import ask_approval, use_approval
from comity.staff.guards import demand
from comity.staff.walls import behind_wall
from comity.vault.actions import NoKey, open_fields, seal
from comity.vault.gate import Oneself
from comity.vault.parcels import OpenParcel, Parcel
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.counsel.actions import Decided
    from comity.staff.models import Approval, Staff

STAYS: Final = timedelta(days=30)
"""How long a package waits for whoever asked for it. Our own choice: the law says when we answer, not how long this."""
LEFT_BEHIND: Final = timedelta(hours=1)
"""After which a file that no package names was left by a try that died."""
MEDIA: Final = "application/zip"


class NotMade(ValidationError):
    """It may not be made, or there is nothing to hand out; the message says which, and what to do."""


class Changed(Exception):
    """The person was made one with another, or taken apart, since the plan: it must be planned anew."""


# ---------------------------------------------------------------- before it is made


@transaction.atomic
def tick_chore(*, package: Package, chore: str, done: bool, staff: Staff) -> Package:
    """Say that what only a human can do was done, or was not. Raises NotYours, NotMade."""
    demand(staff, WORKS, package.entity)
    locked = _locked(package)
    if chore not in CHORES or locked.begun_at:
        raise NotMade(_("This was made already, or there is no such thing to do."))
    ticks = {id_: told for id_, told in locked.ticks.items() if id_ != chore}
    if done:
        ticks[chore] = {"by": str(staff.ref), "name": staff.name, "at": timezone.now().isoformat()}
    locked.ticks = ticks
    locked.save(update_fields=["ticks"])
    body: dict[str, JSON] = {"package": locked.ref, "chore": chore, "done": done}
    record(kind="rights.package-ticked", staff=staff.ref, persons=[locked.person], body=body)
    return locked


@transaction.atomic
def say_what_is_others(*, package: Package, blacken: Collection[str], keep: Collection[str], staff: Staff) -> None:
    """Say which words are about others and go, and which were taken for another's and stay. They are sealed.

    Raises NotYours, NotMade.
    """
    demand(staff, WORKS, package.entity)
    locked = _locked(package)
    if locked.begun_at:
        raise NotMade(_("This was made already, or there is no such thing to do."))
    try:
        seal(label=_words_label(locked), fields={"blacken": sorted(blacken), "keep": sorted(keep)})
    except NoKey:
        raise NotMade(_("They were erased meanwhile: there is nothing to collect.")) from None
    body: dict[str, JSON] = {"package": locked.ref, "blacken": len(blacken), "keep": len(keep)}
    record(kind="rights.package-words-said", staff=staff.ref, persons=[locked.person], body=body)


def _words_label(package: Package) -> Label:
    return Label(package.person, FieldClass.NOTE, "redaction", package.ref)


def ask_second_person(*, package: Package, reason: str, asked_by: Staff) -> Approval:
    """Lay a large package before a second person. Raises NotApproved where no reason is given."""
    return ask_approval(
        kind=KIND, request=request_of(package), reason=reason, asked_by=asked_by, entity=package.entity
    )  # fmt: skip


@transaction.atomic
def begin_package(*, package: Package, reader: Staff | Oneself) -> Package:
    """Let a job make it. Uses up the approval of a large one.

    Raises NotYours; NotMade where a chore is left, or it was begun before; NotApproved for a large one.
    """
    locked = _locked(package)
    staff = None if isinstance(reader, Oneself) else reader
    if staff:
        demand(staff, WORKS, locked.entity)
    _check_may_begin(locked, reader)
    if staff and needs_approval(locked) and not locked.approval:
        locked.approval = use_approval(kind=KIND, request=request_of(locked), asked_by=staff).ref
    locked.begun_at, locked.begun_by, locked.failed_at, locked.trouble = timezone.now(), staff, None, ""
    locked.save(update_fields=["approval", "begun_at", "begun_by", "failed_at", "trouble"])
    body: dict[str, JSON] = {"package": locked.ref, "approval": locked.approval}
    record(kind="rights.package-begun", staff=staff.ref if staff else None, persons=[locked.person], body=body)
    return locked


def _check_may_begin(package: Package, reader: Staff | Oneself) -> None:
    if package.state not in {"planned", "failed"}:
        raise NotMade(_("This was made before, or is being made."))
    if isinstance(reader, Oneself) != (package.visit is not None):
        raise NotMade(_("Plan it anew: this was planned for somebody else's eyes."))
    if isinstance(reader, Oneself) and (reader.person != package.person or needs_approval(package)):
        raise NotMade(_("One of our staff makes this one: it is large. You will hear from us."))
    if left_to_do(package):
        raise NotMade(_("Something is left that only a human can do: see the list."))


def _locked(package: Package) -> Package:
    return Package.objects.select_for_update(of=("self",)).select_related("entity", "request").get(pk=package.pk)


# ---------------------------------------------------------------- making it


def make_package(*, package: Package) -> Package:
    """Write the package that was begun: collect, take others out, write, and only then let anything lead to it.

    Safe to run again whatever became of the last try; a package that is made is left alone. Raises whatever went wrong,
    after the unfinished file was deleted; `trouble` says in a word what it was.
    """
    try:
        with _file_of_this_try() as (name, parcel):
            contents, at = _gathered(package)
            with translation.override(package.language), collector_paused():
                _write(contents, parcel)
            return _finish(package, contents, parcel, name, at)
    except Changed:
        return _note_trouble(package, CHANGED, failed=True)
    except OSError as error:
        _note_trouble(package, FULL if error.errno == errno.ENOSPC else FAULT)
        raise


@contextmanager
def _file_of_this_try() -> Iterator[tuple[UUID, Parcel]]:
    """Give a new file to write into. Unless all went well, it is deleted."""
    name = new_ref()
    path = path_of(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    parcel = Parcel(path)
    try:
        yield name, parcel
    except BaseException:
        parcel.drop()
        path.unlink(missing_ok=True)
        raise


def path_of(name: UUID) -> Path:
    """Return where the sealed file of a package lies."""
    return Path(settings.FOLDER) / "packages" / f"{name}.parcel"


def forget_file(name: UUID) -> None:
    """Delete the sealed file of a package."""
    path_of(name).unlink(missing_ok=True)


@contextmanager
def _its_wall(package: Package) -> Iterator[None]:
    with behind_wall(staff=package.begun_by_id, entities=[package.entity_id]):
        yield


def _reader(package: Package) -> Staff | Oneself:
    """Return for whose eyes it is opened: whoever of the staff began it, or the person who asked in a visit."""
    if package.begun_by:
        return package.begun_by
    if package.visit is None:
        raise NotMade(_("Nobody has begun this package."))
    return Oneself(person=package.person, visit=package.visit)


def _gathered(package: Package) -> tuple[Contents, datetime]:
    """Collect anew: what came since the plan belongs to it, too. Raises Changed where it is about somebody else now."""
    with _its_wall(package):
        if who(package.person) != package.plan["who"]:
            raise Changed
        at = timezone.now()
        collected = collect(person=package.person, entity=package.entity, reader=_reader(package), at=at)
        more, keep = _words_said(package, collected.decided)
        with translation.override(package.language):
            redacted = redact(collected, more=more, keep=keep)
        wanted = contents_of(package.request)
        beyond = list(found_beyond(package.entity, package.person, dry=False))
        return Contents(
            collected=redacted.collected, wanted=wanted, exceptions=refusals_of(package), beyond=beyond,
            places=redacted.places, numbers=withholds(wanted),
            open_file=lambda file: _bytes(package, file, collected.decided),
        ), at  # fmt: skip


def _words_said(package: Package, decided: Decided) -> tuple[Collection[str], Collection[str]]:
    """Open what a human said is about others, and what is not."""
    if package.visit:
        return (), ()
    label = _words_label(package)
    fields = open_fields(warrant=decided.warrant, labels=[label], permitted_only=True).get(label, {})
    more, keep = fields.get("blacken", ()), fields.get("keep", ())
    return cast("Collection[str]", more), cast("Collection[str]", keep)


def _bytes(package: Package, file: File, decided: Decided) -> bytes:
    """Open one file, in a transaction of its own: there may be many, and large ones."""
    with _its_wall(package):
        return bytes_of(file, decided)


def _write(contents: Contents, parcel: Parcel) -> None:
    with zipfile.ZipFile(cast("IO[bytes]", parcel), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, held in packed(contents):
            archive.writestr(name, held)
    parcel.close()


def _finish(package: Package, contents: Contents, parcel: Parcel, name: UUID, at: datetime) -> Package:
    """Let the package lead to its file, and record that it was made. Raises Changed."""
    with _its_wall(package):
        locked = _locked(package)
        if locked.made_at:  # another worker was quicker
            path_of(name).unlink(missing_ok=True)
            return locked
        if who(locked.person) != locked.plan["who"]:
            raise Changed
        locked.file_name, locked.file_key, locked.file_bytes = name, parcel.key, parcel.size
        locked.file_sha256, locked.file_salt = parcel.digest, secrets.token_bytes(16)
        locked.made_at, locked.expires_at, locked.trouble = at, at + STAYS, ""
        locked.counts = {"rows": contents.collected.rows, "files": len(contents.collected.files)}
        body: dict[str, JSON] = {
            "package": locked.ref, "request": locked.request_id, "rows": contents.collected.rows,
            "files": len(contents.collected.files), "places": contents.places, "file": commitment(locked),
            "decision": contents.collected.decided.ref,
        }  # fmt: skip
        staff = locked.begun_by_id
        locked.entry = record(kind="rights.package-made", staff=staff, persons=[locked.person], body=body).ref
        locked.save()
        return locked


def commitment(package: Package) -> str:
    """Return what the ledger says of the file: the SHA-256 of its salt and of its SHA-256."""
    held = bytes(package.file_salt or b"") + bytes(package.file_sha256 or b"")
    return "sha256:" + hashlib.sha256(held).hexdigest()


def _note_trouble(package: Package, trouble: str, *, failed: bool = False) -> Package:
    """Write down what went wrong, and return the package as it is then; with `failed`, it is not tried again."""
    with behind_wall(staff=None, entities=[package.entity_id]):
        told = {"trouble": trouble} | ({"failed_at": timezone.now()} if failed else {})
        Package.objects.filter(pk=package.pk, made_at=None).update(**told)
        if failed:
            record(
                kind="rights.package-failed", persons=[package.person], body={"package": package.ref, "why": trouble}
            )
        return _locked(package)


@transaction.atomic
def give_up(*, package: Package) -> None:
    """Say that a package could not be made: its job was given up. Somebody may begin it again."""
    locked = _locked(package)
    if locked.made_at is None:
        locked.failed_at, locked.trouble = timezone.now(), locked.trouble or FAULT
        locked.save(update_fields=["failed_at", "trouble"])
        body: dict[str, JSON] = {"package": locked.ref, "why": locked.trouble}
        record(kind="rights.package-failed", persons=[locked.person], body=body)


# ---------------------------------------------------------------- handing it out


@dataclass(frozen=True, kw_only=True)
class HandedOut:
    """All files of a package, on their way to whoever opened it."""

    name: str
    pieces: Iterator[bytes]
    size: int


def link_to(package: Package) -> str:
    """Return the link by which the person opens the package. Raises NotMade where there is none to open."""
    _check_there(package, timezone.now())
    return make_link(
        package=package.ref, entity=package.entity_id, ends_on=ends_on(cast("datetime", package.expires_at))
    )


@transaction.atomic
def hand_out(*, package: Package, by: Staff | None = None) -> HandedOut:
    """Give all files, to whoever has the link or to one of the staff, and write it down. Raises NotMade."""
    locked = _opened(package, What.ALL, by)
    return HandedOut(name=f"your-data-{locked.made_at:%Y-%m-%d}.zip", pieces=_pieces(locked), size=locked.file_bytes)


@transaction.atomic
def show_page(*, package: Package, by: Staff | None = None) -> str:
    """Give the page alone, and write down that it was opened. Raises NotMade."""
    pieces = _pieces(_opened(package, What.PAGE, by))
    try:
        return first_file(pieces).decode()
    finally:
        pieces.close()


def _opened(package: Package, what: What, by: Staff | None) -> Package:
    if by is not None:
        demand(by, WORKS, package.entity)
    locked = _locked(package)
    _check_there(locked, timezone.now())
    Fetch.objects.create(package=locked, entity=locked.entity, what=what, by=by)
    body: dict[str, JSON] = {"package": locked.ref, "what": str(what)}
    record(kind="rights.package-opened", staff=by.ref if by else None, persons=[locked.person], body=body)
    return locked


def _pieces(package: Package) -> OpenParcel:
    try:
        return OpenParcel(path_of(cast("UUID", package.file_name)).open("rb"), bytes(package.file_key or b""))
    except FileNotFoundError:
        raise NotMade(_("The file is not there any more: make a new package.")) from None


def _check_there(package: Package, now: datetime) -> None:
    if package.file_key is None or package.expires_at is None or package.expires_at <= now:
        raise NotMade(_("There is no package to open: it was not made yet, or its time is over."))


def first_file(pieces: Iterator[bytes]) -> bytes:
    """Return the first file of a zip that is read from its beginning, without the rest (APPNOTE 4.3.7).

    The page comes first so that it can be shown while the files beside it, which may be large, stay where they are.
    """
    held = next(pieces)
    names, extra = int.from_bytes(held[26:28], "little"), int.from_bytes(held[28:30], "little")
    if held[:4] != b"PK\x03\x04" or held[30 : 30 + names] != PAGE.encode():
        raise NotMade(_("The file is not there any more: make a new package."))
    inflate, page = zlib.decompressobj(-zlib.MAX_WBITS), bytearray()
    held = held[30 + names + extra :]
    while True:
        page += inflate.decompress(held)
        if inflate.eof:
            return bytes(page)
        held = next(pieces)


@transaction.atomic
def mark_sent(*, package: Package, staff: Staff) -> Package:
    """Write down that the link was sent, or the package handed over. Raises NotYours, NotMade."""
    demand(staff, WORKS, package.entity)
    locked = _locked(package)
    _check_there(locked, timezone.now())
    if locked.sent_at is None:
        locked.sent_at = timezone.now()
        locked.save(update_fields=["sent_at"])
        facts = {"package": str(locked.ref)}
        Step.objects.create(request=locked.request, entity=locked.entity, did="package-sent", by=staff, facts=facts)
        record(
            kind="rights.package-sent", staff=staff.ref, persons=[locked.person],
            body={"package": locked.ref, "request": locked.request_id},
        )  # fmt: skip
    return locked


# ---------------------------------------------------------------- its end


def delete_old(*, now: datetime, entity: UUID) -> int:
    """Delete the packages of an entity whose time is over: key first, then file. Return how many."""
    with behind_wall(staff=None, entities=[entity]):
        old = Package.objects.filter(expires_at__lte=now, deleted_at=None, made_at__isnull=False)
        return sum(1 for package in old if delete_package(package=package))


@transaction.atomic
def delete_package(*, package: Package, staff: Staff | None = None) -> bool:
    """Forget the key of a package and delete its file; every link to it is dead. Return whether it was there."""
    locked = _locked(package)
    if locked.file_key is None:
        return False
    path = path_of(cast("UUID", locked.file_name))
    locked.file_key, locked.deleted_at = None, timezone.now()
    locked.save(update_fields=["file_key", "deleted_at"])
    record(
        kind="rights.package-deleted", staff=staff.ref if staff else None, persons=[locked.person],
        body={"package": locked.ref},
    )  # fmt: skip
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
    return True


def sweep_left_behind(*, now: datetime, named: Collection[UUID]) -> int:
    """Delete the files of tries that died: older than an hour, and of no package. Return how many."""
    many = 0
    for path in path_of(UUID(int=0)).parent.glob("*.parcel"):
        left = datetime.fromtimestamp(path.stat().st_mtime, now.tzinfo) < now - LEFT_BEHIND
        if left and UUID(path.stem) not in named:
            path.unlink(missing_ok=True)
            many += 1
    return many
