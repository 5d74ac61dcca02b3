"""What people type when they ask the law, and when they settle what it leaves open."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from comity.counsel.actions import LONGEST_RULING
from comity.counsel.asking import book
from comity.counsel.questions import Question
from comity.counsel.reading import every_place
from comity.law import FactError
from comity.law.vocabulary import NOT_TESTED, Fact
from comity.refs import read_ref
from comity.staff.models import Staff

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import QueryDict

    from comity.staff.models import Entity

YES_NO: Final = [("", _("not known")), ("true", _("Yes")), ("false", _("No"))]
FIRST: Final = ("use.operation", "use.purpose", "use.channel")
USUAL: Final = {"use.operation": "contact", "use.purpose": "marketing", "use.channel": "email"}
GROUPS: Final = {
    "use": _("More about the use"),
    "data": _("The data that is used"),
    "actor": _("Whoever acts"),
    "person": _("The person"),
    "consent": _("What the person agreed to"),
    "relation": _("How the person knows us"),
}
"""The namespaces of the vocabulary that a question can be asked with. What is so of us, the entity says."""
ABOUT_USE: Final = frozenset({"use", "data", "actor"})


# ---------------------------------------------------------------- may we?


class MayWe(forms.Form):
    """A question to the law, with a field for each fact of the vocabulary."""

    def __init__(self, data: QueryDict | None, *, entities: QuerySet[Entity], today: date) -> None:
        super().__init__(data, initial={**USUAL, "day": today, "entity": entities.first()})
        facts = book().vocabulary.facts
        self.fields["entity"] = forms.ModelChoiceField(label=_("For"), queryset=entities, empty_label=None)
        for name in FIRST:
            self.fields[name] = TermField(label=TITLES[name], choices=[(one, one) for one in facts[name].choices])
        self.fields["person.home"] = forms.ChoiceField(
            label=_("Where the person lives"), required=False, choices=[("", _("not known")), *every_place()]
        )
        self.fields["day"] = forms.DateField(label=_("As of"), widget=day_picker())
        for fact in _offered():
            self.fields[fact.name] = field_of(fact)

    def clean(self) -> dict[str, Any]:
        """Read each fact as the vocabulary does."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self._told():
            try:
                book().vocabulary.value(book().vocabulary.fact(name), cleaned[name])
            except FactError as error:
                self.add_error(name, str(error))
        return cleaned

    def _told(self) -> list[str]:
        return [name for name, value in self.cleaned_data.items() if "." in name and value not in {None, ""}]

    @property
    def question(self) -> Question:
        """The question that was asked."""
        told = self.cleaned_data
        more = {name: plain_value(told[name]) for name in self._told() if _about_use(name) and name not in FIRST}
        recipient = str(more.pop("use.recipient", "none"))
        operation, purpose, channel = (told[name] for name in FIRST)
        return Question(
            operation=operation, purpose=purpose, channel=channel, entity=told["entity"].ref, recipient=recipient,
            more=more,
        )  # fmt: skip

    @property
    def about_person(self) -> dict[str, object]:
        """What was said of the person."""
        return {name: plain_value(self.cleaned_data[name]) for name in self._told() if not _about_use(name)}

    @property
    def main_fields(self) -> list[forms.BoundField]:
        """What every question has."""
        return [self[name] for name in ("entity", *FIRST, "person.home", "day")]

    @property
    def groups(self) -> list[dict[str, object]]:
        """The facts in groups; one in which something was said is open."""
        names = {space: [fact.name for fact in _offered() if fact.namespace == space] for space in GROUPS}
        return [
            {
                "name": GROUPS[space],
                "fields": [self[name] for name in names[space]],
                "open": any(self[name].value() or self[name].errors for name in names[space]),
            }
            for space in GROUPS
        ]


TITLES: Final = {
    "use.operation": _("What we want to do"),
    "use.purpose": _("What for"),
    "use.channel": _("By which channel"),
}


def _about_use(name: str) -> bool:
    return name.partition(".")[0] in ABOUT_USE


def plain_value(value: object) -> object:
    """Return a cleaned value as JSON has it."""
    return value.isoformat() if isinstance(value, date) else value


def _offered() -> list[Fact]:
    facts = book().vocabulary.facts.values()
    asked_first = {*FIRST, "person.home"}
    return [
        fact
        for fact in facts
        if fact.namespace in GROUPS and fact.name not in asked_first and fact.kind not in NOT_TESTED
    ]


def field_of(fact: Fact) -> forms.Field:
    """Return a field for a fact; its question is the vocabulary's own sentence."""
    said: dict[str, Any] = {"label": fact.means, "required": False}
    match fact.kind:
        case "bool":
            return forms.ChoiceField(choices=YES_NO, **said)
        case "choice":
            return forms.ChoiceField(choices=[("", _("not known")), *((one, one) for one in fact.choices)], **said)
        case "number":
            return forms.FloatField(min_value=0, help_text=fact.unit, **said)
        case "date":
            return forms.DateField(widget=day_picker(), **said)
        case "age":
            return forms.CharField(help_text=_("In completed years, such as 15, or 15-17."), max_length=20, **said)
    return forms.CharField(help_text=_("Codes of ISO 3166, such as DE or US-CA|US-NV."), max_length=200, **said)


class TermSelect(forms.Select):
    """A menu of words of the law, shown as people say them."""

    option_template_name = "counsel/term_option.html"


class TermField(forms.ChoiceField):
    """A choice among words of the law."""

    widget = TermSelect


def day_picker() -> forms.DateInput:
    """Return a field in which a day is picked."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


# ---------------------------------------------------------------- what a human settles

PLACES, PERSON = "places", "person"


class RulingMade(forms.Form):
    """What a human answers to a question that the law leaves open."""

    scope = forms.ChoiceField(label=_("For whom"), widget=forms.RadioSelect)
    person = forms.CharField(
        label=_("Which person"), required=False, max_length=40,
        widget=forms.TextInput(attrs={"list": "people-asked", "autocomplete": "off"}),
        help_text=_("Their ref, for a ruling about one person: one of those below."),
    )  # fmt: skip
    ends_on = forms.DateField(
        label=_("Until"), widget=day_picker(), help_text=_("Not including that day; two years from today at most.")
    )
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea,
        max_length=4000,
        help_text=_("Whoever asks “Why?” reads it, and so will an authority. Name nobody."),
    )

    def __init__(self, *args: Any, places: str, today: date, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        one = (PERSON, pgettext_lazy("scope of a ruling", "for one person alone"))
        everybody = [(PLACES, _("for everybody who lives in %(places)s") % {"places": places})] if places else []
        self.fields["scope"].choices = [*everybody, one]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["scope"].initial = PLACES if places else PERSON
        picker = self.fields["ends_on"].widget
        picker.attrs |= {"min": today.isoformat(), "max": (today + LONGEST_RULING).isoformat()}

    def clean(self) -> dict[str, Any]:
        """Read the ref of the person."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("scope") == PERSON:
            try:
                cleaned["person"] = read_ref(cleaned.get("person", ""))
            except ValueError:
                self.add_error("person", _("Give the ref of a person, as the list below has it."))
        return cleaned

    @property
    def about(self) -> UUID | None:
        """The one person for whom it is, or nobody: for the places."""
        return self.cleaned_data["person"] if self.cleaned_data["scope"] == PERSON else None


class ClosedWithWords(forms.Form):
    """Why a question waits no longer, and stays a no."""

    words = forms.CharField(
        label=_("Why it stays a no"), widget=forms.Textarea, max_length=4000, help_text=_("Name nobody.")
    )


class GivenTo(forms.Form):
    """To whom a question is given."""

    to = forms.ModelChoiceField(
        label=_("Given to"), queryset=Staff.objects.none(), required=False, empty_label=_("nobody yet")
    )

    def __init__(self, *args: Any, staff: QuerySet[Staff], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["to"].queryset = staff  # type: ignore[attr-defined]  # a ModelChoiceField
