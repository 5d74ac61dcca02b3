"""Our conventions, as tests: what a reviewer would otherwise have to say again and again."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from comity.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "comity"
MODULES = sorted(SOURCE.rglob("*.py"))
LAW = [path for path in MODULES if path.is_relative_to(SOURCE / "law")]

# ---------------------------------------------------------------- names

SAY_NOTHING = {"base", "common", "core", "handler", "handlers", "helper", "helpers", "manager", "managers",
               "service", "services", "util", "utils"}  # fmt: skip

# Words that GLOSSARY.md turns away for one thing and that rightly name another.
RIGHTLY = {
    "action": "actions.py holds the writes of a room",
    "contact": "to contact somebody is an operation",
}


def split(name: str) -> set[str]:
    """Return the words of a name, in the singular as far as dropping an s makes it."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {word.lower().removesuffix("s") for word in words} | {word.lower() for word in words}


def turned_away() -> dict[str, str]:
    """Return what GLOSSARY.md says not to say, each with what to say instead."""
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|.*\| ([^|]*) \|$", (ROOT / "GLOSSARY.md").read_text("utf-8"), re.MULTILINE)
    words = {word.strip(): instead for instead, row in rows for word in row.split(",") if word.strip()}
    return {word: instead for word, instead in words.items() if word not in RIGHTLY}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def defined(path: Path) -> Iterator[str]:
    """Give the names a module brings into the world: its own, its classes' and its functions'."""
    yield path.parent.name if path.name == "__init__.py" else path.stem
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = {part for path in MODULES for part in (*path.relative_to(SOURCE).parts[:-1], path.stem)}
    assert named & SAY_NOTHING == set()


def test_the_glossary_says_what_not_to_say() -> None:
    assert turned_away()["ticket"] == "rights request"


def test_code_uses_the_words_of_the_glossary() -> None:
    instead = turned_away()
    wrong = [
        f"{path.relative_to(ROOT)}: {name} (say {instead[word]}, not {word})"
        for path in MODULES
        for name in defined(path)
        for word in sorted(split(name) & instead.keys())
    ]
    assert wrong == []


# ---------------------------------------------------------------- the law stands alone

CLOCKS_AND_WIRES = re.compile(r"(asyncio|http|random|socket|sqlite3|ssl|subprocess|time|urllib\.request)\b")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Give every module that a file imports, with the line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@pytest.mark.parametrize("path", LAW, ids=lambda path: path.stem)
def test_the_law_imports_the_standard_library_and_itself_and_for_its_sql_sqlglot(path: Path) -> None:
    beside = {"sql": {"sqlglot"}, "sql.py": {"sqlglot"}, "smt.py": {"z3"}}  # Z3 proves; nothing that decides needs it
    may = sys.stdlib_module_names | beside.get(path.relative_to(SOURCE / "law").parts[0], set())
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for line, module in imported(path)
        if CLOCKS_AND_WIRES.match(module)
        or (module.partition(".")[0] not in may and not f"{module}.".startswith("comity.law."))
    ]
    assert wrong == []


@pytest.mark.parametrize("path", LAW, ids=lambda path: path.stem)
def test_the_law_never_reads_the_clock(path: Path) -> None:
    asks = {"today", "now", "utcnow"}
    wrong = [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute) and node.attr in asks]
    assert wrong == [], f"{path.relative_to(ROOT)}: the day is always given"


# INVARIANT: the law is asked through one door; other rooms get a Decision, they do not make one.
ASKERS = {"check", "cli", "counsel", "law"}
QUESTIONS = {"fold", "lint_text", "may", "must"}


def test_only_counsel_check_and_the_command_line_ask_the_law() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for path in MODULES
        if path.relative_to(SOURCE).with_suffix("").parts[0] not in ASKERS
        for line, module in imported(path)
        if module.startswith("comity.law") and module.rpartition(".")[2] in QUESTIONS
    ]
    assert wrong == []


def exported() -> list[str]:
    for node in tree(SOURCE / "law" / "__init__.py").body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def test_everything_that_the_law_exports_has_a_docstring() -> None:
    bare = {
        node.name
        for path in LAW
        for node in tree(path).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not ast.get_docstring(node)
    }
    assert bare & set(exported()) == set()


# ---------------------------------------------------------------- the command line and its manual


def commands(group: click.Group, path: str = "comity") -> Iterator[str]:
    """Give every command with all its words: "comity law lint"."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            yield f"{path} {name}"
            if isinstance(command, click.Group):
                yield from commands(command, f"{path} {name}")


def test_every_command_has_a_section_in_the_manual() -> None:
    path = ROOT / "docs" / "cli.md"
    manual = path.read_text("utf-8") if path.exists() else ""
    sections = re.findall(r"^#+ `?(comity [a-z -]+?)`?$", manual, re.MULTILINE)
    assert set(commands(main)) - set(sections) == set()


# ---------------------------------------------------------------- what is in the repository


@cache
def texts() -> list[tuple[str, str]]:
    """Return the path and text of every file that is tracked or about to be, as far as it is text."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]  # the checkout may be somebody else's
    told = subprocess.run([*git, "ls-files", "-z", "-co", "--exclude-standard"], check=False, capture_output=True)
    if told.returncode:
        pytest.skip("not a git checkout, or no git")
    return list(_readable(told.stdout.decode().split("\0")))


def _readable(names: list[str]) -> Iterator[tuple[str, str]]:
    for name in filter(None, names):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield name, content.decode("utf-8", "replace")


def lines(pattern: str, *, among: str = "") -> list[str]:
    """Return where a pattern stands in the repository's text files, as file:line: text."""
    finder = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts()
        if re.search(among, name)
        for number, line in enumerate(text.splitlines(), 1)
        if finder.search(line)
    ]


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    assert lines(r"(^|[^\w.])/(work|farm|root|home/\w+|Users/\w+)/") == []


def test_lock_files_name_no_host() -> None:
    assert lines(r"://|^\s*-(i|f|-index|-extra|-find|-trusted)", among=r"^requirements/|\.lock$") == []


def test_every_lock_is_pinned_by_hash() -> None:
    for name in ("build", "runtime", "book", "dev", "spark", "bench"):
        lock = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        pins = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)[1:]
        assert pins, name
        assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_every_silenced_lint_rule_has_its_reason_beside_it() -> None:
    silenced = r"#\s*noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)*\s+\W*\w+\W+\w+)"
    assert lines(silenced, among=r"^(src|tests|bench)/.*\.py$") == []


def test_every_lint_rule_left_out_has_its_reason_beside_it() -> None:
    assert lines(r'^    "[A-Z]+\d+",(?!\s*# \W?\w)', among=r"^pyproject\.toml$") == []


def test_no_view_touches_objects() -> None:
    views = [path for path in MODULES if "@staff_page(" in path.read_text("utf-8")]
    assert len(views) > 15
    assert [str(path.relative_to(SOURCE)) for path in views if ".objects" in path.read_text("utf-8")] == []


# INVARIANT: whoever makes a Oneself has seen the proof of who it is, in that very visit.
WHO_KNOW_ONESELF = {"counsel", "rights", "vault"}
WHO_MAKE_ONESELF = {"rights/portal", "rights/packages"}


def test_only_the_rooms_that_see_the_proof_let_somebody_look_at_their_own() -> None:
    told = {path.relative_to(SOURCE): path.read_text("utf-8") for path in MODULES}
    from_vault = {path: text for path, text in told.items() if re.search(r"vault\.gate import .*\bOneself\b", text)}
    know = {path.parts[0] for path in from_vault}
    make = {"/".join(path.parts[:2]) for path, text in from_vault.items() if re.search(r"\bOneself\(", text)}
    assert know <= WHO_KNOW_ONESELF
    assert make <= WHO_MAKE_ONESELF
