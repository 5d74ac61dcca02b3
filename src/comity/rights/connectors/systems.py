"""Other systems of an entity: added, changed, tried out, and asked no more. Each verb with its entry in the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.ledger.actions import record
from comity.post.reaching import Forbidden, check_form
from comity.post.secrets import NoSecret, forget_secret, keep_secret, secret_of
from comity.rights.connectors.datasets import Dataset, DatasetError, read_datasets
from comity.rights.connectors.finding import Source
from comity.rights.connectors.models import Sort, System
from comity.rights.connectors.remotes import Remote, is_secret
from comity.rights.connectors.remotes import find as ask_remote
from comity.rights.connectors.sql import url_of
from comity.rights.connectors.stores import StoreError
from comity.staff.guards import demand

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

WORD: Final = "system.change"
NOBODY: Final = {"email": ["nobody@comity.invalid"], "phone_number": ["+0"], "phone": ["+0"], "comity_ref": ["nobody"]}
"""By whom a system is tried out: whoever is found so, nobody is."""


@transaction.atomic
def add_system(
    *, entity: Entity, name: str, sort: str, address: str, describes: str, password: str, by: Staff
) -> System:  # fmt: skip
    """Add a system. Raises NotYours, ValidationError: an address that is none, a description that cannot be meant."""
    demand(by, WORD, entity)
    system = System(entity=entity, name=name, sort=sort, address=address, describes=describes, made_by=by)
    check(system, password)
    system.full_clean(exclude=["made_by"])
    system.save()
    _keep_password(system, password)
    _note("added", system, by)
    return system


@transaction.atomic
def change_system(*, system: System, name: str, address: str, describes: str, password: str, by: Staff) -> System:
    """Change a system; an empty password leaves the one there is. Raises as `add_system` does."""
    demand(by, WORD, system.entity_id)
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk, ended_at=None)
    moved = locked.address != address
    if moved and not password and locked.sort != Sort.FOLDER and not address.startswith("sqlite:"):
        raise ValidationError({"password": _("The address is another: give its password too.")})
    locked.name, locked.address, locked.describes = name, address, describes
    locked.tested_at, locked.trouble = None, ""
    check(locked, password)
    locked.full_clean(exclude=["made_by"])
    locked.save()
    _keep_password(locked, password)
    _note("changed", locked, by)
    return locked


@transaction.atomic
def end_system(*, system: System, by: Staff) -> None:
    """Ask a system no more, and forget its password. What it did stays on record."""
    demand(by, WORD, system.entity_id)
    if System.objects.filter(pk=system.pk, ended_at=None).update(ended_at=timezone.now()):
        transaction.on_commit(lambda: forget_secret(system.ref))
        _note("ended", system, by)


def try_out(*, system: System, by: Staff) -> str:
    """Look for nobody there, and keep what came of it: nothing, or why it does not work. Nothing is changed there."""
    demand(by, WORD, system.entity_id)
    trouble = _tried(system)
    System.objects.filter(pk=system.pk).update(tested_at=timezone.now(), trouble=trouble[:300])
    return trouble


def _tried(system: System) -> str:
    try:
        if system.sort == Sort.HTTP:
            ask_remote(remote_of(system), NOBODY, ["user"])
            return ""
        source = source_of(system, described([system, *others_of(system)]))
        with source.open() as store:
            for collection in (one for each in source.datasets for one in each.collections if not one.skipped):
                field = next((each for each in collection.fields if not each.nested), collection.fields[0])
                next(store.find(collection, field.name, ["0"]), None)
    except (StoreError, DatasetError) as error:
        return str(error)
    return ""


def _keep_password(system: System, password: str) -> None:
    if password:
        keep_secret(system.ref, password)


def _note(verb: str, system: System, by: Staff) -> None:
    record(kind=f"rights.system-{verb}", staff=by.ref, body={"system": system.ref, "entity": system.entity_id})


# ---------------------------------------------------------------- what is wrong with one


def check(system: System, password: str) -> None:
    """Refuse an address to which nothing can go, and a description that cannot be meant. Raises ValidationError."""
    try:
        _check_address(system)
    except (StoreError, Forbidden) as error:
        raise ValidationError({"address": str(error)}) from None
    if system.sort == Sort.HTTP:
        if password and not is_secret(password):
            raise ValidationError(
                {"password": _("A secret begins with whsec_ and goes on in base64, 24 bytes or more.")}
            )
        return
    try:
        found = described([system, *others_of(system)])
    except DatasetError as error:
        raise ValidationError({"describes": str(error)}) from None
    if not any(each.collections for each in datasets_of(system, found)):
        raise ValidationError({"describes": _("It describes no collection.")})


def _check_address(system: System) -> None:
    if system.sort == Sort.HTTP:
        check_form(system.address)
    elif system.sort == Sort.FOLDER:
        _check_path(system.address)
    elif (url := url_of(system.address, "")).drivername == "sqlite":
        _check_path(url.database or "")


def _check_path(text: str) -> None:
    """Refuse files that were not laid out for this: whoever signs in to a page is not at the machine's shell."""
    allowed = [Path(settings.FOLDER) / "systems", *map(Path, settings.SYSTEM_FOLDERS)]
    path = Path(text)
    if not path.is_absolute() or not any(path.resolve().is_relative_to(each.resolve()) for each in allowed):
        told = ", ".join(map(str, allowed))
        raise StoreError(_("Files of other systems lie below %(folders)s; write the whole path.") % {"folders": told})


# ---------------------------------------------------------------- as what they are asked


def others_of(system: System) -> list[System]:
    """Return the other systems of the same entity that are described: references may lead there."""
    return list(
        System.objects.filter(entity=system.entity_id, ended_at=None).exclude(pk=system.pk).exclude(describes="")
    )


def described(systems: Iterable[System]) -> list[Dataset]:
    """Return what systems say they hold, held against one another. Raises DatasetError."""
    return read_datasets({each.name: each.describes for each in systems if each.describes})


def datasets_of(system: System, datasets: Iterable[Dataset]) -> tuple[Dataset, ...]:
    return tuple(each for each in datasets if each.place.file == system.name)


def held_by(system: System) -> list[tuple[str, int, list[str]]]:
    """Return what a system is said to hold: its collections, their fields counted, and by what somebody is known."""
    try:
        datasets = datasets_of(system, described([system, *others_of(system)]))
    except DatasetError:
        return []
    return [
        (each.key.name, len(each.fields), sorted({one.identity for one in each.fields if one.identity}))
        for dataset in datasets
        for each in dataset.collections
    ]


def source_of(system: System, datasets: Iterable[Dataset]) -> Source:
    """Return a system as its rows are read. Raises StoreError if its password is not there."""
    _check_address(system)
    return Source(
        system=system.name, kind=system.sort, address=system.address, password=_password(system),
        datasets=datasets_of(system, datasets),
    )  # fmt: skip


def remote_of(system: System) -> Remote:
    """Return a service as it is asked. Raises StoreError if its secret is not there."""
    return Remote(system=system.name, address=system.address, secret=_password(system))


def _password(system: System) -> str:
    if system.sort == Sort.FOLDER or system.address.startswith("sqlite:"):
        return ""
    try:
        return secret_of(system.ref)
    except NoSecret as error:
        raise StoreError(f"{system.name}: {error}") from None
