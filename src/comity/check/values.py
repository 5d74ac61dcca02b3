"""What one cell says: a tick, a day, an age, an opt-out in somebody's own words.

Every function takes the text of one cell and answers None when it cannot be sure. Dates are written in many
orders, so a column's order is learned from all its values (`day_order`) before one of them is read.
"""

import re
import tomllib
import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Any, Literal

from comity.check import homes

Order = Literal["dmy", "mdy"]

# ---------------------------------------------------------------- ticks

_YES = frozenset(
    """
    true t yes y 1 1.0 x ✓ ✔ ☑ ✅ 🗹 checked on ja j oui sí si s sì sim da ναι kyllä igen tak ano áno
    evet так да 是 是的 有 对 對 同意 已同意 已勾选 √ はい 有り 예 네 כן نعم हाँ हां ya có ใช่ jah jā taip wahr vrai
    verdadero verdadeiro vero waar prawda sant истина 真 granted accepted agree agreed
    """.split(),
)
_NO = frozenset(
    """
    false f no n 0 0.0 ✗ ✘ ☐ ❌ unchecked off nein non não nao nee nej nei όχι ei nem hayır hayir ні нет
    否 不 不是 无 無 未同意 不同意 没有 いいえ 無し 아니요 아니오 לא لا नहीं tidak không khong ไม่ ไม่ใช่ nē
    falsch faux falso onwaar fałsz falskt ложь 假 declined refused disagree ne nie nu
    """.split(),
)


@lru_cache(maxsize=4096)
def truth(text: str) -> bool | None:
    """Whether a tick box is ticked; None where the text is neither a yes nor a no in any language we read."""
    plain = unicodedata.normalize("NFKC", text).strip().strip("\"'[]()").strip().casefold()
    if plain in _YES:
        return True
    return False if plain in _NO else None


# ---------------------------------------------------------------- opt-outs in free text

_LONGEST_NOTE = 20_000  # characters; what stands behind them is not read


@dataclass(frozen=True, kw_only=True, eq=False)  # each is there once, and is put into many a set
class Language:
    """How one language says no: its part of data/opt_outs.toml, compiled when a note first speaks it."""

    name: str
    words: tuple[str, ...]
    parts: tuple[str, ...]
    patterns: tuple[str, ...]

    @cached_property
    def opt_out(self) -> re.Pattern[str]:
        return _any_of(self.patterns)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files("comity.check") / "data" / "opt_outs.toml").read_text(encoding="utf-8"))


@cache
def languages() -> tuple[Language, ...]:
    """Every language in which an opt-out is heard."""
    return tuple(
        Language(
            name=one["name"],
            words=tuple(spelled(one.get("words", "")).split()),
            parts=tuple(spelled(part) for part in _parts(one)),
            patterns=tuple(_spelled_out(pattern, one.get("pieces", {})) for pattern in one["patterns"]),
        )
        for one in _table()["language"]
    )


@cache
def _taken_back() -> re.Pattern[str]:
    return _any_of(_spelled_out(pattern, {}) for pattern in _table()["taken_back"])


def _parts(language: Mapping[str, str]) -> list[str]:
    return [part for part in language.get("parts", "").split("|") if part]


def _spelled_out(pattern: str, own: Mapping[str, str]) -> str:
    """A pattern with its pieces in place, spelled as a note is."""
    for name, piece in reversed({**_table()["pieces"], **own}.items()):
        pattern = pattern.replace(f"{{{name}}}", piece)
    escapes_apart = re.findall(r"\\.|[^\\]+", pattern)
    return "".join(part if part.startswith("\\") else spelled(part) for part in escapes_apart)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all; those that begin at the edge of a word are tried there and nowhere else."""
    listed = list(patterns)
    at_edges = [pattern.removeprefix(r"\b") for pattern in listed if pattern.startswith(r"\b")]
    anywhere = [pattern for pattern in listed if not pattern.startswith(r"\b")]
    return re.compile("|".join([rf"\b(?:{'|'.join(at_edges)})", *anywhere] if at_edges else anywhere))


_SIGNS = str.maketrans(
    dict.fromkeys("’‘ʼ´`′", "'") | dict.fromkeys("“”„‟″", '"') | dict.fromkeys("‐‑‒–—−", "-")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff") | {"_": " "},
)  # fmt: skip


def spelled(text: str) -> str:
    """A text without its case, its accents, and its kinds of dash and apostrophe."""
    if text.isascii():
        return text.lower().replace("`", "'").replace("_", " ")
    return homes.without_accents(unicodedata.normalize("NFKC", text.translate(_SIGNS)).casefold())


@cache
def opt_out_stems() -> str:
    """A pattern in RE2 syntax; a text it does not find holds no opt-out, so a database can pass over it.

    RE2 knows the edges of words of ASCII alone, so whatever is no letter of an alphabet counts as one.
    """
    words = sorted({word for one in _table()["language"] for word in one.get("words", "").split()})
    parts = sorted({part for one in _table()["language"] for part in _parts(one)})
    whole = f"(?:^|{_NO_LETTER})(?:{'|'.join(map(_in_any_spelling, words))})(?:{_NO_LETTER}|$)"
    return f"(?i)(?:{_table()['disguise']}|{whole}|{'|'.join(map(_in_any_spelling, parts))})"


_NO_LETTER = "[^a-zà-öø-ÿα-ωа-яёіїєґ]"
_ACCENTED = "à-žạ-ỹ"  # with more letters than these the pattern outgrows RE2's memory, and is a hundred times slower


def _in_any_spelling(stem: str) -> str:
    """A pattern for a stem whose vowels may have any accent, and whose other letters those that they show or none."""
    return "".join(map(_letter_in_any_spelling, stem))


def _letter_in_any_spelling(letter: str) -> str:
    if letter in " -":
        return "."
    plain = spelled(letter)
    shown = letter if letter != plain else ""
    accents = _ACCENTED if plain in "aeiouy" else ""
    return f"[{plain}{shown}{accents}]" if shown or accents else re.escape(letter)


_ONE_DIGIT = str.maketrans("123456789", "000000000")
_WORD = re.compile(r"[a-z]+|[^\W\d_a-z]+")


def opt_out_words(text: str) -> bool | None:
    """Whether a note in somebody's own words says that a person wants no more contact.

    True or None, never False: that nobody wrote it down proves nothing, and "opted in" in a note is no consent.
    Reads the languages of data/opt_outs.toml. None of its patterns names a digit, so notes alike but for their numbers
    are read once.
    """
    return _opt_out_words(text.translate(_ONE_DIGIT))


@lru_cache(maxsize=65536)
def _opt_out_words(text: str) -> bool | None:
    note = _taken_back().sub(" ", spelled(text[:_LONGEST_NOTE]))
    return True if any(language.opt_out.search(note) for language in spoken(note)) else None


def spoken(note: str) -> set[Language]:
    """The languages that have a word or a part in a note, spelled as `spelled` does; in no other can it say no."""
    by_word, by_part = _where_to_look()
    in_words = {language for word in set(_WORD.findall(note)) for language in by_word.get(word, ())}
    return in_words.union(*[found for part, found in by_part if part in note])


@cache
def _where_to_look() -> tuple[Mapping[str, set[Language]], list[tuple[str, set[Language]]]]:
    """The languages of each word and of each part."""
    by_word: dict[str, set[Language]] = {}
    by_part: dict[str, set[Language]] = {}
    for language in languages():
        for found, stems in ((by_word, language.words), (by_part, language.parts)):
            for stem in stems:
                found.setdefault(stem, set()).add(language)
    return by_word, list(by_part.items())


# ---------------------------------------------------------------- days

# In the languages of the covered laws, as they stand in dates, the months apart by a bar.
_MONTH_NAMES = """
    jan january januar jänner janvier janv enero ene gennaio gen janeiro januari styczeń stycznia
    tammikuuta ocak января янв |
    feb february februar feber février févr fév febrero febbraio fevereiro fev februari luty lutego
    helmikuuta şubat февраля фев |
    mar march märz mrz mär mars marzo março maart mrt marca marzec maaliskuuta mart марта |
    apr april avril avr abril abr aprile abr kwiecień kwietnia huhtikuuta nisan апреля апр |
    may mai mayo maggio mag maio mei maj maja toukokuuta mayıs мая май |
    jun june juni juin junio giugno giu junho czerwiec czerwca kesäkuuta haziran июня июн |
    jul july juli juillet juil julio luglio lug julho lipiec lipca heinäkuuta temmuz июля июл |
    aug august août agosto ago agustus augustus augusti sierpień sierpnia elokuuta ağustos августа
    авг |
    sep sept september septembre septiembre settembre set setembro wrzesień września syyskuuta eylül
    сентября сен |
    oct october oktober okt octobre octubre ottobre ott outubro out październik października
    lokakuuta ekim октября окт |
    nov november novembre noviembre novembro listopad listopada marraskuuta kasım ноября ноя |
    dec december dezember dez décembre déc diciembre dic dicembre dezembro grudzień grudnia desember
    joulukuuta aralık декабря дек
"""
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES.split("|"), start=1) for name in names.split()}
_CLOCK = (
    r"(?:(?:[T\s]|,\s|\s+(?:at|um|à)\s+)\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:Z|UTC|GMT|[A-Z]{2,5}|(?:UTC|GMT)?[+-]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = re.compile(rf"(\d{{4}})\s?[-/.年년]\s?(\d{{1,2}})\s?[-/.月월]\s?(\d{{1,2}})[日일.]?{_CLOCK}")
_COMPACT = re.compile(rf"((?:19|20)\d{{2}})(\d{{2}})(\d{{2}}){_CLOCK}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])\s?(\d{{1,2}})\2\s?(\d{{4}}|\d{{2}}){_CLOCK}")
_DAY_NAMED = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|º|\.)?[\s\-/]*(?:de\s+)?([^\W\d_]{3,14})\.?,?[\s\-/]*(?:de\s+|del\s+)?"
    rf"'?(\d{{4}}|\d{{2}}){_CLOCK}",
)
_NAMED_DAY = re.compile(rf"([^\W\d_]{{3,14}})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}}){_CLOCK}")
_WEEKDAY = re.compile(r"^[^\W\d_]{2,12}\.?,\s+(?=\d|[^\W\d_]{3,})")
_EPOCH = re.compile(r"-?\d{9,10}|-?\d{12,13}")


@lru_cache(maxsize=65536)
def day(text: str, order: Order | Literal["auto"] = "auto", *, excel: bool = False) -> date | None:
    """The day a cell names, as it is written; None for no date, an impossible one, or one that can be two.

    `order` says whether 03/04/2024 is 3 April ("dmy") or 4 March ("mdy"); with "auto" only what can be one day is read.
    Seconds and milliseconds since 1970 are days in UTC. `excel` reads 45292 as a spreadsheet counts days.
    """
    plain = _WEEKDAY.sub("", unicodedata.normalize("NFKC", text).strip().strip("\"'"))
    if match := _YEAR_FIRST.fullmatch(plain) or _COMPACT.fullmatch(plain):
        return _date(match[1], match[2], match[3])
    if match := _YEAR_LAST.fullmatch(plain):
        return _ordered(match, order)
    if match := _DAY_NAMED.fullmatch(plain):
        return _date(_four_digits(match[3]), _MONTHS.get(match[2].casefold()), match[1])
    if match := _NAMED_DAY.fullmatch(plain):
        return _date(match[3], _MONTHS.get(match[1].casefold()), match[2])
    if _EPOCH.fullmatch(plain):
        return _since_1970(int(plain))
    return _since_1900(plain) if excel else None


def day_order(texts: Iterable[str]) -> Order | None:
    """Whether a column writes day or month first, from values that can only be one; None without any, or with both."""
    seen = {order for text in texts if (order := _certain_order(text))}
    return seen.pop() if len(seen) == 1 else None


def _certain_order(text: str) -> Order | None:
    match = _YEAR_LAST.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not match:
        return None
    first, second = int(match[1]), int(match[3])
    if first > 12 >= second >= 1:  # noqa: PLR2004 - twelve months
        return "dmy"
    return "mdy" if second > 12 >= first >= 1 else None  # noqa: PLR2004 - twelve months


def _ordered(match: re.Match[str], order: Order | Literal["auto"]) -> date | None:
    first, dots, second, year = match[1], match[2] == ".", match[3], _four_digits(match[4])
    dmy, mdy = _date(year, second, first), _date(year, first, second)
    if order == "dmy" or (dots and order == "auto"):  # nobody who writes the month first writes dots
        return dmy
    if order == "mdy":
        return mdy
    return dmy if not mdy or dmy == mdy else mdy if not dmy else None


def _four_digits(year: str) -> int:
    """`24` is 2024 and `78` is 1978, as POSIX reads them."""
    number = int(year)
    return number if len(year) == 4 else number + (1900 if number > 68 else 2000)  # noqa: PLR2004 - see above


def _date(year: str | int, month: str | int | None, day_of_month: str | int) -> date | None:
    try:
        return date(int(year), int(month or 0), int(day_of_month))
    except ValueError:
        return None


def _since_1970(number: int) -> date | None:
    seconds = number / 1000 if abs(number) >= 10**11 else number
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date()
    except OverflowError:
        return None


def _since_1900(text: str) -> date | None:
    """Excel counts from 1900 and believes that 29 February 1900 was a day, hence the odd start."""
    match = re.fullmatch(r"(\d{1,5})(?:\.\d+)?", text)
    serial = int(match[1]) if match else 0
    return date(1899, 12, 30) + timedelta(days=serial) if serial > 60 else None  # noqa: PLR2004 - that day is number 60


# ---------------------------------------------------------------- ages


_SHORT_YEAR = re.compile(r"(\d{1,2}[-/. ].*[^\d:])(\d{2})")


@lru_cache(maxsize=65536)
def age_bounds(text: str, today: date, order: Order | Literal["auto"] = "auto") -> tuple[int, int] | None:
    """The least and the most completed years of life on `today`, from a birth date, month, year, decade or an age.

    A date that can be two days gives the bounds of both. A future birth, an age over 130, anything unreadable: None.
    """
    plain = unicodedata.normalize("NFKC", text).strip().strip("\"'")
    births = _births(plain, today, order)
    if births is None:
        return _stated_age(plain)
    first, last = births
    if first > today or last.year < today.year - 130:
        return None
    return _years(min(last, today), today), _years(first, today)


def _births(text: str, today: date, order: Order | Literal["auto"]) -> tuple[date, date] | None:
    """The first and the last day on which the person can have been born."""
    if born := _born_on(text, today, order):
        return min(born), max(born)
    return _month_of_birth(text) or _year_of_birth(text) or _decade_of_birth(text)


def _born_on(text: str, today: date, order: Order | Literal["auto"]) -> list[date]:
    """Every day that a full date can mean: in either order where none is known, in either century of a short year."""
    orders: tuple[Order, ...] = ("dmy", "mdy") if order == "auto" else (order,)
    if sure := day(text, order) if not (short := _SHORT_YEAR.fullmatch(text)) else None:
        return [sure]
    forms = [f"{short[1]}{century}{short[2]}" for century in (19, 20)] if short else [text]
    read = (day(form, one) for form in forms for one in orders)
    found = [born for born in read if born]
    return [born for born in found if born <= today] or found


def _month_of_birth(text: str) -> tuple[date, date] | None:
    year_first = re.fullmatch(r"((?:19|20)\d{2})\s?[-/.年]\s?(\d{1,2})月?", text)
    month_first = re.fullmatch(r"(\d{1,2})\s?[-/.]\s?((?:19|20)\d{2})", text)
    named = re.fullmatch(r"([^\W\d_]{3,14})\.?,?\s+((?:19|20)\d{2})", text)
    if year_first:
        year, month = int(year_first[1]), int(year_first[2])
    elif month_first:
        year, month = int(month_first[2]), int(month_first[1])
    elif named:
        year, month = int(named[2]), _MONTHS.get(named[1].casefold(), 0)
    else:
        return None
    first = _date(year, month, 1)
    return (first, first.replace(day=monthrange(year, month)[1])) if first else None


def _year_of_birth(text: str) -> tuple[date, date] | None:
    match = re.fullmatch(r"(?:\*\s*)?((?:19|20)\d{2})(?:\.0)?\s?(?:年(?:生|出生)?|г\.?(?:р\.?)?)?", text)
    return (date(int(match[1]), 1, 1), date(int(match[1]), 12, 31)) if match else None


def _decade_of_birth(text: str) -> tuple[date, date] | None:
    """`80后` was born in the eighties, `1980s` and `'80s` too; `00后` in 2000 to 2009."""
    match = re.fullmatch(r"(?:(?:19|20)?(\d)0)\s?(?:后|後|'?s)", text.removeprefix("'"))
    if not match:
        return None
    written = re.match(r"(19|20)\d0", text)
    century = int(written[1]) * 100 if written else (1900 if int(match[1]) >= 3 else 2000)  # noqa: PLR2004 - 30s to 90s
    first = century + int(match[1]) * 10
    return date(first, 1, 1), date(first + 9, 12, 31)


def _stated_age(text: str) -> tuple[int, int] | None:
    """`34`, `34 years`, `25-34`, `65+`: an age somebody wrote down, taken as it stands: people only grow older."""
    years = r"\s?(?:years?(?:\s+old)?|yrs?|y/?o|jahre?(?:\s+alt)?|ans|años|anni|anos|岁|歲|歳|세|лет)?"
    if match := re.fullmatch(rf"(\d{{1,3}})(?:\.0)?{years}", text, re.IGNORECASE):
        age = int(match[1])
        return (age, age) if age <= 130 else None  # noqa: PLR2004 - nobody is older
    if match := re.fullmatch(rf"(\d{{1,3}})\s?(?:-|–|—|~|to|bis|à|a|至)\s?(\d{{1,3}}){years}", text, re.IGNORECASE):
        low, high = int(match[1]), int(match[2])
        return (low, high) if low <= high <= 130 else None  # noqa: PLR2004 - as above
    older = r"(?:\+|and\s+over|or\s+older|以上|und\s+älter|et\s+plus)"
    if match := re.fullmatch(rf"(\d{{1,3}})\s?{older}{years}", text, re.IGNORECASE):
        return (int(match[1]), 130) if int(match[1]) <= 130 else None  # noqa: PLR2004 - as above
    return None


def _years(born: date, today: date) -> int:
    """Completed years; who was born on 29 February completes a year on 1 March of a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
