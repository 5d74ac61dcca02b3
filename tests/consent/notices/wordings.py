"""Notices of these tests: what says all that the law of Dublin wants, and a newsletter's yes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from comity.consent.drafts import seen_of
from comity.consent.notices.actions import draft_again, publish, start_notice, write_draft
from comity.consent.notices.looking import wrong_in
from comity.consent.notices.models import Notice, NoticeVersion
from comity.staff.models import Entity, Staff

WHOLE: Final = {
    "who": "Comity Dublin Ltd, 1 Fitzwilliam Square, Dublin, privacy@comity.example",
    "dpo": "You reach our data protection officer at dpo@comity.example.",
    "purposes": "We use your address in order to deliver. The legal basis is our contract (Art. 6(1)(b) GDPR).",
    "recipients": "Recipients: the parcel service.",
    "transfers": "We do not transfer your data to third countries.",
    "retention": "Two years after your last order.",
    "rights": "You may have access to your data, have them corrected, erased or restricted, object, and take your data "
    "along.",
    "complaint": "You may complain to the Data Protection Commission.",
    "required": "You do not have to give us your address; without it we cannot deliver.",
    "automated": "We take no automated decisions.",
}
YES: Final = {"wording": "Yes, Comity may send me its newsletter by e-mail. I can withdraw this at any time."}
JA: Final = {"wording": "Ja, Comity darf mir seinen Newsletter per E-Mail senden. Das kann ich jederzeit widerrufen."}


def written(version: NoticeVersion, texts: dict[str, str], by: Staff, language: str = "en") -> NoticeVersion:
    return write_draft(version=version, language=language, texts=texts, seen=seen_of(version), written_by=by)


def privacy_notice(entity: Entity, by: Staff, texts: dict[str, str] = WHOLE) -> NoticeVersion:
    version = start_notice(entity=entity, kind="notice", name="Customers", language="en", made_by=by)
    return written(version, texts, by)


def newsletter(entity: Entity, by: Staff, texts: dict[str, str] = YES, name: str = "Newsletter") -> NoticeVersion:
    version = start_notice(entity=entity, kind="consent-wording", name=name, language="en", made_by=by)
    version.purpose, version.channels = "marketing", ["email", "sms"]
    version.save()
    return written(version, texts, by)


def published(
    version: NoticeVersion, by: Staff, begins_at: datetime | None = None, **more: Any  # noqa: ANN401 - of `publish`
) -> NoticeVersion:  # fmt: skip
    ticks = {one.key: "looked at" for one in wrong_in(version) if one.level == "review"}
    return publish(
        version=version, begins_at=begins_at, ticks=ticks, seen=seen_of(version), published_by=by, **more
    )  # fmt: skip


def next_version(notice: Notice, texts: dict[str, str], by: Staff) -> NoticeVersion:
    return written(draft_again(notice=notice, drafted_by=by), texts, by)
