"""Rows whose time is over go, in batches; what is held, restricted, in use or referred to stays. The ledger counts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from comity.book.models import Activity, Doing, PastFacts, Person
from comity.counsel.models import SegmentDecision, SegmentFinding, SegmentRow
from comity.ledger.actions import record
from comity.ledger.connecting import own_connection
from comity.ledger.models import Entry
from comity.refs import new_refs
from comity.retention.holds.models import Hold
from comity.retention.jobs import clean as clean_job
from comity.retention.schedule.cleaning import clean, clean_all, overdue, plans
from comity.rights.requests.actions import receive_request
from comity.rights.requests.models import CameBy, Kind, Request, State
from comity.staff.models import Entity, RoleGrant, Staff
from comity.vault.models import PersonKey, Sealed
from tests.as_application import application_role
from tests.ledger.book import url
from tests.staff.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
YEARS = timedelta(days=366)


def happened(person: UUID, firm: Entity, years: float, many: int = 1) -> list[UUID]:
    """Let something have happened so long ago, with a note sealed beside."""
    rows = [
        Activity(person_id=person, entity=firm, doing=Doing.NOTE, at=timezone.now() - years * YEARS)
        for _ in range(many)
    ]
    Activity.objects.bulk_create(rows)
    Sealed.objects.bulk_create(
        Sealed(person=person, field_class="note", record=row.ref, kind="activity", schema=1, ciphertext=b"x")
        for row in rows
    )
    return [row.ref for row in rows]


def left(refs: list[UUID]) -> int:
    return Activity.objects.filter(ref__in=refs).count()


def test_what_is_past_its_clock_goes_with_what_is_sealed_under_it(greta: UUID, firm: Entity) -> None:
    old, young = happened(greta, firm, 3.1), happened(greta, firm, 2.9)
    notes = Sealed.objects.count()
    (done,) = clean_all()
    assert (done.table, done.gone, done.along) == ("book.Activity", 1, 1)
    assert (left(old), left(young)) == (0, 1)
    assert Sealed.objects.count() == notes - 1
    body = json.loads(bytes(Entry.objects.get(kind="retention.cleaned").body))["body"]
    assert body == {"tables": [{"table": "book.activity", "rows": 1, "along": 1, "refused": False}]}
    assert clean_all() == []
    assert Entry.objects.filter(kind="retention.cleaned").count() == 1  # nothing done is nothing to record


def test_it_goes_in_batches_until_nothing_is_left(greta: UUID, firm: Entity) -> None:
    old = happened(greta, firm, 4, many=57)
    assert clean(plans()["book.Activity"], at_once=10).gone == 57
    assert left(old) == 0


def test_a_request_goes_with_the_key_of_its_own(greta: UUID, firm: Entity) -> None:
    """Else every backup would open, for as long as there are keys, what somebody wrote two years ago."""
    told: dict[str, Any] = {"came_by": CameBy.EMAIL, "language": "en", "noted_by": None}
    told["received_on"] = timezone.localdate()
    old, young = (
        receive_request(entity=firm, kinds=[Kind.ACCESS], person=greta, words="All of it.", reach={}, **told)[0]
        for _ in range(2)
    )
    Request.objects.filter(pk=old.pk).update(state=State.ANSWERED, closed_at=timezone.now() - 2.1 * YEARS)
    assert PersonKey.objects.filter(person__in=[old.ref, young.ref]).count() == 2
    clean_all()
    assert list(PersonKey.objects.filter(person__in=[old.ref, young.ref]).values_list("person", flat=True)) == [
        young.ref
    ]
    assert not Sealed.objects.filter(person=old.ref).exists()
    assert PersonKey.objects.filter(person=greta).exists()


def decided_long_ago(firm: Entity, persons: list[UUID]) -> SegmentDecision:
    """Let something have been decided about these people seven years ago."""
    decided = timezone.now() - 7 * YEARS
    with transaction.atomic():
        entry = record(kind="counsel.decided", body={})
    one = SegmentDecision.objects.create(
        entity=firm, question={}, people=30, permitted=30, denied=0, asked=0, day=decided.date(), packs=[],
        digest=b"0" * 32, salt=b"0" * 16, decided_at=decided, entry=entry,
    )  # fmt: skip
    SegmentFinding.objects.create(segment=one, number=0, verdict="permit", because=[], told={}, people=30)
    SegmentRow.objects.bulk_create(SegmentRow(segment=one, person=ref, finding=0, verdict="permit") for ref in persons)
    return one


def test_rows_of_other_tables_go_with_theirs(firm: Entity) -> None:
    decided_long_ago(firm, new_refs(30))
    (done,) = clean_all(at_once=7)
    assert (done.table, done.gone, done.along) == ("counsel.SegmentDecision", 1, 31)
    assert not SegmentRow.objects.exists()
    assert not SegmentFinding.objects.exists()


def test_whoever_is_held_keeps_everything(greta: UUID, oliver: UUID, firm: Entity, olga: Staff) -> None:
    held, free = happened(greta, firm, 4), happened(oliver, firm, 4)
    past = PastFacts.objects.create(person=greta, table="person", facts={}, until=timezone.now() - 4 * YEARS)
    hold = Hold.objects.create(
        entity=firm, person=greta, reason="A claim", owner=olga, review_on=timezone.localdate(), placed_by=olga
    )
    clean_all()
    assert (left(held), left(free)) == (1, 0)
    assert PastFacts.objects.filter(pk=past.pk).exists()
    assert overdue() == {"book.Activity": 1, "book.PastFacts": 1}
    Hold.objects.filter(pk=hold.pk).update(lifted_at=timezone.now(), lifted_by=olga)
    clean_all()
    assert left(held) == 0
    assert overdue() == {}


def test_whoever_is_held_keeps_what_would_take_rows_of_theirs_along(greta: UUID, firm: Entity, olga: Staff) -> None:
    decided_long_ago(firm, [*new_refs(3), greta])
    Hold.objects.create(
        entity=firm, person=greta, reason="A claim", owner=olga, review_on=timezone.localdate(), placed_by=olga
    )
    clean_all()
    assert SegmentRow.objects.count() == 4


def test_a_hold_on_everybody_of_an_entity_keeps_theirs(greta: UUID, firm: Entity, olga: Staff) -> None:
    held = happened(greta, firm, 4)
    Hold.objects.create(
        entity=firm, person=None, reason="An inquiry", owner=olga, review_on=timezone.localdate(), placed_by=olga
    )
    clean_all()
    assert left(held) == 1


def test_whoever_is_restricted_keeps_everything(greta: UUID, firm: Entity) -> None:
    kept = happened(greta, firm, 4)
    Person.objects.filter(ref=greta).update(restricted_at=timezone.now())
    clean_all()
    assert left(kept) == 1


def test_a_role_that_somebody_has_stays_however_old_it_is(olga: Staff) -> None:
    old = timezone.now() - 7 * YEARS
    RoleGrant.objects.update(begins_at=old)
    ended = RoleGrant.objects.create(staff=olga, role="sales", reason="once", begins_at=old, ends_at=old + YEARS)
    clean_all()
    assert not RoleGrant.objects.filter(pk=ended.pk).exists()
    assert RoleGrant.objects.filter(staff=olga, role="privacy-officer").exists()


def test_a_row_that_somebody_holds_is_left_for_the_next_time(greta: UUID, firm: Entity) -> None:
    (first, second) = happened(greta, firm, 4, many=2)
    with own_connection() as other, other.transaction():
        other.execute("SELECT 1 FROM book_activity WHERE ref = %s FOR UPDATE", [first])
        clean_all()
        assert left([first, second]) == 1
    clean_all()
    assert left([first]) == 0


def test_a_table_whose_trigger_refuses_is_said_to_and_all_else_goes(greta: UUID, firm: Entity) -> None:
    old = happened(greta, firm, 4)
    PastFacts.objects.create(person=greta, table="person", facts={}, until=timezone.now() - 4 * YEARS)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER tests_refuse BEFORE DELETE ON book_activity FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )
    try:
        done = {one.table: one for one in clean_all()}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER tests_refuse ON book_activity")
    assert done["book.Activity"].refused
    assert done["book.PastFacts"].gone == 1
    assert overdue() == {"book.Activity": 1}
    assert left(old) == 1
    body = json.loads(bytes(Entry.objects.get(kind="retention.cleaned").body))["body"]
    assert {"table": "book.activity", "rows": 0, "along": 0, "refused": True} in body["tables"]


def test_the_role_of_the_application_can_do_it_behind_its_walls(greta: UUID, firm: Entity) -> None:
    old = happened(greta, firm, 4)
    with transaction.atomic(), application_role():
        assert [(one.table, one.gone, one.refused) for one in clean_all()] == [("book.Activity", 1, False)]
    assert left(old) == 0


def test_the_job_of_the_night_does_it_and_the_page_shows_what_stayed(
    greta: UUID, oliver: UUID, firm: Entity, olga: Staff, no_second_factor: None
) -> None:
    del no_second_factor
    cache.clear()
    old = happened(greta, firm, 4)
    held = happened(oliver, firm, 4)
    Person.objects.filter(ref=oliver).update(restricted_at=timezone.now())
    page = client_of(olga)
    assert "Not counted yet" in page.get(reverse("retention:cleaning")).content.decode()
    clean_job.func(timestamp=0)
    assert (left(old), left(held)) == (0, 1)
    shown = page.get(reverse("retention:cleaning")).content.decode()
    assert "<code>book.Activity</code>: 1" in shown
    assert "Counted" in shown
    cache.clear()


def test_every_table_with_a_clock_can_be_asked(firm: Entity) -> None:
    """The statements of all tables are right: a table that is not there, or a column, would raise."""
    del firm
    assert overdue() == {}
    for plan in plans().values():
        assert not clean(plan).refused


CLEANER = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
import django
django.setup()
from comity.retention.schedule.cleaning import clean, plans
clean(plans()["book.Activity"], at_once=3)
"""


def test_killed_in_the_middle_it_goes_on_with_the_next_run(greta: UUID, firm: Entity) -> None:
    old = happened(greta, firm, 4, many=900)
    sealed = Sealed.objects.filter(record__in=old)
    environ = {**os.environ, "DATABASE_URL": url(), "COMITY_SECRET_KEY": "x", "PYTHONPATH": "src"}
    running = subprocess.Popen([sys.executable, "-c", CLEANER], env=environ)
    until = time.monotonic() + 60
    while left(old) == 900 and time.monotonic() < until:
        time.sleep(0.002)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    still = left(old)
    assert 0 < still < 900
    assert sealed.count() == still  # a batch is whole or not at all
    assert clean(plans()["book.Activity"]).gone == still
    assert (left(old), sealed.count()) == (0, 0)
