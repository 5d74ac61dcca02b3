"""What the styleguide shows: invented people in every state that a component has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django import forms

from comity.staff.listing import Column, Cursor, Listing


class Example(forms.Form):
    """A field of every kind."""

    name = forms.CharField(label="Name", max_length=80, help_text="As the person writes it.")
    email = forms.EmailField(label="E-mail")
    home = forms.ChoiceField(label="Lives in", choices=[("DE", "Germany"), ("CN", "China")], required=False)
    channel = forms.ChoiceField(
        label="May be reached by", choices=[("email", "E-mail"), ("call", "Phone")], widget=forms.RadioSelect
    )
    since = forms.DateField(label="Since", widget=forms.DateInput(attrs={"type": "date"}), required=False)
    agreed = forms.BooleanField(label="Agreed to the newsletter", help_text="Notice “Newsletter” v3 was shown.")
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)


@dataclass(frozen=True)
class Someone:
    """A row."""

    pk: str
    name: str
    home: str
    last: str
    deals: str


PEOPLE = [
    Someone("1", "Mira Hoffmann", "Germany", "30 Oct 2026", "€ 38,000"),
    Someone("2", "李伟", "China", "12 Nov 2026", "¥ 120,000"),
    Someone("3", "Siobhán O’Reilly-Fitzgerald", "Ireland", "3 Jan 2025", ""),
]
COLUMNS = [
    Column(id="name", title="Name", sorts_by="name", always=True),
    Column(id="home", title="Home", sorts_by="home"),
    Column(id="last", title="Last contact", sorts_by="last"),
    Column(id="deals", title="Deals", number=True),
]


def guide() -> dict[str, Any]:
    """Return everything the styleguide shows."""
    return {
        "cards": CARDS,
        "tabs": TABS,
        "answer": ANSWER,
        "entries": ENTRIES,
        "sealed": "m•••••@nordlicht.example",
        "form": Example(),
        "wrong": Example({"name": "", "email": "mira at nordlicht", "channel": "fax"}, auto_id="wrong_%s"),
        "listing": Listing[Any](
            rows=PEOPLE,
            columns=COLUMNS,
            offered=COLUMNS[1:],
            sort="name",
            next=Cursor(value="x", ref="3"),
            previous=Cursor(value="a", ref="1", backwards=True),
        ),
    }


CARDS = [
    {"verdict": "permit", "what": "E-mail, about her order", "because": "Contract · GDPR Art. 6(1)(b)", "href": "#why"},
    {
        "verdict": "permit",
        "obligations": 2,
        "what": "E-mail, marketing",
        "because": "Existing customer · UWG § 7(3)",
        "href": "#why",
    },
    {"verdict": "deny", "what": "SMS, marketing", "because": "Refused 4 May 2026", "href": "#why", "chosen": True},
    {"verdict": "ask", "what": "Call, marketing", "because": "Private or business line?", "href": "#why"},
]
TABS = [
    {"name": "Overview", "href": "#why", "here": True},
    {"name": "Messages", "href": "#lists", "count": 12},
    {"name": "Decisions", "href": "#forms", "count": 4},
]
ANSWER = {
    "title": "Why not by SMS?",
    "verdict": "deny",
    "asked": "Asked today at 09:41 · decision 01J9…7Q",
    "reasons": [
        {
            "says": "Marketing by text message needs the person’s prior consent, and she refused.",
            "cite": "UWG § 7(2) No. 2; Directive 2002/58/EC Art. 13(1)",
            "url": "https://eur-lex.europa.eu/eli/dir/2002/58/oj",
            "since": date(2003, 10, 31),
            "checked": date(2026, 11, 21),
        },
        {
            "says": "The existing-customer exception does not help: she objected to this use.",
            "cite": "UWG § 7(3) No. 3",
            "note": "Objection recorded 4 May 2026, 16:20, from the preference page.",
        },
    ],
    "missing": [{"says": "Whether the number is a business line"}],
    "obligations": [{"says": "One-click unsubscribe in header and text", "cite": "RFC 8058"}],
    "cures": [
        {"says": "Write by e-mail instead", "href": "#forms"},
        {"says": "Ask for consent", "to": "/styleguide/", "sends": {"use": "sms"}},
        {"says": "Ask again", "held": "held until 4 May 2027, since a refusal is not to be nagged."},
    ],
    "more": "#lists",
}
ENTRIES = [
    {
        "at": datetime(2026, 10, 30, 10, 12, tzinfo=UTC),
        "title": "Call, 14 minutes.",
        "text": "Wants a quote for forty seats before Christmas.",
        "by": "Ada Byrne",
        "icon": "phone",
    },
    {
        "at": datetime(2026, 10, 12, tzinfo=UTC),
        "title": "Offer sent",
        "text": "by e-mail.",
        "icon": "mail",
        "href": "#why",
    },
    {
        "at": datetime(2026, 5, 4, tzinfo=UTC),
        "title": "Refused",
        "text": "SMS marketing.",
        "verdict": "deny",
        "icon": "x",
    },
]
