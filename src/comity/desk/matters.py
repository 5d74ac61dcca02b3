"""What a duty can be about, in words and with an address: an import, or one person. Counsel itself knows neither."""

from __future__ import annotations

from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from comity.book.imports.models import Import
from comity.book.models import Person


def matter(ref: UUID) -> tuple[str, str] | None:
    """Return what this is and where it is shown; nothing where it is neither, or not for these eyes."""
    if Person.objects.filter(ref=ref).exists():
        return _("One person"), reverse("desk:person", args=[ref])
    if Import.objects.filter(ref=ref).exists():
        try:
            return _("An import"), reverse("book:import-one", args=[ref])
        except NoReverseMatch:
            return None
    return None
