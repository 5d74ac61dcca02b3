"""Every row of the fact sheets is in the packs, or has a reason why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from comity.law import SHIPPED, Lawbook, PackError
from comity.law.coverage import REASONS, Row, coverage, page
from tests.law.tiny_packs import rule, write_pack

ROOT = SHIPPED.parent.parent.parent
SHEETS = ROOT.parent / "shared" / "law"
LEAST = 0.85


@pytest.fixture(scope="module")
def rows(book: Lawbook) -> list[Row]:
    return coverage(book, SHIPPED)


def test_no_row_has_neither_a_rule_nor_a_reason(rows: list[Row]) -> None:
    assert [f"{row.sheet} {row.section} {row.id}" for row in rows if not row.settled] == []


def test_most_rows_are_encoded(rows: list[Row]) -> None:
    assert sum(row.encoded for row in rows) / len(rows) >= LEAST


def test_a_reason_is_given_only_where_there_is_no_rule(rows: list[Row]) -> None:
    assert [row.id for row in rows if row.reason and row.rules] == []


def test_the_page_is_what_the_packs_say(rows: list[Row]) -> None:
    written = (ROOT / "docs" / "coverage.md").read_text("utf-8")
    assert written == page(rows), "write it anew: comity law coverage --markdown > docs/coverage.md"


@pytest.mark.skipif(not SHEETS.is_dir(), reason="the fact sheets are not beside the checkout")
def test_the_rows_are_those_of_the_sheets(tmp_path: Path) -> None:
    tool = ROOT / "tools" / "coverage.py"
    program = f"import runpy, sys; m = runpy.run_path({str(tool)!r}); rows = m['rows']\n"
    program += "from pathlib import Path\nfor name in ('law-eu.md', 'law-us.md', 'law-cn.md'):\n"
    program += f"    for row in rows(Path({str(SHEETS)!r}) / name): print(*row, sep='|')\n"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)
    import tomllib

    given = tomllib.loads((SHIPPED / "coverage.toml").read_text("utf-8"))["row"]
    assert told.stdout.splitlines() == [
        "|".join((one["sheet"], one["section"], one["id"], one["hash"])) for one in given
    ]


ROW = '[[row]]\nsheet = "law-eu.md"\nsection = "4"\nid = "gdpr.art12.3"\nhash = "0"\n'


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('reason = "later"\n', "no reason is 'later'"),
        ('reason = "blind-spot"\n', "a blind spot names its law"),
        ('reason = "guidance"\nlaw = "xx-law"\n', "a blind spot names its law, and nothing else does"),
        ('resaon = "guidance"\n', "unknown key 'resaon'; did you mean 'reason'"),
    ],
)
def test_a_reason_is_one_of_the_list(more: str, says: str, tmp_path: Path) -> None:
    from comity.law import read_packs

    root = write_pack(tmp_path, rule())
    (root / "coverage.toml").write_text(ROW + more, "utf-8")
    with pytest.raises(PackError, match=says):
        coverage(read_packs(root), root)


@pytest.mark.parametrize(
    ("named", "ids"),
    [
        ("law-eu.md gdpr.art12.3", {"gdpr.art12.3"}),
        ("law-eu.md gdpr.art12.3, gdpr.art11", {"gdpr.art12.3", "gdpr.art11"}),
        ("law-eu.md 3b FR", {"FR (to 2026-08-10)", "FR sector"}),
        ("law-us.md gdpr.art12.3", set()),
        ("law-cn.md ecl.16", {"ecl.15/16"}),
        ("", set()),
    ],
)
def test_a_rule_is_counted_for_the_rows_it_names(named: str, ids: set[str], tmp_path: Path) -> None:
    from comity.law import read_packs

    listed = [
        ("law-eu.md", "4", "gdpr.art12.3"), ("law-eu.md", "4", "gdpr.art11"), ("law-eu.md", "3b", "FR (to 2026-08-10)"),
        ("law-eu.md", "3b", "FR sector"), ("law-cn.md", "4.1", "ecl.15/16"),
    ]  # fmt: skip
    root = write_pack(tmp_path, rule(row=f'"{named}"'))
    tables = (
        f'[[row]]\nsheet = "{one}"\nsection = "{two}"\nid = "{three}"\nhash = "0"\n' for one, two, three in listed
    )
    (root / "coverage.toml").write_text("\n".join(tables), "utf-8")
    assert {row.id for row in coverage(read_packs(root), root) if row.rules} == ids
    assert "later" not in REASONS
