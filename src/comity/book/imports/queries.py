"""Imports as those who may see them read them."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING, Final

import duckdb
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.book.exports.cells import guarded
from comity.book.imports.columns import AS_TOLD, MEANINGS, law_columns, mapping_of, meaning_of
from comity.book.imports.looking import dialect_of, given
from comity.book.imports.models import Import, ImportFinding, Saying, Stage
from comity.book.imports.parcels import Contents, duck_beside, these_rows, unpacked
from comity.book.imports.reading import Reader, Told
from comity.book.opening import full_name
from comity.counsel.reading import Said as ReasonSaid
from comity.counsel.reading import said_of
from comity.staff.guards import entities_with

if TYPE_CHECKING:
    from comity.staff.models import Staff

AT_ONCE: Final = 1_000
"""Rows of a file of problems that are written together."""
SHOWN: Final = 100
"""Findings of one kind that a page lists; all of them are in the file of problems."""

WHY: Final = {
    "email": gettext_lazy("This is no e-mail address."),
    "phone": gettext_lazy("This is no phone number."),
    "day": gettext_lazy("This is no day, or it could be two: say how days are written."),
    "birth": gettext_lazy("This is no day, year or age."),
    "opt-out": gettext_lazy("It cannot be told whether this is an opt-out, so it counts as one."),
    "unclear": gettext_lazy("This can be neither a yes nor a no."),
    "too-long": gettext_lazy("This is longer than any name."),
    "nobody": gettext_lazy("The row names and reaches nobody."),
    "row": gettext_lazy("The row does not fit the header, or its quotes are broken."),
    "ref": gettext_lazy("This is no ref."),
    "home": gettext_lazy("This is no place."),
    "language": gettext_lazy("This is no language."),
    "names": gettext_lazy("This names or reaches the person, and would stand plain. Say what the column is."),
    "consent": gettext_lazy("This does not say what was agreed to, and when."),
}
PROBLEMS: Final = (Saying.BROKEN,)
LAW: Final = (Saying.HELD, Saying.OPEN)
DUPLICATES: Final = (Saying.KNOWN, Saying.LIKELY, Saying.NAMESAKE, Saying.REPEATED)


def imports_seen_by(viewer: Staff) -> QuerySet[Import]:
    """Return the imports of the entities for which the viewer may see imports."""
    seen = entities_with(viewer, "import.view")
    return Import.objects.filter(entity__in=seen).select_related("entity", "begun_by", "settled_by")


# ---------------------------------------------------------------- columns


@dataclass(frozen=True, kw_only=True)
class ColumnShown:
    """One column of a file, as the page about columns shows it."""

    number: int
    header: str
    meaning: str
    chosen: bool
    how: str
    cells: Sequence[str]
    left_out: bool


def columns_shown(one: Import, contents: Contents) -> list[ColumnShown]:
    """Return what each column is taken to be, with some of its cells."""
    dialect = dialect_of(one)
    mapping = mapping_of(dialect, contents.headers, one.mapping)
    classes = given(one).classes
    return [
        ColumnShown(
            number=number, header=header, meaning=mapping[number],
            chosen=mapping[number] != meaning_of(dialect, header),
            how=_how(one, header, mapping[number]),
            cells=list(dict.fromkeys(row[number] for row in contents.sample if row[number].strip()))[:3],
            left_out=(field_class := MEANINGS[mapping[number]].field_class) is not None and field_class not in classes,
        )
        for number, header in enumerate(contents.headers)
    ]  # fmt: skip


def _how(one: Import, header: str, meaning: str) -> str:
    """Say what the law hears in a column; nothing where it hears nothing."""
    columns = law_columns(dialect_of(one), header, meaning)
    return " ".join(dict.fromkeys(column.why for column in columns if column.why and column.role != "ignore"))


def meanings_offered(header: str, shown: ColumnShown, one: Import) -> list[tuple[str, str]]:
    """Return what a column may be; "as this kind of file means it" only where its dialect knows it."""
    known = any(column.role != "ignore" for column in dialect_of(one).known(header))
    return [
        (each.id, str(each.title))
        for each in MEANINGS.values()
        if known or each.id != AS_TOLD or shown.meaning == AS_TOLD
    ]


# ---------------------------------------------------------------- people as understood


@dataclass(frozen=True, kw_only=True)
class RowShown:
    """One of the first rows, as we understand it."""

    row: int
    name: str
    reached: Sequence[str]
    home: str
    said: Sequence[str]
    organisation: str
    problems: int


def first_rows(one: Import, contents: Contents) -> list[RowShown]:
    """Return the first rows as newcomers: they are read anew, from the sample alone."""
    dialect = dialect_of(one)
    mapping = mapping_of(dialect, contents.headers, one.mapping)
    orders = {} if one.dates == "auto" else dict.fromkeys(range(len(contents.headers)), one.dates)
    reader = Reader(dialect=dialect, headers=contents.headers, mapping=mapping, given=given(one), orders=orders)  # type: ignore[arg-type]  # one of the orders
    return [_row(told) for told in _read_sample(reader, contents)]


def _read_sample(reader: Reader, contents: Contents) -> Iterator[Told]:
    with duckdb.connect() as duck:
        columns = ", ".join(f"c{number} VARCHAR" for number in range(len(contents.headers)))
        duck.execute(f"CREATE TABLE sample (row BIGINT, {columns})")
        holes = ", ".join("?" for _ in range(len(contents.headers) + 1))
        duck.executemany(
            f"INSERT INTO sample VALUES ({holes})",  # noqa: S608 - question marks alone
            [[number, *row] for number, row in sampled(contents).items()],
        )
        rows = duck.execute(f"SELECT {', '.join(reader.select)} FROM sample ORDER BY row").fetchall()  # noqa: S608 - our own words
    return (reader.told(row) for row in rows)


def sampled(contents: Contents) -> dict[int, Sequence[str]]:
    """Return the rows of the sample by their numbers in the file: rows that cannot be read are none of them."""
    unread = {row for row, _, _ in contents.rejects}
    return dict(zip((number for number in count(1) if number not in unread), contents.sample, strict=False))


def _row(told: Told) -> RowShown:
    from comity.book.places import said_of as place_said
    from comity.staff.terms import term

    said = [
        f"{_('no') if one.said in {'refused', 'withdrawn'} else _('yes')}: {term(one.purpose)}, {term(one.channel)}"
        for one in told.spoken
        if one.said != "expired"
    ]
    if "objected_at" in told.facts:
        said = [_("no advertising at all")]
    return RowShown(
        row=told.row, name=full_name(dict(told.name)), reached=[point.value for point in told.points][:3],
        home=place_said(told.facts.get("home", "")), said=said, organisation=told.organisation,
        problems=len(told.problems),
    )  # fmt: skip


# ---------------------------------------------------------------- findings


@dataclass(frozen=True, kw_only=True)
class FindingShown:
    """One finding in words."""

    finding: ImportFinding
    header: str
    cell: str
    why: str
    reasons: Sequence[ReasonSaid]


def findings_shown(one: Import, says: Sequence[Saying], contents: Contents | None) -> list[FindingShown]:
    """Return the first findings of some kinds, with the cells they are about as far as the sample has them."""
    found = one.findings.filter(says__in=says).order_by("row", "pk")[:SHOWN]
    return [_shown(finding, contents) for finding in found]


def _shown(finding: ImportFinding, contents: Contents | None) -> FindingShown:
    cell = finding.cell
    header = contents.headers[cell] if contents and cell is not None and cell < len(contents.headers) else ""
    row = sampled(contents).get(finding.row) if contents else None
    text = row[cell] if row and cell is not None else ""
    reasons = _reasons(finding.why) if finding.says in LAW and finding.why else []
    return FindingShown(finding=finding, header=header, cell=text, why=str(WHY.get(finding.why, "")), reasons=reasons)


def _reasons(why: str) -> list[ReasonSaid]:
    return [said_of(reason) for reason in why.split(",") if reason]


def held_by_reason(one: Import) -> list[tuple[Sequence[ReasonSaid], str, int]]:
    """Return for which reasons people are held back, each with how many."""
    counted = one.findings.filter(says__in=LAW).values_list("says", "why").annotate(many=Count("pk")).order_by("-many")
    return [(_reasons(why), says, many) for says, why, many in counted[:20]]


def reasons_of(one: Import) -> list[tuple[str, Sequence[ReasonSaid], int]]:
    """Return why what is planned would not simply be permitted, the most frequent first."""
    told = one.found.get("reasons", [])
    return [(word, [said_of(reason)], many) for word, reason, many in told]


def tallied(one: Import) -> Counter[str]:
    """Return how many findings of each kind there are."""
    return Counter(dict(one.findings.values_list("says").annotate(many=Count("pk"))))


# ---------------------------------------------------------------- the file of problems


def problem_rows(one: Import, contents: Contents) -> Iterator[list[str]]:
    """Give the rows that do not simply come in, as they stand in the file, with number and reasons before.

    Why they do not is read at once, what stands in them as it is wanted: whoever takes it need not hold the file.
    """
    why: dict[int, list[str]] = {}
    for finding in one.findings.exclude(says=Saying.CHANGED).order_by("row", "pk").iterator():
        why.setdefault(finding.row, []).append(_said_in_file(finding, contents))
    return _problem_rows(one, contents, why, [_("Row"), _("Why"), *contents.headers])


def _problem_rows(
    one: Import, contents: Contents, why: Mapping[int, list[str]], header: list[str]
) -> Iterator[list[str]]:
    yield header
    unread = {row: text for row, _, text in contents.rejects}
    numbers = sorted(why)
    with unpacked(one) as table, duck_beside(table) as duck:
        select = ["row", *(f"c{number}" for number in range(len(contents.headers)))]
        duck.execute("SET threads = 1")
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            cells = {row[0]: row[1:] for row in these_rows(duck, table, select, some)}
            for number in some:
                shown = cells.get(number) or [unread.get(number, "")]
                yield [str(number), " ".join(why[number]), *(str(cell or "") for cell in shown)]


def as_csv(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Give rows as CSV, piece by piece; nothing in them is anything that a spreadsheet would run."""
    yield b"\xef\xbb\xbf"
    remaining = iter(rows)
    while some := list(islice(remaining, AT_ONCE)):
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerows([guarded(cell) for cell in row] for row in some)
        yield out.getvalue().encode("utf-8", "replace")


def _said_in_file(finding: ImportFinding, contents: Contents) -> str:
    said = str(finding.get_says_display())
    if finding.cell is not None and finding.cell < len(contents.headers):
        said = f"{said} ({contents.headers[finding.cell]})"
    if finding.says in LAW and finding.why:
        reasons = "; ".join(each.cite or each.says for each in _reasons(finding.why))
        return f"{said}: {reasons.rstrip('.')}."
    if finding.alike:
        return f"{said}: {finding.alike}."
    return f"{said}: {WHY[finding.why]}" if finding.why in WHY else f"{said}."


def title_of(one: Import, contents: Contents | None) -> str:
    """Return what an import is called: its file's name while that is kept, else its day."""
    from django.utils import timezone
    from django.utils.formats import date_format

    if contents is not None and contents.name:
        return contents.name
    return _("Import of %(day)s") % {"day": date_format(timezone.localtime(one.begun_at), "DATETIME_FORMAT")}


def is_running(one: Import) -> bool:
    """Say whether a job works on it."""
    return one.stage in {Stage.LOOKING, Stage.RUNNING, Stage.UNDOING}
