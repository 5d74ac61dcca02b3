"""What people type on their own pages: an address, a code, what is to stop, what they ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from comity.book.models import Reach
from comity.consent.suppression.marks import Mark, Unclear, mark_of
from comity.rights.portal.asking import Wish
from comity.rights.portal.stopping import CHOICES

LONGEST: Final = 254
LONGEST_WORDS: Final = 5_000


class Address(forms.Form):
    """An e-mail address. Of whom it is, is not looked up."""

    address = forms.CharField(
        label=_("Your e-mail address"), max_length=LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"}),
    )  # fmt: skip

    def clean_address(self) -> str:
        """Refuse what is no address, or could end a line of a message."""
        typed: str = self.cleaned_data["address"].strip()
        try:
            self.mark = mark_of(Reach.EMAIL, typed)
        except Unclear:
            raise ValidationError(_("Write an e-mail address like name@example.com.")) from None
        if not typed.isprintable() or not typed.rpartition("@")[0].isascii():
            raise ValidationError(_("Write an e-mail address like name@example.com."))
        return typed

    mark: Mark


class Typed(forms.Form):
    """The digits of a code."""

    code = forms.CharField(
        label=_("Code from the message"), max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}),
    )  # fmt: skip


class Stopping(Address):
    """An address, and what is to stop."""

    field_order = ("address", "what")
    what = forms.MultipleChoiceField(
        label=_("What shall stop"), choices=[(each.value, title) for each, (title, _says) in CHOICES.items()],
        widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Tick what shall stop.")},
    )  # fmt: skip


class Wished(forms.Form):
    """What somebody asks, in their own words where words are needed."""

    def __init__(self, data: Mapping[str, Any] | None, *, wish: Wish) -> None:
        super().__init__(data)
        if wish.id == "correct":
            self._add_corrections()
        if wish.words is not None:
            area = forms.Textarea(attrs={"rows": 5})
            self.fields["words"] = forms.CharField(
                label=wish.words, required=wish.needed, max_length=LONGEST_WORDS, widget=area
            )

    def _add_corrections(self) -> None:
        for name, label in CORRECTED.items():
            self.fields[name] = forms.CharField(label=label, required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        """Ask that something is written where there is something to correct."""
        held = super().clean() or self.cleaned_data
        if "given" in self.fields and not any(held.values()):
            raise ValidationError(_("Write what is to be corrected."))
        return held

    @property
    def said(self) -> str:
        """What was written, in lines as whoever answers reads it."""
        held = self.cleaned_data
        lines = [f"{label}: {held[name]}" for name, label in CORRECTED.items() if held.get(name)]
        return "\n".join([*lines, *filter(None, [held.get("words", "")])])

    @property
    def corrects(self) -> list[str]:
        """Which of the named things are to be corrected."""
        return [name for name in CORRECTED if self.cleaned_data.get(name)]


CORRECTED: Final = {
    "given": _("First name"), "family": _("Last name"), "email": _("E-mail address"), "phone": _("Phone number"),
    "post": _("Postal address"),
}  # fmt: skip
