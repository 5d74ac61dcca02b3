"""How names are written and how people type them: folding, words, German and Nordic letters, Chinese by its sound.

Everything here is applied to the name when it is sealed and to the words of a search alike, so that both meet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice, product
from typing import Final, NamedTuple

LONGEST: Final = 200
"""Characters of a name that are looked at; nobody types more of one into a search."""

LETTERS: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t",
     "ŋ": "ng", "ĸ": "k", "ŀ": "l", "ʼ": "", "ʻ": "", "ʹ": "", "’": "", "‘": "", "'": "", "`": "", "´": "", "·": " "}
)  # fmt: skip
"""Letters that Unicode does not take apart, and apostrophes: O'Brien is one word."""

TWO_LETTERS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
"""How people without these keys write them."""

SPLIT_ALIKE: Final = frozenset("äöüåø")
ACCENTS: Final = range(200, 241)
"""Combining classes of marks above and below a letter. Marks that make another letter (dakuten, nukta) have others."""
POINTS: Final = range(10, 36)
"""Combining classes of Hebrew and Arabic vowel points, which are mostly left out."""

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3007"
LAST_BEFORE_HAN: Final = "\u3006"
HAN_LETTER: Final = re.compile(f"[{HAN}]")
PIECES: Final = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")

# ---------------------------------------------------------------- folding


def fold(text: str) -> str:
    """Reduce text to what two spellings of one name share: no case, no accents, no apostrophes, one width."""
    if text.isascii():
        return text.lower().replace("'", "").replace("`", "")
    return " ".join([_fold(word) for word in text.split(" ")])  # names are new, their words recur


@lru_cache(maxsize=65_536)
def _fold(word: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    bare = "".join(letter for letter in apart if unicodedata.combining(letter) not in _DROPPED)
    return unicodedata.normalize("NFC", bare.translate(LETTERS))


_DROPPED: Final = frozenset((*ACCENTS, *POINTS))


def spellings(text: str) -> tuple[str, ...]:
    """Fold text in the ways it may be typed: "Müller" is "muller" and "mueller"."""
    folded = fold(text)
    lowered = text.casefold()
    if text.isascii() or SPLIT_ALIKE.isdisjoint(composed := unicodedata.normalize("NFC", lowered)):
        return (folded,)
    return (folded, fold(composed.translate(TWO_LETTERS)))


# ---------------------------------------------------------------- names


class Name(NamedTuple):
    """One way to read a name: the words by which it can be found, and the whole name run together."""

    words: tuple[str, ...]
    wholes: tuple[str, ...] = ()  # run together, in both orders where they are used
    initials: tuple[str, ...] = ()  # of Chinese syllables; found by their beginning alone


def readings(name: str) -> Iterator[Name]:
    """Give every way to read a name, as it is written first."""
    ways = [_pieces(spelled) for spelled in spellings(name[:LONGEST])]
    for pieces in ways:
        if pieces:
            together = tuple(["".join(pieces[start:]) for start in (0, 1) if len(pieces) > start + 1])
            yield Name(tuple(pieces), together)  # "delacruz" finds Carlos de la Cruz
    yield from chinese(ways[0])


def typed(query: str) -> Iterator[tuple[str, ...]]:
    """Give the words of a search in every way they may be meant: as typed, and run together."""
    for spelled in spellings(query[:LONGEST]):
        pieces = tuple(_pieces(spelled))
        if pieces:
            yield pieces
        if len(pieces) > 1:
            yield ("".join(pieces),)


def _pieces(folded: str) -> list[str]:
    words = folded.split()
    if folded.isascii() and all(map(str.isalnum, words)):
        return words
    return PIECES.findall(folded) or words


def is_han(word: str) -> bool:
    """Whether a piece of text is Chinese characters; a piece never mixes them with others."""
    return word > LAST_BEFORE_HAN and HAN_LETTER.match(word) is not None


# ---------------------------------------------------------------- Chinese by its sound

COMPOUND: Final = frozenset(
    "欧阳 歐陽 司马 司馬 诸葛 諸葛 上官 夏侯 尉迟 尉遲 皇甫 公孙 公孫 长孙 長孫 慕容 令狐 东方 "
    "東方 司徒 司空 宇文 轩辕 軒轅 钟离 鍾離 闻人 聞人 万俟 澹台 澹臺 公冶 宗政 濮阳 濮陽 淳于 "
    "单于 單于 太叔 申屠 仲孙 仲孫 南宫 南宮 独孤 獨孤 端木 百里 呼延 赫连 赫連 西门 西門 拓跋 "
    "东郭 東郭 公羊 完颜 完顏 纳兰 納蘭 第五 左丘".split()
)
"""Surnames of two characters."""

SURNAME_SOUNDS: Final = {
    "曾": ("zeng",), "单": ("shan",), "單": ("shan",), "解": ("xie",), "仇": ("qiu",), "任": ("ren",),
    "区": ("ou",), "區": ("ou",), "查": ("zha",), "朴": ("piao", "pu"), "盖": ("ge", "gai"), "蓋": ("ge", "gai"),
    "翟": ("zhai", "di"), "乐": ("yue", "le"), "樂": ("yue", "le"), "员": ("yun",), "員": ("yun",),
    "缪": ("miao",), "繆": ("miao",), "覃": ("qin", "tan"), "召": ("shao",), "黑": ("he", "hei"), "繁": ("po",),
    "洗": ("xian",), "秘": ("bi",), "折": ("she",), "种": ("chong",), "種": ("chong",), "能": ("nai",),
    "宓": ("mi", "fu"), "隗": ("wei", "kui"), "祭": ("zhai",), "纪": ("ji",), "紀": ("ji",), "宁": ("ning",),
    "句": ("gou",), "那": ("na",), "应": ("ying",), "應": ("ying",), "郗": ("xi", "chi"), "莘": ("shen", "xin"),
    "车": ("che",), "車": ("che",), "都": ("du",), "石": ("shi",), "盛": ("sheng",), "沈": ("shen",),
    "柏": ("bai", "bo"), "卜": ("bu",), "葛": ("ge",), "晟": ("cheng",), "尉": ("wei", "yu"), "佴": ("nai",),
    "冼": ("xian",), "逄": ("pang",), "郇": ("xun", "huan"), "郏": ("jia",), "瞿": ("qu",), "褚": ("chu",),
    "谌": ("chen", "shen"), "諶": ("chen", "shen"), "过": ("guo",), "华": ("hua",), "華": ("hua",), "燕": ("yan",),
    "於": ("yu",), "哈": ("ha",), "戚": ("qi",), "贾": ("jia",), "賈": ("jia",), "尉迟": ("yuchi",),
    "尉遲": ("yuchi",), "万俟": ("moqi",), "长孙": ("zhangsun",), "長孫": ("zhangsun",), "单于": ("chanyu",),
    "單于": ("chanyu",), "澹台": ("tantai",), "澹臺": ("tantai",), "令狐": ("linghu",), "呼延": ("huyan",),
    "赫连": ("helian",), "赫連": ("helian",), "拓跋": ("tuoba",),
}  # fmt: skip
"""Characters that sound otherwise as a surname than elsewhere, with that sound first."""

MOST_SOUNDS: Final = 2
"""Sounds of one character that are looked at; the dictionary has the usual one first."""
MOST_READINGS: Final = 4
"""Readings of one whole name that are looked at."""
MOST_SYLLABLES: Final = 6
"""Characters up to which a run of them is read as a person's name."""


def chinese(pieces: Iterable[str]) -> Iterator[Name]:
    """Give the ways to say the Chinese names among the pieces: surname first and given name first, and initials."""
    for piece in pieces:
        if is_han(piece) and len(piece) <= MOST_SYLLABLES:
            yield from islice(_spoken(piece), MOST_READINGS)


def _spoken(name: str) -> Iterator[Name]:
    cut = 2 if name[:2] in COMPOUND and len(name) > 2 else 1  # noqa: PLR2004 - a given name remains
    surnames = _surname_sounds(name[:cut])
    for surname, *given in product(surnames, *map(sounds, name[cut:])):
        rest = "".join(given)
        if not rest:
            yield Name((surname,))
            continue
        first_letters = "".join(sound[0] for sound in given)
        yield Name(
            tuple(dict.fromkeys((surname, rest, *given))),
            (surname + rest, rest + surname),
            (surname[0] + first_letters, first_letters + surname[0], first_letters),
        )


def _surname_sounds(surname: str) -> tuple[str, ...]:
    if known := SURNAME_SOUNDS.get(surname):
        return tuple(dict.fromkeys((*known, *map("".join, product(*map(sounds, surname))))))[:MOST_SOUNDS]
    return tuple(map("".join, product(*map(sounds, surname))))[:MOST_SOUNDS]


@lru_cache(maxsize=65_536)
def sounds(character: str) -> tuple[str, ...]:
    """Give the usual sounds of a character without their tones; the character itself where it has none."""
    told = _dictionary().get(ord(character), character).split(",")
    return tuple(dict.fromkeys(way for sound in told[:MOST_SOUNDS] for way in _typed_alike(sound)))


def _typed_alike(sound: str) -> tuple[str, ...]:
    """Drop the tone. For ü, people type u or v: 吕 is "lu" and "lv"."""
    bare = unicodedata.normalize("NFC", "".join(
        letter for letter in unicodedata.normalize("NFD", sound) if letter not in _TONES
    ))  # fmt: skip
    return (bare.replace("ü", "v"), bare.replace("ü", "u")) if "ü" in bare else (fold(bare),)


_TONES: Final = frozenset("\u0300\u0301\u0304\u030c")


@cache
def _dictionary() -> dict[int, str]:
    """Load pypinyin's dictionary of single characters; it takes 0.3 s, so a book without Chinese never does."""
    from pypinyin.constants import PINYIN_DICT

    return PINYIN_DICT
