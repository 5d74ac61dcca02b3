"""What somebody says who makes a sequence: what begins it, its steps, what ends it early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.lists.models import SavedView
from comity.book.models import Doing
from comity.counsel.conditions import ConditionError, read
from comity.outreach.campaigns.forms import LanguageAdded, WordsGiven
from comity.outreach.sequences.exits import CHOSEN
from comity.outreach.sequences.models import LONGEST_CONDITION, Kind, Sequence, Step, Version
from comity.outreach.sequences.queries import MINUTES, ways_of
from comity.outreach.sequences.triggers import TRIGGERS, day_choices
from comity.post.models import Gateway
from comity.staff.terms import term

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as Several

    from comity.staff.models import Entity, Staff

UNITS: Final = [("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days of 24 hours"))]
CONDITION: Final = _(
    "In the words of the law, as in relation.customer or days_since(relation.last_purchase_on) < 30. What is not known "
    "counts against going on."
)

__all__ = ["LanguageAdded"]


def _condition(text: str) -> str:
    """Return a condition that can be read."""
    try:
        read(text) if text else None
    except ConditionError as error:
        raise ValidationError(str(error)) from None
    return text


class SequenceBegun(forms.Form):
    """What a sequence is called, for whom and for what."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Only staff see it."))
    entity = forms.ChoiceField(label=_("For"))
    purpose = forms.ChoiceField(label=_("What it is for"), help_text=_("The law is asked about just this purpose."))

    def __init__(
        self, *args: Any, entities: Several[Entity], purposes: Several[str], **more: Any  # noqa: ANN401 - a form's own
    ) -> None:  # fmt: skip
        super().__init__(*args, **more)
        self.fields["entity"].choices = [(str(one.ref), one.name) for one in entities]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["purpose"].choices = [(one, term(one)) for one in purposes]  # type: ignore[attr-defined]  # as above


class WhenGiven(forms.Form):
    """What begins a sequence. Only what the chosen kind asks for is read."""

    kind = forms.ChoiceField(
        label=_("It begins when"), choices=[(one.id, one.title) for one in TRIGGERS.values()],
        widget=forms.RadioSelect,
    )  # fmt: skip
    source = forms.CharField(
        label=_("They say yes: only by this form or page"), max_length=60, required=False,
        help_text=_("As it stands beside the consent; empty for any."),
    )  # fmt: skip
    list = forms.ChoiceField(label=_("They come to be on a list: which"), required=False)
    all = forms.BooleanField(label=_("Those who are on it already, too"), required=False)
    day = forms.ChoiceField(label=_("A day comes: which"), required=False)
    after = forms.IntegerField(
        label=_("Days after it"), min_value=-365, max_value=365, initial=0, required=False,
        help_text=_("A number below nought counts days before it."),
    )  # fmt: skip
    doing = forms.ChoiceField(label=_("Something is put on record: what"), choices=Doing.choices, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, version: Version, viewer: Staff) -> None:
        super().__init__(data, initial=dict(version.trigger))
        views = SavedView.objects.filter(Q(owner=viewer) | Q(shared=True), entity=version.entity_id)
        known = [(str(one.ref), one.query, one.name) for one in views]
        if kept := str(version.trigger.get("query", "")):
            known.insert(0, ("kept", kept, say("The list it has now")))
        self.lists = {ref: query for ref, query, _name in known}
        self.fields["list"].choices = [(ref, name) for ref, _query, name in known]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["day"].choices = day_choices(version.sequence.entity)  # type: ignore[attr-defined]  # as above

    def clean(self) -> dict[str, Any]:
        """Want what the chosen kind needs."""
        told = super().clean() or {}
        if told.get("kind") == "list" and not told.get("list"):
            self.add_error("list", ValidationError(_("Keep a view of the list of people first, then choose it here.")))
        return told

    @property
    def trigger(self) -> dict[str, Any]:
        """What is kept of it."""
        told = self.cleaned_data
        of = {
            "yes": {"source": told.get("source", "")},
            "list": {"query": self.lists.get(told.get("list", ""), ""), "all": bool(told.get("all"))},
            "day": {"day": told.get("day", ""), "after": told.get("after") or 0},
            "activity": {"doing": told.get("doing", "")},
        }
        return {"kind": told["kind"], **of[told["kind"]]}


class UnlessGiven(forms.Form):
    """What ends a sequence early, and how it goes about being late."""

    exits = forms.MultipleChoiceField(
        label=_("It ends early when"), choices=[(name, says) for name, (says, _leaves) in CHOSEN.items()],
        widget=forms.CheckboxSelectMultiple, required=False,
        help_text=_("When they say no, or a message to them is refused, it ends always."),
    )  # fmt: skip
    unless = forms.CharField(
        label=_("Or when this holds, or cannot be told"), max_length=LONGEST_CONDITION, required=False,
        help_text=CONDITION, widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )  # fmt: skip
    significant = forms.BooleanField(
        label=_("What it decides weighs heavily: a contract, a price, credit, work, housing"), required=False,
        help_text=_("Then the law is asked about deciding, not only about choosing whom to write to."),
    )  # fmt: skip
    once = forms.BooleanField(label=_("Nobody goes through it twice"), required=False)
    grace = forms.IntegerField(
        label=_("Hours after which a message is too late to be sent"), min_value=1, max_value=24 * 30
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, version: Version) -> None:
        sequence = version.sequence
        told = {
            "exits": version.exits, "unless": version.unless, "significant": version.significant,
            "once": sequence.once, "grace": sequence.grace,
        }  # fmt: skip
        super().__init__(data, initial=told)

    def clean_unless(self) -> str:
        """Read it now, so that what is wrong stands beside it."""
        return _condition(self.cleaned_data["unless"].strip())


class StepGiven(forms.Form):
    """One step: how long after the one before, and what."""

    kind = forms.ChoiceField(label=_("What"), choices=Kind.choices)
    amount = forms.IntegerField(label=_("After"), min_value=0, max_value=1_000_000, initial=0)
    unit = forms.ChoiceField(label=_("of"), choices=UNITS, initial="days")
    says = forms.CharField(
        label=_("What we are to do"), max_length=300, required=False, help_text=_("Names of people do not belong here.")
    )
    only_if = forms.CharField(
        label=_("Go on only if"), max_length=LONGEST_CONDITION, required=False, help_text=CONDITION,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, step: Step | None = None) -> None:
        super().__init__(data, initial=_initial(step) if step else None)

    def clean(self) -> dict[str, Any]:
        """Want what the kind needs."""
        told = super().clean() or {}
        if told.get("kind") == Kind.WORK and not told.get("says", "").strip():
            self.add_error("says", ValidationError(_("Say what we are to do.")))
        if told.get("kind") == Kind.CHECK:
            try:
                read(told.get("only_if", "").strip() or "?")
            except ConditionError as error:
                self.add_error("only_if", ValidationError(str(error)))
        return told

    @property
    def told(self) -> dict[str, Any]:
        """What is kept of it."""
        told = self.cleaned_data
        kind = told["kind"]
        return {
            "kind": kind, "wait": told["amount"] * MINUTES[told["unit"]],
            "says": told["says"].strip() if kind == Kind.WORK else "",
            "only_if": told["only_if"].strip() if kind == Kind.CHECK else "",
        }  # fmt: skip


def _initial(step: Step) -> dict[str, Any]:
    unit = next(unit for unit in ("days", "hours", "minutes") if step.wait % MINUTES[unit] == 0)
    return {
        "kind": step.kind, "amount": step.wait // MINUTES[unit], "unit": unit, "says": step.says,
        "only_if": step.only_if,
    }  # fmt: skip


class StepWords(WordsGiven):
    """What a step's message says in one language."""

    def __init__(self, *args: Any, step: Step, language: str, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, before=step.content, channel="email", language=language, **more)


class GatewayChosen(forms.Form):
    """By which gateway a sequence's messages go out."""

    gateway = forms.ModelChoiceField(label=_("Goes out by"), queryset=Gateway.objects.none(), empty_label=None)

    def __init__(self, data: Mapping[str, Any] | None = None, *, sequence: Sequence) -> None:
        super().__init__(data, initial={"gateway": sequence.gateway_id})
        self.fields["gateway"].queryset = ways_of(sequence.entity)  # type: ignore[attr-defined]  # a ModelChoiceField


class WhyItRuns(forms.Form):
    """Why a sequence is to begin, for whoever approves it."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
