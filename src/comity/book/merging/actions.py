"""Making one person of two, and taking that back.

Whoever stays gets the rows and, sealed anew, what was sealed of whoever goes. What the law must not forget (an
objection, a refusal, a death) survives whatever is chosen. The key of who went stays for thirty days, so that all of it
can be undone to the letter; what was said since is not undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.editing.history import keep_past
from comity.book.editing.leave import question as store_question
from comity.book.fields.models import Attachment, FieldValue
from comity.book.merging.models import Judged, Merge, Pair
from comity.book.models import Activity, ContactPoint, Person, Post, Relation, Tagging
from comity.book.opening import Look, name_label, purposes_of
from comity.counsel.actions import Decided, decide
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.refs import shown
from comity.staff.guards import demand, entities_of, may_handle
from comity.staff.models import Entity, Staff
from comity.staff.roles import roles
from comity.staff.terms import fields_term, term
from comity.vault.actions import destroy_person_key, discard, seal
from comity.vault.gate import let_through
from comity.vault.resealing import labels_of, reseal
from comity.vault.sealing import FieldClass, Fields, Label

UNDONE_WITHIN: Final = timedelta(days=30)

MOVED: Final[Mapping[type[Model], str]] = {
    ContactPoint: "", Activity: "", Post: "", Attachment: "", Relation: "entity", Tagging: "tag", FieldValue: "field",
}  # fmt: skip
"""Tables whose rows change hands, each with the column of which a person has one row at most."""
CHOSEN: Final = ("home", "language", "birth_year", "capacity", "subscriber")
"""Facts of a person of which one is chosen; what is empty is filled from the other."""
EARLIEST: Final = ("objected_at", "opt_out_signal_at", "restricted_at", "deceased_at")
"""Facts that survive whoever of the two they are of: the earliest counts."""
LATEST: Final = ("last_purchase_on", "last_inquiry_on", "last_mailed_on")
NAMES: Final = ("given", "family", "full", "post")
EMPTY: Final[tuple[Any, ...]] = (None, "", [])


LEGAL_DUTY: Final = "legal-duty"
"""The purpose for which restricted people are merged, if for any."""

Moving: TypeAlias = "Mapping[type[Model], Sequence[Any]]"
"""The rows that change hands, by their tables."""


class NotMerged(ValidationError):
    """These two cannot be made one, or that cannot be undone; the message says why."""


class Mover(Protocol):
    """What a room above keeps about persons under their refs, and how it takes part in a merge."""

    def move(self, *, gone: UUID, kept: UUID) -> Mapping[str, Any]:
        """Let what is of one person be the other's; return, as JSON, what `put_back` needs."""

    def put_back(self, *, gone: UUID, kept: UUID, told: Mapping[str, Any]) -> None:
        """Undo that, but for what was said since."""


_movers: dict[str, Mover] = {}


def register(room: str, mover: Mover) -> None:
    """Let a room above take part in merges. Called once, when the application starts."""
    _movers[room] = mover


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What is taken from whoever goes: of which facts and parts of the name; and which of their contact points."""

    facts: frozenset[str] = frozenset()  # of CHOSEN; all else stays as who stays has it, if they have it
    points: frozenset[UUID] | None = None  # None: all of them
    name: Fields | None = None  # the whole name as it is to be; None leaves it as it is


# ---------------------------------------------------------------- making one of two


def merge_persons(
    *, kept: UUID, gone: UUID, choices: Choices, entity: Entity, merged_by: Staff, purpose: str = ""
) -> Merge:
    """Make one person of two: `gone` goes into `kept`. One transaction, one ledger entry; see `undo_merge`.

    It asks the matrix for each class of fields that moves, then the law about both; what was decided stays on record
    where it is no. Without a purpose, it is for the first one of theirs that has all of these classes.

    Raises NotYours, and NotMerged where one of them is not there, was merged before, has a relation with an entity for
    which the staff member does not act, or where role or law refuse.
    """
    demand(merged_by, "person.merge", entity)
    with transaction.atomic():
        stays, goes = _locked(kept, gone, entity, merged_by)
        moving = _moving(stays, goes, choices)
        look = _look(stays, goes, (merged_by, entity, purpose), _classes(moving, choices))
        decided = _decided(look, (kept, gone), _classes(moving, choices))
        if len(decided.permitted) == len(decided.answers):
            return _merged(Merge(entity=entity, kept=kept, gone=gone, made_by=merged_by), choices, moving, decided)
    raise NotMerged(_refusal(decided, stays, goes))


def _merged(merge: Merge, choices: Choices, moving: Moving, decided: Decided) -> Merge:
    stays, goes = (Person.objects.get(pk=ref) for ref in (merge.kept, merge.gone))  # locked before
    merge.before = {"person": _merge_facts(stays, goes, choices), "relations": _merge_relations(stays, goes)}
    merge.before["noes"] = {name: _json(getattr(stays, name)) for name in EARLIEST}
    merge.moved = {model.__name__: [str(ref) for ref in _move(model, rows, stays)] for model, rows in moving.items()}
    merge.before["points"] = _one_first(stays, merge.moved[ContactPoint.__name__])
    merge.sealed = [_plain(label) for label in _reseal(merge, choices, decided)]
    merge.rooms = {room: dict(mover.move(gone=merge.gone, kept=merge.kept)) for room, mover in _movers.items()}
    goes.merged_into, goes.changed_at = stays, timezone.now()
    goes.save(update_fields=["merged_into", "changed_at"])
    merge.save()
    _settle_pairs(merge)
    body: dict[str, JSON] = {
        "merge": merge.ref, "moved": sum(map(len, merge.moved.values())), "sealed": len(merge.sealed),
        "entity": merge.entity_id, "decision": decided.ref,
    }  # fmt: skip
    record(kind="book.merged", staff=merge.made_by_id, persons=[merge.kept, merge.gone], body=body)
    return merge


def _locked(kept: UUID, gone: UUID, entity: Entity, staff: Staff) -> tuple[Person, Person]:
    found = {one.ref: one for one in Person.objects.select_for_update().filter(ref__in=[kept, gone]).order_by("ref")}
    if kept == gone or len(found) < 2 or any(entity.ref not in one.entities for one in found.values()):  # noqa: PLR2004 - the two
        raise NotMerged(_("It takes two people to make one of them; one of these is not there."))
    if any(one.merged_into_id for one in found.values()):
        raise NotMerged(_("One of these went into somebody else already."))
    known_to = {ref for one in found.values() for ref in one.entities}
    if known_to - set(entities_of(staff)):
        raise NotMerged(
            _("One of these is known to an entity for which you do not act. Somebody who does must merge them.")
        )
    for ref in sorted(known_to):
        demand(staff, "person.merge", ref)
    return found[kept], found[gone]


# ---------------------------------------------------------------- leave of role and law


def _classes(moving: Moving, choices: Choices) -> list[FieldClass]:
    """Return the classes of fields that change hands; a name that is chosen is one of them."""
    found = {label.field_class for label in _sealed_with(moving)}
    return sorted(found | ({FieldClass.NAME} if choices.name is not None else set()))


def _look(stays: Person, goes: Person, whose: tuple[Staff, Entity, str], classes: Collection[FieldClass]) -> Look:
    """Return for what these two are merged. Raises NotMerged where no role of theirs merges all of it for anything."""
    staff, entity, wanted = whose
    restricted = bool(stays.restricted_at or goes.restricted_at)
    offered = [each for each in purposes_of(staff, entity, "merge") if wanted in {"", each}]
    offered = [each for each in offered if each == LEGAL_DUTY or not restricted]
    if not offered and restricted:
        raise NotMerged(_("One of these is restricted: only a privacy officer merges them, for a legal duty."))
    known_to = {*stays.entities, *goes.entities}
    lacks = {each: [one for one in classes if not _may_merge(staff, each, one, known_to)] for each in offered}
    for purpose, lacking in lacks.items():
        if not lacking:
            return Look(viewer=staff, entity=entity, purpose=purpose)
    purpose, lacking = next(iter(lacks.items()), (wanted, list(classes) or [FieldClass.NAME]))
    raise NotMerged([_lack(purpose, each) for each in lacking])


def _may_merge(staff: Staff, purpose: str, field_class: FieldClass, entities: Iterable[UUID]) -> bool:
    return all(
        may_handle(staff, operation="merge", purpose=purpose, field_class=field_class, entity=ref) for ref in entities
    )


def _lack(purpose: str, field_class: FieldClass) -> str:
    """Say which class of fields a role of theirs does not merge for a purpose, and which roles do for any."""
    known = roles()
    having = {name for each in known.purposes for name in known.with_cell("merge", each, field_class)}
    told = {
        "fields": fields_term(field_class), "purpose": term(purpose),
        "roles": ", ".join(_(known.roles[name].name) for name in sorted(having)),
    }  # fmt: skip
    if not having:
        return _("Not merged: this moves fields of the class “%(fields)s”, which no role may merge.") % told
    return _(
        "Not merged: this moves fields of the class “%(fields)s”, which no role of yours may merge for “%(purpose)s”. "
        "Ask somebody with one of these roles: %(roles)s."
    ) % told  # fmt: skip


def _decided(look: Look, persons: Sequence[UUID], classes: Collection[FieldClass]) -> Decided:
    """Ask the law about both: to keep what we know of them as of one person is to store it."""
    return decide(
        question=store_question(look), persons=persons, staff=look.viewer, handled=persons,
        field_classes=list(classes) or [FieldClass.NAME],
    )  # fmt: skip


def _refusal(decided: Decided, *persons: Person) -> str:
    """Say of whom the law does not let this be kept, and where it says why."""
    refused = [one for one in persons if one.ref not in decided.permitted]
    told = {"people": ", ".join(shown(one.ref) for one in refused), "decision": shown(decided.ref)}
    return _("The law does not permit to merge: %(people)s. Decision %(decision)s says why.") % told


# ---------------------------------------------------------------- facts


def _merge_facts(stays: Person, goes: Person, choices: Choices) -> dict[str, Any]:
    """Write the facts of who stays; return what they were and what they are."""
    wanted: dict[str, Any] = {name: _one_of(stays, goes, name, choices) for name in CHOSEN}
    wanted["birth_month"] = _month(stays, goes, wanted["birth_year"])
    wanted["home_from"] = stays.home_from if wanted["home"] == stays.home else goes.home_from
    wanted |= {name: _least(getattr(stays, name), getattr(goes, name)) for name in EARLIEST}
    wanted["protected_office"] = stays.protected_office or goes.protected_office or _known(stays, goes)
    wanted["last_contact_on"] = _most(stays.last_contact_on, goes.last_contact_on)
    wanted["entities"] = [*dict.fromkeys([*stays.entities, *goes.entities])]
    return _written(stays, wanted)


def _known(stays: Person, goes: Person) -> bool | None:
    return stays.protected_office if stays.protected_office is not None else goes.protected_office


def _one_of(stays: Person, goes: Person, name: str, choices: Choices) -> object:
    """Return the fact that is to be so: of who stays, unless it is empty or the other's was chosen."""
    mine, other = getattr(stays, name), getattr(goes, name)
    return other if (name in choices.facts or mine in EMPTY) and other not in EMPTY else mine


def _month(stays: Person, goes: Person, year: int | None) -> int | None:
    """Return the month of birth that belongs to this year."""
    months = [one.birth_month for one in (stays, goes) if year is not None and one.birth_year == year]
    return next(filter(None, months), None)


def _least(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _most(one: date | None, other: date | None) -> date | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _written(row: Model, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Write what differs, its past kept; return for each column what it was and what it is."""
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    told = {name: [_json(getattr(row, name)), _json(value)] for name, value in changed.items()}
    if changed:
        keep_past([row])
        for name, value in changed.items():
            setattr(row, name, value)
        row.save(update_fields=list(changed))
    return told


def _json(value: Any) -> Any:  # noqa: ANN401 - a column's value
    if isinstance(value, list):
        return [_json(each) for each in value]
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, UUID) else value


def _merge_relations(stays: Person, goes: Person) -> dict[str, Any]:
    """Where both have a relation with an entity, let the one that stays know what the other knew."""
    others = {one.entity_id: one for one in Relation.objects.filter(person=goes)}
    told = {}
    for mine in Relation.objects.select_for_update().filter(person=stays, entity__in=list(others)):
        other = others[mine.entity_id]
        wanted: dict[str, Any] = {name: _most(getattr(mine, name), getattr(other, name)) for name in LATEST}
        wanted["customer_since"] = min(filter(None, (mine.customer_since, other.customer_since)), default=None)
        wanted["opt_outs_known"] = _of_both(mine.opt_outs_known, other.opt_outs_known)
        wanted["contract_running"] = mine.contract_running or other.contract_running
        for name in ("source", "notice", "notice_on"):
            wanted[name] = getattr(mine, name) or getattr(other, name)
        told[str(mine.ref)] = _written(mine, wanted)
    return told


def _of_both(mine: Sequence[str] | None, other: Sequence[str] | None) -> list[str] | None:
    """Return of what all opt-outs of both are known; None is all."""
    if mine is None or other is None:
        known = other if mine is None else mine
        return None if known is None else [*known]
    return [each for each in mine if each in other]


def _moving(stays: Person, goes: Person, choices: Choices) -> Moving:
    """Return the rows that are to be of who stays; one that they have already stays where it is."""
    found: dict[type[Model], list[Any]] = {}
    for model, partner in MOVED.items():
        rows = model._base_manager.filter(person=goes)  # noqa: SLF001 - Django's documented name for it
        if model is ContactPoint and choices.points is not None:
            rows = rows.filter(pk__in=choices.points)
        if partner:
            mine = model._base_manager.filter(person=stays).values(partner)  # noqa: SLF001 - as above
            rows = rows.exclude(**{f"{partner}__in": mine})
        found[model] = list(rows)
    return found


def _sealed_with(moving: Moving) -> list[Label]:
    """Return where something is sealed of the rows that move."""
    rows = [row for some in moving.values() for row in some]
    records = [row.pk for row in rows] + [row.held for row in rows if isinstance(row, Attachment)]
    return [label for one in {row.person_id for row in rows} for label in labels_of(person=one, records=records)]


def _move(model: type[Model], rows: Sequence[Model], stays: Person) -> list[UUID]:
    """Let these rows be of who stays."""
    keep_past(rows)
    refs = [row.pk for row in rows]
    model._base_manager.filter(pk__in=refs).update(person=stays)  # noqa: SLF001 - Django's documented name for it
    return refs


def _one_first(stays: Person, moved: Sequence[str]) -> dict[str, Any]:
    """Let the contact point to use stay that of who stayed, where they have one."""
    points = ContactPoint.objects.filter(person=stays, first=True)
    had = set(points.exclude(ref__in=moved).values_list("reach", flat=True))
    return {str(point.ref): _written(point, {"first": False}) for point in points.filter(ref__in=moved, reach__in=had)}


def _reseal(merge: Merge, choices: Choices, decided: Decided) -> list[Label]:
    """Seal under the key of who stays what belongs to the rows that moved, and keep their own name as it was."""
    records = [UUID(ref) for refs in merge.moved.values() for ref in refs]
    records += Attachment.objects.filter(ref__in=records).values_list("held", flat=True)
    labels = labels_of(person=merge.gone, records=records)
    let_through(decided.warrant, labels, permitted_only=False)
    made = reseal(copies=[(label, label._replace(person=merge.kept)) for label in labels])
    if choices.name is not None:
        made += reseal(copies=[(name_label(merge.kept), _name_before(merge))])
        seal(label=name_label(merge.kept), fields=choices.name)
    return made


def _name_before(merge: Merge) -> Label:
    """Return where the name of who stays is kept as it was: as a note, which no search finds."""
    return Label(merge.kept, FieldClass.NOTE, "merge", merge.ref)


def _plain(label: Label) -> list[str]:
    return [str(label.person), str(label.field_class), label.kind, str(label.record)]


def _settle_pairs(merge: Merge) -> None:
    same = Pair.objects.filter(one__in=[merge.kept, merge.gone], other__in=[merge.kept, merge.gone])
    same.update(judged=Judged.SAME, judged_by=merge.made_by, judged_at=timezone.now())


# ---------------------------------------------------------------- taking it back


@transaction.atomic
def undo_merge(*, merge: Merge, undone_by: Staff, now: datetime | None = None) -> Merge:
    """Make two of them again, as they were; what somebody changed or said since stays with who stayed.

    Raises NotYours, and NotMerged after thirty days, or where it was undone before.
    """
    demand(undone_by, "person.merge", merge.entity)
    locked = Merge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    _check_undoable(locked, now or timezone.now())
    stays, goes = (Person.objects.select_for_update().get(pk=ref) for ref in (locked.kept, locked.gone))
    objected = {name: getattr(stays, name) for name in EARLIEST if not _was_there(locked, stays, goes, name)}
    _put_facts_back(stays, locked.before["person"])
    for model, rows in ((Relation, locked.before["relations"]), (ContactPoint, locked.before["points"])):
        for row in model._base_manager.filter(pk__in=list(rows)):  # noqa: SLF001 - Django's documented name for it
            _put_facts_back(row, rows[str(row.pk)])
    _move_back(locked)
    for room, told in locked.rooms.items():
        _movers[room].put_back(gone=locked.gone, kept=locked.kept, told=told)
    said_since = {name: at for name, at in objected.items() if at is not None}
    _written(goes, {"merged_into_id": None, **said_since})
    locked.undone_at, locked.undone_by = timezone.now(), undone_by
    locked.save(update_fields=["undone_at", "undone_by"])
    body: dict[str, JSON] = {"merge": locked.ref}
    record(kind="book.unmerged", staff=undone_by.ref, persons=[locked.kept, locked.gone], body=body)
    return locked


def _check_undoable(merge: Merge, now: datetime) -> None:
    if merge.undone_at:
        raise NotMerged(_("This was undone already."))
    if merge.final_at or now >= merge.made_at + UNDONE_WITHIN:
        raise NotMerged(_("After thirty days a merge is final: the key of the other person is gone."))
    if Merge.objects.filter(gone=merge.kept, undone_at=None).exists():
        raise NotMerged(_("The person who stayed went into somebody else since; undo that first."))


def _was_there(merge: Merge, stays: Person, goes: Person, name: str) -> bool:
    """Say whether this was so of either of the two before they were made one, and not said since."""
    told = merge.before["person"].get(name)
    at_merge = merge.before.get("noes", {}).get(name) or (told[1] if told else None)
    return getattr(stays, name) is None or getattr(goes, name) is not None or _json(getattr(stays, name)) == at_merge


def _put_facts_back(row: Model, told: Mapping[str, Sequence[Any]]) -> None:
    """Write what was, in the columns that nobody changed since."""
    fields = {each.attname: each for each in row._meta.concrete_fields}  # noqa: SLF001 - Django's documented name for it
    back = {
        name: fields[name].to_python(was) if not isinstance(was, list) else _listed(name, was)
        for name, (was, written) in told.items()
        if _json(getattr(row, name)) == written
    }
    _written(row, back)


def _listed(name: str, was: list[str]) -> list[Any]:
    return [UUID(each) for each in was] if name == "entities" else was


def _move_back(merge: Merge) -> None:
    tables = {model.__name__: model for model in MOVED}
    for name, refs in merge.moved.items():
        rows = list(tables[name]._base_manager.filter(pk__in=refs, person=merge.kept))  # noqa: SLF001 - Django's documented name for it
        keep_past(rows)
        moved = tables[name]._base_manager.filter(pk__in=[row.pk for row in rows])  # noqa: SLF001 - as above
        moved.update(person=merge.gone)
    made = [Label(UUID(person), FieldClass(sort), kind, UUID(ref)) for person, sort, kind, ref in merge.sealed]
    kept_name = _name_before(merge)
    if kept_name in made:
        reseal(copies=[(kept_name, name_label(merge.kept))])
    _take_back_changes(merge, [label for label in made if label != kept_name])
    discard(labels=made)


def _take_back_changes(merge: Merge, labels: Sequence[Label]) -> None:
    """Let what was edited while they were one be so for who gets it back."""
    reseal(copies=[(label, label._replace(person=merge.gone)) for label in labels])


# ---------------------------------------------------------------- after thirty days


@transaction.atomic
def make_final(*, now: datetime) -> int:
    """Destroy the keys of those who went into others thirty days ago; return how many. Nothing is undone after that."""
    old = list(Merge.objects.filter(made_at__lte=now - UNDONE_WITHIN, undone_at=None, final_at=None))
    for merge in old:
        destroy_person_key(person=merge.gone, staff=None)
        discard(labels=[_name_before(merge)])
        merge.final_at = now
        merge.save(update_fields=["final_at"])
    return len(old)


# ---------------------------------------------------------------- pairs


@transaction.atomic
def judge_pair(*, pair: Pair, same: bool, judged_by: Staff) -> Pair:
    """Say that two people are the same, or that they are not: then nobody is asked again."""
    demand(judged_by, "person.merge", pair.entity)
    pair.judged = Judged.SAME if same else Judged.OTHERS
    pair.judged_by, pair.judged_at = judged_by, timezone.now()
    pair.save(update_fields=["judged", "judged_by", "judged_at"])
    body: dict[str, JSON] = {"pair": pair.ref, "same": same}
    record(kind="book.pair-judged", staff=judged_by.ref, persons=[pair.one, pair.other], body=body)
    return pair
