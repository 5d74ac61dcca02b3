"""Columns and their values in words that whoever they are about understands, in the language of the moment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.book.places import said_of as place_said
from comity.counsel.reading import rule_of
from comity.staff.terms import TERMS, fields_term, term
from comity.vault.data_map import Clock, data_map

if TYPE_CHECKING:
    from django.db.models import Model
    from django.utils.functional import _StrPromise

    from comity.rights.packages.shelves import Shelf

COLUMNS: Final[Mapping[str, _StrPromise]] = {
    "home": gettext_lazy("Home"), "home_from": gettext_lazy("How we know it"), "language": gettext_lazy("Language"),
    "birth_year": gettext_lazy("Year of birth"), "birth_month": gettext_lazy("Month of birth"),
    "capacity": gettext_lazy("Met as"), "subscriber": gettext_lazy("As a subscriber"),
    "objected_at": gettext_lazy("Objected to advertising"), "opt_out_signal_at": gettext_lazy("Opt-out signal heard"),
    "restricted_at": gettext_lazy("Kept and not used since"), "deceased_at": gettext_lazy("Died"),
    "protected_office": gettext_lazy("Holds a protected office"), "added_at": gettext_lazy("Added"),
    "changed_at": gettext_lazy("Changed"), "last_contact_on": gettext_lazy("Last contact"),
    "organisation__name": gettext_lazy("Organisation"), "begins_on": gettext_lazy("From"),
    "ends_on": gettext_lazy("Until"), "tag__name": gettext_lazy("Tag"), "field__name": gettext_lazy("Field"),
    "plain": gettext_lazy("Value"), "value": gettext_lazy("Value"), "set_at": gettext_lazy("Set"),
    "table": gettext_lazy("Table"), "facts": gettext_lazy("Facts"), "until": gettext_lazy("Until"),
    "reach": gettext_lazy("Kind"), "first": gettext_lazy("Used first"), "mobile": gettext_lazy("Mobile"),
    "impersonal": gettext_lazy("Of an office, not of a person"), "verified_at": gettext_lazy("Verified"),
    "failed_at": gettext_lazy("Failed"), "register__name": gettext_lazy("Register"),
    "version_on": gettext_lazy("Version of"), "found": gettext_lazy("Found in it"),
    "told_on": gettext_lazy("You were told on"), "asked_at": gettext_lazy("Asked"),
    "looked_at": gettext_lazy("Looked"), "customer_since": gettext_lazy("Customer since"),
    "contract_running": gettext_lazy("Contract running"),
    "address_from_sale": gettext_lazy("Address from a sale"), "refusal_offered": gettext_lazy("Was offered to refuse"),
    "last_purchase_on": gettext_lazy("Last purchase"), "last_inquiry_on": gettext_lazy("Last inquiry"),
    "last_mailed_on": gettext_lazy("Last mailed"), "source": gettext_lazy("Source"),
    "notice": gettext_lazy("Notice shown"), "notice_on": gettext_lazy("Shown on"),
    "opt_outs_known": gettext_lazy("Opt-outs known for"), "purpose": gettext_lazy("For"),
    "channel": gettext_lazy("By"), "said": gettext_lazy("Said"), "said_at": gettext_lazy("Said on"),
    "recorded_at": gettext_lazy("Recorded"), "express": gettext_lazy("Expressly"),
    "separate": gettext_lazy("By itself"), "written": gettext_lazy("In writing"),
    "parental": gettext_lazy("By a parent"), "names_caller": gettext_lazy("Names the caller"),
    "double_opt_in": gettext_lazy("Confirmed by mail"), "notice_language": gettext_lazy("Language of the notice"),
    "why": gettext_lazy("Why"), "withdrawn": gettext_lazy("Taken back"), "opted_out_on": gettext_lazy("Opted out"),
    "last_used_on": gettext_lazy("Last used"), "given_on": gettext_lazy("Given"),
    "version__form__name": gettext_lazy("Form"), "place": gettext_lazy("Place"),
    "organisation": gettext_lazy("Organisation"), "ticked": gettext_lazy("Boxes ticked"),
    "signal": gettext_lazy("Opt-out signal"), "guardian": gettext_lazy("By a guardian"),
    "confirmed_at": gettext_lazy("Confirmed"), "proof": gettext_lazy("Shown by"), "checked_at": gettext_lazy("Checked"),
    "doing": gettext_lazy("What"), "at": gettext_lazy("When"), "minutes": gettext_lazy("Minutes"),
    "begun_at": gettext_lazy("Begun"), "ended_at": gettext_lazy("Ended"), "outcome": gettext_lazy("Outcome"),
    "recording": gettext_lazy("Recording"), "call_back_at": gettext_lazy("Call back"),
    "step__says": gettext_lazy("What"), "made_at": gettext_lazy("Made"), "done_at": gettext_lazy("Done"),
    "occasion": gettext_lazy("Occasion"), "written_at": gettext_lazy("Written"),
    "dispatch__kind": gettext_lazy("Kind"), "dispatch__purpose": gettext_lazy("For"),
    "dispatch__channel": gettext_lazy("By"), "stage": gettext_lazy("Stage"), "tries": gettext_lazy("Tries"),
    "intended_at": gettext_lazy("Intended"), "number": gettext_lazy("Number"), "code": gettext_lazy("Code"),
    "refused": gettext_lazy("Did not want to talk"), "came": gettext_lazy("What came"),
    "did": gettext_lazy("What was done"), "occurred_at": gettext_lazy("Happened"),
    "arrived_at": gettext_lazy("Arrived"), "sequence__name": gettext_lazy("Sequence"),
    "sequence__purpose": gettext_lazy("For"), "cause": gettext_lazy("Begun by"), "state": gettext_lazy("State"),
    "enrolment__sequence__name": gettext_lazy("Sequence"), "step__kind": gettext_lazy("Step"),
    "what": gettext_lazy("What"), "size": gettext_lazy("Bytes"), "origin__source": gettext_lazy("From whom"),
    "origin__used_for": gettext_lazy("For"), "origin__noted_at": gettext_lazy("Noted"),
    "told_at": gettext_lazy("You were told"), "imported__dialect": gettext_lazy("Kind of file"),
    "imported__purpose": gettext_lazy("For"), "imported__source": gettext_lazy("Source"),
    "imported__notice": gettext_lazy("Notice shown"), "imported__begun_at": gettext_lazy("Begun"),
    "says": gettext_lazy("Found"), "choice": gettext_lazy("Chosen"), "export__purpose": gettext_lazy("For"),
    "export__recipient": gettext_lazy("Kind of recipient"), "export__recipient_place": gettext_lazy("Where they are"),
    "export__sharing__operation": gettext_lazy("What it was"),
    "export__sharing__recipient__name": gettext_lazy("Recipient"),
    "export__sharing__recipient__role": gettext_lazy("What they are to us"),
    "export__sharing__recipient__place": gettext_lazy("Where the recipient is"),
    "export__sharing__recipient__transfer_tool": gettext_lazy("Safeguard for another country"),
    "export__format": gettext_lazy("File"), "export__asked_at": gettext_lazy("Asked"),
    "export__fetched_at": gettext_lazy("Handed out"), "sharing__recipient__name": gettext_lazy("Recipient"),
    "since": gettext_lazy("Since"), "telling__told_at": gettext_lazy("Told"),
    "telling__acknowledged_at": gettext_lazy("Acknowledged"), "operation": gettext_lazy("Use"),
    "field_classes": gettext_lazy("Of what"), "day": gettext_lazy("Day"), "verdict": gettext_lazy("Answer"),
    "because": gettext_lazy("Because of"), "segment__question": gettext_lazy("Asked"),
    "segment__day": gettext_lazy("Day"), "segment__decided_at": gettext_lazy("Decided"),
    "settles": gettext_lazy("Settles"), "taken_back_at": gettext_lazy("Taken back"),
    "question__question": gettext_lazy("Asked"), "question__because": gettext_lazy("Because of"),
    "question__first_asked_at": gettext_lazy("First asked"), "question__last_asked_on": gettext_lazy("Last asked"),
    "kind": gettext_lazy("Kind"), "staff": gettext_lazy("By whom"),
    "by": gettext_lazy("By whom"), "body": gettext_lazy("What it says"), "began_at": gettext_lazy("Begun"),
    "ends_at": gettext_lazy("Ended"), "wants": gettext_lazy("Asked for"), "came_by": gettext_lazy("Came by"),
    "asked_by": gettext_lazy("Asked by"), "received_on": gettext_lazy("Received"), "closed_at": gettext_lazy("Closed"),
    "exceptions": gettext_lazy("Exceptions"), "request__kind": gettext_lazy("Request"),
    "planned_at": gettext_lazy("Planned"), "sent_at": gettext_lazy("Sent"), "expires_at": gettext_lazy("Until"),
    "deleted_at": gettext_lazy("Deleted"), "on": gettext_lazy("Day"), "noted_at": gettext_lazy("Noted"),
    "rule": gettext_lazy("Rule"), "act": gettext_lazy("What is owed"), "settled": gettext_lazy("Settled"),
    "settled_on": gettext_lazy("Settled on"), "day_before": gettext_lazy("Day before"),
    "day_after": gettext_lazy("Day after"), "stays_until": gettext_lazy("Kept until"),
    "forgotten_on": gettext_lazy("No backup knows it from"), "placed_at": gettext_lazy("Placed"),
    "review_on": gettext_lazy("Looked at again"), "lifted_at": gettext_lazy("Lifted"),
    "score": gettext_lazy("How alike, of a hundred"), "reasons": gettext_lazy("By what"),
    "found_at": gettext_lazy("Found"), "judged": gettext_lazy("Judged"), "judged_at": gettext_lazy("Judged on"),
    "undone_at": gettext_lazy("Undone"), "final_at": gettext_lazy("Final since"), "before": gettext_lazy("Before"),
    "together__deed": gettext_lazy("What"), "together__done_at": gettext_lazy("Done"),
    "together__undone_at": gettext_lazy("Undone"), "uses": gettext_lazy("What is refused"),
    "released_at": gettext_lazy("Released"), "given": gettext_lazy("Given name"), "family": gettext_lazy("Family name"),
    "full": gettext_lazy("Name"), "post": gettext_lazy("Post"), "title": gettext_lazy("Title"),
    "email": gettext_lazy("E-mail"), "phone": gettext_lazy("Phone"), "messenger": gettext_lazy("Messenger"),
    "text": gettext_lazy("Text"), "subject": gettext_lazy("Subject"), "name": gettext_lazy("Name"),
    "answers": gettext_lazy("Answers"), "decision": gettext_lazy("Facts and answer"),
    "noticed_at": gettext_lazy("Noticed"), "due_at": gettext_lazy("Due"), "late_because": gettext_lazy("Late because"),
}  # fmt: skip
"""What a column, or a field that was sealed, is called."""

PLACES: Final = frozenset({"home", "place", "export__recipient_place", "export__sharing__recipient__place"})
RULES: Final = frozenset({"because", "rule", "settles", "exceptions", "question__because"})
ANSWERS: Final = {
    "permit": gettext_lazy("It may be done"), "deny": gettext_lazy("It may not be done"),
    "ask": gettext_lazy("A human decides"),
}  # fmt: skip
DONE: Final = {
    "vault.opened": gettext_lazy("Sealed data were opened"),
    "counsel.decided": gettext_lazy("The law was asked whether your data may be used"),
    "counsel.owed": gettext_lazy("It was counted what we owe you"),
    "counsel": gettext_lazy("A human settled what the law left open"),
    "book": gettext_lazy("Something that is kept about you was added or changed"),
    "consent": gettext_lazy("What you said was recorded"),
    "post": gettext_lazy("A message to you was handed over, or came back"),
    "outreach": gettext_lazy("Something was written to you, or you were called"),
    "rights": gettext_lazy("Something was done about what you asked of us"),
    "retention": gettext_lazy("Your erasure was planned or done, or held"),
    "vault": gettext_lazy("Something was done with the keys of your data"),
    "staff": gettext_lazy("One of our staff looked in an emergency"),
}  # fmt: skip
"""What entries of the ledger say was done: by their kind, or by the room that recorded them."""


def column_said(name: str) -> str:
    """Return what a column is called; one that has no words keeps its own name."""
    return str(COLUMNS.get(name, name.rpartition("__")[2].replace("_", " ").capitalize()))


def said(shelf: Shelf, name: str, value: object) -> str:
    """Return a value in words; empty where there is none."""
    if value is None or (not value and isinstance(value, (str, list, dict))):
        return ""
    if name in PLACES:
        return place_said(str(value))
    if name in RULES:
        return _rules_said(value)
    if name == "verdict":
        return str(ANSWERS.get(str(value), value))
    if choices := _choices(shelf.model, name):
        return str(choices.get(str(value), value))
    if shelf.table == "ledger.Entry" and name == "kind":
        return _kind_said(str(value))
    if name == "body" and isinstance(value, Mapping):
        return _done_said(value)
    return _plain_said(name, value)


def _plain_said(name: str, value: object) -> str:
    match value:
        case bool():
            return _("Yes") if value else _("No")
        case datetime():
            return date_format(timezone.localtime(value), "DATETIME_FORMAT")
        case date():
            return date_format(value)
        case str():
            return term(value) if value in TERMS else value
        case Mapping():
            return "; ".join(f"{column_said(str(key))}: {_plain_said(str(key), each)}" for key, each in value.items())
        case list() | tuple():
            say = fields_term if name == "field_classes" else lambda each: _plain_said(name, each)
            return ", ".join(say(each) for each in value)
    return "" if value is None else str(value)


def _rules_said(value: object) -> str:
    ids = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return "; ".join(_rule_said(str(each)) for each in ids)


@cache
def _rule_said_in(rule: str) -> str:
    known = rule_of(rule)
    return f"{known.says} ({known.source.cite})" if known else rule


def _rule_said(rule: str) -> str:
    return _rule_said_in(rule)


def _kind_said(kind: str) -> str:
    """Return what an entry of the ledger says that something was done: by its kind, else by its room."""
    room = kind.partition(".")[0]
    return str(DONE.get(kind) or DONE.get(room) or kind)


def _done_said(body: Mapping[str, Any]) -> str:
    """Say of an entry for what it was and of what, without its refs and commitments."""
    words = [term(body[name]) for name in ("operation", "purpose", "channel") if body.get(name) not in {None, "none"}]
    words += [fields_term(each) for each in body.get("classes", []) if isinstance(each, str)]
    return ", ".join(words)


@cache
def _choices(model: type[Model], name: str) -> dict[str, Any]:
    """Return the words of a column that has a list of choices, through foreign keys too."""
    *way, last = name.split("__")
    try:
        for step in way:
            related = model._meta.get_field(step).related_model  # noqa: SLF001 - Django's documented name
            if related is None or isinstance(related, str):
                return {}
            model = related
        found = model._meta.get_field(last)  # noqa: SLF001 - as above
    except FieldDoesNotExist:
        return {}
    return {str(key): words for key, words in getattr(found, "choices", None) or ()}


# ---------------------------------------------------------------- how long it stays

UNITS: Final = {"days": gettext_lazy("days"), "months": gettext_lazy("months"), "years": gettext_lazy("years")}


def clock_said(shelf: Shelf) -> str:
    """Return how long the rows of a table stay, as the data map has it."""
    app, _dot, model = shelf.table.partition(".")
    return _clock_said(data_map()[app, model].clock)


def _clock_said(clock: Clock) -> str:
    fixed = {
        "person": _("as long as you are in our book"),
        "ledger": _("for ever: it is the proof of what was done, and names nobody"),
        "parent": _("as long as what it belongs to"), "book": _("as long as the book is kept"),
        "staff": _("as long as somebody works here"),
    }  # fmt: skip
    if clock.until in fixed:
        return fixed[clock.until]
    told = {"count": clock.count, "unit": UNITS[clock.unit], "column": column_said(clock.column)}
    return _("%(count)d %(unit)s, counted from: %(column)s") % told


# ---------------------------------------------------------------- for programs


def for_programs(value: object) -> Any:  # noqa: ANN401 - whatever JSON has
    """Return a value as JSON has it: days and instants in ISO 8601, instants in UTC."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).hex()
        case Mapping():
            return {str(key): for_programs(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [for_programs(each) for each in value]
    return str(value)


def as_cell(value: object) -> str:
    """Return a value as one cell of a CSV file, as a program reads it."""
    told = for_programs(value)
    if told is None:
        return ""
    if isinstance(told, (dict, list)):
        return json.dumps(told, ensure_ascii=False)
    return str(told).lower() if isinstance(told, bool) else str(told)
