"""Write what was found: decisions.parquet for programs, three CSV files for people, the page for a lawyer.

Everything is written aside first and renamed when it is whole, so that nobody ever finds half a file.
"""

from __future__ import annotations

import errno
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from comity.check.page import render_page
from comity.law import Verdict
from comity.law.decisions import shown
from comity.law.folding import TESTS_A_WORD

if TYPE_CHECKING:
    from comity.check.answers import Answer, Reject
    from comity.check.checking import Check
    from comity.check.engines import DuckEngine
    from comity.law import Finding

WORD = 2**62 - 1
FORMULA = r"^[=@＝＠\t\r\n]|^[+＋－-]"
NUMBER = r"[+＋－-][0-9０-９ ().,;/-]*( ?(x|#|ext\.?|e[+-]?) ?[0-9]+)?"
"""A cell that begins like FORMULA is one that a spreadsheet may run, unless all of it is a number or a phone number."""


class CannotWrite(OSError):
    """The answer cannot be written; the message says where and why."""


def write_all(check: Check, answer: Answer, engine: DuckEngine, columns: Sequence[str], folder: Path) -> None:
    """Write every file into `folder`. Raises CannotWrite; then nothing in the folder has changed."""
    keep_verdicts(check, engine)
    _keep_reasons(check, engine)
    with _aside(folder) as aside:
        write_decisions(check, answer, engine, aside / "decisions.parquet")
        _write_findings(check, aside / "findings.jsonl")
        for verdict, name in ((Verdict.PERMIT, "permitted"), (Verdict.DENY, "denied"), (Verdict.ASK, "ask")):
            rejects = answer.rejects if verdict is Verdict.ASK else ()
            path = aside / f"{name}.csv"
            _write_rows(check, engine, columns, verdict=verdict, rejects=rejects, path=path)
        (aside / "report.html").write_text(render_page(answer), "utf-8")


def write_decisions(check: Check, answer: Answer, engine: DuckEngine, path: Path) -> None:
    """Write row, verdict, finding and the signature's words of every row; the packs' hashes are in the file's metadata.

    `finding` is the line of findings.jsonl that says why; 0 is a row that could not be read.
    """
    packs = {pack.id: f"{pack.version} {pack.sha256}" for pack in check.book.packs}
    metadata = {"comity": json.dumps({"day": check.plan.day.isoformat(), "use": answer.use, "packs": packs})}
    listed = ", ".join(f"{key}: {_quoted(value)}" for key, value in metadata.items())
    masks = "".join(f", v.m{number}" for number in range(_mask_words(check)))
    query = (
        f"SELECT n.row, v.verdict, v.homes, v.finding{masks} "
        f"FROM numbered AS n JOIN verdicts AS v USING ({_words(check)})"
    )
    if answer.rejects:
        rows = ", ".join(f"({reject.row})" for reject in answer.rejects)
        nothing = "".join(f", NULL AS m{number}" for number in range(_mask_words(check)))
        query += f" UNION ALL SELECT r.row, 'ask', '', 0{nothing} FROM (VALUES {rows}) AS r(row)"
    engine.connection.execute(
        f"COPY ({query}) TO {_quoted(str(path))} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{listed}}})"
    )


def keep_verdicts(check: Check, engine: DuckEngine) -> None:
    """Keep, for each row number, what it comes to."""
    words = [f"k{number}" for number in range(len(check.key.words))]
    masks = [f"m{number}" for number in range(_mask_words(check))]
    columns = [
        *((word, "BIGINT") for word in words),
        ("verdict", _one_of(verdict.value for verdict in Verdict)),
        ("homes", _one_of(group.homes for group in check.groups)),
        ("finding", "INTEGER"),
    ]
    columns += [(mask, "BIGINT") for mask in masks]
    engine.keep("verdicts", columns, _verdict_rows(check, len(masks)))


def _one_of(words: Iterable[str]) -> str:
    """Return the type of a column that repeats few words: written in half the time of text, and as text."""
    return f"ENUM ({', '.join(map(_quoted, sorted({'', *words})))})"


def _verdict_rows(check: Check, masks: int) -> Iterator[tuple[object, ...]]:
    told: dict[int, tuple[object, ...]] = {}
    lines = {identity: line for line, identity in enumerate(_findings(check), 1)}
    for group in check.groups:
        signature = group.signature & check.plan.at(group.decision.homes).care
        words = (signature >> (2 * TESTS_A_WORD * number) & WORD for number in range(masks))
        told[id(group)] = (group.finding.verdict.value, group.homes, lines[id(group.finding)], *words)
    for numbers, group in check.group_of.items():
        yield (*numbers, *told[id(group)])


def _keep_reasons(check: Check, engine: DuckEngine) -> None:
    """Keep, for each finding, what a cell says of it."""
    texts = ((line, reasons_text(finding)) for line, finding in enumerate(_findings(check).values(), 1))
    engine.keep("reasons", (("finding", "INTEGER"), ("told", "VARCHAR")), texts)


def _findings(check: Check) -> dict[int, Finding]:
    """Return each finding by its identity, in the order in which `finding` counts them from 1."""
    return {id(group.finding): group.finding for group in check.groups}


def _finding_line(finding: Finding) -> str:
    """Return a finding as one line of JSON: ids only, their sentences are in the packs and in the CSV files."""
    told = {
        "verdict": finding.verdict.value,
        "because": list(finding.because),
        "laws": [{"law": one.law, "verdict": one.verdict.value, "certain": one.certain} for one in finding.laws],
        "reasons": [
            {"rule": one.rule, "kind": one.kind, "weight": one.weight.value, "missing": list(one.missing)}
            for one in finding.reasons
        ],
        "obligations": [
            {"kind": one.kind, "parameters": shown(one.parameters), "rules": list(one.rules), "certain": one.certain}
            for one in finding.obligations
        ],
        "cures": list(finding.cures),
    }
    return json.dumps(told, ensure_ascii=False)


def reasons_text(finding: Finding) -> str:
    """Return a finding's deciding reasons in one cell: the rule's sentence, its citation and its id."""
    decisive = [reason for reason in finding.reasons if reason.weight is finding.verdict]
    return " | ".join(
        f"{reason.says} [{reason.cite}; {reason.rule}]" if reason.cite else f"{reason.says} [{reason.rule}]"
        for reason in decisive
    )


def _write_findings(check: Check, path: Path) -> None:
    """Write each finding, one JSON object a line, in the order in which `finding` counts them."""
    path.write_text("".join(f"{_finding_line(finding)}\n" for finding in _findings(check).values()), "utf-8")


def _write_rows(
    check: Check, engine: DuckEngine, columns: Sequence[str], *, verdict: Verdict, rejects: Sequence[Reject], path: Path
) -> None:
    """Write the original columns of the rows with one verdict, then the verdict and the reasons."""
    picked = ", ".join(f"{_safe(f's.c{number}')} AS {_name(column)}" for number, column in enumerate(columns))
    query = (
        f"SELECT {picked}, v.verdict AS comity_verdict, r.told AS comity_reasons, s.row AS comity_row "
        f"FROM {engine.source.relation} AS s JOIN numbered AS n ON n.row = s.row "
        f"JOIN verdicts AS v USING ({_words(check)}) JOIN reasons AS r USING (finding) "
        f"WHERE v.verdict = '{verdict.value}'"
    )
    if rejects:
        layout = (("row", "BIGINT"), ("why", "VARCHAR"), ("txt", "VARCHAR"))
        engine.keep("unread", layout, [(reject.row, reject.why, reject.text) for reject in rejects])
        blanks = ", ".join([_safe("u.txt"), *("NULL" for _ in columns[1:])])
        query += f" UNION ALL SELECT {blanks}, 'ask', 'This row could not be read: ' || u.why, u.row FROM unread AS u"
    last = len(columns) + 3  # a file of somebody's may have a column comity_row already
    engine.connection.execute(
        f"COPY (SELECT * FROM ({query}) ORDER BY {last}) TO {_quoted(str(path))} (FORMAT csv, HEADER)"
    )


def _safe(cell: str) -> str:
    runs = f"regexp_matches({cell}, '{FORMULA}') AND NOT regexp_full_match({cell}, '{NUMBER}')"
    return f"CASE WHEN {runs} THEN '''' || {cell} ELSE {cell} END"


def _words(check: Check) -> str:
    return ", ".join(f"k{number}" for number in range(len(check.key.words)))


def _mask_words(check: Check) -> int:
    return max(1, -(-len(check.plan.tests) // TESTS_A_WORD))


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Give a folder beside the one wanted, whose files are moved over when all are written."""
    made = _made(folder)
    try:
        aside = Path(tempfile.mkdtemp(prefix=".comity-", dir=folder))
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be written to: {error.strerror}; name another folder with --out") from None
    try:
        yield aside
        _move(sorted(aside.iterdir()), folder)
        made = []
    except OSError as error:
        raise _unwritten(folder, error.strerror or str(error)) from None
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise _unwritten(folder, _why(error)) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        with suppress(OSError):  # somebody may use the folder by now
            for path in made:
                path.rmdir()


def _made(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the ones that were not there, the innermost first."""
    missing = list(takewhile(lambda path: not path.exists(), (folder, *folder.parents)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise CannotWrite(f"{folder} is a file; name a folder with --out") from None
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be made: {error.strerror}; name another folder with --out") from None
    return missing


def _move(paths: Sequence[Path], folder: Path) -> None:
    """Move all files into the folder, or none where a folder of that name is in the way."""
    for path in paths:
        if (folder / path.name).is_dir():
            raise IsADirectoryError(errno.EISDIR, f"{path.name} is a folder there")
    for path in paths:
        path.replace(folder / path.name)


def _unwritten(folder: Path, why: str) -> CannotWrite:
    return CannotWrite(f"{folder} was left as it was: {why}; make room, or name another folder with --out")


def _why(error: duckdb.Error) -> str:
    """Return what the operating system said, out of what DuckDB makes of it."""
    return "the disk is full" if "No space left" in str(error) else str(error).splitlines()[0]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
