# ruff: noqa: INP001 - a script, not a package
"""Bring src/comity/web/locale up to date: marked strings in Python, templates, roles.toml and schedule.toml.

Needs Babel, and no gettext on the machine:

    python tools/translations.py         writes django.po with new strings, and django.mo as it is translated
    python tools/translations.py check   says what is missing or out of date, and changes nothing
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "comity"
LOCALE = SOURCE / "web" / "locale"
LANGUAGES = {"zh_Hans": "Simplified Chinese"}
KEYWORDS = {
    "_": None,
    "say": None,  # gettext, where _ is its lazy sister
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
ONE_DAY = datetime(2026, 11, 22, tzinfo=UTC)
"""Babel writes a day into each file; one that stays keeps the bytes as they are."""

SENTENCES = {"name", "says"}
"""Keys of roles.toml whose values people read."""

POLICY = ("name", "says", "purpose", "goes")
"""Keys of a category of retention/schedule.toml that people read."""

Found = tuple[str, int, "str | tuple[str, ...]", "str | None"]


def found() -> Iterator[Found]:
    """Give every marked string with its file, line and context."""
    for path in sorted(SOURCE.rglob("*")):
        within = path.relative_to(SOURCE).parts
        if path.suffix == ".py" and path.parts[-2] not in {"law", "check", "cli", "migrations"}:
            yield from _in_python(path, path.read_text("utf-8"))
        elif path.suffix in {".html", ".txt"} and "templates" in within and "check" not in within:
            yield from _in_python(path, templatize(path.read_text("utf-8"), origin=str(path)))
        elif path.name == "roles.toml":
            yield from _in_roles(path)
        elif path.name == "schedule.toml":
            yield from _in_schedule(path)


def _in_python(path: Path, text: str) -> Iterator[Found]:
    name = path.relative_to(ROOT).as_posix()
    for line, function, said, _ in extract_python(BytesIO(text.encode()), list(KEYWORDS), [], {"encoding": "utf-8"}):
        parts = said if isinstance(said, tuple) else (said,)
        context = parts[0] if function.startswith(("pget", "npget")) else None
        texts = tuple(part for part in (parts[1:] if context else parts) if part)
        if texts:
            yield name, line, texts if len(texts) > 1 else texts[0], context


def _in_roles(path: Path) -> Iterator[Found]:
    told = tomllib.loads(path.read_text("utf-8"))
    for table in (*told["role"].values(), *told["word"].values()):
        yield from (
            (path.relative_to(ROOT).as_posix(), 0, text, None) for key, text in table.items() if key in SENTENCES
        )


def _in_schedule(path: Path) -> Iterator[Found]:
    told = tomllib.loads(path.read_text("utf-8"))
    said = [table[key] for table in told["category"].values() for key in POLICY]
    yield from ((path.relative_to(ROOT).as_posix(), 0, text, None) for text in (*said, *told["since"].values()))


def template() -> Catalog:
    """Return the catalogue of all marked strings, untranslated."""
    catalog = Catalog(project="Comity", charset="utf-8", fuzzy=False)
    for name, _line, said, context in found():
        catalog.add(said, locations=[(name, 0)], context=context, flags=_flags(said))
    return catalog


def _flags(said: str | tuple[str, ...]) -> set[str]:
    first = said if isinstance(said, str) else said[0]
    return {"python-format"} if "%(" in first or "%s" in first else set()


def updated(language: str) -> Catalog:
    """Return a language's catalogue with the strings of today: new ones untranslated, gone ones dropped."""
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    known = read_po(BytesIO(path.read_bytes()), locale=language) if path.exists() else Catalog(locale=language)
    today = template()
    merged = Catalog(locale=language, project="Comity", charset="utf-8", fuzzy=False, domain="django")
    for message in today:
        if message.id:
            before = known.get(message.id, context=message.context)
            merged.add(
                message.id,
                string=before.string if before else None,
                locations=sorted(message.locations),
                context=message.context,
                flags=message.flags,
            )
    merged.mime_headers  # noqa: B018 - computed once, so that both files say the same
    return merged


def untranslated(catalog: Catalog) -> list[str]:
    """Return the strings that have no translation."""
    return [str(message.id) for message in catalog if message.id and not _whole(message.string)]


def _whole(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def po(catalog: Catalog) -> bytes:
    """Return a catalogue as a .po file, without the times and the lines that change for nothing."""
    out = BytesIO()
    write_po(out, catalog, sort_output=True, omit_header=True, include_lineno=False, width=118)
    head = f'# {LANGUAGES[str(catalog.locale)]}\nmsgid ""\nmsgstr ""\n"Language: {catalog.locale}\\n"\n'
    plural = '"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    return (head + plural).encode() + out.getvalue()


def mo(text: bytes, language: str) -> bytes:
    """Return the .mo file of a .po file."""
    catalog = read_po(BytesIO(text), locale=language)
    for message in catalog:
        message.flags.discard("fuzzy")
    catalog.creation_date = catalog.revision_date = ONE_DAY
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main() -> None:
    """Write, or check."""
    settings.configure(USE_I18N=True)
    missing = []
    for language in LANGUAGES:
        folder = LOCALE / language / "LC_MESSAGES"
        catalog = updated(language)
        missing += [f"{language}: no translation of {said!r}" for said in untranslated(catalog)]
        text = po(catalog)
        if "check" not in sys.argv:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "django.po").write_bytes(text)
            (folder / "django.mo").write_bytes(mo(text, language))
        elif (folder / "django.po").read_bytes() != text or (folder / "django.mo").read_bytes() != mo(text, language):
            missing.append(f"{language}: out of date; run python tools/translations.py")
    sys.stdout.write("".join(f"{line}\n" for line in missing))
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
