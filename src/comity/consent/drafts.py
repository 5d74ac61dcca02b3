"""What is written in versions: a draft changes only under whoever saw it as it is; what was published never changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.consent.notices.looking import Wrong


class Draft(Protocol):
    """A version of something that people are shown."""

    pk: Any
    changed_at: datetime
    published_at: datetime | None

    def save(self) -> None:
        """Write it."""


AnyDraft = TypeVar("AnyDraft", bound=Draft)


class NotPublished(ValidationError):
    """It stays a draft; the message says what is wrong."""


class ChangedMeanwhile(ValidationError):
    """Somebody else changed the draft since it was shown."""


def seen_of(version: Draft) -> str:
    """Return which state of a draft a page shows: what is written over it later must have seen it."""
    return version.changed_at.isoformat()


def lock_draft(rows: QuerySet[Any], version: AnyDraft, seen: str) -> AnyDraft:
    """Lock the row of a draft that is still as it was seen. Raises ChangedMeanwhile."""
    draft: AnyDraft | None = rows.select_for_update(of=("self",)).filter(pk=version.pk).first()
    if draft is None:
        raise ChangedMeanwhile(_("This draft was thrown away meanwhile."))
    if draft.published_at is not None:
        raise ChangedMeanwhile(_("This version was published meanwhile and never changes. Begin a new draft."))
    if seen_of(draft) != seen:
        raise ChangedMeanwhile(
            _("Somebody else changed this draft meanwhile. Your words still stand here; look at theirs in another tab.")
        )
    return draft


def keep_draft(draft: AnyDraft) -> AnyDraft:
    """Write a draft that was changed."""
    draft.changed_at = timezone.now()
    draft.save()
    return draft


def settled(wrong: Sequence[Wrong], ticks: Mapping[str, str]) -> list[dict[str, str]]:
    """Return what a human judged, with why it is in order, as it is kept of what is published.

    Raises NotPublished where something is wrong, or was not judged.
    """
    if errors := [one for one in wrong if one.level == "error"]:
        raise NotPublished([f"{one.cite}: {one.what or one.says}" if one.cite else one.says for one in errors])
    if [one for one in wrong if not ticks.get(one.key, "").strip()]:
        raise NotPublished(_("Say of each point that only a human can judge why it is in order."))
    return [{"key": one.key, "cite": one.cite, "why": ticks[one.key].strip()} for one in wrong]


def fingerprint(told: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 of what people are shown: as JSON in UTF-8, keys sorted, without spaces."""
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()
