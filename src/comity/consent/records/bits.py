"""Bits as the consent strings of IAB write them: six to a letter, with numbers, ranges and moments in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""The letters of base64url (RFC 4648, table 2), each for six bits. Nothing is aligned to bytes, as its readers want."""
VALUES: Final = {letter: f"{number:06b}" for number, letter in enumerate(ALPHABET)}
A_LETTER: Final = 6
LARGEST_ID: Final = 65_535
SHORTEST, LONGEST_CODE = 2, 24
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TENTH: Final = timedelta(milliseconds=100)

Span = tuple[int, int]
"""The first and the last of some ids that follow each other."""


class BadString(ValueError):
    """A string cannot be read, or written. Says where, what was found and what is expected there."""


class Bits:
    """The bits of one piece of a string, read from the left. Raises BadString, saying where it stopped."""

    def __init__(self, text: str, where: str) -> None:
        self.where, self.at = where, 0
        for number, letter in enumerate(text, 1):
            if letter not in VALUES:
                raise BadString(f"{where}, letter {number}: {letter!r} is none of A–Z, a–z, 0–9, - and _")
        self.bits = "".join([VALUES[letter] for letter in text])

    def take(self, many: int) -> str:
        """Return the next bits."""
        if self.at + many > len(self.bits):
            left = len(self.bits) - self.at
            raise self.wrong(f"it ends here: {many} bits are expected and {left} are left; was it cut off?")
        self.at += many
        return self.bits[self.at - many : self.at]

    def number(self, many: int) -> int:
        """Return the next bits as a number."""
        return int(self.take(many) or "0", 2)

    def flag(self) -> bool:
        """Return the next bit as yes or no."""
        return self.take(1) == "1"

    def fibonacci(self) -> int:
        """Return the next number in Fibonacci coding: it ends with its first two ones that stand together."""
        end = self.bits.find("11", self.at, self.at + LONGEST_CODE)
        if end < 0:
            raise self.wrong("a number in Fibonacci coding should stand here, and none ends")
        code = self.take(end - self.at + SHORTEST)
        return sum(step for step, bit in zip(steps(), code[:-1], strict=False) if bit == "1")

    def spans(self) -> tuple[Span, ...]:
        """Return ids as a range writes them: single, or from one to another. They need not be in order."""
        found, many = [], 0
        for _ in range(self.number(12)):
            group = self.flag()
            first = self.number(16)
            last = self.number(16) if group else first
            many += last - first + 1
            if not 0 < first <= last or many > LARGEST_ID:
                raise self.wrong(f"the ids {first} to {last}: they count up from 1, and none stands twice")
            found.append((first, last))
        return tuple(found)

    def offsets(self) -> list[int]:
        """Return ids as the header writes them: each by its distance from the one before, in Fibonacci coding."""
        found: list[int] = []
        for _ in range(self.number(12)):
            group = self.flag()
            first = (found[-1] if found else 0) + self.fibonacci()
            last = first + (self.fibonacci() if group else 0)
            if last > LARGEST_ID:
                raise self.wrong(f"the id {last} is larger than any can be")
            found += range(first, last + 1)
        return found

    def moment(self) -> datetime:
        """Return the next 36 bits as tenths of seconds since 1970."""
        return EPOCH + self.number(36) * TENTH

    def end(self, of: str) -> None:
        """Refuse bits after the last field: there is more than we know how to read."""
        if "1" in self.bits[self.at :]:
            raise self.wrong(f"{of} ends here, and bits are set after it")

    def wrong(self, what: str) -> BadString:
        """Return the error for what stands here."""
        return BadString(f"{self.where}, letter {self.at // A_LETTER + 1}: {what}")


def steps() -> Iterator[int]:
    """Give the Fibonacci numbers without their beginning: 1, 2, 3, 5, 8 and so on."""
    one, other = 1, 2
    while True:
        yield one
        one, other = other, one + other


def fibonacci(number: int) -> str:
    """Return a number in Fibonacci coding: what it is the sum of, from the smallest, and a one at the end."""
    if number < 1:
        raise BadString(f"{number} has no Fibonacci coding: it begins at 1")
    below = []
    for step in steps():
        if step > number:
            break
        below.append(step)
    code, left = [], number
    for step in reversed(below):
        code.append("1" if step <= left else "0")
        left -= step if step <= left else 0
    return "".join(reversed(code)) + "1"


def fixed(number: int, bits: int) -> str:
    """Return a number in so many bits."""
    if not 0 <= number < 1 << bits:
        raise BadString(f"{number} does not fit into {bits} bits: 0 to {(1 << bits) - 1}")
    return f"{number:0{bits}b}"


def letters(bits: str) -> str:
    """Return bits as letters, with zeroes after them to fill the last."""
    padded = bits + "0" * (-len(bits) % A_LETTER)
    return "".join(ALPHABET[int(padded[at : at + A_LETTER], 2)] for at in range(0, len(padded), A_LETTER))


def tenths(moment: datetime) -> str:
    """Return a moment as 36 bits."""
    return fixed((moment - EPOCH) // TENTH, 36)


def spans_of(ids: Iterable[int]) -> list[Span]:
    """Return ids as spans, in order."""
    found: list[Span] = []
    for number in sorted(set(ids)):
        if found and found[-1][1] == number - 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found


def spans(found: Sequence[Span]) -> str:
    """Return spans as a range writes them."""
    written = [
        f"0{fixed(first, 16)}" if first == last else f"1{fixed(first, 16)}{fixed(last, 16)}" for first, last in found
    ]
    return fixed(len(found), 12) + "".join(written)


def offsets(ids: Iterable[int]) -> str:
    """Return ids as the header writes them."""
    written, before, found = [], 0, spans_of(ids)
    for first, last in found:
        one = fibonacci(first - before)
        written.append(f"0{one}" if first == last else f"1{one}{fibonacci(last - first)}")
        before = last
    return fixed(len(found), 12) + "".join(written)
