"""Drafting notices and publishing them: each verb one transaction and one entry in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.consent.drafts import NotPublished, fingerprint, keep_draft, lock_draft, seen_of, settled
from comity.consent.notices.blocks import LONGEST_BLOCK, blocks_of, title_of
from comity.consent.notices.looking import NO_RULES, OTHER_LANGUAGE, wrong_in
from comity.consent.notices.models import Kind, Notice, NoticeVersion
from comity.ledger.actions import record
from comity.ledger.bodies import declare_words
from comity.staff.guards import demand

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

EDIT: Final = "notice.edit"
PUBLISH: Final = "notice.publish"
SCOPE: Final = ("places", "purpose", "channels", "recipient")
"""What a version is about, beside its words."""
declare_words(*Kind.values, NO_RULES, OTHER_LANGUAGE)


# ---------------------------------------------------------------- drafts


@transaction.atomic
def start_notice(*, entity: Entity, kind: str, name: str, language: str, made_by: Staff) -> NoticeVersion:
    """Begin a notice with a first draft. Raises NotYours, and ValidationError where one is called so already."""
    demand(made_by, EDIT, entity)
    try:
        with transaction.atomic():
            notice = Notice.objects.create(entity=entity, kind=kind, name=name, made_by=made_by)
    except IntegrityError as error:
        if "consent_notice_name" not in str(error):
            raise
        raise ValidationError({"name": _("A notice of this entity is called so already.")}) from None
    version = NoticeVersion.objects.create(
        notice=notice, entity=entity, number=1, languages=[language], drafted_by=made_by
    )
    _record("drafted", version, made_by)
    return version


@transaction.atomic
def draft_again(*, notice: Notice, drafted_by: Staff) -> NoticeVersion:
    """Begin a new draft from the last version; where there is one already, return that."""
    demand(drafted_by, EDIT, notice.entity)
    Notice.objects.select_for_update(of=("self",), no_key=True).get(pk=notice.pk)
    last = notice.versions.select_related("entity", "notice").order_by("number").last()
    if last is None or last.published_at is None:
        return last or NoticeVersion.objects.create(
            notice=notice, entity=notice.entity, number=1, languages=["en"], drafted_by=drafted_by
        )
    version = NoticeVersion.objects.create(
        notice=notice, entity=notice.entity, number=last.number + 1, languages=last.languages, texts=last.texts,
        drafted_by=drafted_by, **{name: getattr(last, name) for name in SCOPE},
    )  # fmt: skip
    _record("drafted", version, drafted_by)
    return version


@transaction.atomic
def write_draft(
    *, version: NoticeVersion, language: str, texts: Mapping[str, str], seen: str, written_by: Staff
) -> NoticeVersion:
    """Write what stands in the blocks of a draft in one language. Raises ChangedMeanwhile."""
    draft = _locked(version, seen, written_by)
    if language not in draft.languages:
        raise ValidationError(_("The draft is not written in this language."))
    for block in texts:
        if len(texts[block]) > LONGEST_BLOCK:
            raise ValidationError({block: _("This is too long for one block of a notice.")})
    draft.texts = {**draft.texts, language: _parts(draft.notice.kind, language, texts)}
    return keep_draft(draft)


@transaction.atomic
def describe_draft(
    *, version: NoticeVersion, scope: Mapping[str, Any], languages: Sequence[str], seen: str, written_by: Staff
) -> NoticeVersion:
    """Say for whom a draft is meant, what one says yes to, and in which languages it is written.

    The texts of a language that is taken out go with it. Raises ChangedMeanwhile.
    """
    draft = _locked(version, seen, written_by)
    if not languages:
        raise ValidationError({"languages": _("A notice has at least one language.")})
    for name in SCOPE:
        setattr(draft, name, scope[name])
    draft.languages = list(dict.fromkeys(languages))
    draft.texts = {language: parts for language, parts in draft.texts.items() if language in draft.languages}
    return keep_draft(draft)


@transaction.atomic
def discard_draft(*, version: NoticeVersion, discarded_by: Staff) -> None:
    """Throw a draft away; with the first goes the notice, of which nobody saw anything."""
    draft = _locked(version, seen_of(version), discarded_by)
    _record("discarded", draft, discarded_by)
    notice = draft.notice
    draft.delete()
    if not notice.versions.exists():
        notice.delete()


def _locked(version: NoticeVersion, seen: str, staff: Staff, word: str = EDIT) -> NoticeVersion:
    demand(staff, word, version.entity)
    return lock_draft(NoticeVersion.objects.select_related("notice", "entity"), version, seen)


def _parts(kind: str, language: str, texts: Mapping[str, str]) -> list[dict[str, str]]:
    tidied = {block: texts.get(block, "").replace("\r\n", "\n").strip() for block in blocks_of(kind)}
    return [
        {"block": block, "title": title_of(block, language), "text": text} for block, text in tidied.items() if text
    ]


# ---------------------------------------------------------------- publishing


@transaction.atomic
def publish(
    *, version: NoticeVersion, begins_at: datetime | None, ticks: Mapping[str, str], seen: str, published_by: Staff,
    ends_for: Sequence[str] = (), ends_why: str = "",
) -> NoticeVersion:  # fmt: skip
    """Publish a draft: from `begins_at` on it is what people are shown, and it never changes again.

    `ticks` are the keys of what only a human can judge, each with why it is in order. `ends_for` are the channels for
    which everybody who agreed to an earlier version must be asked again, since what they agreed to has changed; their
    yeses stop counting from `begins_at`. Raises NotYours, ChangedMeanwhile, NotPublished.
    """
    from comity.consent.notices.renewal import end_later

    draft = _locked(version, seen, published_by, PUBLISH)
    now = timezone.now()
    wrong = wrong_in(draft)
    draft.ticked = settled(wrong, ticks)
    if ends_for and not ends_why.strip():
        raise NotPublished({"ends_why": _("Say what changed, so that earlier consents end.")})
    draft.begins_at = max(begins_at or now, now)
    draft.published_at, draft.published_by = now, published_by
    draft.ends_for, draft.ends_why = list(ends_for), ends_why.strip() if ends_for else ""
    draft.fingerprint = fingerprint_of(draft)
    draft.save()
    _record(
        "published", draft, published_by, fingerprint=f"sha256:{draft.fingerprint.hex()}", begins_at=draft.begins_at,
        ticked=sorted({id_ for one in wrong for id_ in one.ids}), ends_for=draft.ends_for,
    )  # fmt: skip
    if draft.ends_for:
        end_later(version=draft)
    return draft


def fingerprint_of(version: NoticeVersion) -> bytes:
    """Return the fingerprint of what people are shown and say yes to."""
    return fingerprint({
        "entity": str(version.entity_id), "notice": str(version.notice_id), "kind": version.notice.kind,
        "name": version.notice.name, "number": version.number, "languages": version.languages, "texts": version.texts,
        **{name: getattr(version, name) for name in SCOPE},
    })  # fmt: skip


def _record(verb: str, version: NoticeVersion, staff: Staff, **more: Any) -> None:  # noqa: ANN401 - words of a body
    body = {
        "notice": str(version.notice_id), "version": str(version.ref), "number": version.number,
        "kind": version.notice.kind, "entity": str(version.entity_id), **more,
    }  # fmt: skip
    record(kind=f"notice.{verb}", staff=staff.ref, body=body)
