"""The manual is true: its examples run, its commands exist with the options shown, its links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from comity.check import dialects
from comity.cli import main
from comity.law import SHIPPED, Lawbook, lawbook, read_packs
from comity.law.cases import read_cases
from comity.law.clocks import read_almanac
from comity.law.duty_cases import read_duty_cases, try_duty_case

ROOT = Path(__file__).resolve().parent.parent
DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHARED = tuple(f"{name}.toml" for name in "vocabulary events places obligations cures calendars holidays".split())


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(path.read_text("utf-8")) if kind == language]


@cache
def book() -> Lawbook:
    return lawbook()


# ---------------------------------------------------------------- commands


def commands(path: Path) -> list[str]:
    """Return every `comity …` line of the fences, without its prompt."""
    fenced = [line for body in blocks(path, "") for line in body.splitlines()]
    return [line.removeprefix("$ ") for line in fenced if re.match(r"(\$ )?comity ", line)]


def mentions(path: Path) -> list[str]:
    """Return every command that a sentence names, with options or without: `comity law list`."""
    return re.findall(r"`(comity [^`]+)`", FENCE.sub("", path.read_text("utf-8")))


COMMANDS = sorted({line for path in DOCS for line in commands(path)})
MENTIONS = sorted({line for path in DOCS for line in mentions(path)})


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_in_the_manual_is_one_that_the_program_takes(line: str) -> None:
    command, words, context = found(shlex.split(line))
    given, _, _ = command.make_parser(context).parse_args(words)
    for option in command.params:
        if option.name in given and isinstance(option.type, click.Choice | click.DateTime):
            values = given[option.name]
            for value in values if isinstance(values, list) else [values]:
                option.type.convert(value, option, context)
    book().vocabulary.read(dict(fact.split("=", 1) for fact in given.get("given", ())))


@pytest.mark.parametrize("line", MENTIONS)
def test_every_command_that_a_sentence_names_exists_with_its_options(line: str) -> None:
    command, words, _ = found(line.split())
    assert {word for word in words if word.startswith("--")} <= {*options(command), "--help", "--version"}


def found(words: list[str]) -> tuple[click.Command, list[str], click.Context]:
    """Walk from the program to the command that the words name; return it with the words that are left."""
    command: click.Command = main
    context = click.Context(main, info_name="comity")
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith(("-", "…")):
        next_one = command.get_command(context, rest[0])
        assert next_one is not None, f"there is no command {' '.join(words)}"
        command, rest = next_one, rest[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    return command, rest, context


def options(command: click.Command) -> set[str]:
    return {name for option in command.params for name in option.opts if name.startswith("--")}


def sections() -> Iterator[tuple[str, str]]:
    """Give each section of the manual of commands: the command, and the text up to the next heading of a command."""
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    parts = re.split(r"^#+ (comity [a-z -]+)$", text, flags=re.MULTILINE)[1:]
    yield from zip(parts[::2], parts[1::2], strict=True)


@pytest.mark.parametrize(("words", "text"), list(sections()), ids=lambda value: value if len(value) < 30 else "")
def test_every_option_is_in_the_manual_of_its_command_and_no_other(words: str, text: str) -> None:
    command, _, _ = found(words.split())
    described = set(re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE))
    assert described == options(command)


# ---------------------------------------------------------------- the report in README


def test_the_report_in_readme_is_one_that_the_program_printed() -> None:
    pasted = next(body for body in blocks(ROOT / "README.md", "") if body.startswith("$ comity check --sample"))
    told = CliRunner(env={"COLUMNS": "100"}).invoke(main, ["check", "--sample", "--day", "2026-11-21"])
    printed = {" ".join(line.split()) for line in told.output.splitlines()}
    lines = [" ".join(line.split()) for line in pasted.splitlines()[1:] if line.strip() not in {"", "…"}]
    assert [line for line in lines if line not in printed] == []


# ---------------------------------------------------------------- the library


@pytest.mark.parametrize("name", ["README.md", "docs/library.md"])
def test_the_python_of_a_page_prints_what_the_page_says(name: str) -> None:
    names: dict[str, object] = {}
    for body in blocks(ROOT / name, "python"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(body, name, "exec"), names)  # noqa: S102 - the page is ours
        assert printed.getvalue().splitlines() == re.findall(r"^#> (.*)$", body, re.MULTILINE)


# ---------------------------------------------------------------- packs and dialects


def packs_page() -> list[str]:
    return blocks(ROOT / "docs" / "packs.md", "toml")


def test_the_law_rules_definitions_and_parameters_of_the_packs_page_load(tmp_path: Path) -> None:
    for name in SHARED:
        shutil.copy(SHIPPED / name, tmp_path)
    law = [body for body in packs_page() if "[[law]]" in body]
    rules = [body for body in packs_page() if re.search(r"^\[\[(rule|define|parameter)\]\]", body, re.MULTILINE)]
    assert law
    assert rules
    folder = tmp_path / "eu" / "rules"
    folder.mkdir(parents=True)
    (tmp_path / "eu" / "pack.toml").write_text("\n".join([*law, law_of_the_parameter()]), "utf-8")
    (folder / "page.toml").write_text("\n".join(rules), "utf-8")
    shown = read_packs(tmp_path).rules()
    shipped = {rule.id: rule for rule in book().rules()}
    assert [rule.id for rule in shown] == ["eu-eprivacy/electronic-mail-needs-consent"]
    for rule in shown:
        real = shipped[rule.id]
        assert (rule.says, rule.source.cite, rule.source.url) == (real.says, real.source.cite, real.source.url)


def law_of_the_parameter() -> str:
    """Give the second law that the page's parameter belongs to, and the page does not show."""
    return '[[law]]\nid = "eu-gdpr"\nname = "GDPR"\ncite = "GDPR"\nfrom = 2018-05-25\ngoverns = "person.home in EEA"\n'


def test_the_rule_of_the_duties_page_loads_and_its_story_is_true(tmp_path: Path) -> None:
    for name in SHARED:
        shutil.copy(SHIPPED / name, tmp_path)
    bodies = blocks(ROOT / "docs" / "duties.md", "toml")
    folder = tmp_path / "eu"
    (folder / "rules").mkdir(parents=True)
    (folder / "cases").mkdir()
    law = law_of_the_parameter() + 'territory = ["EEA"]\ncounts = "eu"\n'
    (folder / "pack.toml").write_text(f'[pack]\nid = "eu"\nname = "EU"\nversion = "1"\n{law}', "utf-8")
    (folder / "rules" / "page.toml").write_text(next(body for body in bodies if "[[rule]]" in body), "utf-8")
    (folder / "cases" / "page.toml").write_text(next(body for body in bodies if "[[duty]]" in body), "utf-8")
    book = read_packs(tmp_path)
    [case] = read_duty_cases(book, tmp_path)
    assert try_duty_case(book, case, read_almanac(tmp_path)).problems == ()
    assert [len(part) for part in (book.rules()[0].duty.pauses, book.rules()[0].duty.extensions)] == [1, 1]  # type: ignore[union-attr]


def test_the_case_of_the_packs_page_is_read(tmp_path: Path) -> None:
    body = next(body for body in packs_page() if "[[case]]" in body)
    folder = tmp_path / "de" / "cases"
    folder.mkdir(parents=True)
    (folder / "page.toml").write_text(body, "utf-8")
    assert [case.law for case in read_cases(book(), tmp_path)] == ["de-uwg"]


def test_the_dialects_of_the_dialects_page_are_read() -> None:
    facts = book().vocabulary.facts
    for body in blocks(ROOT / "docs" / "dialects.md", "toml"):
        dialect = dialects.parse(body, where="docs/dialects.md")
        assert {column.fact for column in dialect.columns if column.fact} <= facts.keys()


def test_every_key_role_and_reading_of_a_dialect_is_on_its_page() -> None:
    page = (ROOT / "docs" / "dialects.md").read_text("utf-8")
    words = {*dialects._COLUMN_KEYS, *dialects.Role.__args__, *dialects.Reads.__args__}  # type: ignore[attr-defined]
    assert {word for word in words if f"`{word}`" not in page} == set()


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_toml_in_the_manual_is_toml(path: Path) -> None:
    for body in blocks(path, "toml"):
        tomllib.loads(body)


# ---------------------------------------------------------------- links, and what ARCHITECTURE names


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_link_within_the_repository_leads_somewhere(path: Path) -> None:
    text = FENCE.sub("", path.read_text("utf-8"))
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, heading = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), target
        assert not heading or heading in headings(there), target


def headings(path: Path) -> set[str]:
    found = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in found}


def test_architecture_names_every_module_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    source = ROOT / "src" / "comity"
    modules = [path for path in source.rglob("*.py") if path.name != "__init__.py" and "migrations" not in path.parts]
    assert sorted(named(path) for path in modules if f"`{path.name}`" not in text) == []
    known = {path.name for folder in ("src", "tests", "tools") for path in (ROOT / folder).rglob("*.py")}
    assert sorted({Path(name).name for name in re.findall(r"`([\w/]+\.py)`", text)} - known) == []


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "docs/outreach.md"])
def test_every_test_that_a_page_relies_on_exists(page: str) -> None:
    rows = re.findall(r"^\| .+ \| (.*tests/.*) \|$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert rows
    for row in rows:
        page = ""
        for file, name in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", row):
            page = (ROOT / file).read_text("utf-8") if file else page
            assert not name or f"def {name}(" in page, row
