"""Lines that fit a terminal of eighty columns; a Chinese character takes two."""

from __future__ import annotations

WIDTH = 80


def columns(text: str) -> int:
    """Return how many columns a text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def wrapped(text: str, *, first: str = "", rest: str = "") -> list[str]:
    """Return a text as lines, the first behind `first` and the others behind `rest`, broken between words.

    A word that is wider than a line is broken where it is wide, as Chinese is; any other stays whole.
    """
    lines, line = [], first
    for word in (part for one in text.split() for part in _parts(one, WIDTH - columns(rest))):
        space = "" if line in {first, rest} else " "
        if line not in {first, rest} and columns(line + space + word) > WIDTH:
            lines.append(line)
            line, space = rest, ""
        line += space + word
    return [*lines, line] if line.strip() else lines


def _parts(word: str, room: int) -> list[str]:
    if columns(word) <= room or columns(word) == len(word):
        return [word]
    half = len(word) // 2
    return [*_parts(word[:half], room), *_parts(word[half:], room)]
