"""What people type about tokens and webhooks."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from comity.api.events import KINDS
from comity.api.models import LONGEST
from comity.api.shapes import PURPOSES
from comity.staff.models import Entity, Staff
from comity.staff.roles import roles
from comity.staff.terms import term

if TYPE_CHECKING:
    from django.db.models import QuerySet

OFFERED = (
    "self.view", "person.view", "person.edit", "organisation.view", "organisation.edit", "consent.view",
    "decision.view", "law.view", "ledger.read",
)  # fmt: skip
"""The words that endpoints ask for."""


class NewToken(forms.Form):
    """Leave for a program."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Which program it is, and where it runs."))
    staff = forms.ModelChoiceField(
        label=_("In the name of"),
        queryset=Staff.objects.none(),
        help_text=_("They answer for it, and take it themselves."),
    )
    entity = forms.ModelChoiceField(label=_("For"), queryset=Entity.objects.none(), empty_label=None)
    words = forms.MultipleChoiceField(label=_("It may"), widget=forms.CheckboxSelectMultiple)
    purposes = forms.MultipleChoiceField(
        label=_("For the purposes"), widget=forms.CheckboxSelectMultiple, required=False
    )
    ends_on = forms.DateField(
        label=_("Until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("A year at most."),
    )

    def __init__(self, *args: Any, staff: QuerySet[Staff], entities: QuerySet[Entity], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["staff"].queryset = staff  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["entity"].queryset = entities  # type: ignore[attr-defined]  # as above
        words = roles().words
        self.fields["words"].choices = [(word, f"{word}: {gettext(words[word].says)}") for word in OFFERED]  # type: ignore[attr-defined]  # a choice field
        self.fields["purposes"].choices = [(purpose, term(purpose)) for purpose in PURPOSES]  # type: ignore[attr-defined]  # as above
        self.fields["ends_on"].initial = timezone.localdate() + timedelta(days=90)

    def clean_ends_on(self) -> datetime:
        """Return the last moment of that day."""
        day = self.cleaned_data["ends_on"]
        ends = timezone.make_aware(datetime.combine(day, time(23, 59, 59)))
        if not timezone.now() < ends <= timezone.now() + LONGEST:
            raise ValidationError(gettext_lazy("A token ends today at the earliest, and after a year at most."))
        return ends


class WebhookKept(forms.Form):
    """An address that is told of what happens."""

    name = forms.CharField(label=_("Name"), max_length=100)
    address = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("It begins with https://. No name of a person is ever sent there."),
    )
    entity = forms.ModelChoiceField(label=_("About people of"), queryset=Entity.objects.none(), empty_label=None)
    kinds = forms.MultipleChoiceField(label=_("It is told when"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, entities: QuerySet[Entity], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["entity"].queryset = entities  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["kinds"].choices = list(KINDS.items())  # type: ignore[attr-defined]  # a choice field
