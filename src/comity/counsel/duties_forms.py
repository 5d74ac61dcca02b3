"""What people type when they settle a duty: that it was done, that it is not owed, or facts that came later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from comity.counsel.asking import book
from comity.counsel.forms import day_picker, field_of, plain_value
from comity.counsel.reading import rules
from comity.law import FactError
from comity.law.conditions import Condition, tests
from comity.law.vocabulary import NOT_TESTED

if TYPE_CHECKING:
    from comity.counsel.models import OwedDuty
    from comity.law.lawbook import Duty, Rule

LONGEST: Final = 4000
UNASKED: Final = frozenset({"place", "age"})
"""Kinds of facts that are about single people, and so are no facts of an event that concerns many."""


class Done(forms.Form):
    """That a duty was done."""

    contained = forms.TypedMultipleChoiceField(
        label=_("What it contained"), widget=forms.CheckboxSelectMultiple, coerce=int, required=False,
        help_text=_("Tick what it had. What is left out stays visible in the history."),
    )  # fmt: skip
    done_on = forms.DateField(label=_("Done on"))
    words = forms.CharField(
        label=_("Where the proof lies"), widget=forms.Textarea(attrs={"rows": 3}), max_length=LONGEST,
        help_text=_("A file number, a mailing, a page. An authority may read it. Name nobody."),
    )  # fmt: skip

    def __init__(self, *args: Any, duty: OwedDuty, today: date, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        first, last = min(duty.event.on, today).isoformat(), today.isoformat()
        picker = day_picker()
        picker.attrs |= {"min": first, "max": last}
        self.fields["done_on"].widget, self.fields["done_on"].initial = picker, today
        contents = list(enumerate(duty.told["contents"]))
        if contents:
            self.fields["contained"].choices = contents  # type: ignore[attr-defined]  # a choice field
        else:
            del self.fields["contained"]


class NotOwed(forms.Form):
    """That a duty is not owed after all."""

    words = forms.CharField(
        label=_("Why it is not owed"), widget=forms.Textarea(attrs={"rows": 4}), max_length=LONGEST,
        help_text=_("Say which exception or fact, with the article. An authority may read it. Name nobody."),
    )  # fmt: skip


class OpenedAgain(forms.Form):
    """Why a settled duty is owed again."""

    words = forms.CharField(
        label=_("Why it is open again"), widget=forms.Textarea(attrs={"rows": 3}), max_length=LONGEST,
        help_text=_("Name nobody."),
    )  # fmt: skip


class Learnt(forms.Form):
    """Facts that came later, which the law weighs: a pause, an extension that was told, what was missing."""

    words = forms.CharField(
        label=_("Where this is known from"), widget=forms.Textarea(attrs={"rows": 2}), max_length=LONGEST,
        help_text=_("Name nobody."),
    )  # fmt: skip

    def __init__(self, *args: Any, duty: OwedDuty, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        known = {**duty.event.facts, **duty.learnt}
        words = self.fields.pop("words")
        for name in facts_that_count(duty):
            self.fields[name] = field_of(book().vocabulary.fact(name))
            self.fields[name].initial = _shown(known.get(name))
        self.fields["words"] = words

    def clean(self) -> dict[str, Any]:
        """Read each fact as the vocabulary does."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in self.facts.items():
            try:
                book().vocabulary.value(book().vocabulary.fact(name), value)
            except FactError as error:
                self.add_error(name, str(error))
        return cleaned

    @property
    def facts(self) -> dict[str, object]:
        """What was said."""
        told = {name: value for name, value in self.cleaned_data.items() if "." in name}
        return {name: plain_value(value) for name, value in told.items() if value not in {None, ""}}


def _shown(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def facts_that_count(duty: OwedDuty) -> list[str]:
    """Return the facts by which the law would count this duty otherwise: what is missing first, each once."""
    vocabulary = book().vocabulary.facts
    named = [*duty.told["missing"], *(name for rule in rules().get(duty.rule, []) for name in _of_rule(rule))]
    return [
        name
        for name in dict.fromkeys(named)
        if name in vocabulary and vocabulary[name].kind not in NOT_TESTED | UNASKED and name != "event.on"
    ]


def _of_rule(rule: Rule) -> Iterator[str]:
    if rule.duty is not None:
        yield from _dates(rule.duty)
        yield from (name for pause in rule.duty.pauses for name in _asked(pause.when))
        yield from (name for extension in rule.duty.extensions for name in _asked(extension.when))
        yield from (name for stop in rule.duty.stops for name in _asked(stop.when))


def _dates(duty: Duty) -> Iterator[str]:
    for pause in duty.pauses:
        yield from (pause.start, pause.until)
    yield from (extension.told for extension in duty.extensions)
    yield from (*duty.start, *duty.not_after)


def _asked(condition: Condition) -> Iterator[str]:
    return (test.fact for test in tests(condition))
