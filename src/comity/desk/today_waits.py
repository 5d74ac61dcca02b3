"""What waits for one of the staff: each room's answer in a few lines, with a way to where it is settled.

A room whose page is not there says nothing, so that Today works whichever rooms are built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from comity.book.exports.models import Export
from comity.book.imports.models import Import, Stage
from comity.counsel.queries import STATES, questions_seen_by
from comity.outreach.calls.queries import to_call_back
from comity.outreach.inbound.queries import answers_seen_by
from comity.outreach.sequences.actions import SETTLES
from comity.outreach.sequences.queries import open_errands
from comity.outreach.sharing.passing_on import PATIENCE
from comity.outreach.sharing.queries import overdue, tellings_seen_by
from comity.post.inbound.models import Did
from comity.retention.holds.queries import holds_to_review
from comity.retention.schedule.queries import open_rounds
from comity.rights.requests.queries import near_their_day, nobodys
from comity.staff.guards import entities_of, entities_with, may_do
from comity.staff.queries import glass_to_see, waiting_for

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.functional import _StrPromise

    from comity.staff.models import Staff

FEW: Final = 3
"""Imports and exports that are named one by one."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Something that waits: what, in words, where it is settled, and since when."""

    words: str
    href: str
    icon: str
    note: str = ""
    since: datetime | None = None
    urgent: bool = False


def waits_for(viewer: Staff) -> list[Waiting]:
    """Return what waits for somebody, room by room."""
    return [each for room in ROOMS for each in room(viewer)]


def _at(name: str, *args: object) -> str:
    """Return the address of a page, or nothing where it is not built."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


# ---------------------------------------------------------------- the law


def _questions(viewer: Staff) -> Iterator[Waiting]:
    waiting = questions_seen_by(viewer).filter(STATES["open"])
    if mine := waiting.filter(assigned_to=viewer).count():
        words = ngettext("%(n)d question was given to you", "%(n)d questions were given to you", mine) % {"n": mine}
        yield Waiting(words=words, href=f"{_at('counsel:queue')}?state=mine", icon="message-circle-question-mark")
    free = waiting.filter(assigned_to=None).count() if may_do(viewer, "ruling.make") else 0
    if free:
        words = ngettext(
            "%(n)d question that the law leaves open is nobody's yet",
            "%(n)d questions that the law leaves open are nobody's yet", free,
        ) % {"n": free}  # fmt: skip
        yield Waiting(
            words=words, href=_at("counsel:queue"), icon="message-circle-question-mark",
            note=_("Until somebody settles them, the answer is no."),
        )  # fmt: skip


# ---------------------------------------------------------------- what people answered


def _answers(viewer: Staff) -> Iterator[Waiting]:
    waiting = answers_seen_by(viewer)
    if many := waiting.count():
        words = ngettext("%(n)d answer waits to be read", "%(n)d answers wait to be read", many) % {"n": many}
        held = waiting.filter(did=Did.HELD).exists()
        note = _("Advertising to whoever may have said no is held until then.") if held else ""
        yield Waiting(words=words, href=_at("outreach:answers"), icon="inbox", note=note, urgent=held)


# ---------------------------------------------------------------- four eyes


def _approvals(viewer: Staff) -> Iterator[Waiting]:
    if may_do(viewer, "approval.give"):
        for one in waiting_for(viewer)[:FEW]:
            yield Waiting(
                words=_("%(name)s asks for your approval") % {"name": one.asked_by.name}, since=one.asked_at,
                href=_at("staff:approval", one.ref), icon="stamp", note=one.reason,
            )  # fmt: skip


def _glass(viewer: Staff) -> Iterator[Waiting]:
    if many := glass_to_see(viewer).count():
        words = ngettext(
            "Glass was broken %(n)d time, and nobody has looked into it",
            "Glass was broken %(n)d times, and nobody has looked into it", many,
        ) % {"n": many}  # fmt: skip
        yield Waiting(words=words, href=_at("staff:approvals"), icon="siren", urgent=True)


# ---------------------------------------------------------------- files


IMPORT_WAITS: Final[Mapping[str, tuple[_StrPromise, str, bool]]] = {
    Stage.STOPPED: (gettext_lazy("An import stopped half-way"), "circle-alert", True),
    Stage.READY: (gettext_lazy("An import is looked over, and waits for your word"), "file-input", False),
    Stage.MAPPING: (gettext_lazy("An import waits for you to check its columns"), "file-input", False),
    Stage.LOOKING: (gettext_lazy("An import is being looked over"), "loader", False),
    Stage.RUNNING: (gettext_lazy("An import is running"), "loader", False),
    Stage.UNDOING: (gettext_lazy("An import is being undone"), "loader", False),
}
"""What is said of an import at each stage, with its icon, and whether it is urgent."""


def _imports(viewer: Staff) -> Iterator[Waiting]:
    """Name the imports that are under way: one's own, and whoever's stopped."""
    if may_do(viewer, "import.view") and _at("book:imports"):
        under_way = Import.objects.filter(entity__in=entities_of(viewer), stage__in=list(IMPORT_WAITS))
        for one in under_way.filter(Q(begun_by=viewer) | Q(stage=Stage.STOPPED)).order_by("-begun_at")[:FEW]:
            words, icon, urgent = IMPORT_WAITS[one.stage]
            href = _at("book:import-one", one.ref) or _at("book:imports")
            yield Waiting(words=str(words), href=href, icon=icon, urgent=urgent, since=one.begun_at)


def _exports(viewer: Staff) -> Iterator[Waiting]:
    """Name one's own exports that are made and not fetched yet."""
    if may_do(viewer, "person.export") and _at("book:exports"):
        mine = Export.objects.filter(asked_by=viewer, entity__in=entities_of(viewer), deleted_at=None)
        for one in mine.filter(made_at__isnull=False, fetched_at=None).order_by("-made_at")[:FEW]:
            words = _("Your export %(code)s is ready") % {"code": one.code}
            yield Waiting(words=words, href=_at("book:export-one", one.ref), icon="file-output", since=one.made_at)


# ---------------------------------------------------------------- calls, and recipients of our lists


def _calls(viewer: Staff) -> Iterator[Waiting]:
    """Name whom one has promised to call back by now."""
    for one in to_call_back(viewer, timezone.now())[:FEW]:
        href = _at("outreach:call", one.person)
        yield Waiting(words=_("Somebody wants to be called back"), href=href, icon="phone", since=one.call_back_at)


def _tellings(viewer: Staff) -> Iterator[Waiting]:
    """Say how many notices to recipients of our lists are overdue."""
    if not may_do(viewer, "sharing.tell"):
        return
    today = timezone.localdate()
    if many := overdue(tellings_seen_by(viewer), today, today - PATIENCE).count():
        words = ngettext(
            "%(n)d notice of refusals to a recipient is overdue", "%(n)d notices of refusals to recipients are overdue",
            many,
        ) % {"n": many}  # fmt: skip
        yield Waiting(words=words, href=_at("outreach:sharings"), icon="share-2", urgent=True)


def _errands(viewer: Staff) -> Iterator[Waiting]:
    """Name what sequences gave us to do, the oldest first; whose name it is stands on their page alone."""
    waiting = open_errands(entities_with(viewer, SETTLES))
    for one in waiting[:FEW]:
        href = f"{_at('desk:person', one.person)}?entity={one.entity_id}#sequences"
        yield Waiting(words=one.step.says, href=href, icon="square-check", since=one.made_at)
    if (more := waiting.count() - FEW) > 0:
        words = ngettext("%(n)d more thing to do about people", "%(n)d more things to do about people", more)
        yield Waiting(words=words % {"n": more}, href=_at("outreach:sequences"), icon="square-check")


# ---------------------------------------------------------------- holds and clean-ups


def _holds(viewer: Staff) -> Iterator[Waiting]:
    """Name the holds whose day to be looked at again has come."""
    if not may_do(viewer, "hold.view"):
        return
    for one in holds_to_review(viewer)[:FEW]:
        words, href = _("A hold is to be looked at again"), _at("retention:hold", one.ref)
        yield Waiting(words=words, href=href, icon="anchor", note=one.reason, since=one.placed_at)


def _cleaning(viewer: Staff) -> Iterator[Waiting]:
    """Say who goes soon, to those who may stop it."""
    if not may_do(viewer, "schedule.change"):
        return
    for one in open_rounds(viewer):
        words = ngettext(
            "%(n)d prospect gone quiet is erased on %(day)s, unless you stop it",
            "%(n)d prospects gone quiet are erased on %(day)s, unless you stop it", one.people,
        ) % {"n": one.people, "day": date_format(one.goes_on)}  # fmt: skip
        yield Waiting(words=words, href=_at("retention:cleaning"), icon="brush-cleaning", since=one.made_at)


# ---------------------------------------------------------------- what people ask under a law


def _requests(viewer: Staff) -> Iterator[Waiting]:
    """Say which requests are late or at risk (to those who decide, everybody's), and which are nobody's."""
    if not may_do(viewer, "request.work"):
        return
    today = timezone.localdate()
    near = near_their_day(viewer, today)
    late = near.filter(day__lt=today).count()
    if late:
        words = ngettext("%(n)d request is late", "%(n)d requests are late", late) % {"n": late}
        yield Waiting(
            words=words, href=f"{_at('rights:requests')}?state=late", icon="mail-question-mark", urgent=True,
            note=_("None is closed without the reason why it is late."),
        )  # fmt: skip
    if soon := near.count() - late:
        words = ngettext(
            "%(n)d request must be dealt with within a week", "%(n)d requests must be dealt with within a week", soon
        ) % {"n": soon}  # fmt: skip
        yield Waiting(words=words, href=f"{_at('rights:requests')}?state=at-risk", icon="mail-question-mark")
    if free := nobodys(viewer).count():
        words = ngettext("%(n)d request is nobody's yet", "%(n)d requests are nobody's yet", free) % {"n": free}
        yield Waiting(words=words, href=f"{_at('rights:requests')}?handler=nobody", icon="mail-question-mark")


ROOMS: Final[Iterable[Callable[[Staff], Iterator[Waiting]]]] = (
    _glass, _requests, _tellings, _approvals, _questions, _answers, _calls, _errands, _holds, _cleaning, _imports,
    _exports,
)  # fmt: skip
"""In the order in which they are shown."""
