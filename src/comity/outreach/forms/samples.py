"""A form for the demo: built and published as anybody's is, so that it can be walked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone

from comity.consent.drafts import seen_of
from comity.consent.notices.models import CONSENTS, Kind, NoticeVersion
from comity.outreach.forms.actions import describe_draft, publish, start_form, write_draft
from comity.outreach.forms.looking import wrong_in
from comity.outreach.forms.models import Young

if TYPE_CHECKING:
    from comity.outreach.forms.models import FormVersion
    from comity.post.models import Gateway
    from comity.staff.models import Entity, Staff

LOOKED_AT: Final = "Looked at with counsel for the demo; the form stands as it is."
INTRO: Final = {
    "en": "News about what we make, about once a month.", "de": "Neues über das, was wir machen, etwa einmal im Monat.",
}  # fmt: skip


def publish_sample(*, entity: Entity, gateway: Gateway, drafted_by: Staff, published_by: Staff) -> FormVersion:
    """Publish a form of this entity that asks for its newsletter; the caller stands behind its wall."""
    shown = NoticeVersion.objects.shown_at(timezone.now()).filter(entity=entity).select_related("notice")
    notice = shown.filter(notice__kind=Kind.DIRECT)[0]
    asked = shown.filter(notice__kind__in=CONSENTS, purpose="marketing")[0]
    languages = [code for code in INTRO if code in notice.languages and code in asked.languages]
    version = start_form(entity=entity, name="Newsletter", language=languages[0], made_by=drafted_by)
    made_of = {
        "languages": languages, "asks": [{"notice": str(asked.ref), "channel": "email"}], "fields": ["given", "family"],
        "needed": [], "places": ["EEA", "UK"], "young": Young.GUARDIAN, "notice": notice, "frames": [],
    }  # fmt: skip
    version = describe_draft(version=version, made_of=made_of, seen=seen_of(version), written_by=drafted_by)
    for code in languages:
        words = {**version.words[code], "intro": INTRO[code]}
        version = write_draft(
            version=version, language=code, words=words, seen=seen_of(version), written_by=drafted_by
        )  # fmt: skip
    ticks = {one.key: LOOKED_AT for one in wrong_in(version) if one.level == "review"}
    return publish(version=version, gateway=gateway, ticks=ticks, seen=seen_of(version), published_by=published_by)
