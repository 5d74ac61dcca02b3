"""What a form, a banner or a message does wrong by its structure: checks that text rules call by name.

A check yields what it saw: a line, and a few words. What counts as yes, as no or as a purpose comes from the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from comity.law.pages import Control, Document, Page, fold

if TYPE_CHECKING:
    from comity.law.texts import Look


class Sight(NamedTuple):
    """The words seen, on which line, and in which part if not on the page itself."""

    line: int
    words: str
    part: str = ""


Looks = Callable[[Page, "Look", Document], Iterator[Sight]]

BOXES = frozenset({"box", "choice", "toggle"})
PRESSED = frozenset({"button", "link"})


@dataclass(frozen=True, slots=True)
class Check:
    """A structural check, and what a file must show for it to say anything."""

    look: Looks
    needs: Literal["words", "controls", "html"]
    says: str


# ---------------------------------------------------------------- boxes


def pre_ticked(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (every check has the same arguments)
    """A box about something a person may refuse, ticked before they came. Boxes that cannot be changed do not count."""
    for control in page.controls:
        if control.kind in BOXES and control.ticked and not control.fixed and look.words.first(control.folded):
            yield Sight(control.line, control.says)


def required_box(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """A box or field that must be filled in, although it asks for something optional."""
    for control in page.controls:
        if control.needed and look.words.first(f"{control.folded} | {fold(control.name)}"):
            yield Sight(control.line, control.says or control.name)


def many_purposes(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """One yes, by a box or by the button of a prompt, to things of two or more of the rule's sets."""
    for control in page.controls:
        if control.kind in BOXES and _kinds(look, control.folded) > 1:
            yield Sight(control.line, control.says)
    for controls in page.groups():
        yes = [one for one in controls if one.kind == "button" and look.against and look.against.first(one.folded)]
        boxes = [one for one in controls if one.kind in BOXES]
        if yes and not boxes and _kinds(look, page.words_of(controls[0].group)) > 1:
            yield Sight(yes[0].line, yes[0].says)


def _kinds(look: Look, folded: str) -> int:
    return sum(bool(words.first(folded)) for words in look.sets)


def toggle_without_state(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """A switch about an opt-out that does not say what its position means."""
    for control in page.controls:
        if control.kind == "toggle" and look.words.first(control.folded):
            around = f"{control.folded} {page.prose.folded[control.start : control.start + 120].partition(chr(10))[0]}"
            if look.against is None or not look.against.first(around):
                yield Sight(control.line, control.says)


# ---------------------------------------------------------------- yes and no


def accept_without_reject(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """A way to say yes, and on the same layer none to say no."""
    for controls in page.groups():
        yes, no = _yes_and_no(controls, look)
        if yes and not no:
            others = (
                one.says for one in controls if one.kind in PRESSED and not one.hidden and one.says != yes[0].says
            )
            yield Sight(yes[0].line, " / ".join([yes[0].says, *islice(others, 2)]))


def unequal_buttons(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """Yes and no that do not look alike, as far as the kind of element, inline style and class names tell."""
    for controls in page.groups():
        yes, no = _yes_and_no(controls, look)
        for one, other in zip(yes[:1], no[:1], strict=False):
            differs = _differs(one, other)
            if differs:
                yield Sight(one.line, f"{one.says} / {other.says}: {differs}")


def _yes_and_no(controls: list[Control], look: Look) -> tuple[list[Control], list[Control]]:
    pressed = [one for one in controls if one.kind in PRESSED and not one.hidden]
    yes, no = [], []
    for one in pressed:
        asks = (
            one.kind == "button" or one.group > 0
        )  # a link in the midst of a page, such as "Sign up", answers nothing
        if look.against and look.against.first(one.folded):
            no.append(one)
        elif asks and look.words.first(one.folded):
            yes.append(one)
    return yes, no


LOOKS = ("font-size", "font-weight", "padding", "width", "height", "background", "color", "opacity", "text-decoration")
STRONG = frozenset("primary cta main filled contained solid highlight highlighted big large lg xl success".split())
WEAK = frozenset(
    "secondary tertiary link text muted ghost outline outlined subtle small sm xs plain light grey gray".split()
)


def _differs(one: Control, other: Control) -> str:
    """Say in what two controls differ to the eye, or nothing."""
    if one.kind != other.kind:
        return f"one is a {one.kind}, the other a {other.kind}"
    for name in LOOKS:
        here, there = _worn(one, name), _worn(other, name)
        if here != there:
            return f"{name} {here or 'plain'} against {there or 'plain'}"
    if (one.classes & STRONG and not other.classes & STRONG) or (other.classes & WEAK and not one.classes & WEAK):
        return f"class {_named(one, STRONG)} against {_named(other, WEAK)}"
    return ""


def _worn(control: Control, name: str) -> str:
    return control.style.get(name) or (control.style.get("background-color", "") if name == "background" else "")


def _named(control: Control, words: frozenset[str]) -> str:
    return next(iter(sorted(control.classes & words)), "") or "none"


def options_do_not_answer(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """A question "this or that?" of which the options are yes and no."""
    for controls in page.groups():
        pressed = [one for one in controls if one.kind in PRESSED | {"choice"} and not one.hidden]
        answers = {one.folded.strip(" .!") for one in pressed}
        start, end = page.spans[controls[0].group]
        for first, last in (
            look.words.spans(page.prose.folded[start:end]) if answers and answers <= {"yes", "no"} else ()
        ):
            yield Sight(page.prose.line(start + first), page.prose.shown[start + first : start + last])


def close_button(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """Something to press that closes: by its words, or by the mark × alone."""
    for control in page.controls:
        closes = control.folded.strip() in {"x", "×", "✕", "✖"} or look.words.first(control.folded)
        if closes and control.kind in PRESSED and not control.hidden:
            yield Sight(control.line, control.says)


# ---------------------------------------------------------------- haste


def countdown(page: Page, look: Look, document: Document) -> Iterator[Sight]:
    """A clock that runs, or words that say that time does."""
    yield from (Sight(line, words or "a countdown") for line, words in page.timers)
    subject = (document.headers or {}).get("subject")
    if subject:
        for start, end in look.words.spans(fold(subject.says)):
            yield Sight(subject.line, subject.says[start:end], "subject")
    for start, end in look.words.spans(page.prose.folded):
        yield Sight(page.prose.line(start), page.prose.shown[start:end])


# ---------------------------------------------------------------- opting out


def opt_out_asks_too_much(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """A form to opt out that wants a password, a document, or more fields than `limit`."""
    for controls in page.groups():
        fields = [one for one in controls if one.kind == "field" and not one.hidden]
        heavy = [one for one in fields if one.form in {"password", "file"}]
        if fields and look.words.first(page.words_of(controls[0].group)):
            for one in heavy[:1]:
                yield Sight(one.line, f"a field for a {one.form}: {one.says or one.name}")
            if len(fields) > look.limit:
                yield Sight(fields[0].line, f"{len(fields)} fields")


# ---------------------------------------------------------------- messages


def tracking_pixel(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """A picture of one point, which tells when a message was opened."""
    yield from (Sight(line, "a picture of one point") for line in page.pixels)


def false_reply(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """A subject that begins as an answer does, in a message that answers none."""
    headers = document.headers or {}
    subject = headers.get("subject")
    if subject and not {"in-reply-to", "references"} & headers.keys():
        start = look.words.first(fold(subject.says)[:12])
        if start and fold(subject.says).startswith(start):
            yield Sight(subject.line, subject.says, "subject")


def sender_named(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """A sender with an address and a name before it that is not the address again."""
    header = (document.headers or {}).get("from")
    found = (
        re.fullmatch(r"\s?\"?([^<\"]{2,200})\"?\s?<([^<>\s@]{1,200}@[^<>\s@]{1,200})>\s?", header.says)
        if header
        else None
    )
    if header and found and not look.words.first(fold(found[1]).strip()) and "@" not in found[1]:
        yield Sight(header.line, header.says)


# ---------------------------------------------------------------- sums of money

DIGITS = {mark: number for number, mark in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
TENS = {"十": 10, "百": 100, "千": 1_000}
AMOUNT = re.compile(
    r"[¥￥]\s?(\d[\d,]{0,15}(?:\.\d{1,2})?)\s?(万|亿)?|(\d[\d,]{0,15}(?:\.\d{1,4})?)\s?(万|亿|千)?(?:元|块|rmb|人民币)"
    r"|([一二三四五六七八九十百千两]{1,8})(万|亿)?元"
)
UNITS = {"千": 1_000, "万": 10_000, "亿": 100_000_000}


def amount_over(page: Page, look: Look, document: Document) -> Iterator[Sight]:  # noqa: ARG001  (as above)
    """A sum above `limit` in a paragraph that has one of the words."""
    place = 0
    for paragraph in page.prose.folded.split("\n"):
        if look.words.first(paragraph):
            for found in AMOUNT.finditer(paragraph):
                if _amount(found) > look.limit:
                    start = place + found.start()
                    yield Sight(page.prose.line(start), page.prose.shown[start : place + found.end()])
        place += len(paragraph) + 1


def _amount(found: re.Match[str]) -> float:
    digits, unit = (found[1] or found[3] or ""), (found[2] or found[4] or found[6] or "")
    number = float(digits.replace(",", "")) if digits else float(_spelled(found[5]))
    return number * UNITS.get(unit, 1)


def _spelled(numeral: str) -> int:
    """Read a Chinese numeral below ten thousand."""
    total = current = 0
    for mark in numeral:
        if mark in TENS:
            total += (current or 1) * TENS[mark]
            current = 0
        else:
            current = DIGITS[mark]
    return total + current


CHECKS: dict[str, Check] = {
    "pre-ticked": Check(pre_ticked, "controls", "a box ticked beforehand whose label has one of the words"),
    "required": Check(required_box, "html", "a required box or field whose label or name has one of the words"),
    "one-box-many-purposes": Check(
        many_purposes, "controls", "one yes (against: words of a yes) to two or more of the sets"
    ),
    "toggle-without-state": Check(toggle_without_state, "html", "a switch about the words that says none of `against`"),
    "accept-without-reject": Check(accept_without_reject, "controls", "a yes of the words without a no of `against`"),
    "unequal-buttons": Check(unequal_buttons, "html", "a yes of the words that looks other than the no of `against`"),
    "options-do-not-answer": Check(options_do_not_answer, "controls", "a question in the words answered by yes and no"),
    "close-button": Check(close_button, "html", "something to press that closes, by the words or by ×"),
    "countdown": Check(countdown, "words", "a running clock, or the words"),
    "opt-out-asks-too-much": Check(
        opt_out_asks_too_much, "html", "a form about the words with more fields than `limit`"
    ),
    "tracking-pixel": Check(tracking_pixel, "html", "a picture of one point"),
    "false-reply": Check(
        false_reply, "words", "a subject beginning with one of the words in a message that answers none"
    ),
    "sender-named": Check(sender_named, "words", "a sender's name beside the address, other than the words"),
    "amount-over": Check(amount_over, "words", "a sum in yuan above `limit` in a paragraph with one of the words"),
}
"""Every structural check, by the name that packs use."""
