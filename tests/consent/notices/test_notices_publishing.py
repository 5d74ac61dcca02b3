"""What the law wants in a notice stops its publication; once published, nobody changes it, not by SQL either."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from comity.consent.drafts import ChangedMeanwhile, NotPublished, seen_of
from comity.consent.notices.actions import (
    describe_draft,
    discard_draft,
    draft_again,
    fingerprint_of,
    publish,
    start_notice,
)
from comity.consent.notices.difference import changed_scope, changed_texts
from comity.consent.notices.looking import Wrong, wrong_in
from comity.consent.notices.models import Kind, Notice, NoticeVersion
from comity.consent.notices.queries import public_version, wording_of
from comity.consent.notices.samples import publish_samples
from comity.ledger.models import Entry
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.as_application import application_role
from tests.consent.notices.wordings import JA, WHOLE, YES, newsletter, next_version, privacy_notice, published, written
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def tom(dublin: Entity) -> Staff:
    """Writes for Dublin."""
    return make_staff("marketing", entity=dublin)


def found(version: NoticeVersion) -> dict[str, Wrong]:
    return {one.key: one for one in wrong_in(version)}


def about(version: NoticeVersion, by: Staff, **changed: object) -> NoticeVersion:
    scope = {"places": [], "purpose": version.purpose, "channels": version.channels, "recipient": ""} | changed
    languages = scope.pop("languages", version.languages)
    return describe_draft(
        version=version, scope=scope, languages=languages, seen=seen_of(version), written_by=by  # type: ignore[arg-type]
    )  # fmt: skip


# ---------------------------------------------------------------- what the law wants


def test_a_whole_notice_misses_nothing(dublin: Entity, tom: Staff) -> None:
    assert wrong_in(privacy_notice(dublin, tom)) == []


@pytest.mark.parametrize(
    ("block", "rule", "cite"),
    [
        ("retention", "notice-says-how-long", "Arts 13(2)(a), 14(2)(a)"),
        ("complaint", "notice-tells-of-complaint", "Arts 13(2)(d), 14(2)(e)"),
        ("required", "notice-says-what-must-be-given", "Art. 13(2)(e)"),
        ("recipients", "notice-names-recipients", "Arts 13(1)(e), 14(1)(e)"),
    ],
)
def test_what_is_missing_is_named_with_its_article_its_block_and_words_that_would_do(
    block: str, rule: str, cite: str, dublin: Entity, tom: Staff
) -> None:
    version = privacy_notice(dublin, tom, {name: text for name, text in WHOLE.items() if name != block})
    (wrong,) = wrong_in(version)
    assert (wrong.level, wrong.id, wrong.block) == ("error", f"eu-gdpr/{rule}", block)
    assert cite in wrong.cite
    mended = written(version, {**WHOLE, block: wrong.example}, tom)
    assert wrong_in(mended) == []


def test_what_stands_in_the_wrong_block_is_not_there(dublin: Entity, tom: Staff) -> None:
    version = privacy_notice(dublin, tom, {**WHOLE, "complaint": "", "more": WHOLE["complaint"]})
    assert [one.id for one in wrong_in(version)] == ["eu-gdpr/notice-tells-of-complaint"]


def test_the_law_of_each_place_is_asked(dublin: Entity, tom: Staff) -> None:
    version = about(privacy_notice(dublin, tom), tom, places=["CN", "US-CA"])
    laws = {one.id.partition("/")[0] for one in wrong_in(version)}
    assert laws == {"cn-pipl", "us-ca-ccpa"}


def test_data_from_elsewhere_want_source_and_kinds(dublin: Entity, tom: Staff) -> None:
    version = start_notice(entity=dublin, kind="indirect-notice", name="Bought", language="en", made_by=tom)
    version = written(version, WHOLE, tom)
    assert {one.id.partition("/")[2] for one in wrong_in(version)} == {
        "notice-names-kinds-of-data", "notice-names-the-source",
    }  # fmt: skip


def test_a_language_lacks_no_block_of_the_first(dublin: Entity, tom: Staff) -> None:
    version = about(newsletter(dublin, tom, {**YES, "more": "It comes monthly."}), tom, languages=["en", "de"])
    assert {one.block for one in wrong_in(version) if one.id == "block-missing"} == {"wording", "more"}
    version = written(version, {**JA, "more": "Er kommt monatlich."}, tom, "de")
    assert wrong_in(version) == []


def test_a_language_that_our_rules_do_not_speak_is_looked_at_by_a_human(dublin: Entity, tom: Staff) -> None:
    version = about(newsletter(dublin, tom), tom, languages=["en", "ga"])
    version = written(version, {"wording": "Toilím."}, tom, "ga")
    (wrong,) = wrong_in(version)
    assert (wrong.key, wrong.level) == ("other-language@ga", "review")
    assert any("GDPR Art. 7(3)" in one for one in wrong.more)


def test_a_place_without_rules_is_looked_at_by_a_human(dublin: Entity, tom: Staff) -> None:
    version = about(privacy_notice(dublin, tom), tom, places=["BR"])
    assert [(one.id, one.level, list(one.more)) for one in wrong_in(version)] == [("no-rules", "review", ["Brazil"])]


def test_a_yes_says_to_what(dublin: Entity, tom: Staff) -> None:
    version = about(newsletter(dublin, tom), tom, purpose="")
    assert [one.id for one in wrong_in(version)] == ["no-scope"]


def test_a_separate_consent_bundled_with_a_policy_is_stopped(shanghai: Entity) -> None:
    mei = make_staff("marketing", entity=shanghai)
    version = start_notice(entity=shanghai, kind="separate-consent", name="共享", language="zh-hans", made_by=mei)
    version = written(version, {"wording": "我同意隐私政策,可随时撤回。"}, mei, "zh-hans")
    assert found(version)["cn-pipl/separate-consent-stands-alone@zh-hans"].found == "同意隐私政策"


# ---------------------------------------------------------------- publishing


def test_an_error_stops_a_publication_and_says_why(dublin: Entity, tom: Staff, olga: Staff) -> None:
    version = privacy_notice(dublin, tom, {**WHOLE, "retention": ""})
    with pytest.raises(NotPublished, match=r"13\(2\)\(a\).*how long"):
        published(version, olga)
    assert NoticeVersion.objects.get().published_at is None


def test_what_a_human_judges_is_ticked_with_a_reason(dublin: Entity, tom: Staff, olga: Staff) -> None:
    version = privacy_notice(dublin, tom, {**WHOLE, "dpo": ""})
    key = "eu-gdpr/notice-names-officer@en"
    for ticks in ({}, {key: " "}):
        with pytest.raises(NotPublished, match="why it is in order"):
            publish(version=version, begins_at=None, ticks=ticks, seen=seen_of(version), published_by=olga)
    publish(version=version, begins_at=None, ticks={key: "None is needed"}, seen=seen_of(version), published_by=olga)
    assert NoticeVersion.objects.get().ticked == [
        {"key": key, "cite": "GDPR Arts 13(1)(b), 14(1)(b)", "why": "None is needed"}
    ]


def test_publishing_is_for_those_who_have_the_word_and_leaves_an_entry(dublin: Entity, tom: Staff, olga: Staff) -> None:
    version = privacy_notice(dublin, tom)
    with pytest.raises(NotYours):
        published(version, tom)
    version = published(version, olga)
    entry = Entry.objects.get(kind="notice.published")
    assert f"sha256:{fingerprint_of(version).hex()}".encode() in bytes(entry.body)
    assert entry.staff == olga.ref
    assert bytes(NoticeVersion.objects.get().fingerprint or b"") == fingerprint_of(NoticeVersion.objects.get())


def test_what_was_changed_since_it_was_read_is_not_published(dublin: Entity, tom: Staff, olga: Staff) -> None:
    version = privacy_notice(dublin, tom)
    seen = seen_of(version)
    written(version, {**WHOLE, "more": "And we sell it all."}, tom)
    with pytest.raises(ChangedMeanwhile):
        publish(version=version, begins_at=None, ticks={}, seen=seen, published_by=olga)


def test_two_who_write_at_once_do_not_lose_each_others_words(dublin: Entity, tom: Staff, olga: Staff) -> None:
    version = privacy_notice(dublin, tom)
    shown = NoticeVersion.objects.select_related("entity", "notice").get(pk=version.pk)
    written(version, {**WHOLE, "more": "Tom was here."}, tom)
    with pytest.raises(ChangedMeanwhile):
        written(shown, WHOLE, olga)
    assert "Tom was here." in wording_of(NoticeVersion.objects.get())


def test_the_words_stand_as_they_were_with_what_stood_above_them(dublin: Entity, tom: Staff, olga: Staff) -> None:
    version = published(privacy_notice(dublin, tom), olga)
    assert wording_of(version).startswith("Who we are\nComity Dublin Ltd, 1 Fitzwilliam Square")


def test_from_when_it_is_shown_the_notice_has_that_version(dublin: Entity, tom: Staff, olga: Staff) -> None:
    first = published(privacy_notice(dublin, tom), olga)
    again = next_version(first.notice, {**WHOLE, "retention": "Three years."}, tom)
    later = published(again, olga, begins_at=timezone.now() + timedelta(days=2))
    assert public_version(first.notice_id) == first
    assert public_version(later.ref) == later


# ---------------------------------------------------------------- what never changes


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_noticeversion SET texts = '{}'",
        "UPDATE consent_noticeversion SET published_at = NULL, begins_at = NULL, fingerprint = NULL",
        "UPDATE consent_noticeversion SET ends_for = '{}'",
        "DELETE FROM consent_noticeversion",
        "TRUNCATE consent_noticeversion CASCADE",
        "UPDATE consent_notice SET name = 'Something else'",
        "ALTER TABLE consent_noticeversion DISABLE TRIGGER consent_version_stands",
    ],
)
def test_a_published_version_cannot_be_changed_by_sql_either(
    statement: str, dublin: Entity, tom: Staff, olga: Staff
) -> None:
    published(privacy_notice(dublin, tom), olga)
    _execute("SET CONSTRAINTS ALL IMMEDIATE")
    with application_role("SELECT, INSERT, UPDATE, DELETE, TRUNCATE"), behind_wall(staff=None, entities=[dublin.ref]):
        with pytest.raises(DatabaseError, match=r"never changes|must be owner"), transaction.atomic():
            _execute(statement)
        assert NoticeVersion.objects.get().texts["en"]


def test_a_draft_can_be_changed_by_the_same_role(dublin: Entity, tom: Staff) -> None:
    privacy_notice(dublin, tom)
    with application_role(), behind_wall(staff=None, entities=[dublin.ref]):
        assert _execute("UPDATE consent_noticeversion SET texts = '{}'") == 1


def test_no_other_entity_sees_a_notice(dublin: Entity, shanghai: Entity, tom: Staff) -> None:
    privacy_notice(dublin, tom)
    with application_role(), behind_wall(staff=None, entities=[shanghai.ref]):
        assert (Notice.objects.count(), NoticeVersion.objects.count()) == (0, 0)


def _execute(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


# ---------------------------------------------------------------- drafts and versions


def test_a_new_draft_begins_with_the_last_version_and_there_is_one_at_a_time(
    dublin: Entity, tom: Staff, olga: Staff
) -> None:
    first = published(privacy_notice(dublin, tom), olga)
    draft = draft_again(notice=first.notice, drafted_by=tom)
    assert (draft.number, draft.texts) == (2, first.texts)
    assert draft_again(notice=first.notice, drafted_by=tom) == draft


def test_the_difference_shows_sentences_that_went_and_came(dublin: Entity, tom: Staff, olga: Staff) -> None:
    texts = {**WHOLE, "retention": "Two years after your last order. Invoices longer."}
    first = published(privacy_notice(dublin, tom, texts), olga)
    draft = next_version(
        first.notice, {**WHOLE, "retention": "Three years after your last order. Invoices longer."}, tom
    )
    draft = about(draft, tom, places=["UK"])
    (change,) = changed_texts(first, draft)
    assert change.pieces == [
        ("gone", "Two years after your last order. "), ("new", "Three years after your last order. "),
        ("same", "Invoices longer."),
    ]  # fmt: skip
    assert changed_scope(first, draft) == [("places", [], ["UK"])]


def test_a_first_draft_thrown_away_takes_the_notice_along_and_a_later_one_does_not(
    dublin: Entity, tom: Staff, olga: Staff
) -> None:
    discard_draft(version=privacy_notice(dublin, tom), discarded_by=tom)
    assert not Notice.objects.exists()
    first = published(privacy_notice(dublin, tom), olga)
    discard_draft(version=draft_again(notice=first.notice, drafted_by=tom), discarded_by=tom)
    assert list(NoticeVersion.objects.all()) == [first]


def test_two_notices_of_an_entity_are_not_called_the_same(dublin: Entity, tom: Staff) -> None:
    privacy_notice(dublin, tom)
    with pytest.raises(ValidationError, match="called so already"):
        start_notice(entity=dublin, kind="notice", name="CUSTOMERS", language="en", made_by=tom)


def test_others_do_not_write_our_notices(dublin: Entity, shanghai: Entity, tom: Staff) -> None:
    mei = make_staff("marketing", entity=shanghai, name="Mei Lin")
    version = privacy_notice(dublin, tom)
    with pytest.raises(NotYours):
        written(version, WHOLE, mei)


# ---------------------------------------------------------------- the demo


def test_the_notices_of_the_demo_say_what_the_law_wants(dublin: Entity, shanghai: Entity, olga: Staff) -> None:
    wilmington = Entity.objects.create(name="Comity Inc", place="US-DE")
    made = publish_samples(entities=[dublin, shanghai, wilmington], drafted_by=olga, published_by=olga)
    assert {version.notice.kind for version in made} == set(Kind.values)
    ticked = {tick["key"] for version in made for tick in version.ticked}
    assert ticked == {"no-rules"}, "the demo ticks nothing that the words could say"
    draft = NoticeVersion.objects.select_related("notice", "entity").get(published_at=None)
    assert [one.id for one in wrong_in(draft) if one.level == "error"]
