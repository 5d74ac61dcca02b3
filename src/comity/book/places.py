"""Places as people say them, in the language of whoever reads."""

from __future__ import annotations

from django.utils.translation import get_language

from comity.check.as_json import place_name


def said_of(home: str) -> str:
    """Return "Germany", or "Germany / France", for a home as it is stored; empty for one that is unknown."""
    chinese = (get_language() or "").startswith("zh")
    return " / ".join(place_name(code, chinese=chinese) for code in home.split("|") if code)
