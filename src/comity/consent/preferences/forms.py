"""What somebody types who has no link: which address is to be left alone, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.models import Reach
from comity.consent.preferences.choices import open_entities
from comity.consent.suppression.marks import Mark, Unclear, mark_of

LONGEST = 320
ALL = "all"


class WithoutLink(forms.Form):
    """An e-mail address or a phone number; it is hashed at once, and nobody keeps what was typed."""

    address = forms.CharField(
        label=_("E-mail address or phone number"), max_length=LONGEST,
        help_text=_("A number with its calling code, such as +49 30 5550199."),
        widget=forms.TextInput(attrs={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"}),
    )  # fmt: skip
    entity = forms.ChoiceField(label=_("Who shall not use it any more"))

    def __init__(self, data: Mapping[str, Any] | None) -> None:
        super().__init__(data)
        self.entities = open_entities()
        choices = [(str(entity.ref), entity.name) for entity in self.entities]
        several = [(ALL, _("All of these firms"))] if len(choices) > 1 else []
        self.fields["entity"].choices = [*several, *choices]  # type: ignore[attr-defined]  # a ChoiceField

    def clean_address(self) -> Mark:
        """Return the mark of the address."""
        typed = self.cleaned_data["address"]
        try:
            return mark_of(Reach.EMAIL if "@" in typed else Reach.PHONE, typed)
        except Unclear:
            raise ValidationError(
                say("Write an e-mail address like name@example.com, or a number with its calling code, like +49 30 …")
            ) from None

    def clean(self) -> dict[str, Any]:
        """Return the mark, and the entities that are to leave it alone."""
        chosen = self.cleaned_data.get("entity")
        mine = [entity for entity in self.entities if chosen in {ALL, str(entity.ref)}]
        return {**self.cleaned_data, "entities": mine, "mark": self.cleaned_data.get("address")}
