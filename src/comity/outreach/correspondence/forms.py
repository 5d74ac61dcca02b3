"""What somebody says who writes to one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from comity.outreach.campaigns.forms import LANGUAGES
from comity.outreach.composing.content import nearest_language, problems
from comity.outreach.correspondence.models import Occasion
from comity.outreach.correspondence.queries import ways_of
from comity.outreach.correspondence.writing import words_of
from comity.post.models import Gateway

if TYPE_CHECKING:
    from comity.outreach.composing.content import Content
    from comity.staff.models import Entity

ROWS: Final = 12


class MailWritten(forms.Form):
    """A mail to one person."""

    occasion = forms.ChoiceField(label=_("Why you write"), choices=Occasion.choices)
    gateway = forms.ModelChoiceField(label=_("Goes out by"), queryset=Gateway.objects.none(), empty_label=None)
    language = forms.ChoiceField(
        label=_("Language"), choices=[(code, LANG_INFO[code]["name_local"]) for code in LANGUAGES],
        help_text=_("In which you write, and in which what the law wants beside it is added."),
    )  # fmt: skip
    subject = forms.CharField(label=_("Subject"), max_length=200)
    body = forms.CharField(
        label=_("Message"), widget=forms.Textarea(attrs={"rows": ROWS}), max_length=20_000, strip=False,
        help_text=_("{given}, {family} and {entity} are filled in. What their law wants beside it is added by itself."),
    )  # fmt: skip
    answers = forms.CharField(
        label=_("Answers the mail"), max_length=400, required=False,
        help_text=_("Its Message-ID, such as <a1@example.com>, so that mail programs show both together."),
    )  # fmt: skip

    def __init__(self, *args: Any, entity: Entity, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["gateway"].queryset = ways_of(entity)  # type: ignore[attr-defined]  # a ModelChoiceField
        self.initial["language"] = nearest_language(str(self.initial.get("language", "")), dict.fromkeys(LANGUAGES))

    @property
    def content(self) -> Content:
        """What it says."""
        told = self.cleaned_data
        return words_of(told["subject"], told["body"], told["language"])

    def clean(self) -> dict[str, Any]:
        """Show what must be mended where it stands."""
        told = super().clean() or {}
        if not self.errors:
            for problem in problems(self.content):
                if problem.level == "error":
                    self.add_error(problem.where, ValidationError(f"{problem.says} {problem.cure}"))
        return told
