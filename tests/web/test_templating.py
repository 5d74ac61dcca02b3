"""What a template always says is said when it is read: in each language its own, and nothing that a page brings."""

from __future__ import annotations

import pytest
from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.template.base import NodeList, TextNode
from django.utils import translation

from comity.web.templating import ByLanguage, _said


def rendered(text: str, language: str = "en", **context: object) -> str:
    """Render a text as a file of this text would be, in a language."""
    engine = engines["django"]
    assert isinstance(engine, DjangoTemplates)
    with translation.override(language):
        template = engine.from_string(text)
        before = template.render(context)
        template.template.nodelist = _said(template.template.nodelist)
        assert template.render(context) == before
    return before


def test_words_are_said_in_the_language_of_who_reads() -> None:
    loader = engines["django"].engine.template_loaders[0]  # type: ignore[attr-defined]  # it is Django's own
    assert isinstance(loader, ByLanguage)
    said = {}
    for language in ("en", "zh-hans", "en"):
        with translation.override(language):
            template = loader.get_template("comity/seek.html")
            said[language] = "".join(node.s for node in template.nodelist if isinstance(node, TextNode))
    assert "Find a person" in said["en"]
    assert "Find a person" not in said["zh-hans"]


def test_what_never_changes_becomes_text() -> None:
    engine = engines["django"]
    template = engine.from_string("<p>{% translate 'People' %}{% icon 'scale' %}{% static 'comity/mark.svg' %}</p>")
    (only,) = _said(template.template.nodelist)  # type: ignore[attr-defined]  # it is Django's own
    assert isinstance(only, TextNode)
    assert "<p>People<svg" in only.s


@pytest.mark.parametrize(
    "text",
    [
        "{% if yes %}{% translate 'People' %}{{ name }}{% else %}{% translate 'Staff' %}{% endif %}",
        "{% for each in name %}{% icon 'x' %}{{ each }}{% translate 'Law' %}{% endfor %}",
        "{% translate 'People' as people %}{{ people }}{{ name }}",
        "{% translate name %}{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}",
        "{% blocktranslate trimmed %} People {% endblocktranslate %}{% translate '100 %' %}",
        "{% url 'book:persons' %}{% url 'web:settings' as there %}{{ there }}{% icon icon_name %}",
        "{% autoescape off %}{{ name }}{% translate 'Law' %}{% endautoescape %}{{ name }}",
        "{% with other=name %}{% translate 'Law' %}{{ other }}{% endwith %}",
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_page_is_the_same_as_before(text: str, language: str) -> None:
    assert rendered(text, language, yes=True, name="<Ada>", icon_name="scale")


def test_an_address_that_there_is_not_is_said_when_a_page_comes_to_it() -> None:
    engine = engines["django"]
    template = engine.from_string("{% if yes %}{% url 'nowhere' %}{% endif %}here")
    template.template.nodelist = _said(template.template.nodelist)  # type: ignore[attr-defined]  # it is Django's own
    assert template.render({"yes": False}) == "here"
    assert isinstance(template.template.nodelist, NodeList)  # type: ignore[attr-defined]  # as above
