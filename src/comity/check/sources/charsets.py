"""Which encoding a text is in that is not UTF-8, judged by whether its words read like words.

Almost any bytes can be decoded by almost any of these encodings, so that a text decodes proves nothing. What tells them
apart is the outcome: the right one gives words whose letters belong to one language, or characters that are common.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator

_WORD = re.compile(r"[^\W\d_]*[^\x00-\x7f]+(?:[^\W\d_]|[^\x00-\x7f])*")

# For each single-byte encoding, the letters beyond ASCII of the languages that are written in it, lower case.
_WESTERN = (
    "äöüß",
    "àâæçèéêëîïôœùûü",
    "áéíñóúüªº",
    "àèéìîòù",
    "áâãàçéêíóôõú",
    "åäöéü",
    "æøåéöü",
    "áéëïíóöúü",
    "áðéíóúýþæö",
)
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "äöüß", "ăâîşţ", "čćđšž")
_CYRILLIC = ("абвгдежзийклмнопрстуфхцчшщъыьэюяё", "абвгдежзийклмнопрстуфхцчшщьюяіїєґ", "абвгдежзийклмнопрстуфхцчшщъьюя")
_SINGLE: dict[str, tuple[str, ...]] = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1255": ("אבגדהוזחטיךכלםמןנסעףפץצקרשת",),  # before Cyrillic: its letters are Cyrillic small ones without я
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "cp1253": ("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ",),
    "cp1254": ("çğıöşüâîû", "äöüß", "àâçèéêëîïôœùûü"),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"),
    "cp1256": ("ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئىةپچژگ",),
    "mac_roman": _WESTERN,
}
_OTHER_SCRIPT = {"cp1255", "cp1251", "koi8_r", "cp1253", "cp1256"}  # a word in it has no Latin letters
_PUNCTUATION = set("‘’‚“”„–—…«»‹›·•°®©™€£§\xa0´¿¡ªº№")
_UNLIKELY = {"mac_roman": 0.8}  # Windows may claim what both explain


def _within(*spans: tuple[int, int]) -> Callable[[int], bool]:
    return lambda code: any(first <= code <= last for first, last in spans)


# For each double-byte encoding, in which codes of it the common characters lie.
_DOUBLE: dict[str, Callable[[int], bool]] = {
    "gb18030": _within((0xB0A1, 0xD7F9)),
    "big5": _within((0xA440, 0xC67E)),
    "cp932": _within((0x889F, 0x9872), (0x829F, 0x8396)),
    "euc_jp": _within((0xB0A1, 0xCFD3), (0xA4A1, 0xA5F6)),
    "cp949": _within((0xB0A1, 0xC8FE)),
}
# One such character beside a Latin letter: two bytes of a Latin word read as one.
_SWALLOWED = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f](?![^\x00-\x7f])|(?<![^\x00-\x7f])[^\x00-\x7f](?=[A-Za-z])")
_COMMON, _MARK, _RARE, _ODD = 1.0, 0.75, 0.5, -0.5  # what a character is worth, for each of its bytes
_KANA = re.compile(r"[\u3041-\u30fe]")
_KOREAN_ENOUGH = 8  # different syllables before a text that is as good in Korean as in Chinese counts as Korean
_PLAUSIBLE = 0.5
_DOUBLE_BYTE = 2
_JAPANESE = {"cp932", "euc_jp"}
_IDEOGRAPHIC_MARKS = set("，。、：；？！（）《》【】　・ー／")

_NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "utf-32-le": "UTF-32 (little-endian)",
    "utf-32-be": "UTF-32 (big-endian)",
    "gb18030": "GB18030",
    "big5": "Big5",
    "cp932": "Shift_JIS",
    "euc_jp": "EUC-JP",
    "cp949": "EUC-KR",
    "iso8859_2": "ISO 8859-2 (Latin-2)",
    "koi8_r": "KOI8-R",
    "mac_roman": "Mac Roman",
}


def spelled(encoding: str) -> str:
    """Return an encoding's name as people know it."""
    return _NAMES.get(encoding) or re.sub(r"^cp(125\d)$", r"Windows-\1", encoding)


def guess(sample: bytes) -> str | None:
    """Return the name of the codec that makes the best sense of bytes that are not UTF-8, or None if none makes sense.

    The sample holds whole lines. charset-normalizer is asked where our own tables find no words.
    """
    beyond = _beyond(sample)
    scored = {name: score(sample, name) for name in (*_SINGLE, *_DOUBLE)}  # of equals, the first
    best = max(scored, key=lambda name: scored[name])
    if scored[best] < _PLAUSIBLE * beyond:
        return _last_resort(sample)
    if best == "gb18030" and scored["cp949"] == scored[best] and _syllables(sample) >= _KOREAN_ENOUGH:
        return "cp949"
    return best


def _beyond(text: bytes) -> int:
    return len(text) - len(text.translate(None, bytes(range(0x80, 0x100))))


def _syllables(sample: bytes) -> int:
    return len({char for char in sample.decode("cp949", "ignore") if "\uac00" <= char <= "\ud7a3"})


def _last_resort(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    found = from_bytes(sample[: 64 * 2**10]).best()
    if (
        found is None
        or found.encoding in {"ascii", "utf_8", "utf_7"}
        or found.encoding.startswith(("utf_16", "utf_32"))
    ):
        return None
    return codecs.lookup(found.encoding).name


def score(sample: bytes, encoding: str) -> float:
    """Return how many of the bytes beyond ASCII an encoding explains; fewer, or below zero, where it gives nonsense."""
    text = sample.decode(encoding, "replace")
    words = _WORD.findall(text)
    if encoding in _DOUBLE:
        return sum(_characters("".join(words), encoding)) - 2 * len(_SWALLOWED.findall(text))
    return sum(_word(word, encoding) for word in words) * _UNLIKELY.get(encoding, 1)


def _word(word: str, encoding: str) -> float:
    """Value a word by whether the letters of one language spell it and its capitals stand where they may."""
    letters = "".join(char for char in word if char not in _PUNCTUATION)
    beyond = [char for char in letters if char > "\x7f"]
    marks = sum(char in _PUNCTUATION for char in word)
    if not beyond:
        return marks * _MARK
    cased = letters.islower() or letters.isupper() or letters[1:].islower() or letters.istitle() or _uncased(letters)
    lower = {char.lower() for char in beyond}
    latin = encoding in _OTHER_SCRIPT and len(beyond) < len(letters)
    if cased and not latin and any(lower <= set(language) for language in _SINGLE[encoding]):
        return len(beyond) * _COMMON + marks * _MARK
    return len(beyond) * _ODD


def _uncased(letters: str) -> bool:
    return letters.lower() == letters.upper()


def _characters(text: str, encoding: str) -> Iterator[float]:
    """Value the characters of a double-byte encoding by whether its standard counts them among the common ones."""
    common = _DOUBLE[encoding]
    usual = _COMMON if encoding not in _JAPANESE or _KANA.search(text) else _MARK  # Japanese without kana is rare
    for char in text:
        code = char.encode(encoding, "ignore")
        if char.isascii():
            continue
        if len(code) == _DOUBLE_BYTE and common(int.from_bytes(code)):
            yield _beyond(code) * usual
        elif char in _IDEOGRAPHIC_MARKS or ("\u4e00" <= char <= "\u9fff" and len(code) == _DOUBLE_BYTE):
            yield _beyond(code) * _RARE
        else:
            yield max(1, _beyond(code)) * _ODD
