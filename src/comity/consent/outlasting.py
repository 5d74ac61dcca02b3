"""The addresses of somebody who says no, as keyed hashes in the journal: for a database in which they are not any more.

Who came into the book after the day to which it was put back is not in it, and may be brought in again. Their no then
holds for their address. A no by a link takes down the address that the link was sent to; this is for all others.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import connection

from comity.book.editing.whole import point_label
from comity.book.facts import REACHED_BY
from comity.book.models import ContactPoint, Person
from comity.consent.suppression.keys import suppression_key
from comity.consent.suppression.marks import DIGEST_BYTES, Mark, Unclear, message_of, spelled
from comity.vault.epochs import KeyTrouble
from comity.vault.hashing import hash_sealed
from comity.vault.sealing import BrokenSeal

if TYPE_CHECKING:
    from comity.staff.models import Entity
    from comity.vault.sealing import Label, Value

log = logging.getLogger(__name__)

NOTE: Final = "SELECT ledger_journal('consent.addresses', %s::jsonb)"


def note_addresses(*, person: UUID, entity: Entity, uses: Sequence[str]) -> None:
    """Put a line into the journal that says for which of these uses the person's addresses must not be used.

    Where they cannot be read the no is taken all the same: it is logged.
    """
    channels = {each.partition("/")[2] for each in uses}
    wanted = {reach for channel, reach in REACHED_BY.items() if channel in channels}
    points = {point_label(each): each for each in ContactPoint.objects.filter(person=person, reach__in=wanted)}
    try:
        digests = _digests(person, points)
    except (KeyTrouble, BrokenSeal) as error:
        log.error("Addresses of somebody who said no could not be put into the journal: %s", error)  # noqa: TRY400 - it is no fault of ours
        return
    for reach in sorted({points[label].reach for label in digests}):
        said = {
            "person": str(person), "entity": str(entity.ref), "reach": reach,
            "digests": [digest.hex() for label, digest in digests.items() if points[label].reach == reach],
            "uses": [each for each in uses if REACHED_BY.get(each.partition("/")[2]) == reach],
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(NOTE, [json.dumps(said)])


def marks_of(person: UUID) -> list[Mark]:
    """Return the marks of all addresses of somebody, as far as they can be read. Raises KeyTrouble, BrokenSeal."""
    points = {point_label(each): each for each in ContactPoint.objects.filter(person=person)}
    return [Mark(str(points[label].reach), digest) for label, digest in _digests(person, points).items()]


def _digests(person: UUID, points: dict[Label, ContactPoint]) -> dict[Label, bytes]:
    home = Person.objects.values_list("home", flat=True).filter(ref=person).first() or ""

    def spell(label: Label, fields: dict[str, Value]) -> bytes | None:
        reach = points[label].reach
        try:
            return message_of(reach, spelled(reach, ", ".join(map(str, fields.values())), places=home.split("|")))
        except Unclear:
            return None

    return hash_sealed(labels=list(points), key=suppression_key().hashing, length=DIGEST_BYTES, spell=spell)
