"""What people type about an organisation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.models import Organisation
from comity.book.organisations.queries import parent_of
from comity.counsel.reading import every_place

if TYPE_CHECKING:
    from django.db.models import QuerySet

LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""One part of a domain between its dots, written in ASCII."""
LONGEST_DOMAIN: Final = 253
OFFERED: Final = 500
"""Organisations that a form offers to choose from; with more, the parent is chosen by its name."""


class Kept(forms.Form):
    """An organisation as it is kept."""

    name = forms.CharField(label=_("Name"), max_length=300)
    place = forms.ChoiceField(label=_("Established in"), required=False)
    domain = forms.CharField(
        label=_("Domain"),
        required=False,
        max_length=253,
        help_text=_("Of its mail addresses, such as nordlicht.example."),
    )
    trade = forms.CharField(label=_("Trade"), required=False, max_length=100)
    parent = forms.CharField(
        label=_("Part of"), required=False, max_length=300,
        widget=forms.TextInput(attrs={"list": "organisations", "autocomplete": "off"}),
        help_text=_("The name of the organisation that owns or runs it; empty where it stands alone."),
    )  # fmt: skip
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, among: QuerySet[Organisation], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.among = among
        self.fields["place"].choices = [("", _("not known")), *every_place()]  # type: ignore[attr-defined]  # a ChoiceField

    @property
    def offered(self) -> list[str]:
        """The names from which a browser completes what is typed."""
        return list(self.among.order_by("name").values_list("name", flat=True).distinct()[:OFFERED])

    def clean_domain(self) -> str:
        """Return a domain in small letters; an address or a page is understood."""
        said: str = self.cleaned_data["domain"].strip().lower().removeprefix("https://").removeprefix("http://")
        domain = said.rpartition("@")[2].partition("/")[0].removeprefix("www.")
        if domain and not _is_domain(domain):
            raise forms.ValidationError(say("This is no domain; it looks like nordlicht.example."))
        return domain

    def clean_parent(self) -> Organisation | None:
        """Return the organisation that is called so."""
        name = self.cleaned_data["parent"].strip()
        if not name:
            return None
        found = list(self.among.filter(name=name)[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise forms.ValidationError(
                say("Several organisations are called so; give one of them another name first.")
            )
        raise forms.ValidationError(say("No organisation is called so. Add it first, or leave this empty."))

    @property
    def told(self) -> dict[str, object]:
        """What was said, by the names of the columns."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


def _is_domain(said: str) -> bool:
    try:
        spelt = said.encode("idna").decode()
    except UnicodeError:
        return False
    labels = spelt.split(".")
    return len(labels) > 1 and len(spelt) <= LONGEST_DOMAIN and all(map(LABEL.fullmatch, labels))


def said_of(organisation: Organisation, version: str) -> dict[str, object]:
    """Return what a form about an organisation starts with."""
    parent = parent_of(organisation)
    return {
        "name": organisation.name, "place": organisation.place, "domain": organisation.domain,
        "trade": organisation.trade, "parent": parent.name if parent else "",
        "version": version,
    }  # fmt: skip
