"""A list is given to somebody: who is in the file, who is not, and what must stand before there is one."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.exports.actions import NotExported, hand_out, make_file
from comity.book.exports.models import Export
from comity.book.models import Person, Reach, Relation
from comity.book.opening import Look
from comity.consent.actions import About, object_to_marketing, withdraw_consent
from comity.ledger.journal.keeping import journal_folder
from comity.ledger.models import Entry
from comity.outreach.sharing.actions import (
    NotShared,
    begin_sharing,
    change_recipient,
    end_recipient,
    look_at_list,
    plan_sharing,
    say_where_proof_lies,
)
from comity.outreach.sharing.letting import question_of
from comity.outreach.sharing.models import Recipient
from comity.outreach.sharing.queries import given_of, wanting
from comity.staff.approvals import NotApproved
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from tests.book.taking_out import Sign
from tests.outreach.sharing.giving import (
    a_recipient,
    a_sharing,
    agrees,
    approved,
    fetched,
    given,
    produced,
    takes_back,
    within,
)
from tests.post.writing import MONDAY, germans
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def look(tom: Staff, firm: Entity) -> Look:
    """Tom looks, for marketing."""
    return Look(viewer=tom, entity=firm, purpose="marketing")


class TestTheFile:
    def test_it_holds_those_whom_the_law_permits_and_nobody_else(self, look: Look, olga: Staff, sign: Sign) -> None:
        people = germans(4, look.entity)
        agrees(people[:2], look.entity)
        object_to_marketing(person=people[2], entity=look.entity, said_at=MONDAY, source="Letter", heard_by=None)
        Person.objects.filter(ref=people[3]).update(home="")
        sharing, rows = given(look, olga, sign)
        assert {row["E-mail"] for row in rows} == {"person-0@kettle.example", "person-1@kettle.example"}
        assert set(rows[0]) >= {"Export mark", "Given name", "E-mail"}
        assert not {"Family name", "Phone", "Address"} & set(rows[0])
        assert sharing.looked is not None
        assert (sharing.looked.permitted, sharing.looked.denied, sharing.looked.asked) == (2, 1, 1)

    def test_whoever_says_no_between_look_and_production_is_not_in_it(
        self, look: Look, olga: Staff, sign: Sign
    ) -> None:
        people = germans(2, look.entity)
        agrees(people, look.entity)
        sharing = approved(a_sharing(look, a_recipient(look.entity, olga)), look, olga)
        with within(look):
            export = begin_sharing(sharing=sharing, look=look)
        takes_back(people[0], look.entity)
        made = make_file(export=export)
        sign()
        assert [row["E-mail"] for row in fetched(made, look)] == ["person-1@kettle.example"]

    def test_whoever_says_no_before_it_is_fetched_keeps_it_from_being_handed_out(
        self, look: Look, olga: Staff, sign: Sign
    ) -> None:
        people = germans(2, look.entity)
        agrees(people, look.entity)
        made = produced(approved(a_sharing(look, a_recipient(look.entity, olga)), look, olga), look, sign)
        takes_back(people[0], look.entity)
        with within(look), pytest.raises(NotExported, match="1 person in this file must not be shared"):
            hand_out(export=made, staff=look.viewer)
        assert Export.objects.get(pk=made.pk).fetched_at is None
        assert given_of(people[1], look.entity) == []

    def test_a_database_that_may_lack_a_no_hands_nothing_out(self, look: Look, olga: Staff, sign: Sign) -> None:
        agrees(germans(2, look.entity), look.entity)
        made = produced(approved(a_sharing(look, a_recipient(look.entity, olga)), look, olga), look, sign)
        journal_folder().mkdir(mode=0o700)
        (journal_folder() / "lines-1.journal").write_bytes(b"of another book" * 20)
        with within(look), pytest.raises(NotExported, match="Nothing is handed out"):
            hand_out(export=made, staff=look.viewer)
        assert Export.objects.get(pk=made.pk).fetched_at is None

    def test_a_no_to_targeted_advertising_keeps_from_every_sharing_with_others(
        self, look: Look, olga: Staff, sign: Sign
    ) -> None:
        people = germans(2, look.entity)
        agrees(people, look.entity)
        about = About(person=people[0], entity=look.entity, purpose="targeted-advertising", channel="none")
        withdraw_consent(about=about, said_at=MONDAY, source="Preference page", heard_by=None)
        _sharing, rows = given(look, olga, sign)
        assert [row["E-mail"] for row in rows] == ["person-1@kettle.example"]

    def test_nothing_in_it_is_run_by_a_spreadsheet(self, look: Look, olga: Staff, sign: Sign) -> None:
        one = Newcomer(
            name={"given": '=HYPERLINK("http://evil.example")', "family": "X"}, facts={"home": "DE"},
            points=[NewPoint(reach=Reach.EMAIL, value="formula@kettle.example")], relation={"source": "person"},
        )  # fmt: skip
        add_persons(newcomers=[one], entity=look.entity, staff=None)
        agrees([one.ref], look.entity)
        _sharing, (row,) = given(look, olga, sign)
        assert row["Given name"] == '\'=HYPERLINK("http://evil.example")'

    def test_people_of_another_entity_are_never_in_it(
        self, look: Look, olga: Staff, sign: Sign, shanghai: Entity
    ) -> None:
        (ours,), theirs = germans(1, look.entity), germans(1, shanghai)
        agrees([ours], look.entity)
        agrees(theirs, shanghai)
        agrees(theirs, look.entity)  # a yes alone does not bring somebody into a list
        _sharing, rows = given(look, olga, sign)
        assert len(rows) == 1
        assert given_of(theirs[0], look.entity) == given_of(theirs[0], shanghai) == []

    def test_it_is_on_record_who_got_whom_and_when(self, look: Look, olga: Staff, sign: Sign) -> None:
        (person, other) = germans(2, look.entity)
        agrees([person], look.entity)
        takes_back(other, look.entity)
        given(look, olga, sign)
        (told,) = given_of(person, look.entity)
        assert (told.recipient.name, told.sharing.purpose) == ("Kettle Mail GmbH", "marketing")
        assert given_of(other, look.entity) == []
        assert Entry.objects.filter(kind="outreach.sharing-given").count() == 1


class TestWhatMustStandFirst:
    def test_there_is_no_file_without_a_second_person(self, look: Look, olga: Staff) -> None:
        agrees(germans(1, look.entity), look.entity)
        sharing = a_sharing(look, a_recipient(look.entity, olga))
        with within(look), pytest.raises(NotApproved):
            begin_sharing(sharing=sharing, look=look)

    def test_an_approval_is_of_one_contract_and_no_other(self, look: Look, olga: Staff) -> None:
        agrees(germans(1, look.entity), look.entity)
        recipient = a_recipient(look.entity, olga)
        sharing = approved(a_sharing(look, recipient), look, olga)
        with within(look):
            change_recipient(recipient=recipient, by=olga, contract_at="Another safe")
            with pytest.raises(NotApproved):
                begin_sharing(sharing=sharing, look=look)

    def test_without_a_contract_nobody_is_given_to_a_processor(self, look: Look, olga: Staff, sign: Sign) -> None:
        agrees(germans(1, look.entity), look.entity)
        _sharing, rows = given(look, olga, sign, role="processor", contract_on=None, contract_at="")
        assert rows == []
        _sharing, rows = given(look, olga, sign, role="processor")
        assert len(rows) == 1

    def test_what_was_agreed_counts_until_it_must_be_looked_at_again(self, look: Look, olga: Staff) -> None:
        agrees(germans(1, look.entity), look.entity)
        recipient = a_recipient(look.entity, olga, transfer_tool="scc", assessed_at="Safe", certified=True)
        sharing = approved(a_sharing(look, recipient), look, olga)
        assert question_of(sharing).more["use.transfer_tool"] == "scc"
        Recipient.objects.update(review_on=timezone.localdate())
        with within(look), pytest.raises(NotShared, match="looked at again"):
            begin_sharing(sharing=sharing, look=look)
        sharing.recipient.refresh_from_db()
        assert not {"use.transfer_tool", "use.transfer_assessed", "use.recipient_certified"} & {
            *question_of(sharing).more
        }

    def test_who_gets_nothing_any_more_gets_no_list(self, look: Look, olga: Staff) -> None:
        recipient = a_recipient(look.entity, olga)
        end_recipient(recipient=recipient, by=olga)
        recipient.refresh_from_db()
        with within(look), pytest.raises(NotShared):
            a_sharing(look, recipient)

    def test_whom_the_law_wants_to_be_told_where_we_have_them_from_is_left_out_until_then(
        self, look: Look, olga: Staff, sign: Sign
    ) -> None:
        people = germans(2, look.entity)
        agrees(people, look.entity)
        Relation.objects.filter(person=people[0]).update(source="third-party")
        sharing, rows = given(look, olga, sign)
        assert [row["E-mail"] for row in rows] == ["person-1@kettle.example"]
        assert {one.kind: one.met for one in wanting(sharing)}["origin-notice"] is False

    def test_what_the_law_wants_beside_is_met_by_saying_where_its_proof_lies(self, look: Look, olga: Staff) -> None:
        (person,) = germans(1, look.entity)
        Person.objects.filter(ref=person).update(home="GB")
        agrees([person], look.entity)
        sharing = a_sharing(look, a_recipient(look.entity, olga))
        assert {one.kind: one.met for one in wanting(sharing)}["transfer-notice"] is False
        with within(look):
            told = say_where_proof_lies(
                sharing=sharing, proofs={"transfer-notice": "Notice v4, part 6", "unheard-of": "x"}, by=look.viewer
            )
        assert told.proofs == {"transfer-notice": "Notice v4, part 6"}
        assert all(one.met for one in wanting(told))


class TestWhoMay:
    def test_whoever_sells_shares_nothing(self, look: Look, olga: Staff) -> None:
        recipient = a_recipient(look.entity, olga)
        ada = make_staff("sales", entity=look.entity)
        with within(look), pytest.raises(NotYours):
            plan_sharing(
                recipient=recipient, operation="share", purpose="marketing", query="", columns=["email"], named_in="",
                by=ada,
            )  # fmt: skip

    def test_a_word_for_one_entity_shares_no_list_of_another(self, look: Look, olga: Staff, shanghai: Entity) -> None:
        sharing = a_sharing(look, a_recipient(look.entity, olga))
        other = make_staff("marketing", entity=shanghai, name="Nina Other")
        with within(look), pytest.raises(NotYours):
            look_at_list(sharing=sharing, look=Look(viewer=other, entity=look.entity, purpose="marketing"))

    def test_marketing_registers_no_recipient(self, look: Look, tom: Staff) -> None:
        with pytest.raises(NotYours):
            a_recipient(look.entity, tom)


def test_the_days_after_the_review_are_days_without_a_list(look: Look, olga: Staff) -> None:
    recipient = a_recipient(look.entity, olga, review_on=timezone.localdate() + timedelta(days=1))
    assert isinstance(recipient.ref, UUID)
    assert a_sharing(look, recipient).state == "draft"
