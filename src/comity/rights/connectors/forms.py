"""What somebody types who connects another system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from comity.rights.connectors.models import Sort, System

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.staff.models import Entity

LONGEST_PASSWORD = 500


class SystemGiven(forms.ModelForm):  # type: ignore[type-arg]  # Django's own takes none when it runs
    """A system: where it is, what it holds, and by what we sign in."""

    password = forms.CharField(
        label=_("Password or secret"), max_length=LONGEST_PASSWORD, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("It lies in a file beside the keys, and is shown nowhere. Empty: the one there is stays."),
    )  # fmt: skip

    class Meta:
        model = System
        fields = ("entity", "name", "sort", "address", "describes")
        widgets = {"describes": forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "code"})}
        help_texts = {
            "address": _(
                "A database: postgresql://name@server/database. A folder: its whole path. A service: https://…"
            ),
            "describes": _("A dataset in fideslang YAML: tables, columns, what each says of whom, what leads where."),
        }

    def __init__(self, *args: Any, entities: QuerySet[Entity], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["entity"].queryset = entities  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["entity"].empty_label = None  # type: ignore[attr-defined]  # as above
        self.fields["entity"].label = _("Holds people of")
        self.fields["sort"].choices = Sort.choices  # type: ignore[attr-defined]  # a choice field
        if self.instance.ref and not self.instance._state.adding:  # noqa: SLF001 - Django says so
            del self.fields["entity"], self.fields["sort"]

    def _post_clean(self) -> None:
        """Leave what is wrong with a system to the action, which also knows the other systems."""


class WhyErased(forms.Form):
    """Why somebody is erased in the other systems: for the second person."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
