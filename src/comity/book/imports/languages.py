"""Languages as files name them: a code as BCP 47 writes it, or the name of a common language; nothing else is one.

The column in which a language stands is plain, so a word that merely stands in a file's column must not get there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

KNOWN: Final = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg
    ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn
    no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta
    te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu cmn yue fil haw hsb dsb gsw nds
    """.split()
)
"""The two letters of ISO 639, and some of three that files use."""
CODE: Final = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?")
REST: Final = re.compile(r"[.@].*")
"""What stands behind a locale of a computer: de_DE.UTF-8, de_DE@euro."""


def language_of(text: str) -> str | None:
    """Return the code of the language that a cell names, such as de or zh-Hans-CN; None where it names none."""
    small = REST.sub("", text.strip()).replace("_", "-").casefold()
    match = CODE.fullmatch(small)
    if match is None or match[1] not in KNOWN:
        return _named().get(small)
    script, region = (match[2] or "").capitalize(), (match[3] or "").upper()
    return "-".join(filter(None, [match[1], script, region]))


@cache
def _named() -> dict[str, str]:
    """Return the codes of languages by their names, in English and in the language itself."""
    from django.conf.locale import LANG_INFO

    told = [(code, info) for code, info in LANG_INFO.items() if "name" in info and "-" not in code]
    return {str(info[name]).casefold(): code for code, info in told for name in ("name_local", "name")} | {
        "chinese": "zh", "中文": "zh", "汉语": "zh",
    }  # fmt: skip
