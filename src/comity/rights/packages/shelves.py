"""Where something about a person lies: for each table, which rows name them, what of a row they are shown, and why not.

    Shelf(table="book.Activity", part=Part.HAPPENED, says=_("Calls, meetings"), whose=("person",), shows=("doing",))

INVARIANT: every table of the data map stands here once: as a shelf, or as left out with the reason why
(`tests/rights/packages/test_shelves.py`). Who adds a table says which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from django.apps import apps
from django.db.models import Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from comity.vault.data_map import data_map, ours
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from django.db.models import Model
    from django.utils.functional import _StrPromise


class Part(TextChoices):
    """The headings under which what is kept about somebody stands, in their order."""

    YOU = "you", _("Who you are")
    REACH = "reach", _("How you can be reached")
    RELATION = "relation", _("What there is between you and us")
    SAID = "said", _("What you agreed to, refused and took back")
    HAPPENED = "happened", _("Calls, meetings and notes")
    MESSAGES = "messages", _("Messages between you and us")
    FILES = "files", _("Files")
    SOURCE = "source", _("Where your data came from")
    RECIPIENTS = "recipients", _("Who got your data")
    DECISIONS = "decisions", _("What was decided about you, and why")
    LOOKED = "looked", _("Who looked at your data, and for what")
    OWED = "owed", _("What you asked of us, and what we owed you")
    UPKEEP = "upkeep", _("How your data were kept in order")


def _its_own(ref: UUID) -> Iterable[UUID]:
    return (ref,)


def _nothing(ref: UUID) -> Iterable[UUID]:
    del ref
    return ()


def _by_class(ref: UUID) -> Iterable[UUID]:
    """Return where a form that was filled in is sealed since it was confirmed: a record for each class of fields."""
    return [uuid5(ref, sort) for sort in FieldClass]


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """One table: the rows that name a person, and what of each row they are shown.

    `whose` are look-ups that find the person's ref, any of them; `through` is a look-up and the shelf among whose rows
    it must be, for what is a person's by another row alone. `entity` finds whose row it is among ours; where a table
    has none, its rows go with the person. `holds` says under which records of the vault a row's texts are sealed. `at`
    is the column by which rows stand in order and by which they are counted for a span of time.
    """

    table: str
    part: Part
    says: _StrPromise
    shows: tuple[str, ...]
    whose: tuple[str, ...] = ("person",)
    through: tuple[str, str] | None = None
    entity: str = "entity"
    holds: Callable[[UUID], Iterable[UUID]] = _nothing
    at: str = ""
    withheld: Mapping[str, _StrPromise] = field(default_factory=dict)  # columns that are not shown, each with why
    to_programs_alone: bool = False  # what is sealed is long, and stands in data.json only

    @property
    def model(self) -> type[Model]:
        """The table's model. Rooms beside this one are named, never imported."""
        return apps.get_model(self.table)

    @property
    def name(self) -> str:
        """What its file is called."""
        app, _dot, model = self.table.partition(".")
        return f"{app}-{model}".lower()

    def rows(self, persons: Iterable[UUID], entity: UUID) -> QuerySet[Model]:
        """Return the rows that name one of these refs, of this entity of ours, in their order."""
        refs = list(persons)
        found = self.model._default_manager.filter(self._naming(refs, entity))  # noqa: SLF001 - Django's documented name
        if self.entity:
            found = found.filter(**{self.entity: entity})
        return found.order_by(*([self.at] if self.at else []), "pk")

    def _naming(self, persons: list[UUID], entity: UUID) -> Q:
        if self.through:
            lookup, table = self.through
            return Q(**{f"{lookup}__in": shelf_of(table).rows(persons, entity).order_by().values("pk")})
        named = Q()
        for lookup in self.whose:
            for person in persons if lookup.endswith("__contains") else ():
                named |= Q(**{lookup: [person]})
            if not lookup.endswith("__contains"):
                named |= Q(**{f"{lookup}__in": persons})
        return named


STAFF_WROTE: Final = _(
    "What our staff wrote for themselves about the law of a case: somebody looks at it before it is given out."
)

SHELVES: Final = (
    # ------------------------------------------------------------ who they are
    Shelf(table="book.Person", part=Part.YOU, says=_("You"), whose=("ref", "merged_into"), entity="", holds=_its_own,
          shows=("home", "home_from", "language", "birth_year", "birth_month", "capacity", "subscriber", "objected_at",
                 "opt_out_signal_at", "restricted_at", "deceased_at", "protected_office", "added_at", "changed_at",
                 "last_contact_on")),
    Shelf(table="book.Post", part=Part.YOU, says=_("Where you work"), entity="",
          shows=("organisation__name", "begins_on", "ends_on")),
    Shelf(table="book.Tagging", part=Part.YOU, says=_("Words by which you are found"), entity="", shows=("tag__name",)),
    Shelf(table="book.FieldValue", part=Part.YOU, says=_("Further fields"), holds=_its_own, at="set_at",
          shows=("field__name", "plain", "set_at")),
    Shelf(table="book.PastFacts", part=Part.YOU, says=_("What these facts were before"), entity="", at="until",
          shows=("table", "facts", "until")),
    # ------------------------------------------------------------ how to reach them
    Shelf(table="book.ContactPoint", part=Part.REACH, says=_("Addresses and numbers"), entity="", holds=_its_own,
          at="added_at", shows=("reach", "first", "mobile", "impersonal", "verified_at", "failed_at", "added_at")),
    Shelf(table="consent.Looked", part=Part.REACH, says=_("Registers in which your number was looked for"),
          at="looked_at", shows=("register__name", "version_on", "found", "looked_at")),
    # ------------------------------------------------------------ what there is between us
    Shelf(table="book.Relation", part=Part.RELATION, says=_("Customer, contract, inquiries"),
          shows=("customer_since", "contract_running", "address_from_sale", "refusal_offered", "last_purchase_on",
                 "last_inquiry_on", "last_mailed_on", "source", "notice", "notice_on", "opt_outs_known")),
    # ------------------------------------------------------------ what they said
    Shelf(table="consent.Consent", part=Part.SAID, says=_("What you said"), at="said_at", holds=_its_own,
          shows=("purpose", "channel", "said", "said_at", "recorded_at", "express", "separate", "written", "parental",
                 "names_caller", "double_opt_in", "notice", "notice_language", "source", "why")),
    Shelf(table="consent.Standing", part=Part.SAID, says=_("Where you stand"),
          shows=("purpose", "channel", "withdrawn", "opted_out_on", "last_used_on", "given_on")),
    Shelf(table="outreach.Submission", part=Part.SAID, says=_("Forms you filled in"), at="said_at", holds=_by_class,
          shows=("version__form__name", "language", "place", "birth_year", "birth_month", "organisation", "ticked",
                 "signal", "guardian", "said_at", "confirmed_at")),
    Shelf(table="outreach.Guardianship", part=Part.SAID, says=_("A parent or guardian who agreed"), at="checked_at",
          whose=("child", "guardian"), shows=("proof", "checked_at")),
    # ------------------------------------------------------------ what happened
    Shelf(table="book.Activity", part=Part.HAPPENED, says=_("What happened, and what was noted"), at="at",
          holds=_its_own, shows=("doing", "at", "minutes")),
    Shelf(table="outreach.Call", part=Part.HAPPENED, says=_("Calls we made to you"), at="begun_at",
          shows=("purpose", "begun_at", "ended_at", "outcome", "recording", "call_back_at")),
    Shelf(table="outreach.Errand", part=Part.HAPPENED, says=_("What a sequence gave us to do for you"), at="made_at",
          shows=("step__says", "made_at", "done_at")),
    # ------------------------------------------------------------ messages
    Shelf(table="outreach.Mail", part=Part.MESSAGES, says=_("Mails written to you"), at="written_at", holds=_its_own,
          shows=("occasion", "language", "written_at")),
    Shelf(table="post.Message", part=Part.MESSAGES, says=_("Messages sent to you, or not sent"), at="intended_at",
          shows=("dispatch__kind", "dispatch__purpose", "dispatch__channel", "stage", "tries", "why", "due_at",
                 "intended_at",
                 "ended_at")),
    Shelf(table="post.Attempt", part=Part.MESSAGES, says=_("Each try to send one"), through=("message", "post.Message"),
          entity="", at="begun_at", shows=("number", "begun_at", "outcome", "code")),
    Shelf(table="post.Struck", part=Part.MESSAGES, says=_("Taken off a list for callers or letters"),
          through=("message", "post.Message"), shows=("why",)),
    Shelf(table="post.Addressed", part=Part.MESSAGES, says=_("By which address a message went"), at="at",
          shows=("purpose", "channel", "reach", "at")),
    Shelf(table="post.Reached", part=Part.MESSAGES, says=_("When you were reached"), at="at",
          shows=("purpose", "channel", "at", "refused")),
    Shelf(table="post.Arrival", part=Part.MESSAGES, says=_("What came back from you or your mail server"),
          at="arrived_at", shows=("came", "outcome", "code", "did", "reach", "occurred_at", "arrived_at")),
    Shelf(table="outreach.Enrolment", part=Part.MESSAGES, says=_("Sequences of messages you are or were in"),
          at="begun_at",
          shows=("sequence__name", "sequence__purpose", "cause", "state", "why", "begun_at", "ended_at")),
    Shelf(table="outreach.Taken", part=Part.MESSAGES, says=_("Steps of sequences that were taken"), at="at",
          whose=("enrolment__person",), shows=("enrolment__sequence__name", "step__kind", "what", "at")),
    # ------------------------------------------------------------ files
    Shelf(table="book.Attachment", part=Part.FILES, says=_("Files about you"), at="added_at", holds=_its_own,
          shows=("size", "added_at")),
    # ------------------------------------------------------------ where from, and to whom
    Shelf(table="outreach.Came", part=Part.SOURCE, says=_("From whom we have them"),
          shows=("origin__source", "origin__used_for", "origin__noted_at", "told_at")),
    Shelf(table="book.ImportBatch", part=Part.SOURCE, says=_("Files by which you came into the book"), at="done_at",
          whose=("persons__contains",),
          shows=("imported__dialect", "imported__purpose", "imported__source", "imported__notice", "done_at")),
    Shelf(table="book.ImportFinding", part=Part.SOURCE, says=_("What was found about your row in such a file"),
          shows=("says", "why", "choice", "imported__begun_at")),
    Shelf(table="book.ExportPart", part=Part.RECIPIENTS, says=_("Files with your data that were taken out"),
          whose=("exported__contains",), at="export__asked_at",
          shows=("export__purpose", "export__recipient", "export__recipient_place", "export__sharing__operation",
                 "export__sharing__recipient__name", "export__sharing__recipient__role",
                 "export__sharing__recipient__place", "export__sharing__recipient__transfer_tool", "export__format",
                 "export__asked_at", "export__fetched_at")),
    Shelf(table="outreach.PassedOn", part=Part.RECIPIENTS, says=_("What recipients were told of you later"),
          at="noticed_at",
          shows=("sharing__recipient__name", "what", "since", "noticed_at", "telling__told_at",
                 "telling__acknowledged_at")),
    # ------------------------------------------------------------ decisions, and who looked
    Shelf(table="vault.RecordedDecision", part=Part.DECISIONS, says=_("Answers of the law about you"), entity="",
          whose=("entry__persons__contains",), at="recorded_at",
          shows=("operation", "purpose", "channel", "field_classes", "day", "recorded_at")),
    Shelf(table="counsel.AskedDecision", part=Part.DECISIONS, says=_("What each answer rested on"),
          through=("ref", "vault.RecordedDecision"), at="recorded_at", holds=_its_own, to_programs_alone=True,
          shows=("recorded_at",)),
    Shelf(table="counsel.SegmentRow", part=Part.DECISIONS, says=_("Answers about lists you were in"),
          entity="segment__entity", at="segment__decided_at",
          shows=("segment__question", "verdict", "segment__day", "segment__decided_at")),
    Shelf(table="counsel.Ruling", part=Part.DECISIONS, says=_("Rulings of a human about you"), at="made_at",
          shows=("operation", "purpose", "channel", "settles", "begins_on", "ends_on", "made_at", "taken_back_at"),
          withheld={"reason": STAFF_WROTE}),
    Shelf(table="counsel.Concerned", part=Part.DECISIONS, says=_("What waits for a human to decide"),
          entity="question__entity", at="question__last_asked_on",
          shows=("question__question", "question__because", "question__first_asked_at", "question__last_asked_on"),
          withheld={"closing_words": STAFF_WROTE}),
    Shelf(table="ledger.Entry", part=Part.LOOKED, says=_("The record of all that was done with your data"), entity="",
          whose=("persons__contains",), at="recorded_at",
          shows=("recorded_at", "kind", "staff", "body")),
    Shelf(table="staff.BrokenGlass", part=Part.LOOKED, says=_("Looks in an emergency, beyond a role"), at="began_at",
          shows=("purpose", "began_at", "ends_at"), withheld={"reason": STAFF_WROTE}),
    # ------------------------------------------------------------ what they asked, and what we owed
    Shelf(table="rights.Request", part=Part.OWED, says=_("What you asked of us"), at="noted_at",
          shows=("kind", "wants", "came_by", "asked_by", "language", "received_on", "noted_at", "state", "closed_at",
                 "exceptions", "late_because")),
    Shelf(table="rights.Step", part=Part.OWED, says=_("What was done about it"), whose=("request__person",), at="at",
          shows=("request__kind", "did", "at"), withheld={"words": STAFF_WROTE}),
    Shelf(table="rights.Package", part=Part.OWED, says=_("Packages such as this one"), at="planned_at",
          shows=("planned_at", "made_at", "sent_at", "expires_at", "deleted_at")),
    Shelf(table="rights.Fetch", part=Part.OWED, says=_("When such a package was opened"),
          whose=("package__person",), at="at", shows=("what", "at")),
    Shelf(table="retention.Restriction", part=Part.OWED, says=_("When your record was stored and not used"),
          at="placed_at", shows=("placed_at", "told_on", "lifted_at"),
          withheld={"reason": STAFF_WROTE, "lifted_because": STAFF_WROTE}),
    Shelf(table="rights.Run", part=Part.OWED, says=_("When you were sought in other systems"), at="asked_at",
          shows=("asked_at", "looked_at", "begun_at", "done_at")),
    Shelf(table="counsel.DutyEvent", part=Part.OWED, says=_("Events by which we owed you something"), at="noted_at",
          whose=("about", "named__contains"), shows=("kind", "on", "noted_at", "closed_at")),
    Shelf(table="counsel.OwedDuty", part=Part.OWED, says=_("What we owed you, and by when"), at="day",
          through=("event", "counsel.DutyEvent"), shows=("rule", "act", "day", "state", "settled", "settled_on"),
          withheld={"words": STAFF_WROTE}),
    Shelf(table="counsel.DutyStep", part=Part.OWED, says=_("What was done about each of these"), at="at",
          through=("duty", "counsel.OwedDuty"), shows=("did", "at", "day_before", "day_after"),
          withheld={"words": STAFF_WROTE}),
    Shelf(table="retention.Erasure", part=Part.OWED, says=_("Erasures that were planned or done"), at="planned_at",
          shows=("why", "planned_at", "begun_at", "done_at", "stays_until", "forgotten_on")),
    Shelf(table="retention.Hold", part=Part.OWED, says=_("Reasons of law not to erase, for a time"), at="placed_at",
          shows=("placed_at", "review_on", "lifted_at"),
          withheld={"reason": STAFF_WROTE, "lifted_because": STAFF_WROTE}),
    # ------------------------------------------------------------ order
    Shelf(table="book.Pair", part=Part.UPKEEP, says=_("Thought to be in the book twice"), whose=("one", "other"),
          at="found_at", shows=("score", "reasons", "found_at", "judged", "judged_at")),
    Shelf(table="book.Merge", part=Part.UPKEEP, says=_("Made one of two, and taken apart"), whose=("kept", "gone"),
          at="made_at", holds=_its_own, shows=("made_at", "undone_at", "final_at", "before")),
    Shelf(table="book.Before", part=Part.UPKEEP, says=_("What was changed for many at once"), entity="together__entity",
          at="together__done_at", shows=("together__deed", "value", "together__done_at", "together__undone_at")),
)  # fmt: skip

COPY: Final = "a copy that PostgreSQL makes of the person's own rows, all of which are collected"
KEYED: Final = "a keyed hash or a key: it says nothing, and what it was made from is collected"
LIST: Final = "whom it is about stands in rows of their own, which are collected"
NOBODY: Final = "no person of the book can stand in it"
OF_STAFF: Final = "it is about our staff, who are no persons of the book"
BRIEF: Final = "how a job or a sender goes on with its work, for a day or a month at most; it holds refs alone"

LEFT_OUT: Final[Mapping[str, str]] = {
    "book.Known": COPY,
    "book.Export": LIST,
    "book.Together": LIST,
    "book.Import": LIST,
    "book.FirstView": OF_STAFF,
    "post.Dispatch": LIST,
    "post.ClosedList": LIST,
    "post.InLine": BRIEF,
    "post.Bucket": BRIEF,
    "outreach.Campaign": LIST,
    "outreach.TemplateVersion": NOBODY,
    "outreach.Trial": OF_STAFF,
    "outreach.Sharing": LIST,
    "outreach.Telling": LIST,
    "outreach.Origin": LIST,
    "consent.Listed": KEYED,
    "counsel.SegmentDecision": LIST,
    "counsel.SegmentFinding": LIST,
    "counsel.OpenQuestion": LIST,
    "rights.Proof": "how it was made certain who asked: each step of it is one of the request, which are collected",
    "rights.Code": BRIEF,
    "rights.Visit": BRIEF,
    "rights.Stop": BRIEF,
    "rights.Leg": "how far a run got in one system of ours; the run itself is collected",
    "retention.Kept": "what a law has us keep of somebody who was erased: nothing leads from it to anybody",
    "retention.QuietRound": LIST,
    "retention.KeyPolicy": NOBODY,
    "vault.Epoch": KEYED,
    "vault.PersonKey": KEYED,
    "vault.Sealed": "every blob under the person's key is opened, and stands with the row that it belongs to",
    "ledger.Tile": KEYED,
    "ledger.Checkpoint": NOBODY,
    "ledger.Cosignature": NOBODY,
    "ledger.JournalLine": KEYED,
    "staff.Staff": OF_STAFF,
    "staff.Membership": OF_STAFF,
    "staff.RoleGrant": OF_STAFF,
    "staff.Approval": "what one of the staff asked another one for, bound to a request that is collected",
    "api.Token": OF_STAFF,
    "api.Pace": OF_STAFF,
    "api.Reply": "an answer to a program, sealed for a day so that the same call gets the same; the rows are collected",
    "api.Delivery": "refs of entries of the ledger, which are collected",
}
"""Tables that no shelf reads, each with the reason. Tables that are kept as long as the book say theirs in the map."""


def shelf_of(table: str) -> Shelf:
    """Return the shelf of a table, such as book.Activity."""
    return next(shelf for shelf in SHELVES if shelf.table == table)


def why_left_out(table: str) -> str:
    """Return why nothing of a table is collected; empty if it is, or if nobody has said."""
    app, _dot, model = table.partition(".")
    if table in LEFT_OUT:
        return LEFT_OUT[table]
    if not ours(apps.get_app_config(app)):
        return OF_STAFF
    known = data_map()[app, model]
    return known.why if known.clock.until == "book" else ""
