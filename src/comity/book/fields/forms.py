"""What people type about custom fields, into them, and which files they add."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.editing.forms import YES_NO, DayPicker, Kept, chosen
from comity.book.fields.actions import LARGEST_FILE
from comity.book.fields.models import LONGEST_CHOICE, LONGEST_NAME, CustomField, Sensitivity, Sort
from comity.staff.models import Entity

if TYPE_CHECKING:
    from django.core.files.base import File as Held
    from django.db.models import QuerySet

LONGEST_TEXT: Final = 5_000
MOST_CHOICES: Final = 200
LONGEST_FILE_NAME: Final = 255


class Described(forms.Form):
    """What may be changed of a custom field once it is there."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    says = forms.CharField(
        label=_("What to fill in"), max_length=200, required=False, help_text=_("Shown below the field.")
    )
    choices = forms.CharField(
        label=_("Choices"), required=False, widget=forms.Textarea,
        help_text=_("One a line, at least two. Only for one of a list."),
    )  # fmt: skip
    months = forms.IntegerField(
        label=_("Kept for so many months"), min_value=1, max_value=1200, required=False,
        help_text=_("After it was filled in. Empty: for as long as the person is in the book."),
    )  # fmt: skip
    why = forms.CharField(
        label=_("What we need it for"), max_length=300,
        help_text=_("Only what a purpose needs may be kept (GDPR Art. 5(1)(c); PIPL Art. 6)."),
    )  # fmt: skip

    @property
    def sort(self) -> str:
        """What the field holds."""
        return str(self.initial.get("sort", ""))

    def clean_choices(self) -> list[str]:
        """Return the choices, each once, in their order."""
        lines = (line.strip() for line in self.cleaned_data["choices"].splitlines())
        found = list(dict.fromkeys(line for line in lines if line))
        if too_long := next((one for one in found if len(one) > LONGEST_CHOICE), None):
            raise forms.ValidationError(
                say("%(choice)s … is longer than %(n)d letters.") % {"choice": too_long[:30], "n": LONGEST_CHOICE}
            )
        if len(found) > MOST_CHOICES:
            raise forms.ValidationError(say("These are more than %(n)d choices.") % {"n": MOST_CHOICES})
        return found

    def clean(self) -> dict[str, Any]:
        """See that there are choices where, and only where, the field is one of a list."""
        told: dict[str, Any] = super().clean() or self.cleaned_data
        many = len(told.get("choices") or [])
        if self.sort == Sort.CHOICE and many < 2:  # noqa: PLR2004 - one choice is none
            self.add_error("choices", say("One of a list takes at least two choices."))
        if self.sort != Sort.CHOICE and many:
            self.add_error("choices", say("Only one of a list has choices; leave this empty."))
        return told


class Made(Described):
    """A custom field that is to be made."""

    entity = forms.ModelChoiceField(label=_("For people of"), queryset=Entity.objects.none(), empty_label=None)
    sort_of = forms.ChoiceField(label=_("Holds"), choices=Sort.choices, widget=forms.RadioSelect, initial=Sort.TEXT)
    sensitivity = forms.ChoiceField(
        label=_("How sensitive"), choices=Sensitivity.choices, widget=forms.RadioSelect, initial=Sensitivity.NOTE,
        help_text=_("Holds and sensitivity cannot be changed afterwards: values are kept by them."),
    )  # fmt: skip

    field_order = ("entity", "name", "sort_of", "choices", "sensitivity", "why", "says", "months")

    def __init__(self, *args: Any, entities: QuerySet[Entity], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["entity"].queryset = entities  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["entity"].initial = entities.first()

    @property
    def sort(self) -> str:
        """What the field is to hold."""
        return str(self.cleaned_data.get("sort_of", ""))

    def clean(self) -> dict[str, Any]:
        """Refuse text in the plain."""
        told = super().clean()
        if told.get("sort_of") == Sort.TEXT and told.get("sensitivity") == Sensitivity.PLAIN:
            self.add_error("sensitivity", say("Text may name somebody, so it is sealed: take a note or an identifier."))
        return told

    @property
    def told(self) -> dict[str, object]:
        """What was said, by the names of the columns."""
        said = {name: value for name, value in self.cleaned_data.items() if name not in {"entity", "sort_of"}}
        return {**said, "sort": self.sort}


def said_of(field: CustomField) -> dict[str, object]:
    """Return what a form about a field starts with."""
    return {
        "name": field.name, "says": field.says, "choices": "\n".join(field.choices), "months": field.months,
        "why": field.why, "sort": field.sort,
    }  # fmt: skip


# ---------------------------------------------------------------- values


class Value(Kept):
    """What a custom field holds of one person; `version` says what stood there when the form was opened."""

    version = forms.CharField(required=False, widget=forms.HiddenInput, max_length=32)

    def __init__(self, data: Mapping[str, Any] | None, *, initial: Mapping[str, Any], field: CustomField) -> None:
        self.base_fields = {"value": _input(field), **self.base_fields}  # type: ignore[misc]  # for this form alone
        super().__init__(data, initial=initial, name="field")
        self.field = field

    @property
    def told(self) -> object:
        """The value as it is kept: text, a number or day written out, a truth; None for nothing."""
        value = self.cleaned_data["value"]
        match self.field.sort:
            case Sort.TRUTH:
                return chosen(value)
            case Sort.NUMBER if isinstance(value, Decimal):
                return f"{value:f}"
            case Sort.DAY if isinstance(value, date):
                return value.isoformat()
        return value or None


def _input(field: CustomField) -> forms.Field:
    more: dict[str, Any] = {"label": field.name, "required": False, "help_text": field.says}
    match field.sort:
        case Sort.NUMBER:
            return forms.DecimalField(max_digits=24, decimal_places=8, **more)
        case Sort.DAY:
            return forms.DateField(widget=DayPicker(), **more)
        case Sort.TRUTH:
            return forms.ChoiceField(choices=YES_NO, **more)
        case Sort.CHOICE:
            return forms.ChoiceField(choices=[("", _("not known")), *((one, one) for one in field.choices)], **more)
    long = field.sensitivity in {Sensitivity.NOTE, Sensitivity.SPECIAL, Sensitivity.ADDRESS}
    return forms.CharField(max_length=LONGEST_TEXT, widget=forms.Textarea if long else forms.TextInput, **more)


def initial_of(field: CustomField, value: object) -> object:
    """Return a kept value as its form shows it."""
    if field.sort == Sort.TRUTH and value is not None:
        return str(value).lower()
    if field.sort == Sort.DAY and value:
        return date.fromisoformat(str(value))
    return value


class File(forms.Form):
    """A file that is to be kept about somebody."""

    file = forms.FileField(
        label=_("File"), max_length=LONGEST_FILE_NAME,
        help_text=_("At most 10 megabytes. Its name and contents are sealed under this person's key."),
    )  # fmt: skip

    def clean_file(self) -> Held[bytes]:
        """Refuse what is too large before it is read."""
        found: Held[bytes] = self.cleaned_data["file"]
        if (found.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(say("A file has at least one byte, and at most 10 megabytes."))
        return found
