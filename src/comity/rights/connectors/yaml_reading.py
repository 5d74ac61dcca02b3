"""YAML with the line that each value stands on, in bounded time: what is too large, too deep or too folded is refused.

Nothing is built but texts, lists and tables, so no tag can make an object. A value is its letters: a column called `no`
stays a column called `no`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import yaml

LONGEST: Final = 1_000_000
"""Letters of a text at most."""
DEEPEST: Final = 24
MOST: Final = 200_000
"""Values that a text may have, each counted wherever an alias repeats it."""

Reader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DatasetError(ValueError):
    """A description of a system is wrong. The message says the file, the line, what is wrong, and the cure."""

    def __init__(self, what: str, *, file: str, line: int) -> None:
        self.what, self.file, self.line = what, file, line
        super().__init__(f"{file}, line {line}: {what}" if line else f"{file}: {what}")


@dataclass(frozen=True, slots=True)
class Place:
    """One value of a YAML text with the place it stands at, and checked ways to what is in it."""

    node: yaml.Node
    file: str
    called: str = ""

    @property
    def line(self) -> int:
        return _line(self.node)

    def wrong(self, what: str) -> DatasetError:
        return DatasetError(f"{self.called}: {what}" if self.called else what, file=self.file, line=self.line)

    def table(self, known: Iterable[str] | None = None) -> dict[str, Place]:
        """Return what stands under each key. Raises DatasetError: no table, a key that is unknown or there twice."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong("here a table of keys and values is expected, such as `name: customer`")
        found: dict[str, Place] = {}
        for key, value in self.node.value:
            name, place = str(key.value), Place(key, self.file, self.called)
            if not isinstance(key, yaml.ScalarNode) or name == "<<":
                raise place.wrong("keys are plain words; write out what `<<` would merge")
            if name in found:
                raise place.wrong(f"the key {name!r} stands there twice; keep one")
            if known is not None and name not in known:
                raise place.wrong(f"the key {name!r} is not known{nearest(name, known)}")
            found[name] = Place(value, self.file, self.called)
        return found

    def items(self) -> Iterator[Place]:
        """Give the values of a list. Raises DatasetError."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("here a list is expected: lines that begin with `- `, or [a, b]")
        for each in self.node.value:
            yield Place(each, self.file, self.called)

    def text(self) -> str:
        """Return the letters of a value. Raises DatasetError if it is empty, a list or a table."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value.strip():
            raise self.wrong("here a word is expected")
        return str(self.node.value)

    def truth(self) -> bool:
        """Return a yes or no. Raises DatasetError."""
        said = self.text().lower()
        if said not in {"true", "false", "yes", "no", "on", "off"}:
            raise self.wrong(f"{said!r} is neither true nor false")
        return said in {"true", "yes", "on"}

    def number(self) -> int:
        """Return a number above zero. Raises DatasetError."""
        said = self.text()
        if not said.isascii() or not said.isdigit() or not int(said[:9]) > 0 or len(said) > len("100000000"):
            raise self.wrong(f"{said!r} is no number above 0")
        return int(said)

    @property
    def empty(self) -> bool:
        """Say whether nothing was written: `fides_meta:` alone, or null."""
        node = self.node
        return isinstance(node, yaml.ScalarNode) and not node.style and node.value.lower() in {"", "~", "null"}

    def as_called(self, name: str) -> Place:
        """Return this place as what is called so: the name goes before what is wrong in it."""
        return Place(self.node, self.file, name)


def read(text: str, *, file: str) -> Place:
    """Read a YAML text. Raises DatasetError."""
    if len(text) > LONGEST:
        raise DatasetError(
            f"it has more than {LONGEST:,} letters; describe fewer collections at once", file=file, line=0
        )
    try:
        _look_through(text, file)
        node = yaml.compose(text, Loader=Reader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"it is not YAML: {error.problem or error.context}"
        raise DatasetError(what, file=file, line=mark.line + 1 if mark else 0) from None
    except yaml.YAMLError as error:
        raise DatasetError(f"it is not YAML: {str(error).splitlines()[0]}", file=file, line=0) from None
    if node is None:
        raise DatasetError("it is empty; a description begins with `dataset:`", file=file, line=1)
    _count(node, file)
    return Place(node, file)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?` where something is alike."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _look_through(text: str, file: str) -> None:
    """Refuse what is nested too deeply, before anything is built that would have to follow it down."""
    depth = 0
    for seen, event in enumerate(yaml.parse(text, Loader=Reader)):
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
        if depth > DEEPEST or seen > 2 * MOST:
            what = f"it is nested more than {DEEPEST} deep" if depth > DEEPEST else "it has too many values"
            raise DatasetError(f"{what}; no description needs that", file=file, line=_line(event))


def _line(there: yaml.Event | yaml.Node) -> int:
    return int(there.start_mark.line) + 1 if there.start_mark else 0


def _count(root: yaml.Node, file: str) -> None:
    """Refuse a text whose aliases unfold to more than anybody wrote, or into themselves."""
    waiting, seen = [(root, 1)], 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if seen > MOST or depth > DEEPEST:
            what = "its aliases (*name) repeat too much, or themselves; write out what is meant"
            raise DatasetError(what, file=file, line=_line(node))
        if isinstance(node, yaml.MappingNode):
            waiting += [(each, depth + 1) for pair in node.value for each in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(each, depth + 1) for each in node.value]
