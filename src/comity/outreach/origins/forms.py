"""What somebody says who tells people where we have their data from."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class OriginSaid(forms.Form):
    """From whom the people of an import came."""

    source = forms.CharField(
        label=_("From whom the data came"), max_length=200,
        help_text=_("Who, and where they are: people read these very words. If it is public, say so, and where."),
    )  # fmt: skip
    name = forms.CharField(label=_("Name of the campaign"), max_length=80, help_text=_("Only staff see it."))


class SourceSaid(forms.Form):
    """From whom one person's data came."""

    source = forms.CharField(
        label=_("From whom the data came"), max_length=200,
        help_text=_("Who, and where they are: the person reads these very words. If it is public, say so, and where."),
    )  # fmt: skip
