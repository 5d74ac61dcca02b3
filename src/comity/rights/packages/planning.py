"""The plan of a package, which one can read before it runs: what is in it, what is taken out, and what a human must do.

It holds counts, ids and reasons, and nothing that names anybody. To find other people in the texts, the texts are
opened; that is a look like any other and on record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.book.models import Person
from comity.counsel.models import OwedDuty
from comity.counsel.reading import Said, said_of
from comity.ledger.actions import record
from comity.retention.holds.models import Hold
from comity.rights.packages.beyond import found_beyond
from comity.rights.packages.collecting import Collected, collect, refs_of
from comity.rights.packages.contents import Wanted, Where, contents_of, withholds
from comity.rights.packages.models import Package
from comity.rights.packages.redacting import Redacted, redact, texts_of
from comity.rights.packages.shelves import SHELVES, Part, Shelf, shelf_of
from comity.staff.approvals import Said as Sayable
from comity.staff.guards import demand
from comity.staff.models import Staff
from comity.vault.gate import Oneself

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.rights.requests.models import Request

WORKS: Final = "request.work"
"""The word by which one plans, makes and sends packages."""
KIND: Final = "rights.large-package"
"""Of the approval that a large package takes."""
LARGE_ROWS: Final = 5_000
LARGE_BYTES: Final = 50_000_000
"""Rows, and bytes of files, beyond which a second person must agree."""
READ, FILES, UNPLACED, SEALED, HOLD, LETTER, SYSTEMS, NUMBERS = (
    "read-texts", "look-through-files", "unplaced", "sealed", "hold", "letter", "systems", "numbers",
)  # fmt: skip

CHORES: Final[Mapping[str, _StrPromise]] = {
    READ: gettext_lazy("Read what was written, and blacken what is about others: only our book was looked up."),
    FILES: gettext_lazy("Look through the files for other people. Nothing in a file is blackened by us."),
    UNPLACED: gettext_lazy("Something is sealed under their key that belongs to no row: find out what it is."),
    SEALED: gettext_lazy("Something stays sealed, by law or by your role: settle it, or let somebody else plan."),
    HOLD: gettext_lazy("There is a hold: let its owner say whether anything must not be given out."),
    LETTER: gettext_lazy("Write into the letter what the package cannot say: the list of contents marks it."),
    SYSTEMS: gettext_lazy("Another system could not be asked, or not wholly: ask it, or add by hand what it has."),
    NUMBERS: gettext_lazy("Numbers of licences, cards, accounts are named, not shown: look whether all were found."),
}  # fmt: skip
"""What only a human can do, by the id under which it is ticked."""


class NotPlanned(ValidationError):
    """There is nobody to plan for, or the plan does not stand any more; the message says which, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Chore:
    """Something that only a human can do; `done` says by whom and when, once it is."""

    id: str
    says: _StrPromise
    done: Mapping[str, str] | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A table in the plan, with how many rows it gives."""

    shelf: Shelf
    rows: int


# ---------------------------------------------------------------- making a plan


@transaction.atomic
def plan_package(*, request: Request, reader: Staff | Oneself, language: str = "") -> Package:
    """Collect everything to see what there is, and write the plan down. Nothing is made yet.

    Raises NotYours, and NotPlanned where nobody knows yet whose data it is about, or where it is not the visitor's.
    """
    person = _whose(request, reader)
    collected = collect(person=person, entity=request.entity, reader=reader, at=timezone.now())
    redacted = redact(collected)
    wanted = contents_of(request)
    package = Package.objects.create(
        request=request, entity=request.entity, person=person, language=_language(language or request.language),
        plan=_plan(request, redacted, wanted), planned_by=reader if isinstance(reader, Staff) else None,
        visit=reader.visit if isinstance(reader, Oneself) else None,
    )  # fmt: skip
    _record(package, reader)
    return package


def _whose(request: Request, reader: Staff | Oneself) -> UUID:
    """Return about whom it is: who stands for them now, if they were made one with somebody."""
    if isinstance(reader, Staff):
        demand(reader, WORKS, request.entity)
    row = Person.objects.filter(ref=request.person).first() if request.person else None
    if row is None:
        raise NotPlanned(_("Nobody knows yet whose data this is about: say it at the request first."))
    person = row.merged_into_id or row.ref
    if isinstance(reader, Oneself) and person != reader.person:
        raise NotPlanned(_("Everybody gets their own data alone."))
    return person


def _language(wanted: str) -> str:
    """Return the language of ours that comes nearest to what is wanted."""
    known = [code for code, _name in settings.LANGUAGES]
    near = [code for code in known if code.partition("-")[0] == wanted.partition("-")[0].lower()]
    return wanted if wanted in known else next(iter(near), settings.LANGUAGE_CODE)


def _record(package: Package, reader: Staff | Oneself) -> None:
    body = {"package": package.ref, "request": package.request_id, "rows": package.plan["rows"]}
    staff = reader.ref if isinstance(reader, Staff) else None
    record(kind="rights.package-planned", staff=staff, persons=[package.person], body=body)


def _plan(request: Request, redacted: Redacted, wanted: Sequence[Wanted]) -> dict[str, Any]:
    collected = redacted.collected
    beyond = list(found_beyond(collected.entity, collected.person, dry=True))
    systems = [{"system": one.system, "rows": one.rows, "trouble": one.trouble} for one in beyond]
    plan = {
        "tables": {table.shelf.table: len(table.rows) for table in collected.tables if table.rows},
        "rows": collected.rows, "files": len(collected.files), "bytes": sum(file.size for file in collected.files),
        "written": sum(1 for _text in texts_of(collected.tables)), "texts": redacted.texts, "places": redacted.places,
        "beyond": redacted.others.beyond, "sealed": collected.sealed, "unplaced": collected.unplaced,
        "numbers": withholds(wanted), "exceptions": list(request.exceptions), "systems": systems,
        "told": list(_to_tell(request)), "who": who(collected.person), "decision": str(collected.decided.ref),
    }  # fmt: skip
    return plan | {"chores": list(_chores(plan, collected, wanted))}


def _to_tell(request: Request) -> Iterator[dict[str, str]]:
    """Give who else must be told of the request, as the law counted it."""
    duties = OwedDuty.objects.filter(event__about=request.ref, entity=request.entity, settled="")
    for duty in duties.exclude(act__in=["answer", "acknowledge", "refuse"]).order_by("day", "rule"):
        yield {"rule": duty.rule, "to": duty.to, "what": str(duty.told.get("what", "")), "day": duty.day.isoformat()}


def _chores(plan: Mapping[str, Any], collected: Collected, wanted: Sequence[Wanted]) -> Iterator[str]:
    """Give the ids of what only a human can do here."""
    alone = Person.objects.filter(ref=collected.person, entities=[collected.entity.ref]).exists()
    holds = Hold.objects.filter(person__in=refs_of(collected.person), entity=collected.entity, lifted_at=None)
    human = any(each.place is Where.HUMAN for rule in wanted for each in rule.contents)
    yield from (
        chore for chore, so in {
            READ: plan["written"], FILES: plan["files"], UNPLACED: plan["unplaced"] and alone, SEALED: plan["sealed"],
            HOLD: holds.exists(), LETTER: human, SYSTEMS: any(one["trouble"] for one in plan["systems"]),
            NUMBERS: plan["numbers"],
        }.items() if so
    )  # fmt: skip


def who(person: UUID) -> str:
    """Return a mark of who the person is: another one means that they were made one with somebody, or taken apart."""
    heir = Person.objects.filter(ref=person).values_list("merged_into", flat=True).first()
    told = "\n".join([str(heir), *map(str, sorted(refs_of(person)))])
    return hashlib.sha256(told.encode()).hexdigest()


# ---------------------------------------------------------------- reading one


def lines_of(package: Package) -> list[tuple[Part, list[Line]]]:
    """Return what will be in the package: headings with their tables, and how many rows each has."""
    many: Mapping[str, int] = package.plan["tables"]
    lines = [Line(shelf=shelf, rows=many[shelf.table]) for shelf in SHELVES if shelf.table in many]
    grouped = [(part, [line for line in lines if line.shelf.part == part]) for part in Part]
    return [(part, some) for part, some in grouped if some]


def withheld_of(package: Package) -> list[tuple[Shelf, str, _StrPromise]]:
    """Return the columns of these tables that are not given out, each with the reason."""
    shelves = [shelf_of(table) for table in package.plan["tables"] if table != "consent.Suppressed"]
    return [(shelf, column, why) for shelf in shelves for column, why in shelf.withheld.items()]


def chores_of(package: Package) -> list[Chore]:
    """Return what only a human can do, and what of it is done."""
    return [Chore(id=id_, says=CHORES[id_], done=package.ticks.get(id_)) for id_ in package.plan["chores"]]


def refusals_of(package: Package) -> list[Said]:
    """Return under which exceptions something is refused, as the packs say them."""
    return [said_of(id_.partition("/stop-")[0]) for id_ in package.plan["exceptions"]]


def needs_approval(package: Package) -> bool:
    """Say whether a second person must agree: it is large."""
    return bool(package.plan["rows"] > LARGE_ROWS or package.plan["bytes"] > LARGE_BYTES)


def request_of(package: Package) -> dict[str, Sayable]:
    """Return just what a second person approves: this package, by this plan."""
    return {
        "package": package.ref, "entity": package.entity.name, "rows": package.plan["rows"],
        "files": package.plan["files"], "bytes": package.plan["bytes"], "places": package.plan["places"],
        "exceptions": list(package.plan["exceptions"]), "who": package.plan["who"],
    }  # fmt: skip


def left_to_do(package: Package) -> Iterable[Chore]:
    """Return the chores that nobody has ticked."""
    return [chore for chore in chores_of(package) if chore.done is None]
