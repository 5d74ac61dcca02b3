"""What was opened, compared with what was sought: nothing is shown that does not truly match, the best first."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from comity.vault.sealing import FieldClass, Fields
from comity.vault.spelling import is_han, readings, typed
from comity.vault.tokens import Sort, asks, identifier_terms, identifiers, names, phone, sound

NO_MATCH: Final = 0.0
EQUAL: Final = 1.0
BEGINS: Final = 0.9
"""A word that begins with what was typed; a phone number that ends so, the calling code missing on one side."""
SOUNDS: Final = 0.6
"""A word that only sounds like what was typed."""
LOST: Final = 0.75
"""What remains of a score if one word of three or more was not found at all."""
OTHER_READING: Final = 0.97
"""What remains of a score that rests on another reading than the name as it is written."""


def match(sort: Sort, query: str, field_class: FieldClass, fields: Fields) -> float:
    """Return how well opened fields match a search: 0 not at all, 1 exactly. Chance hits of tokens give 0."""
    if sort is Sort.EXACT:
        return _identifier_match(query, fields) if field_class is not FieldClass.NAME else NO_MATCH
    if field_class is not FieldClass.NAME:
        return NO_MATCH
    found = (_name_match(sort, words, name) for words in dict.fromkeys(typed(query)) for name in names(fields))
    return max(found, default=NO_MATCH)


# ---------------------------------------------------------------- identifiers


def _identifier_match(query: str, fields: Fields) -> float:
    wanted = {term for ask in asks(Sort.EXACT, query) for part in ask for term in part}
    found = (_same(query, key, value, wanted) for key, value in identifiers(fields))
    return max(found, default=NO_MATCH)


def _same(query: str, key: str, value: str, wanted: set[str]) -> float:
    terms = set(identifier_terms(key, value))
    if terms.isdisjoint(wanted):
        return NO_MATCH
    if not next(iter(terms)).startswith("phone:"):
        return EQUAL
    ours, sought = phone(value), phone(query)
    if ours == sought:
        return EQUAL
    return BEGINS if ours.endswith(sought) or sought.endswith(ours) else NO_MATCH


# ---------------------------------------------------------------- names


def _name_match(sort: Sort, words: tuple[str, ...], name: str) -> float:
    best = NO_MATCH
    for place, reading in enumerate(readings(name)):
        held = (*reading.words, *reading.wholes)
        scores = [_word_match(sort, word, held, reading.initials) for word in words]
        weight = EQUAL if place == 0 else OTHER_READING
        best = max(best, weight * _together(sort, scores) * _fullness(words, reading.words))
    return best


def _together(sort: Sort, scores: list[float]) -> float:
    """Join the scores of the words: all must be found, but for one of three or more if the search is forgiving."""
    missing = scores.count(NO_MATCH)
    if not missing:
        return sum(scores) / len(scores)
    if sort is Sort.FUZZY and missing == 1 and len(scores) > 2:  # noqa: PLR2004 - two of three is a match
        return LOST * sum(scores) / (len(scores) - 1)
    return NO_MATCH


def _fullness(words: tuple[str, ...], held: tuple[str, ...]) -> float:
    """Put a name that has nothing else before one that has more words, by a little."""
    return 1.0 - 0.02 * min(abs(len(held) - len(words)), 5)


def _word_match(sort: Sort, word: str, held: Iterable[str], initials: Iterable[str]) -> float:
    best = BEGINS if any(letters.startswith(word) for letters in initials) else NO_MATCH
    for other in held:
        if other == word:
            return EQUAL
        begins = word in other if is_han(word) else other.startswith(word)
        best = max(best, BEGINS if begins else _near(word, other) if sort is Sort.FUZZY else NO_MATCH)
    return best


def _near(word: str, other: str) -> float:
    """Return how near two words are that differ: by letters, or else by sound."""
    forgiven = errors_forgiven(max(len(word), len(other)))
    if abs(len(word) - len(other)) <= forgiven and (errors := distance(word, other)) <= forgiven:
        return BEGINS - errors / max(len(word), len(other))
    return SOUNDS if len(word) > 4 and set(sound(word)) & set(sound(other)) else NO_MATCH  # noqa: PLR2004 - as above


def errors_forgiven(length: int) -> int:
    """Return how many typing errors a word of that length may have: none below 3 letters, two from 7."""
    return 0 if length < 3 else 1 if length < 7 else 2  # noqa: PLR2004 - the table is the sentence above


@lru_cache(maxsize=65_536)
def distance(one: str, other: str) -> int:
    """Return the least number of letters left out, put in, changed or swapped with their neighbour between two words.

    Optimal string alignment: Damerau's distance in which no piece is changed twice.
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, beside in enumerate(other, 1):
            cost = min(last[column] + 1, line[column - 1] + 1, last[column - 1] + (letter != beside))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == beside:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]
