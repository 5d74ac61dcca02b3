"""Two people are made one, and two again: nothing is lost, and nobody's no is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comity.book.actions import NewPoint
from comity.book.merging.actions import Choices, NotMerged, judge_pair, make_final, merge_persons, undo_merge
from comity.book.merging.duplicates import find_duplicates
from comity.book.merging.models import Merge, Pair
from comity.book.models import Activity, ContactPoint, Person, Reach, Relation, Tag, Tagging
from comity.book.opening import Look, everything_of, full_name, names_of
from comity.book.queries import persons_seen_by
from comity.consent.actions import About, give_consent, object_to_marketing, withdraw_consent
from comity.consent.models import Consent, Standing
from comity.ledger.models import Entry
from comity.refs import new_ref, shown
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.vault.models import PersonKey, RecordedDecision, Sealed
from comity.vault.sealing import FieldClass, Label
from tests.book.people import Add, newcomer

pytestmark = pytest.mark.django_db

SAID = datetime(2026, 10, 1, 9, tzinfo=UTC)


@pytest.fixture
def twin(add: Add) -> UUID:
    """Add Greta once more, with another number and her birth year."""
    points = [
        NewPoint(reach=Reach.EMAIL, value="greta@kettle.example"),
        NewPoint(reach=Reach.PHONE, value="+49 171 5550123"),
    ]
    facts = {"home": "DE", "birth_year": 1980, "birth_month": 4}
    return add(newcomer("Greta", "Gruenwald", "DE", points=points, facts=facts))


@pytest.fixture
def merged(greta: UUID, twin: UUID, firm: Entity, ada: Staff) -> Merge:
    return merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)


def facts(person: UUID) -> dict[str, Any]:
    told = Person.objects.filter(pk=person).values().get()
    return {name: value for name, value in told.items() if name != "changed_at"}


def sealed(look: Look, person: UUID) -> set[str]:
    """Return every e-mail address and number that opens for a person."""
    points = ContactPoint.objects.filter(person=person)
    labels = [Label(person, FieldClass.CONTACT, "point", point.ref) for point in points]
    seen = everything_of(look, person, labels)
    return {str(value) for label, fields in seen.opened.items() if label.kind == "point" for value in fields.values()}


def everything(persons: list[UUID]) -> dict[str, Any]:
    """Return all plain rows of these people."""
    told: dict[str, Any] = {str(person): facts(person) for person in persons}
    for model in (Relation, ContactPoint, Activity, Tagging, Consent, Standing):
        rows = model._base_manager.filter(person__in=persons).order_by("pk").values()
        told[model.__name__] = list(rows)
    return told


# ---------------------------------------------------------------- one of two


def test_who_stays_has_what_both_had(merged: Merge, greta: UUID, twin: UUID, look: Look) -> None:
    assert sealed(look, greta) == {"greta@kettle.example", "+49 30 5550199", "+49 171 5550123"}
    assert ContactPoint.objects.filter(person=twin).count() == 0
    stays = Person.objects.get(pk=greta)
    assert (stays.birth_year, stays.birth_month) == (1980, 4)
    assert Person.objects.get(pk=twin).merged_into_id == greta
    assert merged.moved["ContactPoint"]


def test_who_went_is_in_no_list(merged: Merge, greta: UUID, twin: UUID, ada: Staff, firm: Entity) -> None:
    assert [person.ref for person in persons_seen_by(ada, firm)] == [greta]
    assert merged.gone == twin


def test_one_point_of_each_kind_is_the_one_to_use(merged: Merge, greta: UUID) -> None:
    assert ContactPoint.objects.filter(person=greta, first=True).count() == 2
    assert merged.before["points"]


def test_a_chosen_fact_and_a_chosen_name_are_those_of_who_went(
    greta: UUID, add: Add, firm: Entity, ada: Staff, look: Look
) -> None:
    twin = add(newcomer("Margarete", "Grünwald", "AT"))
    choices = Choices(facts=frozenset({"home"}), name={"given": "Margarete", "family": "Grünwald"})
    merge_persons(kept=greta, gone=twin, choices=choices, entity=firm, merged_by=ada)
    assert Person.objects.get(pk=greta).home == "AT"
    seen = names_of(look, [greta])
    assert full_name(seen.of(greta, FieldClass.NAME)) == "Margarete Grünwald"


def test_a_point_that_was_not_chosen_stays_behind(
    greta: UUID, twin: UUID, firm: Entity, ada: Staff, look: Look
) -> None:
    merge_persons(kept=greta, gone=twin, choices=Choices(points=frozenset()), entity=firm, merged_by=ada)
    assert "+49 171 5550123" not in sealed(look, greta)


def test_a_tag_that_both_have_is_there_once(greta: UUID, twin: UUID, firm: Entity, ada: Staff) -> None:
    vip, fair = Tag.objects.create(name="VIP"), Tag.objects.create(name="Fair")
    Tagging.objects.bulk_create(
        Tagging(tag=tag, person_id=who) for tag, who in ((vip, greta), (vip, twin), (fair, twin))
    )
    merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    assert sorted(Tagging.objects.filter(person=greta).values_list("tag__name", flat=True)) == ["Fair", "VIP"]


def test_the_ledger_says_who_went_into_whom(merged: Merge, greta: UUID, twin: UUID) -> None:
    entry = Entry.objects.get(kind="book.merged")
    assert entry.persons == [greta, twin]
    assert str(merged.ref) in bytes(entry.body).decode()


# ---------------------------------------------------------------- whoever said no has said no


@pytest.mark.parametrize("of_gone", [True, False])
def test_an_objection_of_either_survives(of_gone: bool, greta: UUID, twin: UUID, firm: Entity, ada: Staff) -> None:
    Person.objects.filter(pk=twin if of_gone else greta).update(objected_at=SAID)
    choices = Choices(facts=frozenset({"home", "birth_year"}))
    merge_persons(kept=greta, gone=twin, choices=choices, entity=firm, merged_by=ada)
    assert Person.objects.get(pk=greta).objected_at == SAID


def about(person: UUID, firm: Entity) -> About:
    return About(person=person, entity=firm, purpose="marketing", channel="email")


@pytest.mark.parametrize("of_gone", [True, False])
def test_a_refusal_of_either_counts_and_both_histories_stay(
    of_gone: bool, greta: UUID, twin: UUID, firm: Entity, ada: Staff
) -> None:
    yes, no = (greta, twin) if of_gone else (twin, greta)
    give_consent(about=about(yes, firm), said_at=SAID, notice="N1", source="form", heard_by=None)
    withdraw_consent(about=about(no, firm), said_at=SAID, source="call", heard_by=None)
    merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    standing = Standing.objects.get(person=greta)
    assert standing.given is None
    assert standing.opted_out_on == SAID.date()
    assert Consent.objects.filter(person=greta).count() == 2


def test_a_yes_that_only_one_gave_is_the_yes_of_who_stays(greta: UUID, twin: UUID, firm: Entity, ada: Staff) -> None:
    yes = give_consent(about=about(twin, firm), said_at=SAID, notice="N1", source="form", heard_by=None)
    merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    assert Standing.objects.get(person=greta).given == yes


def test_opt_outs_are_known_only_as_far_as_they_are_of_both(greta: UUID, twin: UUID, firm: Entity, ada: Staff) -> None:
    Relation.objects.filter(person=twin).update(opt_outs_known=["email"])
    merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    assert Relation.objects.get(person=greta).opt_outs_known == ["email"]


# ---------------------------------------------------------------- two again


def test_undone_all_is_as_it_was(greta: UUID, twin: UUID, firm: Entity, ada: Staff, look: Look) -> None:
    give_consent(about=about(twin, firm), said_at=SAID, notice="N1", source="form", heard_by=None)
    withdraw_consent(about=about(greta, firm), said_at=SAID, source="call", heard_by=None)
    Person.objects.filter(pk=twin).update(objected_at=SAID)
    Relation.objects.filter(person=twin).update(last_purchase_on=date(2026, 5, 1))
    before, blobs = everything([greta, twin]), Sealed.objects.count()
    was = [sealed(look, greta), sealed(look, twin)]
    choices = Choices(facts=frozenset({"birth_year"}), name={"given": "G.", "family": "G."})
    merge = merge_persons(kept=greta, gone=twin, choices=choices, entity=firm, merged_by=ada)
    assert everything([greta, twin]) != before
    undo_merge(merge=merge, undone_by=ada)
    assert everything([greta, twin]) == before
    decisions = Sealed.objects.filter(kind="decision").count()
    assert Sealed.objects.count() - decisions == blobs
    assert [sealed(look, greta), sealed(look, twin)] == was
    assert full_name(names_of(look, [greta]).of(greta, FieldClass.NAME)) == "Greta Grünwald"


def test_a_no_that_was_said_since_is_a_no_of_both(merged: Merge, greta: UUID, twin: UUID, ada: Staff) -> None:
    Person.objects.filter(pk=greta).update(objected_at=SAID)
    undo_merge(merge=merged, undone_by=ada)
    assert [Person.objects.get(pk=who).objected_at for who in (greta, twin)] == [SAID, SAID]


def test_a_withdrawal_since_counts_for_both(greta: UUID, twin: UUID, firm: Entity, ada: Staff) -> None:
    give_consent(about=about(twin, firm), said_at=SAID, notice="N1", source="form", heard_by=None)
    merge = merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    withdraw_consent(about=about(greta, firm), said_at=SAID + timedelta(days=9), source="call", heard_by=None)
    undo_merge(merge=merge, undone_by=ada)
    assert [Standing.objects.get(person=who).opted_out_on is not None for who in (greta, twin)] == [True, True]


def test_a_refusal_since_by_another_channel_is_a_no_of_both(merged: Merge, firm: Entity, ada: Staff) -> None:
    text = replace(about(merged.kept, firm), channel="sms")
    withdraw_consent(about=text, said_at=SAID, source="call", heard_by=None)
    undo_merge(merge=merged, undone_by=ada)
    for who in (merged.kept, merged.gone):
        assert Standing.objects.get(person=who, channel="sms").opted_out_on == SAID.date()


def test_a_refusal_that_was_repeated_since_stays_with_both(greta: UUID, twin: UUID, firm: Entity, ada: Staff) -> None:
    withdraw_consent(about=about(twin, firm), said_at=SAID, source="call", heard_by=None)
    merge = merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    withdraw_consent(about=about(greta, firm), said_at=SAID + timedelta(hours=1), source="call", heard_by=None)
    undo_merge(merge=merge, undone_by=ada)
    assert [Standing.objects.get(person=who).opted_out_on for who in (greta, twin)] == [SAID.date()] * 2


def test_an_objection_that_was_repeated_since_stays_with_both(
    greta: UUID, twin: UUID, firm: Entity, ada: Staff
) -> None:
    object_to_marketing(person=twin, entity=firm, said_at=SAID, source="call", heard_by=None)
    merge = merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    again = SAID + timedelta(days=9)
    object_to_marketing(person=greta, entity=firm, said_at=again, source="call", heard_by=None)
    undo_merge(merge=merge, undone_by=ada)
    assert [Person.objects.get(pk=who).objected_at for who in (greta, twin)] == [again, SAID]


def test_a_no_that_only_who_stays_had_said_before_stays_theirs(
    greta: UUID, twin: UUID, firm: Entity, ada: Staff
) -> None:
    object_to_marketing(person=greta, entity=firm, said_at=SAID, source="call", heard_by=None)
    withdraw_consent(about=about(greta, firm), said_at=SAID, source="call", heard_by=None)
    before = everything([greta, twin])
    merge = merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    undo_merge(merge=merge, undone_by=ada)
    assert everything([greta, twin]) == before


def test_what_was_changed_since_stays(merged: Merge, greta: UUID, ada: Staff) -> None:
    Person.objects.filter(pk=greta).update(birth_year=1981)
    undo_merge(merge=merged, undone_by=ada)
    assert Person.objects.get(pk=greta).birth_year == 1981


def test_it_is_undone_once_and_within_thirty_days(merged: Merge, ada: Staff) -> None:
    with pytest.raises(NotMerged, match="thirty days"):
        undo_merge(merge=merged, undone_by=ada, now=timezone.now() + timedelta(days=30, minutes=1))
    undo_merge(merge=merged, undone_by=ada)
    with pytest.raises(NotMerged, match="undone already"):
        undo_merge(merge=merged, undone_by=ada)


def test_after_thirty_days_the_key_of_who_went_is_gone(merged: Merge, twin: UUID, ada: Staff) -> None:
    assert make_final(now=timezone.now() + timedelta(days=29)) == 0
    assert make_final(now=timezone.now() + timedelta(days=31)) == 1
    assert not PersonKey.objects.filter(person=twin).exists()
    with pytest.raises(NotMerged):
        undo_merge(merge=merged, undone_by=ada)


# ---------------------------------------------------------------- who may not


def test_who_may_not_merge_does_not(greta: UUID, twin: UUID, firm: Entity, staff_in: Callable[..., Staff]) -> None:
    with pytest.raises(NotYours):
        merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=staff_in("support", entity=firm))


def test_nobody_goes_into_themselves_or_into_who_is_gone(merged: Merge, greta: UUID, firm: Entity, ada: Staff) -> None:
    for other in (greta, merged.gone, new_ref()):
        with pytest.raises(NotMerged):
            merge_persons(kept=greta, gone=other, choices=Choices(), entity=firm, merged_by=ada)


def test_whom_another_entity_knows_is_merged_by_who_acts_for_it(
    greta: UUID, twin: UUID, firm: Entity, shanghai: Entity, ada: Staff
) -> None:
    Person.objects.filter(pk=twin).update(entities=[firm.ref, shanghai.ref])
    with pytest.raises(NotMerged, match="for which you do not act"):
        merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)


def test_a_role_that_merges_no_notes_does_not_merge_who_has_one(
    greta: UUID, twin: UUID, firm: Entity, staff_in: Callable[..., Staff]
) -> None:
    tom = staff_in("marketing", entity=firm)
    with pytest.raises(NotMerged, match=r"“notes”.*“marketing”.*Privacy officer, Sales"):
        merge_persons(kept=twin, gone=greta, choices=Choices(), entity=firm, merged_by=tom)
    assert Activity.objects.get().person_id == greta
    made = merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=tom)  # its notes stay
    assert made.kept == greta


def test_the_law_is_asked_about_both_and_the_ledger_says_by_which_decision(
    merged: Merge, greta: UUID, twin: UUID, firm: Entity
) -> None:
    decision = RecordedDecision.objects.get(operation="store")
    assert (set(decision.persons), decision.field_classes) == ({greta, twin}, ["contact"])
    told = bytes(Entry.objects.get(kind="book.merged").body).decode()
    assert str(decision.ref) in told
    assert str(firm.ref) in told
    assert merged.entity == firm


def test_whom_the_law_does_not_let_us_keep_is_not_merged_and_the_decision_stays(
    greta: UUID, aiko: UUID, firm: Entity, ada: Staff
) -> None:
    with pytest.raises(NotMerged, match=f"does not permit to merge: {shown(aiko)}"):
        merge_persons(kept=greta, gone=aiko, choices=Choices(), entity=firm, merged_by=ada)
    assert RecordedDecision.objects.get(operation="store").verdict != "permit"
    assert Person.objects.get(pk=aiko).merged_into is None


@pytest.mark.parametrize("of_gone", [True, False])
def test_restricted_people_are_merged_by_a_privacy_officer_alone(
    of_gone: bool, greta: UUID, twin: UUID, firm: Entity, ada: Staff, olga: Staff
) -> None:
    Person.objects.filter(pk=twin if of_gone else greta).update(restricted_at=SAID)
    with pytest.raises(NotMerged, match="restricted"):
        merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=olga)
    assert RecordedDecision.objects.get(operation="store").purpose == "legal-duty"


def test_it_takes_the_word_for_each_entity_that_knows_them(
    greta: UUID, twin: UUID, firm: Entity, shanghai: Entity, ada: Staff
) -> None:
    Person.objects.filter(pk=twin).update(entities=[firm.ref, shanghai.ref])
    grant = ada.grants.get()
    grant.pk, grant.role, grant.entity = None, "support", shanghai
    grant.save(force_insert=True)
    with pytest.raises(NotYours):
        merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)


# ---------------------------------------------------------------- finding them


@pytest.mark.usefixtures("oliver")
def test_people_who_share_an_address_and_a_name_are_found_with_the_reasons(
    greta: UUID, twin: UUID, firm: Entity
) -> None:
    assert find_duplicates(entity=firm, staff=None) == 1
    pair = Pair.objects.get()
    assert {pair.one, pair.other} == {greta, twin}
    assert set(pair.reasons) >= {"email", "home"}
    assert pair.score > 55


def test_a_shared_number_alone_is_not_worth_a_look(greta: UUID, oliver: UUID, firm: Entity) -> None:
    assert find_duplicates(entity=firm, staff=None) == 0
    assert greta != oliver


def test_a_pair_that_was_judged_does_not_come_back(greta: UUID, twin: UUID, firm: Entity, ada: Staff) -> None:
    find_duplicates(entity=firm, staff=None)
    judge_pair(pair=Pair.objects.get(), same=False, judged_by=ada)
    assert find_duplicates(entity=firm, staff=None) == 0
    assert greta != twin


def test_nothing_is_opened_to_find_them(greta: UUID, twin: UUID, firm: Entity) -> None:
    before = Entry.objects.filter(kind="vault.opened").count()
    find_duplicates(entity=firm, staff=None)
    assert Entry.objects.filter(kind="vault.opened").count() == before
    assert greta != twin


def test_the_address_of_who_was_merged_leads_to_who_stands_for_both(
    client: Client, merged: Merge, greta: UUID, twin: UUID, ada: Staff
) -> None:
    del merged
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(reverse("desk:person", args=[twin]))
    assert (answer.status_code, answer["Location"]) == (302, reverse("desk:person", args=[greta]))
