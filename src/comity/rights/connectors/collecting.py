"""Bringing what other systems hold of somebody: for the answer to whoever asks what we have."""

from __future__ import annotations

import json
from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.rights.connectors import remotes
from comity.rights.connectors.finding import PERSONAL, find_where_possible
from comity.rights.connectors.models import Sort, System
from comity.rights.connectors.running import known_of, sources_of, told_to_services
from comity.rights.connectors.stores import StoreError
from comity.rights.connectors.systems import remote_of
from comity.rights.connectors.walking import Known, TooMany

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

MARK: Final = "comity:shared"
"""Stands in a row at which rows of others point too: somebody must look before it is handed out."""

Rows = Mapping[str, Sequence[Mapping[str, object]]]
"""Rows by their collection: under each field what stands there."""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What one system has of somebody; `trouble` says why it could not be asked."""

    system: str
    rows: Rows
    trouble: str = ""

    @property
    def many(self) -> int:
        return sum(len(each) for each in self.rows.values())

    @property
    def files(self) -> list[tuple[str, bytes]]:
        """The rows as files of JSON, one for each collection."""
        return [(f"{name}.json", json.dumps(rows, ensure_ascii=False, indent=1, default=str).encode())
                for name, rows in self.rows.items()]  # fmt: skip


def collect(*, entity: Entity, person: UUID, by: Staff, categories: Several[str] = PERSONAL) -> list[Collected]:
    """Bring what every other system holds of somebody, fields of these categories alone. Raises NotOpened.

    By what the person is known is opened for `by`, and that is on record: within the transaction of the caller.
    """
    systems = list(System.objects.filter(entity=entity, ended_at=None))
    if not systems:
        return []
    known = known_of(entity=entity, person=person, by=by)
    remote = [_answered(each, known, categories) for each in systems if each.sort == Sort.HTTP]
    return _stored(systems, known, categories) + remote


def _stored(systems: Sequence[System], known: Known, categories: Several[str]) -> list[Collected]:
    sources, away = sources_of(systems)
    try:
        walked, down = find_where_possible(sources, known)
    except TooMany as error:
        return [Collected(system=each.system, rows={}, trouble=str(error)) for each in sources]
    of = {each.name: source.system for source in sources for each in source.datasets}
    found: dict[str, dict[str, list[Mapping[str, object]]]] = {each.system: {} for each in sources}
    for row, says in walked.told(categories):
        told = {**says, MARK: True} if row.doubt else says
        found[of[row.key.dataset]].setdefault(str(row.key), []).append(told)
    trouble = {**away, **down}
    return [
        Collected(system=name, rows=found.get(name, {}), trouble=trouble.get(name, "")) for name in {**found, **trouble}
    ]


def _answered(system: System, known: Known, categories: Several[str]) -> Collected:
    try:
        held = remotes.find(remote_of(system), told_to_services(known), categories)
    except StoreError as error:
        return Collected(system=system.name, rows={}, trouble=str(error))
    return Collected(system=system.name, rows=held.rows)
