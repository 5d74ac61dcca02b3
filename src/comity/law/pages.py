"""What stands in a text, a page or a message: its words with their lines, its boxes, buttons, links and fields.

Reading is lenient, because people lint drafts, and bounded, because files may come from anywhere: the time it takes
grows with the length of the file and no faster. Layout is not computed; of style sheets nothing is read.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from email.message import Message

Kind = Literal["box", "choice", "toggle", "button", "link", "field"]

MOST_BYTES = 4_000_000
DEEPEST = 200
LONGEST_LABEL = 300
LONGEST_TAG = 4_000
MOST_LISTENING = 8
MOST_CONTROLS = 2_000
NOT_SEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
"""Characters that nobody sees; words are found through them."""


class UnreadableText(ValueError):
    """A file that is no text, page or message, or too long to be one: what it is, and what to do."""


# ---------------------------------------------------------------- words and their lines


def fold(text: str) -> str:
    """Return `text` in the form that is searched: small letters, half width, straight quotes; as long as before."""
    folded = {ord(mark): plain for mark, plain in zip("‘’‛“”„«»", '\'\'\'"""""', strict=True)}
    for mark in set(text):
        plain = unicodedata.normalize("NFKC", mark).lower()
        if len(plain) == 1 and plain != mark:
            folded.setdefault(ord(mark), plain)
    return text.translate(folded)


@dataclass(frozen=True, slots=True)
class Prose:
    """The words of a page in reading order, one space between words and a line feed between blocks."""

    shown: str
    folded: str
    starts: tuple[int, ...]
    lines: tuple[int, ...]
    hidden: tuple[tuple[int, int], ...] = ()

    def line(self, offset: int) -> int:
        """Return the line of the file on which the character at `offset` stands."""
        place = bisect_right(self.starts, offset) - 1
        return self.lines[place] if place >= 0 else 1

    def visible(self, start: int, end: int) -> bool:
        """Tell whether a reader sees what stands there."""
        place = bisect_right(self.hidden, (end,)) - 1
        return place < 0 or self.hidden[place][1] <= start


class _Writer:
    """Puts the words of a page together and remembers their lines."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = 0
        self.starts: list[int] = []
        self.lines: list[int] = []
        self.hidden: list[tuple[int, int]] = []
        self.last = "\n"
        self.waiting = ""

    def add(self, text: str, line: int, *, hidden: bool = False) -> None:
        begin = self.length
        for number, part in enumerate(text.split("\n")):
            words = " ".join(part.split())
            if number or part[:1].isspace():
                self.space()
            if words:
                self.put(words, line + number)
                if part[-1:].isspace():
                    self.space()
        if hidden and self.length > begin:
            self.hidden.append((begin, self.length))

    def put(self, words: str, line: int) -> None:
        if self.waiting and self.last != "\n":
            self.write(self.waiting)
        self.waiting = ""
        self.starts.append(self.length)
        self.lines.append(line)
        self.write(words)

    def write(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)
        self.last = text[-1]

    def space(self) -> None:
        self.waiting = self.waiting or " "

    def end_block(self) -> None:
        self.waiting = "\n"

    def prose(self) -> Prose:
        shown = "".join(self.pieces)
        return Prose(shown, fold(shown), tuple(self.starts), tuple(self.lines), tuple(self.hidden))


# ---------------------------------------------------------------- pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Something that a reader can tick, press, follow or fill in."""

    kind: Kind
    says: str
    folded: str
    line: int
    start: int
    group: int = 0
    form: str = ""
    name: str = ""
    target: str = ""
    ticked: bool = False
    fixed: bool = False
    needed: bool = False
    hidden: bool = False
    style: Mapping[str, str] = field(default_factory=dict)
    classes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """One text with its structure.

    `drawn` is false where boxes and buttons cannot be seen at all, `cut` true where there are more than are looked at.
    """

    prose: Prose
    controls: tuple[Control, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    pixels: tuple[int, ...] = ()
    timers: tuple[tuple[int, str], ...] = ()
    drawn: bool = False
    html: bool = False
    cut: bool = False
    part: str = ""

    def groups(self) -> Iterator[list[Control]]:
        """Yield the controls that belong together: those of a form, a dialog, a banner, or of the rest of the page."""
        members: dict[int, list[Control]] = {}
        for control in self.controls:
            members.setdefault(control.group, []).append(control)
        yield from members.values()

    def words_of(self, group: int) -> str:
        """Return the folded words of a group."""
        start, end = self.spans[group]
        return self.prose.folded[start:end]


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a message, decoded, with its line."""

    says: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file as it was read. `headers` is None where it is no message; the pages of a notice are its blocks."""

    kind: Literal["text", "page", "message", "notice"]
    pages: tuple[Page, ...]
    headers: Mapping[str, Header] | None = None
    notes: tuple[str, ...] = ()


# ---------------------------------------------------------------- reading bytes

OTHER_FILES = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip file, such as .docx or .xlsx",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"\x1f\x8b": "a compressed file",
}
NO_WRITING = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")
MOST_NOISE = 0.05
HEADER_LINE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}:[^\n]{0,998}\n")
MARKED_UP = re.compile(
    r"<(?:!doctype|html|head|body|div|form|input|button|table|td|p|a|label|span|br|img|h[1-6]|ul|li)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
META_CHARSET = re.compile(rb"<meta[^<>]{0,200}charset=[\"']?\s?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)


NOT_OF_FILES = frozenset("idna mbcs oem punycode raw-unicode-escape undefined unicode-escape utf-7".split())
"""Codecs that no text file is in; some take a time that grows with the square of what they read."""

CHINESE = {"gb2312": "gb18030", "gbk": "gb18030"}
"""Charsets that files name, and the larger one in which they are written."""


def read_document(content: bytes, *, name: str = "", mail: bool = False) -> Document:
    """Read a file's bytes as a message (where `mail`), a page, or plain text. Raises UnreadableText.

    `name` helps with its ending alone.
    """
    if len(content) > MOST_BYTES:
        raise UnreadableText(f"it is longer than {MOST_BYTES:,} bytes; give one message, page or text at a time")
    for start, what in OTHER_FILES.items():
        if content.startswith(start):
            raise UnreadableText(f"it is {what}, not text; save its words as text or HTML")
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" in content:
        raise UnreadableText("it is not text (it holds zero bytes); save it as text, HTML or .eml")
    if name.lower().endswith(".eml") or (mail and _begins_as_message(content)):
        return _message(content)
    text, notes = _decoded(content)
    if not text.strip():
        raise UnreadableText("it is empty; there is nothing to look at")
    if NO_WRITING.search(text) and len(NO_WRITING.findall(text)) > len(text) * MOST_NOISE:
        raise UnreadableText("it is not text (much of it is no writing); save it as text, HTML or .eml")
    page = read_page(text, html=name.lower().endswith((".html", ".htm")))
    return Document(kind="page" if page.html else "text", pages=(page,), notes=(*notes, *_cut([page])))


def read_blocks(blocks: Mapping[str, str]) -> Document:
    """Read a notice that is made of named blocks of plain text. Raises UnreadableText where nothing stands in them."""
    pages = tuple(_plain_page(read_plain(text), name) for name, text in blocks.items() if text.strip())
    if not pages:
        raise UnreadableText("it is empty; there is nothing to look at")
    if sum(len(text) for text in blocks.values()) > MOST_BYTES:
        raise UnreadableText(f"it is longer than {MOST_BYTES:,} letters; give one notice at a time")
    return Document(kind="notice", pages=pages)


def _cut(pages: Iterable[Page]) -> tuple[str, ...]:
    many = f"only the first {MOST_CONTROLS:,} boxes, buttons and links were looked at"
    return (many,) if any(page.cut for page in pages) else ()


def read_page(text: str, *, html: bool = False, part: str = "") -> Page:
    """Read HTML, where `html` says so or the text looks like it, else plain text."""
    text = read_plain(text)
    return _html_page(text, part) if html or MARKED_UP.search(text) else _plain_page(text, part)


def read_plain(text: str) -> str:
    """Return a text with line feeds alone, and without what nobody sees."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(NOT_SEEN)


def _decoded(content: bytes, charset: str = "") -> tuple[str, tuple[str, ...]]:
    """Return the text, and a note where its encoding had to be guessed."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace"), ("read as UTF-16",)
    declared = META_CHARSET.search(content[:4096])
    names = [charset, declared[1].decode() if declared else ""]
    known = [CHINESE.get(name.lower(), name) for name in names if name and _is_charset(name)]
    for name in (*known, "utf-8-sig"):
        try:
            return content.decode(name), ()
        except UnicodeDecodeError:
            continue
    if known:
        return content.decode(known[0], "replace"), (f"not all of it is {known[0]}, as it says of itself",)
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    if re.search("[一-鿿]{2}", text):
        return text, ("not UTF-8; read as GB 18030",)
    try:
        return content.decode("cp1252"), ("not UTF-8; read as Windows-1252",)
    except UnicodeDecodeError:
        return content.decode("utf-8", "replace"), ("not UTF-8; what could not be read is left out",)


def _is_charset(name: str) -> bool:
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return codec.name not in NOT_OF_FILES and codec._is_text_encoding  # noqa: SLF001  (the only mark of base64 and its like)


# ---------------------------------------------------------------- plain text

DRAWN_BOX = re.compile(r"\s*(?:[-*•]\s)?\s?(\[[xX√✓✔]\]|[☑✅☒■]|\[ ?\]|[☐□])\s?(\S.*)")
DRAWN_BUTTON = re.compile(r"\[([^\[\]\n]{2,60})\](\()?")


def _plain_page(text: str, part: str) -> Page:
    """Read plain text; boxes drawn as [x] or ☐ and buttons drawn as [Accept all] count as such."""
    writer = _Writer()
    controls: list[Control] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            writer.end_block()
            continue
        box = DRAWN_BOX.match(line)
        if box:
            writer.end_block()
            ticked = box[1] in {"[x]", "[X]", "[√]", "[✓]", "[✔]", "☑", "✅", "☒", "■"}
            says = box[2].strip()[:LONGEST_LABEL]
            controls.append(_drawn("box", says, number, writer.length, ticked=ticked))
        elif "[" in line:
            drawn = DRAWN_BUTTON.finditer(line)
            controls += [_drawn("link" if one[2] else "button", one[1].strip(), number, writer.length) for one in drawn]
        writer.add(line, number)
        writer.space()
    prose = writer.prose()
    spans = ((0, len(prose.shown)),)
    cut = len(controls) > MOST_CONTROLS
    return Page(prose, tuple(controls[:MOST_CONTROLS]), spans, drawn=bool(controls), cut=cut, part=part)


def _drawn(kind: Kind, says: str, line: int, start: int, *, ticked: bool = False) -> Control:
    return Control(kind=kind, says=says, folded=fold(says), line=line, start=start, ticked=ticked)


# ---------------------------------------------------------------- HTML

BLOCKS = frozenset(
    "address article aside blockquote body br dd div dl dt fieldset figcaption footer form h1 h2 h3 h4 h5 h6 header hr "
    "legend li main nav ol option p section table tbody td tfoot th thead tr ul dialog button label".split()
)
VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
UNREAD = frozenset("title script style template".split())
TOGETHER = re.compile(r"cookie|consent|banner|modal|popup|pop-up|dialog|overlay|cmp|弹窗")
TIMER = re.compile(r"count-?down|timer|倒计时")
SWITCH = re.compile(r"\b(?:switch|toggle|slider)\b")
SIMPLE_TAG = re.compile(r"""</?[A-Za-z][^<>"']{0,1000}>""")
REST = re.compile(r"<[!?][^<>]{0,2000}>")


def _html_page(text: str, part: str) -> Page:
    reader = _Reader()
    reader.feed(_well_formed(text))
    reader.close()
    return reader.page(part)


def _well_formed(text: str) -> str:
    """Return HTML of which only tags begin with '<': comments and scripts are blanked, their lines kept.

    The parser of the standard library takes a time that grows with the square of what is left open; here nothing is.
    """
    text = _without(text, "<!--", "-->")
    for name in ("script", "style"):
        text = _without(text, f"<{name}", f"</{name}>")
    pieces, place = [], 0
    while (start := text.find("<", place)) >= 0:
        pieces.append(text[place:start])
        tag = _tag_end(text, start)
        pieces.append(text[start:tag] if tag else "&lt;")
        place = tag or start + 1
    return "".join([*pieces, text[place:]])


def _tag_end(text: str, start: int) -> int:
    """Return where the tag that begins at `start` ends, 0 where none does within reason."""
    simple = SIMPLE_TAG.match(text, start)
    if simple:
        return simple.end()
    if not re.match(r"</?[A-Za-z]", text[start : start + 3]):
        rest = REST.match(text, start)
        return rest.end() if rest else 0
    quote = ""
    for place in range(start + 1, min(len(text), start + LONGEST_TAG)):
        mark = text[place]
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "\"'" and text[place - 1] in "= \n\t":
            quote = mark
        elif mark == ">":
            return place + 1
        elif mark == "<":
            return 0
    return 0


def _without(text: str, begin: str, end: str) -> str:
    """Return the text with everything from `begin` to `end` blanked but for its line feeds."""
    searched = text.lower() if len(text.lower()) == len(text) else text
    pieces, place = [], 0
    while (start := searched.find(begin, place)) >= 0:
        stop = searched.find(end, start)
        stop = len(text) if stop < 0 else stop + len(end)
        pieces += [text[place:start], "\n" * text.count("\n", start, stop)]
        place = stop
    return "".join([*pieces, text[place:]])


@dataclass(slots=True)
class _Open:
    """An element that has not been closed yet."""

    tag: str
    hidden: bool
    group: int
    unread: bool
    words: list[str] | None = None


class _Reader(HTMLParser):
    """Collects words and controls in one pass."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.writer = _Writer()
        self.open: list[_Open] = []
        self.opened: Counter[str] = Counter()
        self.listening: list[list[str]] = []
        self.found: list[dict[str, object]] = []
        self.labels: dict[str, list[str]] = {}
        self.spans: list[list[int]] = [[0, -1]]
        self.pixels: list[int] = []
        self.timers: list[tuple[int, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        style = _style(attributes.get("style", ""))
        top = self.open[-1] if self.open else _Open("", hidden=False, group=0, unread=False)
        hidden = top.hidden or "hidden" in attributes or _unseen(style)
        if tag in BLOCKS:
            self.writer.end_block()
        group = self._group(tag, attributes, top.group)
        here = _Open(tag, hidden, group, top.unread or tag in UNREAD)
        self._element(tag, attributes, style, here)
        if tag not in VOID and len(self.open) < DEEPEST:
            self.open.append(here)
            self.opened[tag] += 1
            self.listening += [] if here.words is None else [here.words]
        elif here.group != top.group:
            self.spans[here.group][1] = self.writer.length

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.opened[tag]:
            return
        while self.open:
            closed = self.open.pop()
            self.opened[closed.tag] -= 1
            if closed.words is not None:
                self.listening.pop()
            if closed.group != (self.open[-1].group if self.open else 0):
                self.spans[closed.group][1] = self.writer.length
            if closed.tag == tag:
                break
        if tag in BLOCKS:
            self.writer.end_block()

    def handle_data(self, data: str) -> None:
        top = self.open[-1] if self.open else None
        if top and top.unread:
            return
        self._say(data, hidden=bool(top and top.hidden))

    def _say(self, data: str, *, hidden: bool) -> None:
        self.writer.add(data, self.getpos()[0], hidden=hidden)
        for words in self.listening[-MOST_LISTENING:]:
            words.append(data)

    def _group(self, tag: str, attributes: Mapping[str, str], group: int) -> int:
        named = f"{attributes.get('id', '')} {attributes.get('class', '')}".lower()
        called = tag in {"div", "section", "aside", "footer"} and TOGETHER.search(named)
        plain = tag in {"form", "dialog"} or attributes.get("role") in {"dialog", "alertdialog"}
        if plain or (called and not self._inside_one_named(named)):
            self.spans.append([self.writer.length, -1])
            return len(self.spans) - 1
        return group

    def _inside_one_named(self, named: str) -> bool:
        """Tell whether this is a part of a banner rather than one: cookie-banner__buttons within cookie-banner."""
        return (
            bool(self.open)
            and self.open[-1].group > 0
            and re.search(r"__|-(?:inner|body|text|button)", named) is not None
        )

    def _element(self, tag: str, attributes: Mapping[str, str], style: Mapping[str, str], here: _Open) -> None:
        named = f"{attributes.get('id', '')} {attributes.get('class', '')}".lower()
        role = attributes.get("role", "")
        if tag == "img":
            self._image(attributes, style, here)
        elif tag == "label":
            here.words = []
            if attributes.get("for"):
                self.labels[attributes["for"]] = here.words
        elif role == "timer" or (TIMER.search(named) and tag not in {"input", "button", "a"}):
            here.words = []
            self.timers.append((self.getpos()[0], here.words))
        kind = _kind(tag, attributes, named)
        if kind:
            self._control(kind, attributes, style, here)

    def _image(self, attributes: Mapping[str, str], style: Mapping[str, str], here: _Open) -> None:
        sizes = [attributes.get(name) or style.get(name, "") for name in ("width", "height")]
        if all(re.fullmatch(r"\s?[01](?:px)?\s?", size) for size in sizes):
            self.pixels.append(self.getpos()[0])
        elif attributes.get("alt"):
            self._say(f" {attributes['alt']} ", hidden=here.hidden)

    def _control(self, kind: Kind, attributes: Mapping[str, str], style: Mapping[str, str], here: _Open) -> None:
        if len(self.found) > MOST_CONTROLS:
            return
        own: list[str] = []
        if kind in {"button", "link"}:
            own.append(attributes.get("value", "") if here.tag == "input" else "")
            here.words = own
            if here.tag == "input":
                self._say(f" {own[0]} ", hidden=here.hidden)
        around = next((item.words for item in reversed(self.open) if item.tag == "label"), None)
        form = attributes.get("type", "text") if here.tag == "input" else here.tag
        self.found.append({
            "kind": kind, "line": self.getpos()[0], "start": self.writer.length, "group": here.group,
            "form": form.lower(),
            "name": f"{attributes.get('name', '')} {attributes.get('autocomplete', '')}".strip(),
            "target": attributes.get("href", ""), "style": style, "hidden": here.hidden or form == "hidden",
            "ticked": "checked" in attributes or attributes.get("aria-checked") == "true",
            "fixed": "disabled" in attributes or attributes.get("aria-disabled") == "true",
            "needed": "required" in attributes or attributes.get("aria-required") == "true",
            "classes": frozenset(re.findall(r"[a-z0-9]+", attributes.get("class", "").lower())),
            "id": attributes.get("id", ""), "own": own, "around": around,
            "spoken": next(filter(None, map(attributes.get, ("aria-label", "placeholder", "title"))), ""),
        })  # fmt: skip

    def page(self, part: str) -> Page:
        prose = self.writer.prose()
        spans = tuple((start, end if end >= 0 else len(prose.shown)) for start, end in self.spans)
        controls = tuple(self._finished(prose))
        timers = tuple((line, _plain(words)) for line, words in self.timers)
        cut = len(controls) > MOST_CONTROLS
        controls = controls[:MOST_CONTROLS]
        return Page(prose, controls, spans, tuple(self.pixels), timers, drawn=True, html=True, cut=cut, part=part)

    def _finished(self, prose: Prose) -> Iterator[Control]:
        starts = [int(str(item["start"])) for item in self.found]
        for number, item in enumerate(self.found):
            following = starts[number + 1] if number + 1 < len(starts) else len(prose.shown)
            yield self._named(item, prose, following)

    def _named(self, item: Mapping[str, object], prose: Prose, following: int) -> Control:
        """Give a control its words: its own, its label's, those spoken for it, or what stands beside it."""
        own, around = item["own"], item["around"]
        label = self.labels.get(str(item["id"])) if item["id"] else None
        start = int(str(item["start"]))
        beside = prose.shown[start : max(start, min(following, start + LONGEST_LABEL))].strip("\n ").partition("\n")[0]
        says = next(filter(None, (
            _plain(own), _plain(label), _plain(around), " ".join(str(item["spoken"]).split()), beside,
        )), "")  # fmt: skip
        kept = {key: item[key] for key in item.keys() - {"id", "own", "around", "spoken"}}
        says = says[:LONGEST_LABEL]
        return Control(says=says, folded=fold(says), **kept)  # type: ignore[arg-type]


def _plain(words: object) -> str:
    return " ".join("".join(words).split()) if isinstance(words, list) else ""


def _kind(tag: str, attributes: Mapping[str, str], named: str) -> Kind | None:
    form, role = attributes.get("type", "text").lower(), attributes.get("role", "").lower()
    if role == "switch" or (
        tag == "input" and form == "checkbox" and SWITCH.search(named.replace("-", " ").replace("_", " "))
    ):
        return "toggle"
    if role == "checkbox" or (tag == "input" and form == "checkbox"):
        return "box"
    if tag == "input" and form == "radio":
        return "choice"
    if tag == "button" or role == "button" or (tag == "input" and form in {"submit", "button", "image", "reset"}):
        return "button"
    if tag == "a":
        return "link"
    return "field" if tag in {"input", "select", "textarea"} and form != "hidden" else None


def _style(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.lower().split(";"))
    return {name.strip(): " ".join(value.split()) for name, colon, value in pairs if colon}


def _unseen(style: Mapping[str, str]) -> bool:
    return (
        style.get("display", "").startswith("none")
        or style.get("visibility", "").startswith("hidden")
        or style.get("font-size", "") in {"0", "0px"}
    )


# ---------------------------------------------------------------- messages

HEADERS = ("subject", "from", "list-unsubscribe", "in-reply-to", "references")


def _begins_as_message(content: bytes) -> bool:
    """Tell whether a file begins with header lines, among them a subject or a sender."""
    head = content[:20_000].decode("latin-1").replace("\r\n", "\n").lstrip("\ufeff\n")
    names = []
    while line := HEADER_LINE.match(head):
        names.append(line[0].partition(":")[0].lower())
        head = re.sub(r"\A(?:[ \t][^\n]{0,998}\n)", "", head[line.end() :])
        while head[:1] in {" ", "\t"} and "\n" in head:
            head = head.partition("\n")[2]
    return "subject" in names or "from" in names


def _message(content: bytes) -> Document:
    """Read a message: headers, and of each alternative the page. Attachments are left alone."""
    from email import message_from_bytes

    try:
        message = message_from_bytes(content.removeprefix(b"\xef\xbb\xbf"))
        parts = list(_text_parts(message))
    except (RecursionError, ValueError) as error:
        raise UnreadableText(f"it cannot be read as a message ({error}); save it again from the mail program") from None
    headers = {name: header for name in HEADERS if (header := _header(message, name, content)) is not None}
    notes = tuple(dict.fromkeys(note for _, _, notes in parts for note in notes))
    pages = [read_page(text, html=html, part="html part" if html else "text part") for html, text, _ in parts]
    pages.sort(key=lambda page: not page.html)
    if not pages and not headers:
        raise UnreadableText("it is no message; it has neither headers nor text")
    if not pages:
        pages, notes = [read_page("")], (*notes, "the message has no text part")
    return Document(kind="message", pages=tuple(pages), headers=headers, notes=(*notes, *_cut(pages)))


def _text_parts(message: Message) -> Iterator[tuple[bool, str, tuple[str, ...]]]:
    """Yield whether it is HTML, the text, and notes, of each part that is shown."""
    for part in message.walk():
        if part.get_content_maintype() != "text" or part.get_content_disposition() == "attachment":
            continue
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        text, notes = _decoded(content, part.get_content_charset() or "")
        if text.strip():
            yield part.get_content_subtype() == "html", text, notes


def _header(message: Message, name: str, content: bytes) -> Header | None:
    from email.errors import HeaderParseError
    from email.header import decode_header

    given = message.get(name)
    if given is None:
        return None
    try:
        pieces: Iterable[tuple[object, str | None]] = decode_header(given)
        says = "".join(_piece(piece, charset) for piece, charset in pieces)
    except (HeaderParseError, ValueError):
        says = str(given)
    found = re.search(rb"(?im)^" + name.encode() + rb"[ \t]?:", content)
    line = content.count(b"\n", 0, found.start()) + 1 if found else 1
    return Header(" ".join(unescape(says).translate(NOT_SEEN).split()), line)


def _piece(piece: object, charset: str | None) -> str:
    """Decode a piece of a header; raw bytes are read as UTF-8, or as Chinese, before anything else."""
    if not isinstance(piece, bytes):
        raw = str(piece)
        try:
            piece = raw.encode("ascii", "surrogateescape")
        except UnicodeEncodeError:
            return raw
    known = "" if charset in {None, "unknown-8bit"} else str(charset)
    return _decoded(piece, known)[0]
