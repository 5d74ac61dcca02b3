"""`make bench`: measure everything in one run, side by side, print the table and write docs/benchmarks.md.

python -m bench [--rows 10000000] [--rounds 5] [--quick] [--out FILE]
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench import bulk, commands, contacts, one, rules
from comity.law import SHIPPED, Lawbook, lawbook

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
SMALL = 10
"""The small file has one row for so many of the large one."""

PEERS = ("duckdb", "cedarpy", "common-expression-language")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure that was promised: what came out, and the most or the least that it may be."""

    what: str
    found: float
    bar: float
    unit: str  # "x" for a ratio
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return self.found >= self.bar if self.at_least else self.found <= self.bar

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The line as a row of a table."""
        sign = "at least" if self.at_least else "at most"
        holds = "yes" if self.holds else "NO"
        return self.what, _shown(self.found, self.unit), f"{sign} {_shown(self.bar, self.unit)}", holds


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as folder:
        page = "\n".join(_page(options, Path(folder)))
    print(page)
    if options.out:
        options.out.write_text(page, "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Comity's speed beside its peers'.")
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the large file")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds; every figure is their median")
    parser.add_argument("--people", type=int, default=2_000, help="people in each place for single decisions")
    parser.add_argument("--quick", action="store_true", help="a million rows, two rounds, and nothing is written")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds, options.people, options.out = min(options.rows, 1_000_000), 2, 500, None
    return options


def _page(options: argparse.Namespace, folder: Path) -> Iterator[str]:
    """Measure, and yield the page line by line."""
    book = lawbook()
    decisions = one.measure(book, day=bulk.DAY, count=options.people, rounds=options.rounds)
    files = Files(folder, options.rows)
    found = files.rounds(options.rounds)
    yield from _head(book, options)
    promises = _promises(decisions, found, options.rows)
    yield from _table(("", "measured", "bar", "holds"), [line.cells for line in promises])
    yield from _single(decisions)
    yield from _many(found, options.rows)
    yield NOT_MEASURED


@dataclass(frozen=True)
class Found:
    """What each task took, round by round."""

    rounds: dict[str, list[dict[str, float]]]

    def median(self, task: str, figure: str) -> float:
        return median(found[figure] for found in self.rounds[task])

    def ratio(self, task: str, other: str) -> float:
        """Return the median of the rounds' own ratios: what slows this machine for a while slows both."""
        pairs = zip(self.rounds[task], self.rounds[other], strict=True)
        return median(one["seconds"] / two["seconds"] for one, two in pairs)


@dataclass(frozen=True)
class Files:
    """The files of invented contacts, and what is measured on them."""

    folder: Path
    rows: int

    def rounds(self, count: int) -> Found:
        """Measure everything once in each round."""
        large, small = self.made("large.parquet", self.rows), self.made("small.parquet", self.rows // SMALL)
        text, million = self.made("large.csv", self.rows), self.made("million.csv", min(self.rows, 1_000_000))
        twice = str(rules.doubled(self.folder))
        tasks: dict[str, Callable[[], dict[str, float]]] = {
            "check": lambda: bulk.in_process("check", large),
            "floor": lambda: bulk.in_process("floor", large),
            "small": lambda: bulk.in_process("check", small),
            "once": lambda: bulk.in_process("check", small, str(SHIPPED)),
            "twice": lambda: bulk.in_process("check", small, twice),
            "csv": lambda: bulk.in_process("check", text),
            "read": lambda: bulk.in_process("read_csv", text),
            "loaded": lambda: bulk.in_process("load_csv", text),
            "command": lambda: commands.in_process("check", str(million)),
            "help": lambda: commands.in_process("help"),
            "load": lambda: commands.in_process("load"),
        }
        found: dict[str, list[dict[str, float]]] = {name: [] for name in tasks}
        for number in range(count):
            for name, task in tasks.items():
                found[name].append(task())
                print(f"round {number + 1} of {count}, {name}: {found[name][-1]}", flush=True)
        law = _verdicts(found["once"][0])
        assert all(_verdicts(again) == law for again in found["twice"]), "twice the law is the same law"
        return Found(found)

    def made(self, name: str, rows: int) -> Path:
        path = self.folder / name
        contacts.write(path, rows)
        return path


def _verdicts(found: dict[str, float]) -> list[float]:
    return [found[verdict] for verdict in ("permit", "deny", "ask")]


def _promises(decisions: list[one.Figures], found: Found, rows: int) -> list[Line]:
    """Return the figures with a bar, the worst place standing for all."""
    many = f"{rows:,} rows"
    cedar, cel = min(d.cedar / d.ours for d in decisions), min(d.cel / d.ours for d in decisions)
    return [
        Line(what="one decision, p50, slowest place", found=max(d.ours for d in decisions), bar=5, unit="µs"),
        Line(what="one decision, Cedar / ours", found=cedar, bar=50, unit="x", at_least=True),
        Line(what="one decision, CEL / ours", found=cel, bar=10, unit="x", at_least=True),
        Line(what=f"{many} of Parquet / DuckDB's floor", found=found.ratio("check", "floor"), bar=3, unit="x"),
        Line(what=f"{many} of Parquet, peak memory", found=found.median("check", "megabytes"), bar=500, unit="MB"),
        Line(what=f"{many} of CSV / DuckDB parsing that CSV", found=found.ratio("csv", "read"), bar=2, unit="x"),
        Line(what=f"{many} of CSV / DuckDB loading that CSV", found=found.ratio("csv", "loaded"), bar=2, unit="x"),
        Line(what=f"{SMALL} times the rows", found=found.ratio("check", "small"), bar=11, unit="x"),
        Line(what="twice the rules in the same places", found=found.ratio("twice", "once"), bar=2.2, unit="x"),
        Line(what="lawbook from its cache", found=found.median("load", "cached") * 1000, bar=100, unit="ms"),
        Line(what="lawbook from its files", found=found.median("load", "uncached") * 1000, bar=1000, unit="ms"),
    ]


def _head(book: Lawbook, options: argparse.Namespace) -> Iterator[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in PEERS)
    yield "# Benchmarks\n"
    today = date.today().isoformat()  # noqa: DTZ011 (the day where it was measured)
    yield (
        f"{today} · {_processor()}, {os.cpu_count()} cores, {_memory()} GB · Python {platform.python_version()} · "
        f"{versions} · {len(book.rules())} rules in {len(book.laws)} laws\n"
    )
    yield (
        f"`make bench` writes this page. All figures come from one run and are medians of {options.rounds} rounds; in "
        "each round everything is measured once, ours and theirs in turn, each bulk run in a process of its own. Read "
        "the ratios; the seconds are of this machine.\n"
    )


def _single(decisions: list[one.Figures]) -> Iterator[str]:
    yield SINGLE
    head = (
        "p50 in µs", "rules", "ours", "Cedar", "CEL", "Cedar / ours", "CEL / ours", "ours, first of a kind",
        "ours, mean from nothing",
    )  # fmt: skip
    rows = [
        (
            d.place, f"{d.rules}", f"{d.ours:.1f}", f"{d.cedar:.0f}", f"{d.cel:.0f}", f"{d.cedar / d.ours:.0f} x",
            f"{d.cel / d.ours:.0f} x", f"{d.cold:.0f}", f"{d.mean:.0f}",
        )
        for d in decisions
    ]  # fmt: skip
    yield from _table(head, rows)


def _many(found: Found, rows: int) -> Iterator[str]:
    yield MANY
    names = {
        "check": f"check of {rows:,} rows of Parquet",
        "floor": "floor: DuckDB reads the same columns of it and writes six to Parquet",
        "small": f"check of {rows // SMALL:,} rows of Parquet",
        "once": "the same, packs read from their files",
        "twice": "the same, each law there twice",
        "csv": f"check of {rows:,} rows of CSV",
        "read": "DuckDB parses that CSV and keeps the largest cell of each column",
        "loaded": "DuckDB loads that CSV into a table, in the memory that a check has",
        "command": f"`comity check` on {min(rows, 1_000_000):,} rows of CSV",
        "help": "`comity --help`",
    }
    shown = [
        (says, f"{found.median(name, 'seconds'):.2f}", f"{found.median(name, 'megabytes'):.0f}")
        for name, says in names.items()
    ]
    yield from _table(("", "seconds", "peak MB"), shown)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---", *["---:"] * (len(head) - 1)), *rows):
        yield f"| {' | '.join(row)} |"
    yield ""


def _shown(figure: float, unit: str) -> str:
    return f"{figure:,.0f} {unit}" if figure >= 100 or figure == int(figure) else f"{figure:.1f} {unit}"


def _processor() -> str:
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text("utf-8").splitlines() if cpus.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


SINGLE = """\
## One decision

Marketing by e-mail by a firm in Ireland. The law is folded for the use, the day and the place beforehand, and all three
get the rules that are left there. Half of the people are random, with three facts in ten unknown; half are mostly
willing and well documented. Before anything is timed, the three must agree on every rule for 400 people in each place.

- *ours* takes a dictionary of facts that the vocabulary has checked, and gives the whole decision: verdict, every
  reason with its citation, exceptions, grounds, obligations, missing facts, cures. What the law answers for a kind of
  person (one truth of every test) is worked out once and remembered; the p50 is of people whose kind was seen before,
  as nearly all are in a list.
- *first of a kind* is the same with nothing remembered. *Mean from nothing* is the mean over the population asked once;
  these people are so random that most are the first of their kind, so it is nearly the worst case.
- *Cedar* and *CEL* answer a smaller question: which rules certainly hold, and which possibly. Their rules are parsed
  beforehand, Cedar's as one set of policies, CEL's as one list; Cedar's contexts are JSON already. They get only the
  facts that these rules read, days as numbers. Neither has a memory of its own; one could be put before either.
"""

MANY = """\
## Many

Invented contacts in HubSpot's raw columns: countries in several spellings and languages, phones, consents with their
days, notes in which some opt out, birth dates in several forms; nothing is derived beforehand. A check reads ten
columns, understands them, finds homes and facts, folds all packs for marketing by e-mail and writes verdict, homes,
finding and masks of every row to Parquet. The seconds of a check include loading the packs and all that follows; they
leave out starting Python. The floor is not asked to understand anything.

Where a promise does not hold, this is why. Parsing keeps nothing. A check surveys every byte of a CSV file for itself
before it believes any reader, parses it once, and while parsing looks up ten cells of each row; what they mean it has
learned from the first half million rows. A row with a cell that they did not hold is kept as it is and numbered later:
here one in thirty. A Parquet file is read twice instead, since its columns come one by one.
"""

NOT_MEASURED = """\
## Not measured

- PostgreSQL and Spark: that they answer alike is tested; how fast is not.
- Excel, JSON lines and vCard; files with many columns of notes; a cold disk (files are in the system's cache after the
  first round).
- Other channels and uses than marketing by e-mail, and other peers: Rego, OpenFisca, fides.
- Writing permitted.csv, denied.csv, ask.csv and report.html.
- Several checks at once, and more cores than stand above.
"""

if __name__ == "__main__":
    main()
