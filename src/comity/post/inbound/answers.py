"""What somebody means who answers a message: an end to it, perhaps an end to it, something else. Never a yes.

Only a whole answer that says nothing else ends messages by itself. An answer that may mean it goes to a human, and
messages are held until then (47 CFR 64.1200(a)(10) lets people say it by any reasonable means).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from comity.post.inbound.mime import Part, words_of

LONGEST_KEYWORD: Final = 80
"""Letters beyond which an answer is no keyword, whatever stands in it."""
LOOKED_AT: Final = 4_000
"""Letters of an answer in which words are looked for."""


class Meaning(StrEnum):
    """What an answer means."""

    STOP = "stop"
    MAYBE = "maybe"  # they may want it to end: a human reads it
    START = "start"  # they want it back: no yes, since no wording was shown
    HELP = "help"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class _Words:
    stop: frozenset[str]
    filler: frozenset[str]
    start: frozenset[str]
    help: frozenset[str]
    maybe: re.Pattern[str]


@cache
def _words() -> _Words:
    told = tomllib.loads((files("comity.post.inbound") / "words.toml").read_text("utf-8"))
    sets = {name: frozenset(plainly(word) for words in told[name].values() for word in words) for name in told}
    longest_first = sorted(sets["maybe"] | sets["stop"], key=len, reverse=True)
    alone = [re.escape(word) for word in longest_first if len(word) > 2 or not word.isascii()]  # noqa: PLR2004 - T and R stand in anything
    latin = "|".join(word for word in alone if word.replace("\\", "").isascii())
    others = "|".join(word for word in alone if not word.replace("\\", "").isascii())
    return _Words(
        stop=sets["stop"], filler=sets["filler"], start=sets["start"], help=sets["help"],
        maybe=re.compile(rf"\b(?:{latin})|(?:{others})"),
    )  # fmt: skip


MARKS: Final = re.compile(r"[^\w\s'’-]+|(?<!\w)['’-]+|['’-]+(?!\w)|_")


def plainly(text: str) -> str:
    """Return an answer without case, width, quotes, punctuation and needless space."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(MARKS.sub(" ", unicodedata.normalize("NFC", plain)).split())


def meaning_of(text: str) -> Meaning:
    """Return what an answer means: the words that somebody typed, without what they quote."""
    plain = plainly(text[:LOOKED_AT])
    if not plain:
        return Meaning.OTHER
    words = _words()
    if len(plain) <= LONGEST_KEYWORD:
        if _is_all(plain, words.stop, words.filler):
            return Meaning.STOP
        if plain in words.start:
            return Meaning.START
        if plain in words.help:
            return Meaning.HELP
    return Meaning.MAYBE if words.maybe.search(plain) else Meaning.OTHER


def _is_all(plain: str, keywords: frozenset[str], fillers: frozenset[str]) -> bool:
    """Say whether an answer is made of keywords and fillers alone, with at least one keyword."""
    if plain in keywords or plain.replace(" ", "") in keywords:
        return True
    rest, found = f" {plain} ", False
    for keyword in sorted(keywords, key=len, reverse=True):
        if len(keyword) > 1 and f" {keyword} " in rest:
            rest, found = rest.replace(f" {keyword} ", "  "), True
    return found and all(word in fillers for word in rest.split())


# ---------------------------------------------------------------- what they typed

QUOTED: Final = re.compile(
    r"^(?:>|\|)|^-{2,}\s*(?:original|ursprüngliche|message d'origine|mensaje original|原始邮件|转发)|^_{10,}\s*$|^-- ?$"
    r"|^(?:on|am|le|el|il|op|em|den|dnia)\b.{3,200}"
    r"(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|skrev|napisał\(?a?\)?).{0,40}:?\s*$"
    r"|^(?:from|von|de|da|van|发件人|寄件者|差出人)\s*[:：].{2,200}$|^在.{3,120}写道\s*[:：]"
    r"|^.{3,120}<[^<>\s]+@[^<>\s]+>\s*(?:于|wrote).{0,60}[:：]\s*$",
    re.IGNORECASE,
)
MOST_LINES: Final = 400


def typed(message: Part) -> str:
    """Return what whoever sent a message typed: without what they quote, and what stands under it."""
    kept: list[str] = []
    for line in words_of(message).split("\n")[:MOST_LINES]:
        if QUOTED.match(line.strip()[:400]):
            break
        kept.append(line.rstrip())
    return "\n".join(kept).strip()


# ---------------------------------------------------------------- machines

AWAY: Final = re.compile(
    r"\s*(?:re:\s*)?(?:out of (?:the )?office|automatic reply|auto(?:matic)?[ -]?(?:reply|response)|abwesenheit"
    r"|automatische antwort|réponse automatique|absence du bureau|respuesta automática|risposta automatica"
    r"|automatisch antwoord|resposta automática|autosvar|automaattinen vastaus|自动回复|自動返信|自动答复|vacation)",
    re.IGNORECASE,
)


def is_automatic(message: Part) -> bool:
    """Say whether a machine wrote it (RFC 3834): then it is nobody's answer."""
    submitted = message.head("auto-submitted").partition(";")[0].strip().lower()
    precedence = message.head("precedence").strip().lower()
    return bool(
        (submitted and submitted != "no")
        or precedence in {"auto_reply", "auto-reply", "bulk", "junk", "list"}
        or any(name in message.heads for name in ("x-autoreply", "x-autorespond", "x-autoresponse", "list-id"))
        or "oof" in message.head("x-auto-response-suppress").lower()
        or message.heads.get("return-path", ("",))[0].strip() == "<>"
        or AWAY.match(message.head("subject"))
    )
