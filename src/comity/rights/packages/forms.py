"""What staff type at a package: words that are about others, and why a large one is to go out."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

MOST_WORDS = 200


class Words(forms.Form):
    """Which words are about others and go, and which were taken for another's and stay; one on each line."""

    blacken = forms.CharField(
        label=_("Words that go"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Names and whatever else is about others, one on each line, just as it is written."),
    )  # fmt: skip
    keep = forms.CharField(
        label=_("Words that stay"), required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What was taken for another person's and is not, one on each line."),
    )  # fmt: skip

    def clean_blacken(self) -> list[str]:
        """Return the words, each once."""
        return _lines(self.cleaned_data["blacken"])

    def clean_keep(self) -> list[str]:
        """Return the words, each once."""
        return _lines(self.cleaned_data["keep"])


def _lines(text: str) -> list[str]:
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(lines) > MOST_WORDS:
        raise forms.ValidationError(_("These are too many lines: 200 are the most."))
    return lines


class WhyLarge(forms.Form):
    """Why a large package is to go out: a second person weighs it."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))
