"""Markdown as messages have it, as HTML and as plain text: no HTML of others, no pictures, no links but plain ones.

The parser is told to read no HTML. The renderer writes from its tokens only what it knows: anything else is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token

from comity.outreach.composing.placeholders import FIRST_MARK, MARKS, Kind, Place, Trouble

LINK: Final = re.compile(
    r"(?:https?://[^\s/?#<>\"\\@]+(?:[/?#][^\s<>\"\\]*)?|mailto:[^\s<>\"\\]+@[^\s<>\"\\]+|tel:\+?[0-9().-]{3,30})"
)
INK: Final = "#1d1b18"
LINE: Final = "#c9c4ba"
STYLES: Final = {
    "p": "margin:0 0 1em", "h1": "font-size:1.5em;line-height:1.25;margin:0 0 .6em",
    "h2": "font-size:1.25em;line-height:1.3;margin:1.2em 0 .5em", "h3": "font-size:1.05em;margin:1.2em 0 .4em",
    "ul": "margin:0 0 1em;padding-left:1.4em", "ol": "margin:0 0 1em;padding-left:1.6em", "li": "margin:0 0 .3em",
    "blockquote": f"margin:0 0 1em;padding-left:1em;border-left:3px solid {LINE}",
    "hr": f"border:0;border-top:1px solid {LINE};margin:1.5em 0", "pre": "white-space:pre-wrap;margin:0 0 1em",
}  # fmt: skip
AS_THEY_ARE: Final = {"strong", "em", "code"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body in both forms, with the marks of its places still in it."""

    html: str
    text: str


def _parser() -> MarkdownIt:
    """Return a parser that reads no HTML, and leaves links as they are written: they are looked at here."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    usual = parser.normalizeLink
    parser.normalizeLink = lambda url: url if MARKS.search(url) else usual(url)  # type: ignore[method-assign]
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005  (the name is the parser's)
    return parser


PARSER: Final = _parser()


def render(text: str, places: Sequence[Place], known: Mapping[str, Kind]) -> tuple[Rendered, tuple[Trouble, ...]]:
    """Render Markdown; what cannot be sent comes back beside it, each with the character at which its line begins."""
    tokens = PARSER.parse(text)
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    troubles = tuple(
        Trouble(starts[min(line, len(starts) - 1)], says, cure)
        for line, one in _inline(tokens)
        for says, cure in _wrong(one, places, known)
    )
    return Rendered(_Html().of(tokens), _Text().of(tokens)), troubles


def _inline(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    for block in tokens:
        for one in block.children or ():
            yield (block.map or [0])[0], one


def _wrong(token: Token, places: Sequence[Place], known: Mapping[str, Kind]) -> Iterator[tuple[str, str]]:
    if token.type == "image":
        yield (
            _("Pictures are not sent: one that is loaded from elsewhere tells that the message was opened."),
            _("Link to the picture: [what it shows](https://…)."),
        )
    href = str(token.attrGet("href") or "") if token.type == "link_open" else ""
    if token.type == "link_open" and not _may_be_followed(href, places, known):
        shown = MARKS.sub(lambda mark: f"{{{places[ord(mark[0]) - FIRST_MARK].name}}}", href)
        yield (
            _("The link to %(href)s is not sent.") % {"href": shown or _("nowhere")},
            _("Links begin with https://, mailto: or tel:, or are one place alone, such as {unsubscribe}. "
              "What names a person never stands in an address: it would be in every log on the way."),
        )  # fmt: skip


def _may_be_followed(href: str, places: Sequence[Place], known: Mapping[str, Kind]) -> bool:
    if len(href) == 1 and MARKS.fullmatch(href):
        return known.get(places[ord(href) - FIRST_MARK].name) == "link"
    return not MARKS.search(href) and LINK.fullmatch(href) is not None


# ---------------------------------------------------------------- HTML


class _Html:
    """Writes tokens as HTML with its style beside each element: mail programs read no other."""

    def of(self, tokens: Sequence[Token]) -> str:
        return "".join(self.one(token) for token in tokens)

    def one(self, token: Token) -> str:
        if token.type == "inline":
            return self.of(token.children or ())
        if token.type in ALONE:
            return ALONE[token.type](token)
        return "" if token.hidden else _tag(token)


def _tag(token: Token) -> str:
    """Open or close an element that we know; of any other, nothing is written."""
    tag = "h3" if token.tag in {"h4", "h5", "h6"} else token.tag
    if tag not in STYLES and tag not in AS_THEY_ARE:
        return ""
    if token.nesting < 0:
        return f"</{tag}>" + ("\n" if token.block else "")
    first = f' start="{int(token.attrGet("start") or 1)}"' if token.attrGet("start") else ""
    style = f' style="{STYLES[tag]}"' if tag in STYLES else ""
    return f"<{tag}{first}{style}>"


def _preformatted(token: Token) -> str:
    return f'<pre style="{STYLES["pre"]}">{escape(token.content)}</pre>\n'


ALONE: Final[Mapping[str, Callable[[Token], str]]] = {
    "text": lambda token: escape(token.content),
    "softbreak": lambda _token: "\n",
    "hardbreak": lambda _token: "<br>\n",
    "code_inline": lambda token: f"<code>{escape(token.content)}</code>",
    "fence": _preformatted,
    "code_block": _preformatted,
    "hr": lambda _token: f'<hr style="{STYLES["hr"]}">\n',
    "link_open": lambda token: f'<a href="{escape(str(token.attrGet("href") or ""))}" style="color:{INK}">',
    "link_close": lambda _token: "</a>",
}
"""What is written for tokens that hold no others, and for links."""


# ---------------------------------------------------------------- plain text


class _Text:
    """Writes tokens as plain text that reads well by itself: lists with their marks, links with their address."""

    def __init__(self) -> None:
        self.blocks: list[tuple[str, str]] = []
        self.lists: list[int | None] = []
        self.item = ""
        self.quoted = 0
        self.listing = False

    def of(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            self.read(token)
        return "".join(between + block for between, block in self.blocks).lstrip("\n")

    def read(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self.lists.append(None)
            case "ordered_list_open":
                self.lists.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
                self.listing = bool(self.lists)
            case "list_item_open":
                self.item = self.next_mark()
            case "blockquote_open":
                self.quoted += 1
            case "blockquote_close":
                self.quoted -= 1
            case "hr":
                self.blocks.append(("\n\n", "-" * 20))
            case "inline":
                self.put(self.words(token.children or ()))
            case "fence" | "code_block":
                self.put(token.content.rstrip("\n"))

    def next_mark(self) -> str:
        number = self.lists[-1]
        if number is None:
            return "- "
        self.lists[-1] = number + 1
        return f"{number}. "

    def put(self, words: str) -> None:
        """Write a block, set in by the lists and quotations that it is in. The items of a list stand close."""
        inner = "  " * (len(self.lists) - 1) if self.lists else ""
        first, rest = inner + self.item, inner + " " * len(self.item)
        quoted = "> " * self.quoted
        lines = [quoted + (rest if number else first) + line for number, line in enumerate(words.split("\n"))]
        self.blocks.append(("\n" if self.item and self.listing else "\n\n", "\n".join(lines)))
        self.listing = bool(self.lists)
        self.item = ""

    def words(self, tokens: Sequence[Token]) -> str:
        pieces: list[str] = []
        links: list[tuple[str, int]] = []
        for token in tokens:
            match token.type:
                case "text" | "code_inline":
                    pieces.append(token.content)
                case "softbreak" | "hardbreak":
                    pieces.append("\n")
                case "link_open":
                    links.append((str(token.attrGet("href") or ""), len(pieces)))
                case "link_close" if links:
                    href, start = links.pop()
                    label = "".join(pieces[start:])
                    bare = href.removeprefix("mailto:").removeprefix("tel:")
                    pieces[start:] = [label if label in {href, bare} else f"{label} ({bare})"]
        return "".join(pieces)
