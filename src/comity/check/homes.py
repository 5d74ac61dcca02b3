"""Where a person may live, read from the cells of somebody else's export.

Evidence is a set of places (ISO 3166-1 codes, `US-CA` for a state of the United States):

- a filled set: the person lives in one of these;
- the empty set: the cell says nothing (blank, "n/a");
- None: something is written there that nobody understood.

Unknown is never yes: what is not understood widens a home to "anywhere" and never narrows it. Conflicting
evidence widens it to every place named. All functions are pure: one text in, the same answer always.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from importlib.resources import files

Places = frozenset[str]
Evidence = Places | None  # None: filled, and not understood

NOTHING: Places = frozenset()

# Codes of their own in ISO 3166-1 that are also written as a state of the United States.
US_TERRITORIES = frozenset({"AS", "GU", "MP", "PR", "UM", "VI"})

# Country code domains that are sold to everybody as words (.io, .ai, .tv); they say nothing about where somebody
# lives. Left in: those that people at home use most (.de, .id, .in, .us), because as weak evidence they can only
# widen a home.
SOLD_AS_WORDS = frozenset(
    "ac ag ai am as bz cc cd cf co cx dj fm ga gd gg gl gq gs im io la lc li ly me ml ms mu nu pw sc sh so st su tc tk"
    " to tv vc vg vu ws".split(),
)
# Country code domains whose code is not the ISO code, and those in other scripts.
DOMAINS = {
    "uk": "GB", "gov": "US", "mil": "US", "рф": "RU", "xn--p1ai": "RU", "中国": "CN", "xn--fiqs8s": "CN",
    "中國": "CN", "xn--fiqz9s": "CN", "香港": "HK", "xn--j6w193g": "HK", "台灣": "TW", "xn--kpry57d": "TW",
    "台湾": "TW", "xn--kprw13d": "TW", "한국": "KR", "xn--3e0b707e": "KR", "ελ": "GR", "xn--qxam": "GR",
    "бг": "BG", "xn--90ae": "BG", "укр": "UA", "xn--j1amh": "UA", "срб": "RS", "xn--90a3ac": "RS",
    "бел": "BY", "xn--90ais": "BY", "қаз": "KZ", "xn--80ao21a": "KZ", "भारत": "IN", "xn--h2brj9c": "IN",
    "السعودية": "SA", "xn--mgberp4a5d4ar": "SA", "امارات": "AE", "xn--mgbaam7a8h": "AE", "ישראל": "IL",
    "xn--4dbrk0ce": "IL", "ไทย": "TH", "xn--o3cw4h": "TH",
}  # fmt: skip

# Words that fill a cell and say nothing.
BLANKS = frozenset(
    "unknown|unbekannt|inconnu|desconocido|sconosciuto|onbekend|desconhecido|nieznany|未知|不详|不明|none|null|nil|"
    "empty|blank|notset|notavailable|notprovided|notspecified|notapplicable|unspecified|undefined|tbd|tba|keineangabe|"
    "ka|nonrenseigne|无|空|暂无|未填写|未设置|pleaseselect|select|selectcountry|selectacountry|choose|bittewahlen|"
    "请选择".split("|"),
)


# ---------------------------------------------------------------- spelling


def spelling(text: str) -> str:
    """One form for what differs only by case, width, punctuation, spaces and small words."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("&", " and ")
    folded = unicodedata.normalize("NFC", folded)
    words = "".join(_letter(character) for character in folded).split()
    words = [_SHORT_FORMS.get(word, word) for word in words] if len(words) > 1 else words
    return "".join(word for word in words if word not in {"the", "and", "of"}) or "".join(words)


def without_accents(text: str) -> str:
    """`cotedivoire` for `côtedivoire`; what is not Latin, Greek or Cyrillic keeps its marks."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).translate(_PLAIN))


def _letter(character: str) -> str:
    if character in "'’‘`´.·":
        return ""
    return character if unicodedata.category(character)[0] in "LNM" else " "


_SHORT_FORMS = {
    "st": "saint", "ste": "sainte", "rep": "republic", "repub": "republic", "dem": "democratic", "is": "islands",
    "isl": "islands", "isls": "islands", "island": "islands", "terr": "territory", "fed": "federal",
}  # fmt: skip
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss", "þ": "th", "ð": "d"}
    | dict.fromkeys(map(chr, range(0x300, 0x370)), "")  # the accents, once they stand apart
)


@cache
def _table(name: str) -> dict[str, Places]:
    """A file of `data/`: places, a tab, the spellings that mean them."""
    text = (files("comity.check") / "data" / name).read_text(encoding="utf-8")
    table: dict[str, Places] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            places, _, spellings = line.partition("\t")
            table |= dict.fromkeys(spellings.split("|"), frozenset(places.split()))
    return table


def _look_up(text: str, table: str) -> Places:
    spelled = spelling(text)
    known = _table(table)
    return known.get(spelled) or known.get(without_accents(spelled)) or NOTHING


def _says_nothing(text: str) -> bool:
    stripped = text.strip()
    if stripped.casefold() in {"n/a", "n.a.", "#n/a", "n.a", "k.a.", "k. a.", "(not set)"}:
        return True
    spelled = without_accents(spelling(stripped))
    return not spelled or spelled in BLANKS


# ---------------------------------------------------------------- country


@lru_cache(maxsize=65536)
def from_country(text: str) -> Evidence:
    """The places that the text of a country cell can mean.

    Reads names in some 35 languages, ISO 3166-1 codes (two and three letters, three digits), flags, old names, and two
    of these together ("Germany (DE)", "US - United States"). "Georgia" alone is the country or the American state.
    """
    text = _flags_to_codes(text)
    if _says_nothing(text):
        return NOTHING
    if text.strip() in {"NA", "na", "Na"}:  # Namibia's code, and what spreadsheets write for "not available"
        return None
    for read in (_whole, _turned, _subdivision_code, _with_code, _alternatives, _qualified):
        if places := read(text):
            return places
    return None


def _whole(text: str) -> Places:
    return _look_up(text.strip().removeprefix("ประเทศ"), "countries.tsv")  # "country", as Thai says before the name


def _turned(text: str) -> Places:
    """`Korea, Republic of` and `Korea (South)` as they are spoken."""
    match = re.fullmatch(r"([^,(]+)[,(]\s*([^,()]+)\)?\s*", text)
    return _whole(f"{match[2]} {match[1]}") if match else NOTHING


def _subdivision_code(text: str) -> Places:
    """`US-CA` is a state; `DE-BE` is Berlin or two countries, so both."""
    match = re.fullmatch(r"\s*([A-Za-z]{2})-([A-Za-z0-9]{1,3})\s*", text)
    if not match or not (country := _whole(match[1])):
        return NOTHING
    if country == {"US"}:
        return _us_code(match[2])
    return country | _whole(match[2])


def _with_code(text: str) -> Places:
    """`Germany DE`, `DE Germany`, `US-United States`: a name beside its own code."""
    words = re.split(r"[\s\-–—_/:]+", text.strip())
    for code, rest in ((words[0], words[1:]), (words[-1], words[:-1])):
        if re.fullmatch(r"[A-Za-z]{2,3}", code) and rest:
            both = _meet(_whole(code), _whole(" ".join(rest)))
            if both:
                return both
    return NOTHING


def _alternatives(text: str) -> Places:
    """`Germany / France`: each must be understood, and any may be true."""
    parts = [part for part in re.split(r"[/|;+]|\s(?:or|oder|ou|o|或)\s", text) if part.strip()]
    found = [from_country(part) for part in parts] if len(parts) > 1 else []
    return frozenset().union(*(places for places in found if places)) if found and all(found) else NOTHING


def _qualified(text: str) -> Places:
    """`Germany (DE)`, `Paris, France`, `Georgia, USA`: a place with something that narrows or repeats it.

    `Springfield, IL` is Illinois or Israel: a code behind a word that is no country may be either.
    """
    parts = [part for part in re.split(r"[()\[\]{},，、:：]|\s[-–—]\s", text) if part.strip()]
    found = {part: places for part in parts if (places := _whole(part))}
    if len(parts) > len(found) == 1:
        return frozenset().union(*(places | _us_code(part.strip()) for part, places in found.items()))
    return reduce(_narrow_or_widen, found.values()) if found else NOTHING


def _narrow_or_widen(one: Places, other: Places) -> Places:
    """What two descriptions of one address leave possible: both, or either where they differ."""
    return _narrow(one, other) or one | other


def _narrow(one: Places, other: Places) -> Places:
    """What both can mean; `Puerto Rico` beside `United States` is Puerto Rico."""
    for country, territory in ((one, other), (other, one)):
        if "US" in country and territory and territory <= US_TERRITORIES:
            return territory
    return _meet(one, other)


def _flags_to_codes(text: str) -> str:
    """🇩🇪 is two letters in disguise; the flags of England, Scotland and Wales are spelled with tags."""
    plain = re.sub("\U0001f3f4[\U000e0020-\U000e007f]+", " GB ", text)
    return re.sub(
        "([\U0001f1e6-\U0001f1ff])([\U0001f1e6-\U0001f1ff])",
        lambda pair: f" {_indicator(pair[1])}{_indicator(pair[2])} ",
        plain,
    )


def _indicator(symbol: str) -> str:
    return chr(ord(symbol) - 0x1F1E6 + ord("A"))


# ---------------------------------------------------------------- state


@lru_cache(maxsize=65536)
def from_state(text: str, country: Evidence) -> Evidence:
    """The places that the text of a state cell can mean, beside what the country cell says.

    A bare code ("CA", "WA") means nothing without a country: many countries use the same letters. Pass the places of
    the phone number as `country` where the country cell is blank. Only states of the United States are kept as such;
    other regions answer with their country.
    """
    if _says_nothing(text):
        return NOTHING
    near = country or NOTHING
    if state := _us_code_near(text, near):
        return state
    named = _region(text)
    if not near:
        return _american(named) or named or None
    return _narrow(near, named) or _american(named) or named or None


def _us_code_near(text: str, near: Places) -> Places:
    """`CA`, `N.Y.` and `US-TX` where the country may be the United States."""
    code = re.sub(r"(?i)^\s*US-|[.\s]", "", text)
    return _us_code(code) if _american(near) and _is_code(code) else NOTHING


def _region(text: str) -> Places:
    """What the name of a region can mean anywhere; a code is not a name."""
    names = (form for form in (text, *_without_kind(text)) if not _is_code(form))
    return next((places for name in names if (places := _look_up(name, "states.tsv"))), NOTHING)


def _american(places: Places) -> Places:
    """The United States and their states among the places: Montana is a province of Bulgaria too."""
    return frozenset(place for place in places if place == "US" or place.startswith("US-"))


def _without_kind(text: str) -> Iterable[str]:
    """`Texas (TX)`, `TX - Texas`, `State of Texas`, `Hunan Province`, `湖南省`: the name alone."""
    yield from (part for part in re.split(r"[()\[\],/|]|\s[-–—]\s|^[A-Z]{2}-", text) if not _is_code(part))
    yield re.sub(_KIND_OF_REGION, " ", text)
    yield re.sub(r"(壮族自治区|回族自治区|维吾尔自治区|自治区|省|市|州|都|府|県|도|시)$", "", text.strip())


_KIND_OF_REGION = r"(?i)\b(?:state|province|prov|region|county|prefecture|oblast|land|canton|sheng|shi|of|the)\b\.?"


def _us_code(code: str) -> Places:
    code = code.upper()
    if code in US_TERRITORIES:
        return frozenset({code})
    return frozenset({f"US-{code}"}) if code in _us_codes() else NOTHING


@cache
def _us_codes() -> Places:
    codes = (place for places in _table("states.tsv").values() for place in places)
    return frozenset(code[3:] for code in codes if code.startswith("US-"))


def _is_code(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z]{1,2}", re.sub(r"[.\s]", "", text)) is not None


# ---------------------------------------------------------------- phone

# Ten million numbers have few beginnings. Replacing these patterns in this order, everywhere in a text, leaves what
# `from_phone` says of it unchanged and makes most texts equal. They are RE2 too, so that a database can do it first.
PHONE_SHORTENINGS = (
    ("\\(0\\)|[ \t\u00a0().\\-]", ""),
    (r"^(?:\+|00)(1[2-9]\d\d[2-9])\d{6}$", r"+\1-000000"),
    (r"^(?:\+|00)((?:39|44|47|61)\d{5}|(?:212|262|358|599)\d{4})\d{0,8}$", r"+\1-"),
    (r"^(?:\+|00)([2-9]\d\d)\d{4,12}$", r"+\1-0000"),
    (r"^(?:[1-9]|0[2-9]|01[02-9])\d*(?:x\d*)?$", ""),
)
_EXTENSION = r"(?i)(?:;?ext|x|#|доб|转|分机|poste|durchwahl).*$"


@lru_cache(maxsize=65536)
def from_phone(text: str) -> Evidence:
    """The countries whose numbers begin like this one; None without a calling code (+, 00 or 011).

    A number of the United States says only `US`: people keep their numbers when they move to another state. "011" is
    also the area code of Turin, Leeds and Johannesburg, so it counts only before ten digits or more.
    """
    plain = unicodedata.normalize("NFKC", text)
    found = [places for part in re.split(r"[;,/|\n]|oder|or|ou", plain) if (places := _one_phone(part))]
    return frozenset().union(*found) if found else None


def _one_phone(text: str) -> Places:
    number = re.sub(_EXTENSION, "", text.strip().lstrip("'=\"").removeprefix("tel:"))
    digits = re.sub(r"\(0\)|[\s().\-–\"]", "", number)
    match = re.fullmatch(r"(?:\+(?:00|011)?|00|011(?=\d{10}))(\d{7,15})", digits)
    return _calling(match[1]) if match else NOTHING


def _calling(number: str) -> Places:
    """The longest prefix in the table; North American numbers have ten digits after the 1."""
    if number.startswith("1") and not re.fullmatch(r"1[2-9]\d\d[2-9]\d{6}", number):
        return NOTHING
    prefixes = _table("phones.tsv")
    return next((prefixes[number[:n]] for n in range(7, 0, -1) if number[:n] in prefixes), NOTHING)


def from_beginning(text: str) -> Evidence:
    """The countries whose numbers can begin so, for one cut off after its first signs; None without a calling code.

    What was cut off may tell Jersey from the rest of +44, so every country that it could still be is named.
    """
    digits = re.sub(r"\(0\)|\D", "", text)
    number = digits.removeprefix("00") if text.startswith("00") else digits
    if not text.startswith(("+", "00")) or not number:
        return None
    prefixes = _table("phones.tsv")
    known = next((prefixes[number[:n]] for n in range(7, 0, -1) if number[:n] in prefixes), NOTHING)
    return known | _beginnings().get(number, NOTHING) or None


@cache
def _beginnings() -> dict[str, Places]:
    """What every beginning of a calling code can still become."""
    found: dict[str, Places] = {}
    for prefix, places in _table("phones.tsv").items():
        for n in range(1, len(prefix)):
            found[prefix[:n]] = found.get(prefix[:n], NOTHING) | places
    return found


# ---------------------------------------------------------------- domain


@lru_cache(maxsize=65536)
def from_domain(text: str) -> Evidence:
    """The country of an e-mail address or domain name, as far as its last part says one; else None."""
    found = [places for part in re.split(r"[;,\s|]+", text.strip()) if (places := _top_level(part))]
    return frozenset().union(*found) if found else None


def _top_level(address: str) -> Places:
    last = unicodedata.normalize("NFKC", address).strip("<>\"'./").casefold().rpartition(".")[2]
    if last in SOLD_AS_WORDS or "@" in last:
        return NOTHING
    if last in DOMAINS:
        return frozenset({DOMAINS[last]})
    return _whole(last) if last.upper() in _iso_codes() else NOTHING


@cache
def _iso_codes() -> Places:
    return frozenset(place for places in _table("countries.tsv").values() for place in places if "-" not in place)


# ---------------------------------------------------------------- the home


@dataclass(frozen=True, kw_only=True)
class Home:
    """Every place the evidence leaves possible; none means that nothing is known and every place is possible."""

    places: Places = NOTHING
    conflict: bool = False  # two pieces of evidence cannot both be true
    hint: str | None = None  # what only the e-mail address suggests

    @property
    def text(self) -> str:
        """`DE`, `DE|FR`, or nothing for an unknown home."""
        return "|".join(sorted(self.places))


@dataclass(frozen=True, kw_only=True)
class Address:
    """The cells of one address: its country by name and by code, its state by name and by code."""

    countries: Sequence[str] = ()
    states: Sequence[str] = ()


def find(
    addresses: Iterable[Address] = (),
    phones: Iterable[str] = (),
    emails: Iterable[str] = (),
    weak: Iterable[str] = (),
) -> Home:
    """The home of one person from all the cells that speak of it; `weak` holds country names guessed by machines."""
    numbers = [from_phone(text) for text in phones]
    read = [_read_address(address, any_of(numbers)) for address in addresses]
    guesses = [*(from_domain(text) for text in emails), *(from_country(text) for text in weak)]
    return settle([country for country, _ in read], [state for _, state in read], numbers, guesses)


def _read_address(address: Address, phone: Places) -> tuple[Evidence, Evidence]:
    country = same_place(from_country(text) for text in address.countries)
    near = phone if country == NOTHING else country
    return country, same_place(from_state(text, near) for text in address.states)


def same_place(cells: Iterable[Evidence]) -> Evidence:
    """Cells that describe one and the same address: a code beside it explains a name that nobody understood."""
    seen = list(cells)
    readable = [cell for cell in seen if cell]
    if not readable:
        return None if None in seen else NOTHING
    return reduce(_narrow_or_widen, readable)


def any_of(cells: Iterable[Evidence]) -> Places:
    """Every place that some cell names; one that is not understood says nothing."""
    return NOTHING.union(*(cell for cell in cells if cell))


def combine(country: Evidence, state: Evidence, phone: Evidence, domain: Evidence) -> Home:
    """One home from one piece of evidence of each kind; see `settle`."""
    return settle([country], [state], [phone], [domain])


def settle(
    countries: Sequence[Evidence], states: Sequence[Evidence], phones: Sequence[Evidence], guesses: Sequence[Evidence]
) -> Home:
    """One home from all evidence, strongest kind first.

    Countries (one for each address), states and phones may each establish a home; where they name different places,
    all of them stay possible. A country (or, without a country, a state) that is written and not understood leaves the
    home unknown, whatever else is known: nobody can say that it agrees. A phone number without a calling code says
    nothing. Guesses (e-mail domains, connections) alone establish nothing; against a home they add their place.
    """
    if None in countries or (None in states and not any(countries)):
        return Home()
    home = Home()
    for kind, agree in ((countries, _meet), (states, _narrow), (phones, _meet)):
        for evidence in sorted((one for one in kind if one), key=lambda places: (len(places), sorted(places))):
            home = _add(home, evidence, agree)
    guessed = any_of(guesses)
    return _warn(home, guessed) if home.places else Home(hint="|".join(sorted(guessed)) or None)


def _add(home: Home, evidence: Places, agree: Callable[[Places, Places], Places]) -> Home:
    """Narrows a home by what agrees with it, widens it by what does not; after a conflict nothing narrows it."""
    if not evidence or not home.places:
        return Home(places=home.places or evidence, conflict=home.conflict)
    both = agree(home.places, evidence)
    if not both:
        return Home(places=home.places | evidence, conflict=True)
    return home if home.conflict else Home(places=both)


def _warn(home: Home, evidence: Places) -> Home:
    """Weak evidence against a home widens it; for it, it changes nothing."""
    return _add(home, evidence, lambda places, other: places if _meet(places, other) else NOTHING)


def _meet(one: Places, other: Places) -> Places:
    """What both can mean: `US-CA` lies within `US`."""
    return frozenset(
        inner
        for inner, outers in (*((place, other) for place in one), *((place, one) for place in other))
        if inner in outers or (inner.startswith("US-") and "US" in outers)
    )
