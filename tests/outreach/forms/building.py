"""Forms of these tests, built and published as anybody's are; and visitors who fill them in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from comity.consent.drafts import seen_of
from comity.consent.drafts import seen_of as seen_of_notice
from comity.consent.notices.actions import describe_draft as describe_notice
from comity.consent.notices.actions import start_notice, write_draft
from comity.consent.notices.models import NoticeVersion
from comity.outreach.campaigns.models import Imprint
from comity.outreach.forms.actions import describe_draft, publish, start_form
from comity.outreach.forms.looking import wrong_in
from comity.outreach.forms.models import FormVersion, Submission
from comity.outreach.forms.pages_sent import word_for
from comity.outreach.forms.writing import link_of
from comity.post.models import Dispatch, Gateway
from comity.staff.models import Entity, Staff
from tests.consent.notices.wordings import WHOLE, published
from tests.post.writing import way_out

YES: Final = {
    "en": "Yes, Comity Dublin Ltd may send me its newsletter by e-mail. "
    "I can withdraw this at any time, by the link in each message.",
    "de": "Ja, die Comity Dublin Ltd darf mir ihren Newsletter per E-Mail senden. Das kann ich jederzeit widerrufen, "
    "über den Link in jeder Nachricht.",
}
ADVERTS: Final = {
    "en": "Yes, Comity Dublin Ltd may use what I looked at to choose advertising for me. "
    "I can withdraw this at any time.",
    "de": "Ja, die Comity Dublin Ltd darf verwenden, was ich angesehen habe, um Werbung für mich zu wählen. "
    "Das kann ich jederzeit widerrufen.",
}


def ready_to_send(entity: Entity, *, port: int = 1) -> Gateway:
    Imprint.objects.create(entity=entity, address="news@comity.example", postal_address="1 Quay Street\nDublin")
    return way_out(entity, port=port)


def wording(
    entity: Entity, by: Staff, publisher: Staff, texts: dict[str, str] = YES, name: str = "Newsletter", **scope: Any  # noqa: ANN401 - of a version
) -> NoticeVersion:  # fmt: skip
    version = start_notice(entity=entity, kind="consent-wording", name=name, language="en", made_by=by)
    about = {"places": ["EEA"], "purpose": "marketing", "channels": ["email"], "recipient": ""} | scope
    version = describe_notice(
        version=version, scope=about, languages=list(texts), seen=seen_of_notice(version), written_by=by
    )
    return published(_written(version, {code: {"wording": text} for code, text in texts.items()}, by), publisher)


def privacy(entity: Entity, by: Staff, publisher: Staff) -> NoticeVersion:
    version = start_notice(entity=entity, kind="notice", name="Website", language="en", made_by=by)
    scope = {"places": [], "purpose": "", "channels": [], "recipient": ""}
    version = describe_notice(
        version=version, scope=scope, languages=["en", "de"], seen=seen_of_notice(version), written_by=by
    )
    return published(_written(version, {"en": WHOLE, "de": WHOLE}, by), publisher)


def _written(version: NoticeVersion, texts: dict[str, dict[str, str]], by: Staff) -> NoticeVersion:
    for code, parts in texts.items():
        version = write_draft(version=version, language=code, texts=parts, seen=seen_of_notice(version), written_by=by)
    return version


def made_of(notice: NoticeVersion, *asked: NoticeVersion, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - of a version
    return {
        "languages": ["en", "de"],
        "asks": [{"notice": str(one.ref), "channel": one.channels[0]} for one in asked],
        "fields": ["given", "family"], "needed": [], "places": ["DE", "FR", "IE", "JP"], "young": "not-asked",
        "notice": notice, "frames": [],
    } | more  # fmt: skip


def draft_form(entity: Entity, tom: Staff, vera: Staff, **more: Any) -> FormVersion:  # noqa: ANN401 - of a version
    notice, asked = privacy(entity, tom, vera), wording(entity, tom, vera)
    version = start_form(entity=entity, name="Newsletter page", language="en", made_by=tom)
    return describe_draft(
        version=version, made_of=made_of(notice, asked, **more), seen=seen_of(version), written_by=tom
    )


def published_form(version: FormVersion, vera: Staff, way: Gateway | None = None) -> FormVersion:
    ticks = {one.key: "looked at" for one in wrong_in(version) if one.level == "review"}
    way = way or Gateway.objects.get(entity=version.entity)
    return publish(version=version, gateway=way, ticks=ticks, seen=seen_of(version), published_by=vera)


def the_form(entity: Entity, tom: Staff, vera: Staff, **more: Any) -> FormVersion:  # noqa: ANN401 - of a version
    return published_form(draft_form(entity, tom, vera, **more), vera)


# ---------------------------------------------------------------- visitors


def word(version: FormVersion, *, language: str = "en", seconds: float = 60) -> str:
    """Return the word of a page that was shown so many seconds ago."""
    return word_for(version=version.ref, language=language, at=timezone.now() - timedelta(seconds=seconds))


def typed(version: FormVersion, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - what is typed
    return {
        "page": word(version), "language": "en", "email": "nina@kettle.example", "given": "Nina", "family": "Neumann",
        "place": "DE", "ask_0": "on", "homepage": "",
    } | more  # fmt: skip


def send(browser: Client, version: FormVersion, headers: dict[str, str] | None = None, **more: Any) -> HttpResponse:  # noqa: ANN401 - what is typed
    told = {name: text for name, text in typed(version, **more).items() if text is not None}
    answer: HttpResponse = browser.post(f"/form/{version.form_id}/", told, headers=headers or {})  # type: ignore[assignment]  # what Django's client gives
    return answer


def came() -> Submission:
    return Submission.objects.latest("said_at")


def link() -> str:
    """Return the path of the link by which the latest one is confirmed."""
    return link_of(Submission.objects.select_related("version__form").latest("said_at"))


def dispatch_to(person: UUID) -> Dispatch:
    return Dispatch.objects.select_related("entity", "staff", "gateway").get(about=person)


def link_in(text: str) -> str:
    """Return the path of the link in a message."""
    found = re.search(r"http\S+/form/confirm/[A-Za-z0-9_-]+/", text)
    assert found is not None, text
    return urlsplit(found[0]).path


__all__ = ["ADVERTS", "YES", "came", "describe_draft"]
