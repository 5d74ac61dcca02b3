"""What staff write of policies: after how long quiet prospects go, and when keys are turned over and destroyed."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from comity.retention.schedule.models import KeyPolicy, QuietPolicy


class QuietGiven(forms.ModelForm):  # type: ignore[type-arg]  # Django's own takes none when it runs
    """Whether, and after how long, an entity's quiet prospects are erased."""

    class Meta:
        model = QuietPolicy
        fields = ["on", "months", "ahead"]
        help_texts = {
            "months": _("Where the law of somebody's home says less, that counts."),
            "ahead": _("So long there is to look at the numbers and stop it."),
        }


class KeysGiven(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """How often keys are turned over, and how long backups are kept; and why, for the second person."""

    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=2_000,
        help_text=_("The second person reads it before they approve."),
    )  # fmt: skip

    class Meta:
        model = KeyPolicy
        fields = ["turn_every", "backups_kept", "copies_kept"]
        help_texts = {
            "backups_kept": _("After so long an old key is destroyed, and no backup of its time opens any more."),
            "copies_kept": _("A copy of the folder still has the destroyed key. 0 where it is never copied."),
        }
