"""How long it takes to find people among a million: from the query to names that were opened and truly match.

Run from the repository: `python -m bench.search` (see --help). The book is that of `bench.lists`, in the same folder if
it is told: people of eleven languages with common names, addresses and numbers, in three entities of ours. Each search
is what a page does without HTTP: behind the wall of the entity, as the application's role, in a transaction of its own
that waits for the disk, with the decision about the candidates, their opening and both entries in the ledger.

What is typed is made of people whom the searcher may see: whole addresses and numbers, beginnings of names, names with
typing errors; Chinese names in characters, by their sound, by initials.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import mean, quantiles
from typing import TYPE_CHECKING, Final

from bench.books import opened_book
from bench.lists import _fill
from bench.segments import _spent_by_server
from comity.refs import new_ref

if TYPE_CHECKING:
    from uuid import UUID

    from comity.book.opening import Look
    from comity.staff.models import Entity, Staff
    from comity.vault.actions import Opened
    from comity.vault.tokens import Sort

SPOKEN: Final = dict(zip(
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 涛 明 超 秀 英 霞 平 刚 桂 文 华 建 国 子 涵 浩 宇 雨 桐 晓 小 红 "
    "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 高 林 罗 郑 梁 谢 宋 唐 许 韩 冯 邓 曾 单 解 欧 阳 司".split(),
    "wei fang na min jing li qiang lei jun yang yong yan jie tao ming chao xiu ying xia ping gang gui wen hua jian guo "
    "zi han hao yu yu tong xiao xiao hong wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he gao "
    "lin luo zheng liang xie song tang xu han feng deng zeng shan xie ou yang si".split(), strict=True,
))  # fmt: skip
"""How the characters of the invented Chinese names sound; of 曾, 单 and 解 as surnames."""
SHORTEST_MISTYPED: Final = 4
TWICE_MISTYPED: Final = 6
"""Letters beyond which somebody makes two errors in a word."""


def mistyped(dice: random.Random, word: str) -> str:
    """Make one typing error in a word: a letter left out, doubled, changed, or swapped with the one before."""
    place = dice.randrange(1, len(word))
    return dice.choice([
        word[:place] + word[place + 1 :],
        word[:place] + word[place - 1] + word[place:],
        word[:place] + dice.choice("aeinrst") + word[place + 1 :],
        word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :],
    ])  # fmt: skip


def main() -> None:
    options = _options()
    with opened_book(options.folder) as book:
        filled = _fill(options.people)
        book.analyze()
        _measure(options, _look(*filled[0]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=200, help="of each sort")
    parser.add_argument("--only", default="", help="the sorts whose names begin so")
    parser.add_argument("--folder", default="", help="keep the filled book here for the next run")
    return parser.parse_args()


# ---------------------------------------------------------------- what is typed


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A search, and the name of whom it is meant to find: others of that name are as good."""

    sort: Sort
    query: str
    name: str


def _look(viewer: Staff, entity: Entity) -> Look:
    from comity.book.opening import Look

    return Look(viewer=viewer, entity=entity, purpose="service")


def _searches(look: Look, many: int) -> dict[str, list[Typed]]:
    """Make searches of each sort for people whom the law lets us see, with beginnings and errors at random places."""
    from comity.book.opening import full_name

    dice = random.Random(7)
    made: dict[str, list[Typed]] = {}
    for name, points in _some_people(look, many):
        family, given = str(name["family"]), str(name["given"])
        words = _chinese(dice, family, given) if family[0] in SPOKEN else _latin(dice, family, given)
        for what, sort, query in [*_exact(dice, points), *words]:
            made.setdefault(what, []).append(Typed(sort=sort, query=query, name=full_name(name)))
    return {what: asked[:many] for what, asked in sorted(made.items())}


def _some_people(look: Look, many: int) -> list[tuple[Opened, list[Opened]]]:
    """Open names and contact points of people spread over all: so many that enough of them have Chinese names."""
    from django.db.models import TextField
    from django.db.models.functions import MD5, Cast

    from comity.book.models import ContactPoint
    from comity.book.queries import persons_seen_by
    from comity.counsel.actions import decide
    from comity.staff.walls import behind_wall
    from comity.vault.actions import open_fields
    from comity.vault.sealing import FieldClass, Label

    classes = [FieldClass.NAME, FieldClass.CONTACT]
    found: dict[UUID, tuple[Opened, list[Opened]]] = {}
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        mixed = persons_seen_by(look.viewer, look.entity).order_by(MD5(Cast("ref", TextField())))
        refs = list(mixed.values_list("ref", flat=True)[: 20 * many])
        for batch in (refs[start : start + 500] for start in range(0, len(refs), 500)):
            warrant = decide(question=look.question, persons=batch, staff=look.viewer, field_classes=classes).warrant
            names = [Label(ref, FieldClass.NAME, "person", ref) for ref in batch]
            opened = open_fields(warrant=warrant, labels=names, permitted_only=True)
            found |= {label.person: (name, []) for label, name in opened.items()}
            held = ContactPoint.objects.filter(person__in=batch).values_list("person", "ref")
            points = [Label(person, FieldClass.CONTACT, "point", ref) for person, ref in held]
            for label, point in open_fields(warrant=warrant, labels=points, permitted_only=True).items():
                found[label.person][1].append(point)
    return list(found.values())


Wanted = tuple[str, "Sort", str]


def _exact(dice: random.Random, points: Sequence[Opened]) -> Iterator[Wanted]:
    from comity.vault.tokens import Sort

    if points:
        ((reach, value),) = dice.choice(points).items()
        yield f"exact {reach}", Sort.EXACT, str(value)


def _latin(dice: random.Random, family: str, given: str) -> Iterator[Wanted]:
    """Give what is typed for a name that is written in letters, of whatever script."""
    from comity.vault.tokens import Sort

    some = family[: dice.randrange(1, len(family) + 1)]
    yield "prefix", Sort.PREFIX, f"{given} {some}"
    if len(some) > 1:
        yield "prefix one word", Sort.PREFIX, some
    if len(family) >= SHORTEST_MISTYPED:
        wrong = mistyped(dice, family)
        yield "fuzzy", Sort.FUZZY, f"{given} {wrong}"
        yield "fuzzy one word", Sort.FUZZY, wrong
    if len(family) > TWICE_MISTYPED:
        yield "fuzzy two errors", Sort.FUZZY, f"{given} {mistyped(dice, mistyped(dice, family))}"


def _chinese(dice: random.Random, family: str, given: str) -> Iterator[Wanted]:
    """Give what is typed for a Chinese name: its characters, how it sounds, how its syllables begin."""
    from comity.vault.tokens import Sort

    (last, first), initials = ("".join(SPOKEN[each] for each in name) for name in (family, given)), family[0] + given
    whole = last + first
    yield "prefix 中文", Sort.PREFIX, (family + given)[: dice.randrange(2, len(family + given) + 1)]
    yield "prefix pinyin", Sort.PREFIX, dice.choice([whole, f"{last} {first}", f"{first} {last}"])
    yield "prefix pinyin begun", Sort.PREFIX, whole[: dice.randrange(len(last) + 1, len(whole) + 1)]
    yield "prefix initials", Sort.PREFIX, "".join(SPOKEN[each][0] for each in initials)
    yield "fuzzy pinyin", Sort.FUZZY, mistyped(dice, whole)
    if len(first) >= SHORTEST_MISTYPED:
        yield "fuzzy pinyin apart", Sort.FUZZY, f"{last} {mistyped(dice, first)}"


# ---------------------------------------------------------------- searching


@dataclass
class Spent:
    """What the searches of one sort took, and whom they opened and found."""

    seconds: list[float] = field(default_factory=list)
    processor: float = 0.0
    server: float = 0.0
    opened: list[int] = field(default_factory=list)
    thrown_away: list[int] = field(default_factory=list)
    found: int = 0


def _measure(options: argparse.Namespace, look: Look) -> None:
    searches = _searches(look, options.searches)
    for asked in searches.values():
        _all_of(look, asked[:5])
    for what, asked in searches.items():
        if what.startswith(options.only):
            _tell(what, _all_of(look, asked))


def _all_of(look: Look, asked: Sequence[Typed]) -> Spent:
    spent = Spent()
    server = _spent_by_server()
    for one in asked:
        _search(look, one, spent)
    spent.server = _spent_by_server() - server
    return spent


def _search(look: Look, typed: Typed, spent: Spent) -> None:
    from comity.book.searching import find
    from comity.staff.walls import behind_wall

    before = new_ref()
    begun, processor = time.perf_counter(), time.process_time()
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        hits = find(look, typed.query, [typed.sort])
    spent.seconds.append(time.perf_counter() - begun)
    spent.processor += time.process_time() - processor
    opened = _opened_since(before)
    spent.opened.append(len(opened))
    spent.thrown_away.append(len(opened - {hit.person for hit in hits}))
    spent.found += typed.name in {hit.name for hit in hits}


def _opened_since(ref: UUID) -> set[UUID]:
    """Return who was opened, as the ledger has it."""
    from comity.ledger.models import Entry

    entries = Entry.objects.filter(ref__gt=ref, kind="vault.opened").values_list("persons", flat=True)
    return {person for persons in entries for person in persons}


def _tell(what: str, spent: Spent) -> None:
    cuts = [cut * 1_000 for cut in quantiles(spent.seconds, n=20)]
    many = len(spent.seconds)
    print(
        f"{what:20} {many:4} searches  {cuts[9]:7.2f} ms p50  {cuts[18]:7.2f} ms p95  "
        f"{max(spent.seconds) * 1_000:7.2f} ms at most; processor {spent.processor / many * 1_000:6.2f} ms ours, "
        f"{spent.server / many * 1_000:6.2f} ms the server's; {mean(spent.opened):5.1f} opened, "
        f"{mean(spent.thrown_away):5.1f} of them for nothing; found {spent.found / many:.0%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
