"""Filters of the list of people by calls, by what was sent to them, by the forms they filled in and by sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from comity.book.lists.filters import Bunch, Filter, Group, day_begins, refs_of, register_bunch, register_filter
from comity.book.lists.happened import between, from_and_before
from comity.book.lists.typed import register_queries
from comity.outreach.calls.models import Call, Outcome
from comity.outreach.campaigns.models import Campaign
from comity.outreach.forms.models import Submission, WebForm
from comity.outreach.sequences.models import Enrolment, Under, Version
from comity.outreach.sequences.models import Sequence as Sequences
from comity.outreach.sharing.models import Sharing
from comity.post.models import Message, Stage
from comity.refs import new_ref
from comity.staff.guards import may_do
from comity.staff.once import Once
from comity.staff.terms import term

if TYPE_CHECKING:
    from comity.book.lists.filters import Choices
    from comity.book.opening import Look
    from comity.staff.models import Entity

    Told = Mapping[str, Sequence[str]]

OFFERED: Final = 100
"""Campaigns, forms and sequences that are offered, the latest; an address may name any."""
CHANNELS: Final = ("email", "sms", "messenger", "post")


class Named:
    """What is chosen by its name: rows of an entity, for those who may see such a thing at all."""

    def __init__(self, rows: QuerySet[Any], *, word: str, unnamed: Any) -> None:  # noqa: ANN401 - a lazy text
        self.rows, self.word, self.unnamed = rows, word, unnamed
        self.latest = Once(self._latest, new_ref())

    def _latest(self, entity: UUID) -> QuerySet[Any, tuple[UUID, str]]:
        return self.rows.filter(entity=entity).order_by("-made_at").values_list("ref", "name")[:OFFERED]

    def choices(self, look: Look) -> Choices:
        """Return the latest of them."""
        seen = may_do(look.viewer, self.word, look.entity)
        return [(str(ref), name) for ref, name in self.latest(look.entity.ref)] if seen else []

    def told(self, look: Look, value: str) -> str:
        """Return how one is called."""
        found = self._seen(look).filter(ref__in=refs_of([value])).values_list("name", flat=True).first()
        return str(found or self.unnamed)

    def _seen(self, look: Look) -> QuerySet[Any]:
        return self.rows.filter(entity=look.entity) if may_do(look.viewer, self.word, look.entity) else self.rows.none()


CAMPAIGNS: Final = Named(
    Campaign.objects.filter(dispatch__isnull=False), word="campaign.view", unnamed=_("a campaign")
)  # fmt: skip
FORMS: Final = Named(WebForm.objects.all(), word="consent.view", unnamed=_("a form"))
SEQUENCES: Final = Named(Sequences.objects.all(), word="sequence.view", unnamed=_("a sequence"))


# ---------------------------------------------------------------- whom they keep


def _called(look: Look, told: Told) -> Q:
    calls = Call.objects.filter(person=OuterRef("pk"), entity=look.entity)
    calls = between(calls, "begun_at", told, "call")
    if outcomes := told.get("call"):
        calls = calls.filter(outcome__in=outcomes)
    return Q(Exists(calls))


def _sent(look: Look) -> QuerySet[Message]:
    return Message.objects.filter(person=OuterRef("pk"), entity=look.entity, stage=Stage.SENT)


def _got(look: Look, told: Told) -> Q:
    sent = between(_sent(look), "ended_at", told, "message")
    if channels := told.get("message"):
        sent = sent.filter(dispatch__channel__in=channels)
    if campaigns := told.get("campaign"):
        theirs = Campaign.objects.filter(ref__in=refs_of(campaigns), entity=look.entity)
        sent = sent.filter(dispatch__in=theirs.values("dispatch"))
    return Q(Exists(sent))


def _got_nothing(look: Look, values: Sequence[str]) -> Q:
    return ~Q(Exists(_sent(look).filter(ended_at__gte=day_begins(values))))


def _filled_in(look: Look, told: Told) -> Q:
    there = Submission.objects.filter(person=OuterRef("pk"), entity=look.entity)
    came = between(there, "said_at", told, "form")
    if forms := told.get("form"):
        came = came.filter(version__form__in=refs_of(forms))
    return Q(Exists(came))


def _walked(look: Look, told: Told) -> Q:
    walked = Enrolment.objects.filter(person=OuterRef("pk"), entity=look.entity)
    if sequences := told.get("sequence"):
        walked = walked.filter(sequence__in=refs_of(sequences))
    if states := told.get("sequence_state"):
        walked = walked.filter(state__in=states)
    return Q(Exists(walked))


# ---------------------------------------------------------------- which there are


def _named(id_: str, title: Any, named: Named, *, bunch: str, group: Group) -> Filter:  # noqa: ANN401 - a lazy text
    return Filter(id=id_, title=title, choices=named.choices, told=named.told, fixed=False, bunch=bunch, group=group)


def _of_calls() -> None:
    register_bunch(
        Bunch(id="call", title=_("One call that is all of this"), keeps=_called),
        Filter(id="call", title=_("Call ended with"), choices=lambda _look: Outcome.choices, bunch="call",
               group=Group.HAPPENED),
        *from_and_before("call", Group.HAPPENED, (_("Call from"), _("Call before"))),
    )  # fmt: skip


def _of_messages() -> None:
    register_bunch(
        Bunch(id="message", title=_("One message of ours that is all of this"), keeps=_got),
        Filter(id="message", title=_("Got a message by"), bunch="message", group=Group.SENT,
               choices=lambda _look: [(each, term(each)) for each in CHANNELS]),
        *from_and_before("message", Group.SENT, (_("Message from"), _("Message before"))),
        _named("campaign", _("Of the campaign"), CAMPAIGNS, bunch="message", group=Group.SENT),
    )  # fmt: skip
    register_filter(Filter(id="nothing_since", title=_("Got nothing since"), keeps=_got_nothing, group=Group.SENT))


def _of_forms() -> None:
    register_bunch(
        Bunch(id="form", title=_("One form that is all of this"), keeps=_filled_in),
        _named("form", _("Filled in the form"), FORMS, bunch="form", group=Group.SAID),
        *from_and_before("form", Group.SAID, (_("Form from"), _("Form before"))),
    )


def _of_sequences() -> None:
    register_bunch(
        Bunch(id="sequence", title=_("One sequence that is all of this"), keeps=_walked),
        _named("sequence", _("In the sequence"), SEQUENCES, bunch="sequence", group=Group.SENT),
        Filter(id="sequence_state", title=_("Where in the sequence"), bunch="sequence", group=Group.SENT,
               choices=lambda _look: Under.choices),
    )  # fmt: skip


def _kept_here(entity: Entity) -> Iterable[str]:
    yield from Campaign.objects.filter(entity=entity).values_list("query", flat=True)
    yield from Sharing.objects.filter(entity=entity).values_list("query", flat=True)
    triggers = Version.objects.filter(entity=entity, trigger__has_key="query").values_list("trigger", flat=True)
    yield from (str(trigger["query"]) for trigger in triggers)


def begin() -> None:
    """Offer them to the list of people, and say which lists this room keeps."""
    for offer in (_of_calls, _of_messages, _of_forms, _of_sequences):
        offer()
    register_queries("outreach", _kept_here)
