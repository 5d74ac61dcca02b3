"""A form as people see it, as HTML: on its page, in a frame, in the preview, before the lint; everywhere alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from comity.consent.notices.blocks import FROM_RIGHT, language_name, spoken
from comity.outreach.forms.words import begun_in, words_in

if TYPE_CHECKING:
    from comity.outreach.forms.models import FormVersion
    from comity.outreach.forms.visiting import Filled

PAGE: Final = "outreach/forms/public.html"


def said_by(version: FormVersion, language: str) -> dict[str, str]:
    """Return all that a form says in a language: by itself, and what was written for it."""
    written = {name: text for name, text in version.words.get(language, {}).items() if text.strip()}
    return {**words_in(language), **begun_in(language), **written}


def form_page(version: FormVersion, language: str, form: Filled, **more: object) -> str:
    """Return the page of a form with what stands in it."""
    told: dict[str, Any] = {
        "version": version, "form": form, "boxes": [(box, form[f"ask_{box.number}"]) for box in form.boxes],
        "notice": notice_address(version, language), **more,
    }  # fmt: skip
    return page(PAGE, version, language, told)


def page(template: str, version: FormVersion, language: str, told: Mapping[str, Any]) -> str:
    """Return a page of a form in its language: what is ours to say, and the frame around it as near as we have it."""
    here = {
        "entity": version.entity, "says": said_by(version, language), "language": language,
        "direction": "rtl" if language in FROM_RIGHT else "ltr",
    }  # fmt: skip
    with translation.override("zh-hans" if spoken(language) == "zh" else "en"):
        return render_to_string(template, {**here, **told})


def notice_address(version: FormVersion, language: str) -> str:
    """Return where the privacy notice of a form can be read, in this language if it is written in it."""
    if version.notice is None:
        return ""
    if language in version.notice.languages:
        return reverse("consent:notice-public-in", args=[version.notice.ref, language])
    return reverse("consent:notice-public", args=[version.notice.ref])


def other_languages(version: FormVersion, here: str, address: str) -> list[tuple[str, str, str]]:
    """Return the other languages of a form: code, name and the address of the form in them."""
    return [
        (code, language_name(code), f"{address}?language={code}") for code in version.languages if code != here
    ]  # fmt: skip


def language_of(version: FormVersion, wanted: Sequence[str]) -> str:
    """Return the language that is wanted first among those of a form; else its first."""
    for tag in wanted:
        for language in version.languages:
            if language == tag or spoken(language) == spoken(tag):
                return str(language)
    return str(version.languages[0])
