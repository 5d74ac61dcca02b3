"""Telling recipients of every later no: looked for, written down once, put into one notice a day, and told.

Nothing calls this when somebody says no; what they said is looked for instead, in what stands in the book. So no way of
saying no can forget to tell the recipients, and what somebody who died left undone, the next round finds.

A notice names nobody. It has the marks that stand in the recipient's own file, and what to do about each.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.exports.formats import csv_bytes
from comity.book.exports.marking import marks
from comity.book.models import Person
from comity.counsel.duties import note_event, settle_about
from comity.counsel.questions import ADVERTISING
from comity.ledger.actions import record
from comity.outreach.campaigns.models import Imprint
from comity.outreach.sharing.letting import as_the_law_says
from comity.outreach.sharing.models import PassedOn, Recipient, Sharing, Telling, What
from comity.outreach.sharing.queries import next_number
from comity.post.gateways import KINDS, Outcome
from comity.post.letters import Letter
from comity.post.models import Gateway
from comity.staff.guards import demand
from comity.staff.once import rows_of
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity, Staff

WORD: Final = "sharing.tell"
PASS_ON: Final = "pass-on"  # noqa: S105 - an act of the law's duties
MARGIN: Final = timedelta(hours=1)
"""How long a transaction may have been open that recorded a no: it bears the instant at which that began."""
PATIENCE: Final = timedelta(days=7)
"""After which a recipient who was told should have acknowledged it. Ours, not a law's."""
MOST_TRIES: Final = 48
"""Hours in which a notice is tried by mail; then somebody must send it on, or mend the address."""
LONGEST: Final = 10.0
"""Seconds that a mail to a recipient may take."""
HEAD: Final = ("File", "Mark", "What to do", "Since")

LOOK: Final = """
    WITH RECURSIVE given AS MATERIALIZED (
        SELECT sharing.ref AS sharing, sharing.purpose, export.begun_at - %(margin)s AS begun, person,
               recipient.role IN ('processor', 'affiliate') AND sharing.operation <> 'sell' AS idle
        FROM outreach_sharing AS sharing
        JOIN outreach_recipient AS recipient ON recipient.ref = sharing.recipient_id
        JOIN book_export AS export ON export.ref = sharing.export_id AND export.fetched_at IS NOT NULL
        JOIN book_exportpart AS part ON part.export_id = export.ref, unnest(part.exported) AS person
        WHERE sharing.entity_id = %(entity)s
    ), heir (person, stands) AS (
        SELECT DISTINCT person, person FROM given
        UNION ALL
        SELECT heir.person, old.merged_into_id FROM heir
        JOIN book_person AS old ON old.ref = heir.stands AND old.merged_into_id IS NOT NULL
    ), now AS (
        SELECT heir.person, held.ref, held.objected_at, held.opt_out_signal_at, held.restricted_at FROM heir
        LEFT JOIN book_person AS held ON held.ref = heir.stands
            AND EXISTS (SELECT FROM book_relation WHERE person_id = held.ref AND entity_id = %(entity)s)
        WHERE NOT EXISTS (
            SELECT FROM book_person AS old WHERE old.ref = heir.stands AND old.merged_into_id IS NOT NULL)
    ), said AS (
        SELECT person, purpose, channel, recorded_at, said_at FROM consent_consent AS consent
        WHERE entity_id = %(entity)s AND said IN ('refused', 'withdrawn', 'objected')
          AND (recorded_at >= (SELECT min(begun) FROM given)
               OR person IN (SELECT stands FROM heir WHERE heir.stands <> heir.person))
          AND NOT EXISTS (SELECT FROM consent_consent AS mistake WHERE mistake.corrects_id = consent.ref)
    ), found (sharing, person, what, since) AS (
        SELECT sharing, given.person, 'erase', now() FROM given JOIN now USING (person) WHERE now.ref IS NULL
        UNION ALL
        SELECT sharing, given.person, 'restrict', now.restricted_at FROM given JOIN now USING (person)
        WHERE now.restricted_at IS NOT NULL
        UNION ALL
        SELECT sharing, given.person, 'stop', now.objected_at FROM given JOIN now USING (person)
        WHERE now.objected_at IS NOT NULL AND given.purpose = ANY (%(advertising)s::varchar[])
        UNION ALL
        SELECT sharing, given.person, 'stop', now.opt_out_signal_at FROM given JOIN now USING (person)
        WHERE now.opt_out_signal_at IS NOT NULL AND NOT idle
        UNION ALL
        SELECT sharing, given.person, 'stop', said.said_at
        FROM said JOIN heir ON heir.stands = said.person JOIN given ON given.person = heir.person
        WHERE (said.recorded_at >= given.begun OR heir.stands <> heir.person)
          AND (said.purpose = given.purpose
               OR said.channel = 'none' AND said.purpose = ANY (%(advertising)s::varchar[]) AND NOT idle)
    )
    INSERT INTO outreach_passedon (ref, sharing_id, entity_id, person, what, since)
    SELECT gen_random_uuid(), sharing, %(entity)s, person, what, min(since) FROM found
    GROUP BY sharing, person, what ORDER BY sharing, person, what
    ON CONFLICT DO NOTHING
"""
"""Whoever was given, and has said no since, is restricted, or is not in the book any more: each once for each file.

Whoever was merged into another is asked about as that one, with all that was ever said by either. Else a no counts if
it was recorded since the file was begun: those before kept somebody out. What stands about a person always counts.
"""


@transaction.atomic
def look_for_noes(*, entity: Entity) -> int:
    """Write down for which people of which files a recipient must be told something; return how many are new.

    Call it behind the wall of this entity.
    """
    told = {"entity": entity.ref, "margin": MARGIN, "advertising": list(ADVERTISING)}
    before = PassedOn.objects.filter(entity=entity, telling=None).count()
    rows_of(LOOK, told)
    return PassedOn.objects.filter(entity=entity, telling=None).count() - before


@transaction.atomic
def pass_on_correction(*, person: UUID, entity: Entity, by: Staff) -> int:
    """Let everybody who got a person's data be told that they were corrected; return how many files it is about."""
    from comity.outreach.sharing.queries import given_of

    demand(by, WORD, entity)
    at = timezone.now()
    rows = [
        PassedOn(sharing=one.sharing, entity=entity, person=person, what=What.CORRECT, since=at)
        for one in given_of(person, entity)
    ]
    PassedOn.objects.bulk_create(rows)
    return len(rows)


# ---------------------------------------------------------------- notices


def make_tellings(*, entity: Entity) -> list[Telling]:
    """Put what recipients are to be told into one notice for each, with the law's days; each in its own transaction."""
    waiting = PassedOn.objects.filter(entity=entity, telling=None)
    recipients = Recipient.objects.filter(sharings__in=waiting.values("sharing")).distinct()
    return [made for one in recipients.order_by("ref") if (made := _telling_to(one)) is not None]


@transaction.atomic
def _telling_to(recipient: Recipient) -> Telling | None:
    locked = Recipient.objects.select_for_update(of=("self",)).select_related("entity").get(pk=recipient.pk)
    rows = list(PassedOn.objects.filter(sharing__recipient=locked, telling=None).select_related("sharing"))
    if not rows:
        return None  # another worker was quicker
    telling = Telling.objects.create(
        entity=locked.entity, recipient=locked, number=next_number(locked), people=len({row.person for row in rows})
    )
    PassedOn.objects.filter(pk__in=[row.pk for row in rows]).update(telling=telling)
    telling.due_on = _owe(telling, locked, rows)
    telling.save(update_fields=["due_on"])
    _note("made", telling, None, people=telling.people)
    return telling


EVENTS: Final[Mapping[str, Sequence[Mapping[str, object]]]] = {
    What.STOP: (
        {"event.kind": "request-received", "event.request": "opt-out"},
        {"event.kind": "opt-out-received", "event.request": "opt-out"},
        {"event.kind": "consent-withdrawn"},
    ),
    What.ERASE: ({"event.kind": "request-received", "event.request": "erasure", "event.granted": True},),
    What.RESTRICT: ({"event.kind": "request-received", "event.request": "restriction", "event.granted": True},),
    What.CORRECT: ({"event.kind": "request-received", "event.request": "rectification", "event.granted": True},),
}
"""What happened, as the law's duties to pass it on have it."""


def _owe(telling: Telling, recipient: Recipient, rows: Sequence[PassedOn]) -> date | None:
    """Ask the law by when recipients must be told, and keep that; return the earliest day, if it counts one."""
    days = []
    for (what, sharing), persons in _kinds(rows).items():
        on = min(timezone.localtime(row.since).date() for row in rows if row.what == what)
        use = {
            "use.operation": sharing.operation, "use.purpose": sharing.purpose, "use.channel": "none",
            "use.recipient": as_the_law_says(recipient), "event.shared": True, "event.on": on,
        }  # fmt: skip
        for event in EVENTS[what]:
            owed = note_event(
                event={**use, **event}, entity=telling.entity, about=telling.ref, persons=_there(persons), staff=None,
                acts={PASS_ON},
            )  # fmt: skip
            days += [duty.day for duty in owed]
    return min(days, default=None)


def _kinds(rows: Iterable[PassedOn]) -> dict[tuple[str, Sharing], list[UUID]]:
    """Return the people by what must be done about them; sharings for the same use are one."""
    found: dict[tuple[str, str, str], list[UUID]] = {}
    first: dict[tuple[str, str, str], Sharing] = {}
    for row in rows:
        key = row.what, row.sharing.operation, row.sharing.purpose
        first.setdefault(key, row.sharing)
        found.setdefault(key, []).append(row.person)
    return {(key[0], first[key]): persons for key, persons in found.items()}


def _there(persons: Sequence[UUID]) -> list[UUID]:
    """Return who of these is in the book: of others nobody knows any more where they lived, and every law is asked."""
    known = set(Person.objects.filter(ref__in=persons).values_list("ref", flat=True))
    return [person for person in dict.fromkeys(persons) if person in known]


# ---------------------------------------------------------------- the file

SAYS: Final = {
    What.STOP: "stop using", What.ERASE: "erase", What.RESTRICT: "store only",
    What.CORRECT: "ask us for the correction",
}  # fmt: skip


def file_of(telling: Telling) -> bytes:
    """Return a notice as CSV: which file, which mark in it, what to do, since when. It names nobody."""
    rows = telling.rows.select_related("sharing__export").order_by("sharing", "what", "ref")
    return b"\xef\xbb\xbf" + csv_bytes(list(zip(HEAD, *map(_line, rows), strict=True)))


def _line(row: PassedOn) -> tuple[str, str, str, str]:
    export: Any = row.sharing.export
    (mark,) = marks(code=export.code, key=bytes(export.mark_key), persons=[row.person])
    since = row.since.strftime("%Y-%m-%dT%H:%MZ")
    return f"comity-{export.code}", mark, SAYS[What(row.what)], since


def name_of(telling: Telling) -> str:
    """Return what the file of a notice is called."""
    return f"refusals-{telling.number:04}.csv"


# ---------------------------------------------------------------- telling


class NotTold(ValidationError):
    """A notice was not told, or not acknowledged; the message says why."""


@transaction.atomic
def hand_to_staff(*, telling: Telling, by: Staff) -> bytes:
    """Give the file of a notice to somebody who sends it on themselves; it counts as told from now on."""
    demand(by, WORD, telling.entity_id)
    locked = _locked(telling)
    data = file_of(locked)
    if locked.told_at is None:
        _told(locked, by)
    return data


@transaction.atomic
def acknowledge(*, telling: Telling, by: Staff) -> None:
    """Note that the recipient has acknowledged a notice. Raises NotTold where they were not told yet."""
    demand(by, WORD, telling.entity_id)
    locked = _locked(telling)
    if locked.told_at is None:
        raise NotTold(_("They were not told yet."))
    if locked.acknowledged_at is None:
        locked.acknowledged_at, locked.acknowledged_by = timezone.now(), by
        locked.save(update_fields=["acknowledged_at", "acknowledged_by"])
        _note("acknowledged", locked, by)


def mail(*, telling: Telling) -> bool:
    """Send a notice to the recipient's address, if there is one and a way out; return whether a relay took it.

    Call it outside a transaction: that it is tried is committed first. A notice may come twice where nobody knows
    whether it came. Its number says that it is the same one, and nobody is hurt by a no that is told twice.
    """
    with _behind_its_wall(telling):
        letter, gateway = _letter(telling), _way_out(telling)
        if letter is None or gateway is None or not _try(telling):
            return False
    way = KINDS[gateway.kind].open(gateway)
    try:
        answer = way.hand_over(letter, until=time.monotonic() + LONGEST)
    finally:
        way.close()
    if answer.outcome is Outcome.SENT:
        with _behind_its_wall(telling):
            _told(_locked(telling), None)
    return answer.outcome is Outcome.SENT


def _behind_its_wall(telling: Telling) -> Any:  # noqa: ANN401 - a context manager
    return behind_wall(staff=None, entities=[telling.entity_id])


def _try(telling: Telling) -> bool:
    locked = _locked(telling)
    if locked.told_at is not None:
        return False
    locked.tries += 1
    locked.save(update_fields=["tries"])
    return True


def _letter(telling: Telling) -> Letter | None:
    signs = Imprint.objects.filter(entity=telling.entity_id).first()
    to = telling.recipient.address
    if signs is None or not to:
        return None
    message = EmailMessage()
    message["From"], message["To"] = signs.address, to
    message["Subject"] = f"Refusals and corrections, notice {telling.number}: {telling.entity.name}"
    message["Message-ID"] = f"<{telling.ref}@{signs.address.rpartition('@')[2]}>"
    message["Date"] = timezone.now()
    message.set_content(WORDS.format(entity=telling.entity.name, address=signs.reply_to or signs.address))
    message.add_attachment(file_of(telling), maintype="text", subtype="csv", filename=name_of(telling), cte="base64")
    return Letter(to=to, sender=signs.address, data=message.as_bytes())


WORDS: Final = """\
The attached file names people whose data you got from {entity}, by the marks in your own file (column "Export mark"),
and says what must be done about each. Please do it, tell whoever got the data from you, and answer that it is done:
{address}
"""


def _way_out(telling: Telling) -> Gateway | None:
    ways = Gateway.objects.filter(entity=telling.entity_id, channel="email", ended_at=None)
    return ways.order_by("made_at").first()


def _locked(telling: Telling) -> Telling:
    found = Telling.objects.select_for_update(of=("self",)).select_related("recipient", "entity")
    return found.get(pk=telling.pk)


def _told(telling: Telling, by: Staff | None) -> None:
    if telling.told_at is not None:
        return
    telling.told_at, telling.told_by = timezone.now(), by
    telling.save(update_fields=["told_at", "told_by"])
    words = _("Notice %(number)d to %(name)s.") % {"number": telling.number, "name": telling.recipient.name}
    settle_about(entity=telling.entity, about=telling.ref, words=words, staff=by)
    _note("told", telling, by)


def _note(verb: str, telling: Telling, by: Staff | None, **more: int) -> None:
    body: dict[str, JSON] = {
        "telling": telling.ref, "recipient": telling.recipient_id, "entity": telling.entity_id, **more
    }  # fmt: skip
    record(kind=f"outreach.telling-{verb}", staff=by.ref if by else None, body=body)


# ---------------------------------------------------------------- a round


def go_round(*, entity: Entity) -> None:
    """Look for noes, make notices of them, and mail what waits. Whoever dies in between leaves it to the next round."""
    with behind_wall(staff=None, entities=[entity.ref]):
        look_for_noes(entity=entity)
    with behind_wall(staff=None, entities=[entity.ref]):
        make_tellings(entity=entity)
        untold = Telling.objects.filter(entity=entity, told_at=None, tries__lt=MOST_TRIES)
        waiting = list(untold.select_related("recipient", "entity"))
    for telling in waiting:
        mail(telling=telling)
