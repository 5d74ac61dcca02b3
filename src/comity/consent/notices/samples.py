"""Notices for the demo: drafted and published as anybody's are, so that they say what the law wants."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from comity.consent.drafts import seen_of
from comity.consent.notices.actions import describe_draft, draft_again, publish, start_notice, write_draft
from comity.consent.notices.looking import wrong_in

if TYPE_CHECKING:
    from comity.consent.notices.models import NoticeVersion
    from comity.staff.models import Entity, Staff

FILE: Final = Path(__file__).with_name("samples.toml")
LOOKED_AT: Final = "Looked at with counsel for the demo; the text stands as it is."
GOES_ON: Final = "Newsletter"
"""The notice of which a second version is being drafted."""
PARTNERS: Final = "Yes, Comity Dublin Ltd and its partners may send me their newsletters by e-mail."
"""What the new draft says so far: the law misses something in it."""


def publish_samples(*, entities: Iterable[Entity], drafted_by: Staff, published_by: Staff) -> list[NoticeVersion]:
    """Publish the samples of these entities, by their place; the caller stands behind their wall."""
    by_place = {entity.place: entity for entity in entities}
    told = tomllib.loads(FILE.read_text("utf-8"))["notice"]
    made = [
        _published(one, by_place[one["place"]], drafted_by, published_by) for one in told if one["place"] in by_place
    ]
    for version in made:
        if version.notice.name == GOES_ON:
            again = draft_again(notice=version.notice, drafted_by=drafted_by)
            _write(again, "en", {"wording": PARTNERS}, drafted_by)
    return made


def _published(told: Mapping[str, Any], entity: Entity, drafted_by: Staff, published_by: Staff) -> NoticeVersion:
    languages = told["languages"]
    version = start_notice(
        entity=entity, kind=told["kind"], name=told["name"], language=languages[0], made_by=drafted_by
    )
    scope = {
        "places": told.get("places", []), "purpose": told.get("purpose", ""), "channels": told.get("channels", []),
        "recipient": told.get("recipient", ""),
    }  # fmt: skip
    version = describe_draft(
        version=version, scope=scope, languages=languages, seen=seen_of(version), written_by=drafted_by
    )
    for language in languages:
        version = _write(version, language, told[language], drafted_by)
    ticks = {one.key: LOOKED_AT for one in wrong_in(version) if one.level == "review"}
    return publish(version=version, begins_at=None, ticks=ticks, seen=seen_of(version), published_by=published_by)


def _write(version: NoticeVersion, language: str, texts: Mapping[str, str], by: Staff) -> NoticeVersion:
    return write_draft(version=version, language=language, texts=texts, seen=seen_of(version), written_by=by)
