"""Consents name the very version that was shown; where what was agreed to changed, earlier yeses run out on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from comity.consent.actions import About, give_consent, withdraw_consent
from comity.consent.drafts import NotPublished
from comity.consent.history import facts_as_of
from comity.consent.models import Consent, Said, Standing
from comity.consent.notices.jobs import end_earlier
from comity.consent.notices.models import NoticeVersion
from comity.consent.notices.queries import NotShown
from comity.consent.notices.renewal import end_some
from comity.counsel.asking import ask
from comity.counsel.facts import gather
from comity.counsel.questions import Question
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from tests.consent.notices.wordings import YES, newsletter, next_version, published
from tests.jobs import run_jobs, waiting_jobs

pytestmark = pytest.mark.django_db
NEW = {"wording": "Yes, Comity and its partners may write to me. I can withdraw this at any time."}


@pytest.fixture
def first(firm: Entity, tom: Staff, olga: Staff) -> NoticeVersion:
    return published(newsletter(firm, tom), olga)


def says_yes(person: UUID, version: NoticeVersion, channel: str = "email", at: datetime | None = None) -> Consent:
    about = About(person=person, entity=version.entity, purpose="marketing", channel=channel)
    return give_consent(
        about=about, said_at=at or timezone.now(), source="form", heard_by=None, express=True,
        notice_version=version, notice_language="en",
    )  # fmt: skip


def stands(person: UUID, channel: str = "email") -> Consent | None:
    return Standing.objects.select_related("given").get(person=person, channel=channel).given


def renewed(first: NoticeVersion, tom: Staff, olga: Staff, *channels: str) -> NoticeVersion:
    draft = next_version(first.notice, NEW, tom)
    return published(draft, olga, ends_for=channels, ends_why="Partners write, too.")


def mail(firm: Entity) -> Question:
    return Question(operation="contact", purpose="marketing", channel="email", entity=firm.ref)


# ---------------------------------------------------------------- which wording


def test_a_yes_names_the_version_and_language_that_was_shown(greta: UUID, first: NoticeVersion) -> None:
    consent = says_yes(greta, first)
    assert (consent.notice, consent.notice_version, consent.notice_language) == ("Newsletter v1", first, "en")


def test_nobody_said_yes_to_what_was_not_shown_then(
    greta: UUID, first: NoticeVersion, tom: Staff, shanghai: Entity
) -> None:
    about = About(person=greta, entity=first.entity, purpose="marketing", channel="email")
    with pytest.raises(NotShown, match="not shown to anybody then"):
        says_yes(greta, first, at=timezone.now() - timedelta(days=1))
    with pytest.raises(NotShown, match="not written in this language"):
        give_consent(about=about, said_at=timezone.now(), source="form", heard_by=None, notice_version=first,
                     notice_language="fr")  # fmt: skip
    with pytest.raises(NotShown, match="has published"):
        says_yes(greta, newsletter(first.entity, tom, YES, "Another"))
    foreign = About(person=greta, entity=shanghai, purpose="marketing", channel="email")
    with pytest.raises(NotShown, match="has published"):
        give_consent(about=foreign, said_at=timezone.now(), source="form", heard_by=None, notice_version=first,
                     notice_language="en")  # fmt: skip


# ---------------------------------------------------------------- asking again


def test_a_new_version_alone_ends_nothing(greta: UUID, first: NoticeVersion, tom: Staff, olga: Staff) -> None:
    yes = says_yes(greta, first)
    later = renewed(first, tom, olga)
    assert end_some(version=later) == 0
    assert stands(greta) == yes


def test_where_what_was_agreed_to_changed_the_yes_runs_out_for_those_channels(
    greta: UUID, first: NoticeVersion, tom: Staff, olga: Staff, firm: Entity
) -> None:
    says_yes(greta, first)
    by_sms = says_yes(greta, first, "sms")
    later = renewed(first, tom, olga, "email")
    assert run_jobs() == ["consent.end_earlier"]
    assert stands(greta) is None
    assert stands(greta, "sms") == by_sms
    ran_out = Consent.objects.get(said=Said.EXPIRED)
    assert (ran_out.notice, ran_out.said_at, ran_out.channel) == ("Newsletter v2", later.begins_at, "email")
    assert Entry.objects.filter(kind="consent.said", persons__contains=[greta]).count() == len(
        ["email", "sms", "ran out"]
    )
    today = timezone.localdate()
    assert "consent.given" not in gather(mail(firm), [greta], today)[greta]
    assert ask(question=mail(firm), persons=[greta], day=today)[greta].verdict.value == "deny"


def test_running_out_is_no_refusal_and_the_next_yes_counts(
    greta: UUID, first: NoticeVersion, tom: Staff, olga: Staff, firm: Entity
) -> None:
    says_yes(greta, first)
    before = timezone.now()
    later = renewed(first, tom, olga, "email", "sms")
    end_earlier(version=str(later.ref), entity=str(firm.ref))
    standing = Standing.objects.get(person=greta, channel="email")
    assert (standing.withdrawn, standing.opted_out_on) == (False, None)
    today, now = timezone.localdate(), timezone.now()
    assert facts_as_of(mail(firm), [greta], today, before)[greta]["consent.given"]
    told = facts_as_of(mail(firm), [greta], today, now)[greta]
    assert "consent.given" not in told
    assert told["consent.withdrawn"] is False
    yes = says_yes(greta, later)
    end_earlier(version=str(later.ref), entity=str(firm.ref))
    assert stands(greta) == yes


def test_doing_it_twice_and_for_some_at_a_time_ends_each_once(
    greta: UUID, oliver: UUID, aiko: UUID, first: NoticeVersion, tom: Staff, olga: Staff
) -> None:
    for person in (greta, oliver, aiko):
        says_yes(person, first)
    later = renewed(first, tom, olga, "email")
    assert [end_some(version=later, many=2) for _ in range(3)] == [2, 1, 0]
    assert Consent.objects.filter(said=Said.EXPIRED).count() == len({greta, oliver, aiko})


def test_who_took_it_back_before_stays_as_they_said(greta: UUID, first: NoticeVersion, tom: Staff, olga: Staff) -> None:
    yes = says_yes(greta, first)
    about = About(person=greta, entity=first.entity, purpose="marketing", channel="email")
    withdraw_consent(about=about, said_at=yes.said_at + timedelta(seconds=1), source="link", heard_by=None)
    assert end_some(version=renewed(first, tom, olga, "email")) == 0
    assert Standing.objects.get(person=greta).withdrawn


def test_a_yes_to_the_old_words_that_is_recorded_late_runs_out_at_once(
    greta: UUID, first: NoticeVersion, tom: Staff, olga: Staff
) -> None:
    said_at = timezone.now()
    later = renewed(first, tom, olga, "email")
    assert end_some(version=later) == 0
    consent = says_yes(greta, first, at=said_at)
    assert consent.said == Said.GIVEN
    assert stands(greta) is None
    assert Consent.objects.filter(person=greta, said=Said.EXPIRED, notice_version=later).exists()


def test_a_yes_stands_until_the_new_version_begins(greta: UUID, first: NoticeVersion, tom: Staff, olga: Staff) -> None:
    draft = next_version(first.notice, NEW, tom)
    begins_at = timezone.now() + timedelta(days=3)
    published(draft, olga, begins_at=begins_at, ends_for=["email"], ends_why="Partners write, too.")
    yes = says_yes(greta, first)
    assert run_jobs() == []
    assert stands(greta) == yes
    (job,) = waiting_jobs()
    assert job.scheduled_at == begins_at


def test_asking_again_wants_a_reason(first: NoticeVersion, tom: Staff, olga: Staff) -> None:
    with pytest.raises((NotPublished, ValidationError), match="Say what changed"):
        published(next_version(first.notice, NEW, tom), olga, ends_for=["email"], ends_why=" ")


def test_old_paper_is_still_named_in_words(greta: UUID, firm: Entity) -> None:
    about = About(person=greta, entity=firm, purpose="marketing", channel="email")
    at = datetime(2026, 11, 2, tzinfo=UTC)
    consent = give_consent(about=about, said_at=at, notice="Paper form 1998", source="archive", heard_by=None)
    assert (consent.notice, consent.notice_version) == ("Paper form 1998", None)
