"""Putting addresses on the list of those that must not be used, and taking one off by a fresh yes.

What is on the list keeps from every hand-over that begins after `suppress` was committed: a sender holds share locks on
the marks of the addresses it is about to use (`share_lock`), whoever suppresses takes them for itself, and so waits for
hand-overs that are under way.

INVARIANT: persons are locked before their standing rows, those before marks, and marks in the order of their numbers,
by everybody: so nobody waits for somebody who waits for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.facts import REACHED_BY
from comity.consent.models import Consent, Said
from comity.consent.suppression.marks import Mark
from comity.consent.suppression.models import Cause, Suppressed
from comity.consent.suppression.uses import uses_of
from comity.counsel.questions import ADVERTISING
from comity.ledger.actions import record
from comity.ledger.bodies import JSON, declare_words
from comity.ledger.journal.keeping import keep_after_commit
from comity.refs import as_array, new_ref, new_refs

if TYPE_CHECKING:
    import psycopg

    from comity.staff.models import Entity, Staff

WHOLE_LIST: Final = 0x636F6D_6C697374
"""The lock of the whole list: whoever adds many addresses takes it, and every sender shares it."""
MANY: Final = 100
"""Addresses from which on they are not locked one by one: PostgreSQL has room for some thousand locks in all."""
SHARED, ALONE = "SELECT pg_advisory_xact_lock_shared(%s)", "SELECT pg_advisory_xact_lock(%s)"
LONGEST_SOURCE: Final = 60

declare_words(*Cause.values)


class NotReleased(ValidationError):
    """The address stays on the list; the message says what would take it off."""


# ---------------------------------------------------------------- locks


def share_lock(marks: Iterable[Mark], *, locks: psycopg.Connection | None = None) -> None:
    """Hold these addresses still until the transaction ends: nobody can put them on the list meanwhile.

    A sender takes it before it looks whether they are on the list (`queries.which_are_suppressed`), and hands over
    before the transaction ends: that of `locks`, if the sender keeps its locks on a connection of their own.
    """
    _take(SHARED, [WHOLE_LIST, *_numbers(marks)], locks)


def _lock(marks: Sequence[Mark]) -> None:
    if len(marks) >= MANY:
        _take(ALONE, [WHOLE_LIST])
    else:
        _take(SHARED, [WHOLE_LIST])
        _take(ALONE, _numbers(marks))


def _numbers(marks: Iterable[Mark]) -> list[int]:
    return sorted({mark.number for mark in marks})


def _take(statement: str, numbers: Sequence[int], locks: psycopg.Connection | None = None) -> None:
    """Take locks one by one: within one statement nobody promises an order."""
    if locks is not None:
        for number in numbers:
            locks.execute(statement, [number])
        return
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute(statement, [number])


# ---------------------------------------------------------------- onto the list

SUPPRESS: Final = """
    INSERT INTO consent_suppressed (ref, entity_id, reach, digest, cause, uses, since, source, added_by_id)
    SELECT new.ref, %(entity)s, %(reach)s, new.digest, %(cause)s, %(uses)s::varchar[], %(since)s, %(source)s, %(by)s
    FROM unnest(%(refs)s::uuid[], %(digests)s::bytea[]) AS new(ref, digest)
    ON CONFLICT (entity_id, digest, reach, cause) WHERE released_at IS NULL DO UPDATE
        SET uses = ARRAY(SELECT DISTINCT unnest(consent_suppressed.uses || excluded.uses) ORDER BY 1)
        WHERE NOT consent_suppressed.uses @> excluded.uses
"""


@transaction.atomic
def suppress(
    *, entity: Entity, marks: Collection[Mark], cause: Cause, source: str, since: datetime,
    purposes: Collection[str] = ADVERTISING, channels: Collection[str] | None = None, added_by: Staff | None = None,
) -> int:  # fmt: skip
    """Put addresses on the list; return how many of them were not on it, for this cause and all of these uses.

    It takes effect for all senders when it is committed. A bounce shuts the address for everything that we could write
    there, whatever `purposes` say.
    """
    reaches = {mark.reach for mark in marks}
    uses = {reach: uses_of(reach, purposes, channels) for reach in reaches}
    return suppress_for(
        entity=entity, marks=marks, cause=cause, source=source, since=since, uses=uses, added_by=added_by
    )


@transaction.atomic
def suppress_for(
    *, entity: Entity, marks: Collection[Mark], cause: Cause, source: str, since: datetime,
    uses: Mapping[str, Sequence[str]], added_by: Staff | None = None,
) -> int:  # fmt: skip
    """Put addresses on the list for these uses of each reach, as the list writes them; see `suppress`."""
    wanted = sorted(set(marks), key=lambda mark: (mark.reach, mark.number))
    _lock(wanted)
    added = 0
    for reach in {mark.reach for mark in wanted}:
        digests = [mark.digest for mark in wanted if mark.reach == reach]
        with connection.cursor() as cursor:
            cursor.execute(SUPPRESS, {
                "entity": entity.ref, "reach": reach, "cause": cause.value, "uses": list(uses[reach]),
                "since": since, "source": source[:LONGEST_SOURCE], "by": added_by.ref if added_by else None,
                "refs": as_array(new_refs(len(digests))), "digests": digests,
            })  # fmt: skip
            added += cursor.rowcount
    if added:
        body: dict[str, JSON] = {"entity": entity.ref, "cause": cause.value, "addresses": added}
        record(kind="consent.suppressed", staff=added_by.ref if added_by else None, body=body)
        keep_after_commit()
    return added


# ---------------------------------------------------------------- off the list


@transaction.atomic
def release(*, mark: Mark, consent: Consent) -> int:
    """Take an address off the list for the use that its owner has freshly, expressly agreed to; return how many rows.

    The caller knows that whoever agreed has that address: they came by a link that was sent there. A message that did
    not arrive is undone by one that was answered, which a double opt-in is. Raises NotReleased.
    """
    if consent.said != Said.GIVEN or not consent.express or REACHED_BY.get(consent.channel) != mark.reach:
        raise NotReleased(_("Only a fresh, express yes to this use, by this address, takes it off the list."))
    _lock([mark])
    standing = Suppressed.objects.standing().select_for_update(of=("self",))
    rows = standing.filter(
        entity=consent.entity, reach=mark.reach, digest=mark.digest, since__lt=consent.said_at
    )  # fmt: skip
    released = [row for row in rows if _undone(row, consent)]
    for row in released:
        _release(row, consent)
    if released:
        body: dict[str, JSON] = {"entity": consent.entity_id, "consent": consent.ref, "rows": len(released)}
        record(kind="consent.released", persons=[consent.person], body=body)
    return len(released)


def _undone(row: Suppressed, consent: Consent) -> bool:
    if row.cause == Cause.BOUNCED:
        return consent.double_opt_in
    return f"{consent.purpose}/{consent.channel}" in row.uses


def _release(row: Suppressed, consent: Consent) -> None:
    row.released_at, row.released_by = timezone.now(), consent.ref
    row.save(update_fields=["released_at", "released_by"])
    rest = [use for use in row.uses if use != f"{consent.purpose}/{consent.channel}"]
    if rest and row.cause != Cause.BOUNCED:
        Suppressed.objects.create(
            ref=new_ref(), entity_id=row.entity_id, reach=row.reach, digest=row.digest, cause=row.cause, uses=rest,
            since=row.since, source=row.source, added_by_id=row.added_by_id,
        )  # fmt: skip
