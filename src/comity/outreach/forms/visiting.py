"""What a visitor writes into a form, read and checked; what is wrong stands beside its field, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from comity.book.models import Reach
from comity.consent.suppression.marks import Mark, Unclear, mark_of
from comity.outreach.composing.parties import BadAddress, mail_address
from comity.outreach.forms.asking import Age, Visitor, needs_guardian, of_month
from comity.outreach.forms.models import FormVersion, Young
from comity.outreach.forms.queries import Box, boxes_of, places_of
from comity.outreach.forms.words import words_in

FIELDS: Final = ("given", "family", "phone", "organisation")
"""What a form can ask beside the address and the place."""
AUTOFILL: Final[Mapping[str, str]] = {
    "given": "given-name", "family": "family-name", "phone": "tel", "organisation": "organization",
}  # fmt: skip
TRAP: Final = "homepage"
"""A field that nobody sees, and that programs fill in."""
LONGEST: Final = {"email": 254, "given": 100, "family": 100, "phone": 40, "organisation": 200}
OLDEST: Final = 120


@dataclass(frozen=True, kw_only=True)
class Told:
    """What somebody wrote into a form, in order."""

    email: str
    mark: Mark  # of the address that is written to
    place: str
    boxes: list[Box]
    given: str = ""
    family: str = ""
    phone: str = ""
    organisation: str = ""
    born: tuple[int, int] | None = None  # year and month
    guardian: str = ""  # the address of a parent or guardian, where the law wants one


class Filled(forms.Form):
    """A form in one language, empty or filled in."""

    def __init__(
        self, data: Mapping[str, Any] | None, *, version: FormVersion, language: str, day: date,
        initial: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(data, initial=dict(initial or {}), auto_id="f-%s")
        self.version, self.language, self.day = version, language, day
        self.says, self.boxes = words_in(language), boxes_of(version, language)
        self.young = self.too_young = False
        self._add_fields()

    def _add_fields(self) -> None:
        email = forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"})
        self.fields["email"] = self._text("email", needed=True, widget=email)
        for name in FIELDS:
            if name in self.version.fields:
                needed = name in self.version.needed
                widget = forms.TextInput(attrs={"autocomplete": AUTOFILL[name]})
                self.fields[name] = self._text(name, needed=needed, widget=widget)
        places = [("", self.says["choose"]), *places_of(self.version, self.language)]
        self.fields["place"] = forms.ChoiceField(
            label=self.says["place"], choices=places,
            error_messages={"required": self.says["wrong_place"], "invalid_choice": self.says["wrong_place"]},
        )  # fmt: skip
        if self.version.young != Young.NOT_ASKED:
            self._add_birth()
        for box in self.boxes:
            self.fields[f"ask_{box.number}"] = forms.BooleanField(label=box.label, required=False)
        self.fields[TRAP] = forms.CharField(
            label=self.says["trap"], required=False, max_length=10_000,
            widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
        )  # fmt: skip

    def _text(self, name: str, *, needed: bool, widget: forms.Widget) -> forms.CharField:
        label = self.says[name] if needed else f"{self.says[name]} ({self.says['optional']})"
        wrong = {"required": self.says["wrong_needed"], "max_length": self.says["wrong_long"]}
        wrong |= {"null_characters_not_allowed": self.says["wrong"]}
        return forms.CharField(
            label=label, required=needed, max_length=LONGEST[name], widget=widget, error_messages=wrong
        )  # fmt: skip

    def _add_birth(self) -> None:
        for name, least, most in (("birth_month", 1, 12), ("birth_year", self.day.year - OLDEST, self.day.year)):
            wrong = dict.fromkeys(("required", "invalid", "min_value", "max_value"), self.says["wrong_birth"])
            widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": "4"})
            self.fields[name] = forms.IntegerField(
                label=self.says[name], min_value=least, max_value=most, widget=widget, error_messages=wrong
            )

    # ---------------------------------------------------------------- reading

    def clean_email(self) -> str:
        """Refuse what is no address."""
        return self._address(self.cleaned_data["email"], "wrong_email")

    def _address(self, typed: str, wrong: str) -> str:
        try:
            mail_address(typed)
            mark_of(Reach.EMAIL, typed)
        except (BadAddress, Unclear):
            raise ValidationError(self.says[wrong]) from None
        return typed.strip()

    def clean_phone(self) -> str:
        """Refuse a number of which nobody could tell the country."""
        typed: str = self.cleaned_data["phone"]
        if typed:
            try:
                mark_of(Reach.PHONE, typed)
            except Unclear:
                raise ValidationError(self.says["wrong_phone"]) from None
        return typed

    def clean_given(self) -> str:
        """Keep a name on one line."""
        return _one_line(self.cleaned_data["given"])

    def clean_family(self) -> str:
        """Keep a name on one line."""
        return _one_line(self.cleaned_data["family"])

    def clean_organisation(self) -> str:
        """Keep a name on one line."""
        return _one_line(self.cleaned_data["organisation"])

    def clean(self) -> dict[str, Any]:
        """Ask that something is ticked, and a parent's address where the law wants their agreement."""
        if self.version.asks and not self.ticked:
            self.add_error(None, self.says["wrong_nothing"])
        if not self.errors and self._is_young():
            self._ask_guardian()
        return self.cleaned_data

    @property
    def ticked(self) -> list[Box]:
        """The boxes that were ticked."""
        return [box for box in self.boxes if self.cleaned_data.get(f"ask_{box.number}")]

    @property
    def trapped(self) -> bool:
        """Whether something filled in what nobody sees."""
        return bool(self.data.get(TRAP))

    def _born(self) -> tuple[int, int] | None:
        year, month = self.cleaned_data.get("birth_year"), self.cleaned_data.get("birth_month")
        return (year, month) if year and month else None

    def _is_young(self) -> bool:
        born = self._born()
        age: Age | None = of_month(*born, self.day) if born else None
        visitor = Visitor(self.cleaned_data["place"], age)
        uses = [box.use for box in self.ticked]
        return needs_guardian(entity=self.version.entity_id, uses=uses, visitor=visitor, day=self.day)

    def _ask_guardian(self) -> None:
        if self.version.young != Young.GUARDIAN:
            self.too_young = True
            self.add_error(None, self.says["too_young"])
            return
        self.young = True
        widget = forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"})
        self.fields["guardian"] = forms.CharField(
            label=self.says["guardian"], max_length=LONGEST["email"], help_text=self.says["young"], widget=widget
        )
        typed = str(self.data.get("guardian", "")).strip()
        if not typed:
            self.add_error("guardian", self.says["wrong_needed"])
            return
        try:
            address = self._address(typed[: LONGEST["email"] + 1], "wrong_guardian")
        except ValidationError as error:
            self.add_error("guardian", error)
            return
        if mark_of(Reach.EMAIL, address) == mark_of(Reach.EMAIL, self.cleaned_data["email"]):
            self.add_error("guardian", self.says["wrong_guardian"])
        self.cleaned_data["guardian"] = address

    @property
    def told(self) -> Told:
        """What was written, once it is valid."""
        held = self.cleaned_data
        guardian = held.get("guardian", "")
        return Told(
            email=held["email"], mark=mark_of(Reach.EMAIL, guardian or held["email"]), place=held["place"],
            boxes=self.ticked, born=self._born(), guardian=guardian,
            **{name: held.get(name, "") for name in FIELDS},
        )  # fmt: skip

    def lines(self) -> list[forms.BoundField]:
        """Return the fields above the boxes, in their order."""
        return [self[name] for name in self.fields if not name.startswith("ask_") and name != TRAP]


def _one_line(typed: str) -> str:
    return re.sub(r"\s+", " ", "".join(mark for mark in typed if mark.isprintable() or mark.isspace())).strip()


def kept_of(data: Mapping[str, Any], *, ticks: bool) -> dict[str, Any]:
    """Return what somebody wrote, to stand in the page that is shown again; what is ticked only where we saw it so."""
    text = {name: str(data.get(name, ""))[:300] for name in ("email", "place", "birth_month", "birth_year", *FIELDS)}
    boxes = {name: True for name in data if name.startswith("ask_") and data.get(name)} if ticks else {}
    return {**text, **boxes}
