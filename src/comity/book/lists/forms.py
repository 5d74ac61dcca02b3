"""What people type about their lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from comity.book.lists.models import LONGEST_QUERY, Deed
from comity.book.queries import tags_seen_by
from comity.vault.exactly import LONGEST

if TYPE_CHECKING:
    from comity.book.opening import Look

LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
MOST_TAGS: Final = 300
"""Tags that are offered; another is typed."""


class ViewForm(forms.Form):
    """A view's name, and who sees it."""

    name = forms.CharField(label=_("Name"), max_length=60)
    shared = forms.BooleanField(
        label=_("Share it with all who act for this entity"), required=False,
        help_text=_("They see its name and its filters; whom they then see follows from their own roles."),
    )  # fmt: skip
    first = forms.BooleanField(label=_("Open it first for me"), required=False)


class ExactForm(forms.Form):
    """What somebody has exactly. What is typed is sent in the form's body, and stands in no address."""

    part = forms.ChoiceField(label=_("Which field"))
    value = forms.CharField(
        label=_("Is exactly"), max_length=LONGEST, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("It is sealed, and shown to nobody who may not see it of the people it finds."),
    )  # fmt: skip

    def __init__(self, parts: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - what a form takes
        super().__init__(*args, **kwargs)
        self.fields["part"].choices = parts  # type: ignore[attr-defined]  # a ChoiceField


class QueryForm(forms.Form):
    """The query of an address, as a page hands it on."""

    query = forms.CharField(max_length=LONGEST_QUERY, required=False, widget=forms.HiddenInput)


class DeedForm(forms.Form):
    """What is done with many people: the tag, or the language."""

    value = forms.CharField(max_length=60)

    def __init__(self, deed: Deed, look: Look, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - what a form takes
        super().__init__(*args, **kwargs)
        self.deed = deed
        field = self.fields["value"]
        field.label = _("Language") if deed == Deed.LANGUAGE else _("Tag")
        if deed == Deed.LANGUAGE:
            field.help_text = _("As language tags are written: de, en-GB, zh-Hans.")
        else:
            field.widget.attrs["list"] = "tags"
            self.offered = list(tags_seen_by(look.viewer, look.entity).values_list("name", flat=True)[:MOST_TAGS])

    def clean_value(self) -> str:
        """Take a language as the law's packs write it: in small letters."""
        value = str(self.cleaned_data["value"]).strip()
        if self.deed != Deed.LANGUAGE:
            return value
        if not LANGUAGE.fullmatch(value.lower()):
            raise ValidationError(_("This is no language tag; write it like de or en-GB."))
        return value
