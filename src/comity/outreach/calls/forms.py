"""What whoever called says of a call."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from comity.outreach.calls.models import Outcome, Recording


class CallEnded(forms.Form):
    """What came of a call."""

    outcome = forms.ChoiceField(label=_("What came of it"), choices=Outcome.choices, widget=forms.RadioSelect)
    call_back_at = forms.DateTimeField(
        label=_("Call back at"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("By your clock."),
    )  # fmt: skip
    recording = forms.ChoiceField(
        label=_("Recording"), choices=Recording.choices, widget=forms.RadioSelect, initial=Recording.NOT
    )

    def clean(self) -> dict[str, Any]:
        """Want a time where they want to be called back, and only there."""
        told = super().clean() or {}
        if told.get("outcome") == Outcome.CALL_BACK and not told.get("call_back_at"):
            self.add_error("call_back_at", _("Say when they want to be called back."))
        if told.get("outcome") != Outcome.CALL_BACK:
            told["call_back_at"] = None
        return told
