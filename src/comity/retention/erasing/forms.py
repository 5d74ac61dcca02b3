"""What whoever erases somebody says."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from comity.retention.erasing.models import Why


class Planned(forms.Form):
    """Why somebody is to be erased."""

    why = forms.ChoiceField(
        label=_("Why"), widget=forms.RadioSelect, initial=Why.ASKED,
        choices=[(each.value, each.label) for each in (Why.ASKED, Why.MISTAKE, Why.OVERDUE)],
    )  # fmt: skip


class Reason(forms.Form):
    """What the second person weighs."""

    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000,
        help_text=_("The second person reads it before they approve. Name nobody in it: it stays when they are gone."),
    )  # fmt: skip
