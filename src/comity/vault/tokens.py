"""Blind indexes: numbers by which a sealed name or identifier is found, and which say nothing to who lacks the key.

A *term* is a piece of text that a value and a search for it share: an e-mail address, the beginning of a word, a word
with one letter left out. A *token* is the first 64 bits of a term's HMAC-SHA-256 under a key of the epoch. What the
database finds by tokens is a candidate; `matching` opens it and compares, so a chance hit is never shown.

Typing errors are met by leaving letters out (the symmetric deletion of SymSpell), not by trigrams: "gonzales" and
"gonsalez" share "gonales". Both make about as many tokens, but a trigram such as "ari" stands in every tenth name, so
it finds too much and tells too much; a word less one letter stands in few. Each long word also has its *sound*, one
term for what is left when vowels go and letters that sound alike become one, for words with several errors.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Final

from comity.vault.epochs import EpochKey
from comity.vault.sealing import FieldClass, Fields, Value
from comity.vault.spelling import is_han, readings, typed

BEGINNINGS: Final = (8, 6, 4, 3, 2, 1)
"""How many letters of a word's beginning have a term. What is typed beyond one is compared after opening."""
LONGEST_WORD: Final = 16
"""Letters of a word that are looked at for typing errors."""
SHORTEST_MISTYPED: Final = 4
"""Letters from which a word is found with one letter missing."""
SHORTEST_SOUND: Final = 3
"""Letters that a sound must keep; what is shorter is the sound of too many words."""
TAIL: Final = 8
"""Last digits by which a phone number is found when its calling code is missing on one side."""
MOST_WORDS: Final = 6
"""Words of a search, or of one way to read a name, that are looked at."""

NOT_NAMES: Final = frozenset({"title", "salutation", "suffix", "pronouns", "language"})
"""Fields of the class "name" by which nobody is sought."""
WHOLE_NAME: Final = ("family", "given")
"""Fields of the class "name" that are one name together. Every other ("full", "also", "former") is one by itself."""


class Sort(StrEnum):
    """What sort of search it is."""

    EXACT = "exact"  # an identifier, whole: e-mail, phone, number of a customer
    PREFIX = "prefix"  # the beginnings of the words of a name
    FUZZY = "fuzzy"  # a name with typing errors


INDEXED: Final = frozenset({FieldClass.NAME, FieldClass.CONTACT, FieldClass.IDENTIFIER})
"""Field classes that have tokens. INVARIANT: special categories, notes and messages never do."""


# ---------------------------------------------------------------- terms of what is sealed


def terms(field_class: FieldClass, fields: Fields) -> set[str]:
    """Return the terms by which these fields are to be found; none for a class that is not indexed."""
    if field_class is FieldClass.NAME:
        return {term for name in names(fields) for piece in pieces(name) for term in piece_terms(piece)}
    if field_class in INDEXED:
        return {term for key, text in identifiers(fields) for term in identifier_terms(key, text)}
    return set()


def names(fields: Fields) -> tuple[str, ...]:
    """Return the names that fields of the class "name" hold: the whole one first, then each that stands by itself."""
    held = {key: _texts(value) for key, value in fields.items() if key not in NOT_NAMES}
    family, given = (" ".join(held.pop(key, ())).strip() for key in WHOLE_NAME)
    chinese = is_han(family[:1]) and is_han(given[:1])
    whole = family + given if chinese else f"{given} {family}".strip()
    return tuple(dict.fromkeys(filter(None, [whole, *[text for texts in held.values() for text in texts]])))


def identifiers(fields: Fields) -> list[tuple[str, str]]:
    """Return each identifier with the name of its field, which says what it is: "email", "phone" or anything else."""
    return [(key, text) for key, value in fields.items() for text in _texts(value)]


def _texts(value: Value) -> Sequence[str]:
    """Return the texts in a value, however deep."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [text for inner in value for text in _texts(inner)]
    return ()


class Manner(IntEnum):
    """How a piece of a name is sought."""

    WORD = 1  # with typing errors
    WHOLE = 2  # words run together: as it is, or its beginning
    INITIALS = 3  # by their beginning alone


Piece = tuple[Manner, str]


@lru_cache(maxsize=4_096)
def pieces(name: str) -> frozenset[Piece]:
    """Return what a name is made of, in all its readings."""
    found: set[Piece] = set()
    for words, wholes, initials in readings(name):
        found.update([(Manner.WORD, word) for word in words[:MOST_WORDS]])
        found.update([(Manner.WHOLE, whole) for whole in wholes])
        if initials:  # Chinese, as it is said
            found.update([(Manner.WORD, whole) for whole in wholes[:1]])
            found.update([(Manner.INITIALS, letters) for letters in initials])
    return frozenset(found)


def piece_terms(piece: Piece) -> set[str]:
    """Return the terms of one piece: its beginnings, itself with one letter missing at a time, its sound."""
    manner, word = piece
    if is_han(word):
        return {f"w:{word}", *(term for start in range(len(word)) for term in _beginnings(word[start:]))}
    found = set(_beginnings(word))
    if manner is Manner.WORD:
        found.update(mistyped(word), sound(word))
    elif manner is Manner.WHOLE:
        found.add(f"w:{word[:LONGEST_WORD]}")
    return found


def _beginnings(word: str) -> list[str]:
    return [f"p:{word[:length]}" for length in BEGINNINGS if length <= len(word)]


def mistyped(word: str) -> list[str]:
    """Return the word and, unless it is very short, the word less each of its letters."""
    cut = word[:LONGEST_WORD]
    places = range(len(cut) if len(cut) >= SHORTEST_MISTYPED else 0)
    return [f"w:{cut}", *[f"w:{cut[:place]}{cut[place + 1 :]}" for place in places]]


GROUPS: Final = {"sch": "s", "ph": "f", "sh": "s", "cz": "s", "ts": "s", "tz": "s", "ck": "k", "ch": "k", "kh": "k",
                 "gh": "k", "qu": "k", "th": "t", "dt": "t"}  # fmt: skip
"""Groups of Latin letters that sound like one."""
GROUP: Final = re.compile("|".join(GROUPS))
LETTERS: Final = str.maketrans("cqgzxwdbm", "kkkssvtpn", "aeiouyhj")
"""Letters that are taken for each other, and those that are dropped behind the first."""
DOUBLED: Final = re.compile(r"(.)\1+")


def sound(word: str) -> Iterator[str]:
    """Give the sound of a Latin word, unless it is short: its first letter and the consonants, doubled ones once."""
    if len(word) > SHORTEST_SOUND and word.isascii() and word.isalpha():
        said = GROUP.sub(lambda group: GROUPS[group[0]], word[:LONGEST_WORD])
        first = said[0].translate(LETTERS) or said[0]
        kept = DOUBLED.sub(r"\1", first + said[1:].translate(LETTERS))
        if len(kept) >= SHORTEST_SOUND:
            yield f"s:{kept}"


# ---------------------------------------------------------------- terms of identifiers


def identifier_terms(key: str, value: str) -> tuple[str, ...]:
    """Return the terms of one identifier; the name of its field says how it is to be read."""
    if key.startswith(("email", "mail")):
        return (f"email:{address}",) if (address := email(value)) else ()
    if key.startswith(("phone", "mobile", "fax")):
        return _phone_terms(phone(value))
    return (f"id:{number}",) if (number := identifier(value)) else ()


def _compared(text: str) -> str:
    """Write a text as it is compared: NFKC, no case, no space around it."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)  # which leaves ASCII as it is
    return plain.strip().casefold()


def email(text: str) -> str:
    """Write an e-mail address as it is compared: NFKC, no case, no space around it."""
    return _compared(text)


EXTENSION: Final = re.compile("x|ext|;")
FILLING: Final = re.compile(r"[\s\-./]")
NO_DIGIT: Final = re.compile(r"\D")


def phone(text: str) -> str:
    """Reduce a phone number to digits: with its calling code where it has one, else without the leading zero.

    "+49 (0)30 123456" and "0049 30 123456" are 4930123456; "030 123456" is 30123456. What follows an x (an extension)
    is left out.
    """
    plain = EXTENSION.split(_compared(text), maxsplit=1)[0]
    digits = NO_DIGIT.sub("", plain.replace("(0)", ""))
    return digits.removeprefix("00").removeprefix("0") if not plain.startswith("+") else digits


def identifier(text: str) -> str:
    """Write any other identifier as it is compared: NFKC, no case, no spaces, hyphens, dots or slashes."""
    return FILLING.sub("", unicodedata.normalize("NFKC", text).casefold())


def _phone_terms(digits: str) -> tuple[str, ...]:
    return (f"phone:{digits[-TAIL:]}",) if digits else ()


# ---------------------------------------------------------------- terms of a search

Ask = tuple[frozenset[str], ...]
"""What one blob must have: at least one term of each set."""


def asks(sort: Sort, query: str) -> list[Ask]:
    """Return what to look for, the most promising first. Nothing for a search without a letter or digit."""
    if sort is Sort.EXACT:
        return _exact(query)
    ways = [tuple(words[:MOST_WORDS]) for words in dict.fromkeys(typed(query))]
    if sort is Sort.PREFIX:
        return [tuple(frozenset({_beginning(word)}) for word in words) for words in ways]
    whole = [tuple(frozenset({f"w:{word[:LONGEST_WORD]}"}) for word in words) for words in ways]
    near = [tuple(_near(word) for word in words) for words in ways]
    return list(dict.fromkeys([*whole, *near, *_one_word_lost(ways)]))


def _exact(query: str) -> list[Ask]:
    found = {f"id:{identifier(query)}"} if identifier(query) else set()
    if "@" in query:
        found.add(f"email:{email(query)}")
    if re.fullmatch(r"[\d\s()+\-./]*(x\d*|ext.*)?", query.strip().casefold()):
        found.update(_phone_terms(phone(query)))
    return [(frozenset(found),)] if found else []


def _beginning(word: str) -> str:
    return _beginnings(word)[0]


def _near(word: str) -> frozenset[str]:
    if is_han(word):
        return frozenset({f"w:{word}", _beginning(word)})
    long = {_beginning(word)} if len(word) >= SHORTEST_MISTYPED else set()
    return frozenset({*mistyped(word), *sound(word), *long})


def _one_word_lost(ways: Iterable[tuple[str, ...]]) -> Iterator[Ask]:
    """Give searches in which one word is so wrong that only its first letter holds, or not even that."""
    words = max(ways, key=len, default=())
    for lost in range(len(words) if len(words) > 1 else 0):
        kept = tuple(_near(word) for place, word in enumerate(words) if place != lost)
        yield (*kept, frozenset({f"p:{words[lost][:1]}"}))
        if len(kept) > 1:  # one word alone would find too much
            yield kept


# ---------------------------------------------------------------- tokens

RECURRING: Final = 6
"""Letters up to which a term of a rare name is one of many others too, such as "p:mari"."""
OF_NAMES: Final = ("p:", "w:", "s:")
"""How the terms of names begin: beginnings, words, sounds."""


class Tokens:
    """Makes the tokens of one epoch. It keeps those of words it saw lately, for names and their beginnings recur."""

    def __init__(self, epoch: EpochKey) -> None:
        self._exact, self._names = _keyed(epoch.exact), _keyed(epoch.names)
        self._short = lru_cache(maxsize=32_768)(self._names)
        self._of_piece = lru_cache(maxsize=65_536)(self._make)

    def of(self, field_class: FieldClass, fields: Fields) -> set[bytes]:
        """Return the tokens by which these fields are to be found, as `raw` writes them."""
        if field_class is FieldClass.NAME:
            return set().union(*[self._of_piece(piece) for name in names(fields) for piece in pieces(name)])
        return {self._exact(term) for term in terms(field_class, fields)}

    def numbers(self, field_class: FieldClass, fields: Fields) -> list[int]:
        """Return the tokens of these fields as PostgreSQL shows them, in order."""
        return sorted(map(_number, self.of(field_class, fields)))

    def raw(self, term: str) -> bytes:
        """Return the token of one term as eight bytes, big endian, as PostgreSQL reads a bigint."""
        return (self._names if term.startswith(OF_NAMES) else self._exact)(term)

    def number(self, term: str) -> int:
        """Return the token of one term as PostgreSQL shows it: a signed number of 64 bits."""
        return _number(self.raw(term))

    def _make(self, piece: Piece) -> tuple[bytes, ...]:
        return tuple(
            [self._short(term) if len(term) <= RECURRING else self._names(term) for term in piece_terms(piece)]
        )


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big", signed=True)


def _keyed(key: bytes) -> Callable[[str], bytes]:
    """Return HMAC-SHA-256 under a key, cut to 64 bits (RFC 2104, sections 2 and 5).

    The key's own block is hashed beforehand on either side, which the module hmac does too, at twice the time.
    """
    block = key.ljust(64, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def token(term: str) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(term.encode("utf-8", "surrogatepass"))
        around.update(within.digest())
        return around.digest()[:8]

    return token
