from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message

import comity

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(Path(comity.__file__).parent.glob("*/templates/**/*.html"))
NOT_FOR_READERS = {"check", "styleguide.html"}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    found = importlib.util.spec_from_file_location("translations", ROOT / "tools" / "translations.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def chinese(tool: ModuleType) -> Catalog:
    catalog: Catalog = tool.updated("zh_Hans")
    return catalog


def said_in(message: Message) -> str:
    """Return a translation; Chinese has one form for one and for many."""
    return "".join(message.string or ())


def test_every_string_is_translated(tool: ModuleType, chinese: Catalog) -> None:
    assert tool.untranslated(chinese) == [], "translate them in web/locale and run python tools/translations.py"


def test_both_files_say_what_the_source_says_today(tool: ModuleType, chinese: Catalog) -> None:
    folder = tool.LOCALE / "zh_Hans" / "LC_MESSAGES"
    text = (folder / "django.po").read_bytes()
    assert text == tool.po(chinese), "run python tools/translations.py"
    assert (folder / "django.mo").read_bytes() == tool.mo(text, "zh_Hans"), "run python tools/translations.py"


def test_a_translation_has_the_places_of_its_string(chinese: Catalog) -> None:
    place = re.compile(r"%\(\w+\)[sd]|%%")
    for message in chinese:
        if message.id:
            first = message.id if isinstance(message.id, str) else message.id[-1]
            said = said_in(message)
            assert sorted(place.findall(first)) == sorted(place.findall(said)), first


def test_chinese_is_written_with_chinese_marks(chinese: Catalog) -> None:
    wrong = re.compile(r"[\u4e00-\u9fff][,;:?!]|[\u4e00-\u9fff]\.(?!toml)|\s[\u3002\uff0c]")
    assert [said for said in map(said_in, chinese) if wrong.search(said)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_speaks_to_its_reader_in_unmarked_words(path: Path) -> None:
    if NOT_FOR_READERS & {path.name, path.relative_to(Path(comity.__file__).parent).parts[0]}:
        return
    text = path.read_text("utf-8")
    for pattern in (
        r"{#.*?#}",
        r"{% block width %}.*?{% endblock %}",
        r"{% blocktranslate.*?{% endblocktranslate %}",
        r"<script.*?</script>",
        r"{%.*?%}",
        r"{{.*?}}",
        r"<(code|kbd)\b.*?</\1>",
        r"<!?/?[a-zA-Z][^>]*>",
        r"&\w+;",
    ):
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    assert re.findall(r"[A-Za-z]{2,}", re.sub("Comity|SHA-256", "", text)) == []
