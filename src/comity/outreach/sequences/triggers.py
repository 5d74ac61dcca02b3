"""What begins a sequence: each kind says what it wants to know, how it is called, and for whom it came about.

What came about is found anew each time from the rows themselves, by those for whom it began nothing yet: nothing is
lost while nobody looks, and nothing begins twice. What came about longer ago than a week begins nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import CharField, Exists, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.book.fields.models import CustomField, FieldValue, Sensitivity, Sort
from comity.book.lists.filters import chosen
from comity.book.models import Activity, Doing, Person, Relation
from comity.book.opening import Look
from comity.book.queries import persons_seen_by
from comity.consent.models import Consent, Said
from comity.outreach.sequences.models import Enrolment, Under, Version

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.staff.models import Entity

LOOK_BACK: Final = timedelta(days=7)
"""What came about longer ago than this begins nothing, even if nobody has looked since."""
DAYS: Final = {
    "customer_since": gettext_lazy("became a customer"), "last_purchase_on": gettext_lazy("bought something"),
    "last_inquiry_on": gettext_lazy("asked us something"),
}  # fmt: skip
"""Days of a relation from which a sequence may count."""

Cause = tuple[UUID, str]
"""A person, and what came about for them, said in a way that is said once."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A kind of beginning. `found` gives the causes since an instant, as of now; `says` says it in words."""

    id: str
    title: _StrPromise
    found: Callable[[Version, datetime, datetime, int], Iterable[Cause]]
    says: Callable[[Version], str]


def _said_yes(version: Version, since: datetime, _now: datetime, most: int) -> list[Cause]:
    purpose = version.sequence.purpose
    given = Consent.objects.counting().filter(
        entity=version.entity_id, said=Said.GIVEN, purpose=purpose, channel="email", recorded_at__gte=since
    )
    if source := version.trigger.get("source"):
        given = given.filter(source=source)
    return _fresh(version, given.order_by("recorded_at"), most)


def _did(version: Version, since: datetime, now: datetime, most: int) -> list[Cause]:
    done = Activity.objects.filter(
        entity=version.entity_id, doing=version.trigger.get("doing", ""), at__gte=since, at__lte=now
    )
    return _fresh(version, done.order_by("at"), most)


def _fresh(version: Version, rows: QuerySet[Any], most: int) -> list[Cause]:
    """Return whose rows these are, but those that began something, and of whoever cannot begin now."""
    whose = "person_id" if rows.model is Activity else "person"
    began = Enrolment.objects.filter(sequence=version.sequence_id, person=OuterRef(whose))
    once = began if version.sequence.once else began.filter(state=Under.UNDER_WAY)
    same = began.filter(cause=Cast(OuterRef("ref"), CharField()))
    fresh = rows.filter(~Exists(once), ~Exists(same)).values_list(whose, "ref")[:most]
    return [(person, str(ref)) for person, ref in fresh]


def people_of(version: Version, viewer_look: Look) -> QuerySet[Person]:
    """Return who is on the list of a version. Raises BadRequest for a list that cannot be any more."""
    query = QueryDict(str(version.trigger.get("query", "")))
    return chosen(viewer_look, query).narrow(persons_seen_by(viewer_look.viewer, viewer_look.entity))


def look_for(version: Version) -> Look:
    """Return the look under which a version's people are found: that of whoever began it, or made it."""
    viewer = version.begun_by or version.sequence.made_by
    return Look(viewer=viewer, entity=version.sequence.entity, purpose=version.sequence.purpose)


def _on_list(version: Version, _since: datetime, _now: datetime, most: int) -> list[Cause]:
    began = Enrolment.objects.filter(sequence=version.sequence_id, person=OuterRef("pk"))
    people = people_of(version, look_for(version)).filter(~Exists(began)).order_by("ref")
    return [(person, LISTED) for person in people.values_list("ref", flat=True)[:most]]


LISTED: Final = "listed"


def _day_came(version: Version, _since: datetime, now: datetime, most: int) -> list[Cause]:
    """Find those whose day lies so many days ago; some days late is not too late."""
    after = int(version.trigger.get("after", 0))
    last = now.date() - timedelta(days=after)
    first = max(last - LOOK_BACK, _began(version) - timedelta(days=after))
    rows = _days(version, first, last)
    causes = [(person, f"{version.trigger.get('day', '')[:36]}:{day}") for person, day in rows]
    known = set(
        Enrolment.objects.filter(sequence=version.sequence_id, cause__in={cause for _p, cause in causes}).values_list(
            "person", "cause"
        )
    )
    return [each for each in causes if each not in known][:most]


def _began(version: Version) -> date:
    return version.begun_at.date() if version.begun_at else date.max


def _days(version: Version, first: date, last: date) -> list[tuple[UUID, str]]:
    day = str(version.trigger.get("day", ""))
    if day in DAYS:
        rows = Relation.objects.filter(entity=version.entity_id, **{f"{day}__range": (first, last)})
        return [(person, on.isoformat()) for person, on in rows.values_list("person", day)]
    values = FieldValue.objects.filter(
        entity=version.entity_id, field__in=day_fields(version.entity_id).filter(ref=day),
        plain__gte=first.isoformat(), plain__lte=last.isoformat(),
    )  # fmt: skip
    return [(person, str(on)) for person, on in values.values_list("person", "plain")]


def day_fields(entity: UUID) -> QuerySet[CustomField]:
    """Return the custom fields from whose day a sequence may count: those that are plain."""
    return CustomField.objects.filter(entity=entity, sort=Sort.DAY, sensitivity=Sensitivity.PLAIN, retired_at=None)


def day_choices(entity: Entity) -> list[tuple[str, str]]:
    """Return every day from which a sequence may count."""
    own = [(str(one.ref), one.name) for one in day_fields(entity.ref)]
    return [*((name, str(says)) for name, says in DAYS.items()), *own]


# ---------------------------------------------------------------- in words


def _says_yes(version: Version) -> str:
    if source := version.trigger.get("source"):
        return _("somebody says yes by “%(source)s”") % {"source": source}
    return _("somebody says yes to e-mail for this purpose")


def _says_did(version: Version) -> str:
    doing = version.trigger.get("doing", "")
    return _("this is put on record with somebody: %(what)s") % {"what": dict(Doing.choices).get(doing, doing)}


def _says_list(version: Version) -> str:
    query = QueryDict(str(version.trigger.get("query", "")))
    chips = chosen(look_for(version), query).chips(query)
    told = "; ".join(f"{chip.title}: {chip.says}" for chip in chips)
    who = _("somebody comes to be on the list “%(list)s”") % {"list": told or _("everybody")}
    return f"{who}, {_('or is on it already')}" if version.trigger.get("all") else who


def _says_day(version: Version) -> str:
    after, day = int(version.trigger.get("after", 0)), str(version.trigger.get("day", ""))
    named = str(DAYS.get(day) or day_fields(version.entity_id).filter(ref=day).values_list("name", flat=True).first())
    if after < 0:
        return _("it is %(n)d days before: %(day)s") % {"n": -after, "day": named}
    return _("it is %(n)d days after: %(day)s") % {"n": after, "day": named}


TRIGGERS: Final[Mapping[str, Trigger]] = {
    one.id: one
    for one in (
        Trigger(id="yes", title=gettext_lazy("They say yes"), found=_said_yes, says=_says_yes),
        Trigger(id="list", title=gettext_lazy("They come to be on a list"), found=_on_list, says=_says_list),
        Trigger(id="day", title=gettext_lazy("A day comes"), found=_day_came, says=_says_day),
        Trigger(id="activity", title=gettext_lazy("Something is put on record"), found=_did, says=_says_did),
    )
}


def trigger_of(version: Version) -> Trigger | None:
    """Return what begins a version; nothing where nobody has said so yet."""
    return TRIGGERS.get(str(version.trigger.get("kind", "")))
