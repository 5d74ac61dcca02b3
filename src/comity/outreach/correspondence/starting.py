"""Texts that somebody may begin from: templates by e-mail of the entity they write for, in each language they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from comity.outreach.campaigns.queries import content_of, templates_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comity.outreach.campaigns.models import Template
    from comity.staff.models import Entity, Staff


@dataclass(frozen=True, kw_only=True)
class Start:
    """A text to begin from, in one language. It may have the places of any content."""

    id: str
    name: str
    language: str
    subject: str
    body: str


def starts_for(viewer: Staff, entity: Entity) -> list[Start]:
    """Return all texts to begin from, of those that somebody may see."""
    templates = templates_of(viewer).filter(entity=entity, channel="email").prefetch_related("versions")
    return [start for template in templates for start in _starts(template)]


def _starts(template: Template) -> Iterator[Start]:
    content = content_of(template)
    for language, wording in sorted(content.wordings.items()) if content else ():
        yield Start(
            id=f"{template.ref}/{language}", name=template.name, language=language, subject=wording.subject,
            body=wording.body,
        )  # fmt: skip
