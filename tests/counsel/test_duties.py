"""What an event makes us owe: kept with its day, counted by the law, settled by somebody, and provable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from comity.counsel.duties import (
    NothingNew,
    NotSettled,
    NotYoursToEnd,
    SettledAlready,
    WrongDay,
    ask_again,
    commitment,
    data_came,
    learn,
    learn_about,
    mark_done,
    mark_not_owed,
    note_event,
    open_again,
    settle_about,
    take_back_event,
)
from comity.counsel.duties_counting import count
from comity.counsel.models import DutyEvent, OwedDuty
from comity.law import FactError
from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.staff.models import Entity, Staff

pytestmark = pytest.mark.django_db

CAME = date(2026, 10, 19)  # a Monday; a month later is a Thursday
BOUGHT = data_came(on=CAME, source="third-party")
NOTICE, NOTICE_UK = "eu-gdpr/notice-of-bought-data", "uk-gdpr/notice-of-bought-data"
ASKED: Mapping[str, object] = {
    "event.kind": "request-received", "event.request": "access", "event.on": CAME, "person.home": ["DE"],
}  # fmt: skip


def by_rule(duties: list[OwedDuty]) -> dict[str, OwedDuty]:
    return {duty.rule: duty for duty in duties}


@pytest.fixture
def answer(firm: Entity, greta: UUID, olga: Staff) -> OwedDuty:
    """Give what we owe Greta, who asked for her data: the answer."""
    owed = note_event(event=ASKED, entity=firm, about=new_ref(), persons=[greta], staff=olga)
    return next(duty for duty in owed if duty.act == "answer")


# ---------------------------------------------------------------- noting


def test_people_from_elsewhere_are_told_within_a_month_each_by_the_law_of_their_home(
    firm: Entity, greta: UUID, oliver: UUID, olga: Staff
) -> None:
    owed = by_rule(note_event(event=BOUGHT, entity=firm, about=new_ref(), persons=[greta, oliver], staff=olga))
    told = owed[NOTICE]
    assert (told.day, told.timing, told.state) == (date(2026, 11, 19), "due", "owed")
    assert (told.act, told.to, told.standing) == ("inform", "person", False)
    assert told.persons == 2
    assert "the source, and whether it is public" in told.told["contents"]
    assert any("a month" in step or "month" in step for step in told.told["steps"])
    assert owed[NOTICE_UK].persons == 1
    assert owed[NOTICE_UK].places == ["GB"]


def test_who_gave_the_data_themselves_is_owed_no_notice_of_bought_data(firm: Entity, greta: UUID) -> None:
    event = data_came(on=CAME, source="person")
    owed = by_rule(note_event(event=event, entity=firm, about=new_ref(), persons=[greta], staff=None))
    assert NOTICE not in owed
    assert "eu-gdpr/notice-at-collection" in owed


def test_the_first_message_brings_the_day_forward(firm: Entity, greta: UUID) -> None:
    event = data_came(on=CAME, source="third-party", event__first_message_on=date(2026, 10, 26))
    owed = by_rule(note_event(event=event, entity=firm, about=new_ref(), persons=[greta], staff=None))
    assert owed[NOTICE].day == date(2026, 10, 26)


def test_where_nobody_knows_the_home_a_duty_stays_possible_and_names_the_fact(firm: Entity) -> None:
    owed = by_rule(note_event(event=BOUGHT, entity=firm, about=new_ref(), staff=None, homes={"": 3, "DE": 1}))
    possible = owed["cn-pipl/notice"]
    assert possible.state == "possible"
    assert "person.home" in possible.told["missing"]
    assert (possible.persons, possible.doubtful) == (3, 3)
    assert owed[NOTICE].state == "owed"  # whoever they are: our Dublin entity holds them
    assert (owed[NOTICE].persons, owed[NOTICE].doubtful) == (4, 0)


def test_a_country_beside_one_of_its_states_is_counted_by_itself(firm: Entity) -> None:
    owed = by_rule(note_event(event=BOUGHT, entity=firm, about=new_ref(), staff=None, homes={"US": 2, "US-CA": 5}))
    assert owed[NOTICE].persons == 7


def test_what_is_owed_for_how_we_work_is_kept_once(firm: Entity) -> None:
    first = note_event(event=BOUGHT, entity=firm, about=new_ref(), staff=None, homes={"DE": 4})
    second = note_event(event=BOUGHT, entity=firm, about=new_ref(), staff=None, homes={"DE": 9})
    assert {duty.rule for duty in first if duty.standing} >= {"eu-gdpr/register-of-processing"}
    assert not [duty for duty in second if duty.standing]
    assert by_rule(second)[NOTICE].persons == 9


def test_a_standing_duty_that_was_only_possible_becomes_certain(firm: Entity) -> None:
    note_event(event=BOUGHT, entity=firm, about=new_ref(), staff=None, homes={"": 1})
    doubtful = OwedDuty.objects.get(rule="cn-pipl/train-staff")
    assert doubtful.state == "possible"
    note_event(event=BOUGHT, entity=firm, about=new_ref(), staff=None, homes={"CN": 1})
    doubtful.refresh_from_db()
    assert doubtful.state == "owed"
    assert [step.did for step in doubtful.steps.all()] == ["noted", "certain"]


def test_the_same_event_noted_twice_is_one(firm: Entity, greta: UUID) -> None:
    about = new_ref()
    first = note_event(event=BOUGHT, entity=firm, about=about, persons=[greta], staff=None)
    again = note_event(event=BOUGHT, entity=firm, about=about, persons=[greta], staff=None)
    assert [duty.ref for duty in first] == [duty.ref for duty in again]
    assert DutyEvent.objects.count() == 1
    assert Entry.objects.filter(kind="counsel.owed").count() == 1


def test_the_ledger_knows_what_is_owed_and_names_nobody_beyond_refs(firm: Entity, greta: UUID, olga: Staff) -> None:
    about = new_ref()
    owed = note_event(event=BOUGHT, entity=firm, about=about, persons=[greta], staff=olga)
    entry = Entry.objects.get(kind="counsel.owed")
    said = json.loads(bytes(entry.body))["body"]
    assert entry.persons == [greta]
    assert (said["about"], said["kind"], said["people"]) == (str(about), "processing-started", 1)
    assert {each["rule"] for each in said["duties"]} == {duty.rule for duty in owed}
    event = DutyEvent.objects.get()
    assert said["commitment"] == commitment(event)
    event.facts["event.on"] = "2026-10-20"
    assert said["commitment"] != commitment(event)


@pytest.mark.parametrize(
    "wrong", [{"event.on": CAME}, {"event.kind": "nothing", "event.on": CAME}, {**BOUGHT, "event.name": "Greta"}]
)
def test_an_event_that_the_law_cannot_read_is_refused_and_nothing_is_kept(
    wrong: dict[str, object], firm: Entity
) -> None:
    with pytest.raises(FactError):
        note_event(event=wrong, entity=firm, about=new_ref(), staff=None)
    assert not DutyEvent.objects.exists()


def test_thousands_are_counted_and_not_named(firm: Entity) -> None:
    persons = [new_ref() for _ in range(501)]
    note_event(event=BOUGHT, entity=firm, about=new_ref(), persons=persons, staff=None, homes={"DE": 501})
    event = DutyEvent.objects.get()
    assert (event.persons, event.named) == (501, [])


# ---------------------------------------------------------------- as known then


def test_the_same_duties_come_out_again_from_what_was_kept(firm: Entity, greta: UUID, oliver: UUID) -> None:
    note_event(event=BOUGHT, entity=firm, about=new_ref(), persons=[greta, oliver], staff=None)
    firm.facts = {"org.public_body": True}
    firm.save()  # we are another now; what was kept says what we were then
    event = DutyEvent.objects.get()
    again = {(one.owed.rule, one.day or event.on) for one in count(event.facts, event.homes, law_of=event.law_of)}
    assert again == set(event.duties.values_list("rule", "day"))


# ---------------------------------------------------------------- settling


def test_a_duty_that_was_done_says_when_by_whom_and_where_the_proof_is(answer: OwedDuty, olga: Staff) -> None:
    done = CAME + timedelta(days=3)
    mark_done(duty=answer, done_on=done, words="Letter in file 17.", settled_by=olga)
    answer.refresh_from_db()
    assert (answer.settled, answer.settled_on, answer.settled_by, answer.words) == (
        "done", done, olga, "Letter in file 17.",
    )  # fmt: skip
    said = json.loads(bytes(Entry.objects.get(kind="counsel.duty-settled").body))["body"]
    assert said == {"duty": str(answer.ref), "how": "done", "on": done.isoformat(), "day": answer.day.isoformat()}


@pytest.mark.parametrize("days", [-1, 400])
def test_nothing_is_done_before_it_is_owed_or_tomorrow(answer: OwedDuty, olga: Staff, days: int) -> None:
    with pytest.raises(WrongDay):
        mark_done(duty=answer, done_on=CAME + timedelta(days=days), words="x", settled_by=olga)
    answer.refresh_from_db()
    assert not answer.settled


def test_a_settled_duty_is_settled_once_and_can_be_opened_again(answer: OwedDuty, olga: Staff) -> None:
    with pytest.raises(NotSettled):
        open_again(duty=answer, words="It is open.", opened_by=olga)
    mark_not_owed(duty=answer, words="She has it already.", settled_by=olga)
    with pytest.raises(SettledAlready):
        mark_done(duty=answer, done_on=CAME, words="x", settled_by=olga)
    open_again(duty=answer, words="It was another person.", opened_by=olga)
    answer.refresh_from_db()
    assert (answer.settled, answer.settled_on, answer.words) == ("", None, "")
    assert [step.did for step in answer.steps.all()] == ["noted", "not-owed", "opened-again"]


def test_an_event_is_closed_while_nothing_of_it_is_open(answer: OwedDuty, olga: Staff) -> None:
    event = answer.event
    for duty in event.duties.all():
        event.refresh_from_db()
        assert event.closed_at is None
        mark_not_owed(duty=duty, words="The request was taken back.", settled_by=olga)
    event.refresh_from_db()
    assert event.closed_at is not None
    open_again(duty=answer, words="It was not.", opened_by=olga)
    event.refresh_from_db()
    assert event.closed_at is None


def test_an_import_that_is_undone_owes_nothing_any_more(firm: Entity, greta: UUID, olga: Staff) -> None:
    about = new_ref()
    owed = note_event(event=BOUGHT, entity=firm, about=about, persons=[greta], staff=olga)
    note_event(event=BOUGHT, entity=firm, about=new_ref(), persons=[greta], staff=olga)
    assert take_back_event(entity=firm, about=about, words="The import was undone.", staff=olga) == len(owed)
    left = OwedDuty.objects.filter(settled="")
    assert not left.filter(event__about=about).exists()
    assert left.filter(rule=NOTICE).exists()


# ---------------------------------------------------------------- counting again


def test_an_extension_that_was_told_in_time_moves_the_day_as_the_law_counts_it(answer: OwedDuty, olga: Staff) -> None:
    assert answer.day == date(2026, 11, 19)
    told = {"event.complex": True, "event.extension_told_on": CAME + timedelta(days=20)}
    learn(duty=answer, facts=told, words="Forty folders.", learnt_by=olga)
    answer.refresh_from_db()
    assert answer.day == date(2027, 1, 19)
    step = answer.steps.get(did="counted")
    assert (step.day_before, step.day_after) == (date(2026, 11, 19), date(2027, 1, 19))
    said = json.loads(bytes(Entry.objects.get(kind="counsel.duty-counted").body))["body"]
    assert said["facts"] == ["event.complex", "event.extension_told_on"]


def test_an_extension_that_was_told_too_late_moves_nothing(answer: OwedDuty, olga: Staff) -> None:
    told = {"event.complex": True, "event.extension_told_on": CAME + timedelta(days=60)}
    learn(duty=answer, facts=told, words="Forty folders.", learnt_by=olga)
    answer.refresh_from_db()
    assert answer.day == date(2026, 11, 19)


def test_what_the_law_itself_ends_is_settled_in_its_words(answer: OwedDuty, olga: Staff) -> None:
    learn(duty=answer, facts={"event.excessive": True}, words="The ninth in a month.", learnt_by=olga)
    answer.refresh_from_db()
    assert answer.settled == "not-owed"
    assert "excessive" in answer.words
    assert "GDPR Art. 12(5)" in answer.words


def test_to_count_again_takes_a_new_fact(answer: OwedDuty, olga: Staff) -> None:
    with pytest.raises(NothingNew):
        learn(duty=answer, facts={}, words="x", learnt_by=olga)


def test_a_wrong_fact_changes_nothing(answer: OwedDuty, olga: Staff) -> None:
    told = {"event.extension_told_on": CAME - timedelta(days=1)}
    with pytest.raises(FactError, match=r"is before event\.on"):
        learn(duty=answer, facts=told, words="x", learnt_by=olga)
    answer.refresh_from_db()
    assert answer.learnt == {}
    assert timezone.localdate() >= CAME


# ---------------------------------------------------------------- what a room tells of all that is owed about something


CALIFORNIAN: Mapping[str, object] = {
    "event.kind": "request-received", "event.request": "access", "event.on": CAME, "person.home": ["US-CA"],
    "org.over_thresholds": True,
}  # fmt: skip
KNOW, DENIED = "us-ca-ccpa/know-answered", "us-ca-ccpa/unverified-denied"


def test_facts_about_a_whole_event_move_what_is_owed_and_bring_what_arises_by_them(firm: Entity, olga: Staff) -> None:
    about = new_ref()
    owed = by_rule(note_event(event=CALIFORNIAN, entity=firm, about=about, staff=None))
    assert DENIED not in owed
    doubt = {"event.identity_doubtful": True}
    arisen = learn_about(entity=firm, about=about, facts=doubt, words="Nothing fits.", learnt_by=olga)
    assert DENIED in {duty.rule for duty in arisen}
    now = by_rule(list(OwedDuty.objects.filter(event__about=about)))
    assert now[KNOW].settled == "not-owed"
    assert not ask_again(now[DENIED]).differs  # it can be shown later why it is owed
    assert learn_about(entity=firm, about=about, facts=doubt, words="Again.", learnt_by=olga) == []


def test_a_duty_that_facts_would_end_stays_where_nothing_is_to_end_yet(firm: Entity) -> None:
    about = new_ref()
    note_event(event=CALIFORNIAN, entity=firm, about=about, staff=None)
    doubt = {"event.identity_doubtful": True}
    learn_about(entity=firm, about=about, facts=doubt, words="Asked.", learnt_by=None, ends=False)
    known = OwedDuty.objects.get(event__about=about, rule=KNOW)
    assert (known.settled, known.learnt) == ("", {})


def test_nobody_ends_a_duty_by_a_fact_but_may_tell_one(firm: Entity) -> None:
    about = new_ref()
    note_event(event=CALIFORNIAN, entity=firm, about=about, staff=None)
    known = OwedDuty.objects.get(event__about=about, rule=KNOW)
    with pytest.raises(NotYoursToEnd):
        learn(duty=known, facts={"event.identity_doubtful": True}, words="By a page.", learnt_by=None)
    learn(duty=known, facts={"event.complex": True}, words="By a page.", learnt_by=None)
    known.refresh_from_db()
    assert known.learnt == {"event.complex": True}


def test_only_the_acts_that_are_meant_are_settled_about_something(firm: Entity) -> None:
    about = new_ref()
    note_event(event=CALIFORNIAN, entity=firm, about=about, staff=None)
    assert settle_about(entity=firm, about=about, words="On record.", staff=None, acts=("record",)) == 1
    settled = OwedDuty.objects.filter(event__about=about).exclude(settled="").values_list("act", flat=True)
    assert list(settled) == ["record"]
