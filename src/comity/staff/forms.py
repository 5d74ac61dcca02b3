"""What people type about staff, roles and entities."""

from __future__ import annotations

import re
import zoneinfo
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from comity.staff.facts import asked_of_entities
from comity.staff.models import Entity, Staff
from comity.staff.roles import roles
from comity.staff.terms import term

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.law.vocabulary import Fact

TIME_ZONES = ["UTC", *(name for name in sorted(zoneinfo.available_timezones()) if re.match(r"(?!Etc)\w+/", name))]
"""Those that are named after a place; the others are older names of these."""
YES_NO = [("", _("not known")), ("true", _("Yes")), ("false", _("No"))]


class NameAndAddress(forms.Form):
    """Who somebody of our staff is."""

    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(label=_("E-mail address"), help_text=_("They sign in with it."))


class OwnChoices(forms.Form):
    """How one of the staff reads our pages."""

    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", pgettext_lazy("language", "As the browser asks")), *settings.LANGUAGES],
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=[(name, name) for name in TIME_ZONES])


class RoleAsked(forms.Form):
    """A role that somebody is to have."""

    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)
    entity = forms.ModelChoiceField(
        label=_("For"), queryset=Entity.objects.none(), required=False, empty_label=_("all our entities")
    )
    ends_at = forms.DateTimeField(
        label=_("Until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("Empty: until it is taken away."),
    )
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea, help_text=_("The second person decides by it, and auditors read it.")
    )

    def __init__(self, *args: Any, entities: QuerySet[Entity], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["entity"].queryset = entities  # type: ignore[attr-defined]  # a ModelChoiceField
        told = roles().roles.values()
        self.fields["role"].choices = [(role.id, f"{gettext(role.name)}: {gettext(role.says)}") for role in told]  # type: ignore[attr-defined]  # a ChoiceField


class EntityKept(forms.Form):
    """A legal entity of ours, with a field for each fact that the law asks of it."""

    name = forms.CharField(label=_("Name"), max_length=200)
    place = forms.CharField(
        label=_("Established in"), max_length=6, help_text=_("Its code in ISO 3166, such as IE, CN or US-DE.")
    )

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        for fact in asked_of_entities():
            self.fields[fact.name] = _field(fact)

    @property
    def facts(self) -> dict[str, object]:
        """What was said of the entity, by the names of the vocabulary."""
        return {name: value for name, value in self.cleaned_data.items() if name.startswith("org.")}


class GlassBroken(forms.Form):
    """Why somebody opens one person's data beyond their role."""

    purpose = forms.ChoiceField(label=_("Purpose"))
    minutes = forms.TypedChoiceField(
        label=_("For how long"), coerce=int, choices=[(n, _("%(n)d minutes") % {"n": n}) for n in (15, 30, 60)]
    )
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea, help_text=_("The privacy officer reads it today.")
    )

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["purpose"].choices = [(one, term(one)) for one in roles().purposes]  # type: ignore[attr-defined]  # a ChoiceField

    @property
    def lasts(self) -> timedelta:
        """How long the glass stays broken."""
        return timedelta(minutes=self.cleaned_data["minutes"])


def said_of(entity: Entity | None) -> dict[str, object]:
    """Return what a form about an entity starts with."""
    if entity is None:
        return {}
    facts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in entity.facts.items()}
    return {"name": entity.name, "place": entity.place} | facts


def said_of_staff(staff: Staff) -> dict[str, object]:
    """Return what a form about one of the staff starts with."""
    return {"name": staff.name, "email": staff.email, "language": staff.language, "time_zone": staff.time_zone}


def _field(fact: Fact) -> forms.Field:
    """Return a field for a fact; its question is the vocabulary's own sentence."""
    said: dict[str, Any] = {"label": fact.means, "required": False, "help_text": fact.unit}
    match fact.kind:
        case "bool":
            return forms.ChoiceField(choices=YES_NO, **said)
        case "choice":
            return forms.ChoiceField(choices=[("", _("not known")), *((one, one) for one in fact.choices)], **said)
        case "number":
            return forms.IntegerField(**said)
        case "date":
            return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), **said)
    return forms.CharField(**said)
