"""The vault with a book in it: how fast people are sealed and opened. `python -m bench.vault --people 1000000`.

The people are invented, of common names and of syllables, in eleven languages; common names are as common as in life.
PostgreSQL is a private one that waits for the disk at each commit (fsync). Opening is measured as a page does it: in
one transaction with the check of the decision and the ledger entry; making the decision is not counted. How fast people
are found, `bench.search` measures, in a whole book.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING
from uuid import UUID

from comity.refs import new_ref
from tests import private_postgres as server

if TYPE_CHECKING:
    from comity.vault.gate import Warrant

SETTINGS = "-c shared_buffers=1GB -c maintenance_work_mem=256MB -c max_wal_size=4GB"
"""As for a machine with 4 GB. Nothing that makes a commit less safe."""

GIVEN = {
    "en": "James Mary John Patricia Robert Jennifer Michael Linda William Elizabeth David Barbara Oliver Emily Harry",
    "es": "María José Antonio Carmen Manuel Ana Francisco Isabel Javier Laura Sofía Martín Lucía Álvaro Íñigo Núria",
    "de": "Hans Peter Ursula Jürgen Sabine Günther Käthe Wolfgang Björn Anneliese Jörg Heike Lukas Leonie Jonas Mia",
    "fr": "Jean Marie Pierre François Hélène Chloé Zoé Étienne Benoît Agnès Loïc Maël Inès Océane Théo Gaëlle",
    "pl": "Jan Stanisław Agnieszka Małgorzata Łukasz Paweł Zofia Michał Jadwiga Wojciech Krzysztof Bożena",
    "se": "Åsa Björn Märta Göran Sören Øyvind Kåre Astrid Lars Ingrid Håkan Elin Jørgen Mette",
    "tr": "Mehmet Ayşe Mustafa Fatma Ömer Zeynep İbrahim Gülşen Çağla Uğur Şeyma Emre",
    "ru": "Александр Мария Сергей Анна Дмитрий Елена Алексей Ольга Иван Наталья Фёдор Юлия",
    "vi": "Nguyễn Trần Minh Hương Tuấn Linh Đức Thảo Phương Hạnh",
    "ar": "محمد فاطمة أحمد عائشة علي مريم حسن زينب عمر ليلى",
    "cn": "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 涛 明 超 秀英 霞 平 刚 桂英 文 华 建国 子涵 浩宇 雨桐 晓明 小红",
}  # fmt: skip
FAMILY = {
    "en": "Smith Johnson Williams Brown Jones Miller Davis Wilson Moore Taylor Thompson O'Brien MacDonald Clarke",
    "es": "García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Muñoz Ibáñez Núñez Castaño",
    "de": "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Weiß Groß",
    "fr": "Martin Bernard Dubois Lefèvre Moreau Laurent Roux Fournier Girard Bonnet Dupont Béranger Château",
    "pl": "Nowak Kowalski Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski",
    "se": "Andersson Johansson Karlsson Nilsson Sjögren Öberg Åkesson Sørensen Møller Lindström Bergström",
    "tr": "Yılmaz Kaya Demir Çelik Şahin Yıldız Öztürk Aydın Özdemir Arslan Doğan Koç",
    "ru": "Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров",
    "vi": "Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ",
    "ar": "المصري حداد خوري العلي نجار صالح الحسن درويش",
    "cn": "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 高 林 罗 郑 梁 谢 宋 唐 许 韩 冯 邓 曾 单 解 欧阳 司马",
}  # fmt: skip
SYLLABLES = (
    "ba ber bel cas chen da del dor el fa fel gan gor ha hol in jan ka kel la lo lin ma men mor na no or pa per qui "
    "ra ri ros sa sel ta ton tor ul va ven vi wa wel za zor"
).split()
ENDINGS = {"en": "son ton ley", "es": "ez illo ado", "de": "mann er burg", "fr": "ette ard", "pl": "ski wicz",
           "se": "sson lund", "tr": "oğlu"}  # fmt: skip
"""How rare surnames end; the languages without are given common ones only."""
SHARES = {"en": 25, "es": 15, "de": 13, "fr": 10, "pl": 6, "se": 4, "tr": 4, "ru": 4, "vi": 3, "ar": 3, "cn": 13}
COMMON = 0.35
"""The share of common surnames in the other languages."""

Name = dict[str, str]
Person = tuple[UUID, Name, dict[str, str]]


class People:
    """Invented people, the same for the same number but for their refs."""

    def __init__(self, count: int) -> None:
        self.refs = [new_ref() for _ in range(count)]

    def __iter__(self) -> Iterator[Person]:
        dice = random.Random(len(self.refs))
        languages, weights = list(SHARES), list(accumulate(SHARES.values()))
        given = {language: names.split() for language, names in GIVEN.items()}
        family = {language: names.split() for language, names in FAMILY.items()}
        for number, ref in enumerate(self.refs):
            language = dice.choices(languages, cum_weights=weights)[0]
            rare = language in ENDINGS and dice.random() > COMMON
            last = _rare(dice, language) if rare else _common(dice, family[language])
            address = f"p{number}.{dice.randrange(10_000)}@example.{language}"
            name = {"given": _common(dice, given[language]), "family": last}
            yield ref, name, {"email": address, "phone": f"+49 30 {number:08d}"}

    def sample(self, many: int) -> list[Person]:
        """Return so many of them, spread over all."""
        every = max(len(self.refs) // many, 1)
        return [person for number, person in enumerate(self) if number % every == 0][:many]


def _common(dice: random.Random, names: list[str]) -> str:
    """Draw a name; the first ones of a list are drawn more often."""
    return names[min(int(dice.expovariate(4 / len(names))), len(names) - 1)]


def _rare(dice: random.Random, language: str) -> str:
    stem = "".join(dice.choices(SYLLABLES, k=dice.choice([1, 2, 2, 3])))
    return (stem + dice.choice(ENDINGS[language].split())).capitalize()


def main() -> None:
    options = _options()
    server.SPEED = SETTINGS
    binaries = server.binaries()
    assert binaries is not None, "no PostgreSQL server here"
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as folder, server.private_postgres(binaries) as url:
        os.environ |= {
            "DATABASE_URL": url,
            "COMITY_FOLDER": folder,
            "COMITY_SECRET_KEY": "of the benchmark alone",
            "DJANGO_SETTINGS_MODULE": "comity.web.settings",
        }
        Path(folder).chmod(0o700)
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        _measure(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.vault", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rewrap", type=int, default=20_000, help="how many keys are rewrapped, tokens and all")
    return parser.parse_args()


def _measure(options: argparse.Namespace) -> None:
    people = People(options.people)
    _importing(people)
    _sizes()
    _opening_one()
    _opening_lists(people)
    _rewrapping(options.rewrap)


# ---------------------------------------------------------------- sealing


def _importing(people: People) -> None:
    from comity.vault import rotation
    from comity.vault.actions import seal_many
    from comity.vault.sealing import FieldClass, Label

    rotation.begin_first_epoch(staff=None)
    begun, processor = time.perf_counter(), time.process_time()
    seal_many(
        blobs=(
            (Label(ref, field_class, "person", ref), fields)
            for ref, name, contact in people
            for field_class, fields in ((FieldClass.NAME, name), (FieldClass.CONTACT, contact))
        )
    )
    _rate("import", len(people.refs), begun, processor)


def _rate(what: str, many: int, begun: float, processor: float) -> None:
    took, ours = time.perf_counter() - begun, time.process_time() - processor
    print(f"{what:20} {took:8.1f} s {many / took:10,.0f} people/s, {ours:.1f} s of our own processor", flush=True)


def _sizes() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE vault_sealed, vault_personkey")
        for what in ("vault_sealed", "vault_tokens", "vault_sealed_pkey", "vault_personkey"):
            cursor.execute("SELECT pg_table_size(%s)", [what])
            print(f"{what:20} {(cursor.fetchone() or (0,))[0] / 1e6:8.0f} MB")


def _rewrapping(many: int) -> None:
    from comity.vault import keyring, rotation
    from comity.vault.sealing import new_key, unwrap, wrap

    old, new = (keyring.epoch_key(each.number, each.check_value).wrapping
                for each in (keyring.live_epochs()[-1], rotation.rotate_epoch(staff=None)))  # fmt: skip
    person = new_ref()
    wrapped = wrap(old, person, new_key())
    keys_alone = _least(lambda: wrap(new, person, unwrap(old, person, wrapped)))
    print(f"{'rewrap 1M keys alone':20} {keys_alone:8.2f} s of our own processor, without tokens")
    begun, processor, done = time.perf_counter(), time.process_time(), 0
    while done < many and (some := rotation.rewrap_some(staff=None)):
        done += some
    _rate("rewrap with tokens", done, begun, processor)


# ---------------------------------------------------------------- opening


def _least(call: Callable[[], object], number: int = 20_000) -> float:
    """Return the least time of a call, in microseconds."""
    return min(timeit.repeat(call, number=number, repeat=5)) / number * 1e6


def _opening_one() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from comity.vault import keyring
    from comity.vault.sealing import FieldClass, Label, new_key, open_blob, seal_blob, unwrap, wrap

    epoch = keyring.live_epochs()[-1]
    wrapping, person, key = keyring.epoch_key(epoch.number, epoch.check_value).wrapping, new_ref(), new_key()
    label, wrapped = Label(person, FieldClass.NOTE, "note", new_ref()), wrap(wrapping, person, key)
    blob, bare = seal_blob(AESGCM(key), label, 1, {"text": os.urandom(490).hex()}), AESGCM(key)
    nonce = bytes(12)
    sealed = bare.encrypt(nonce, bytes(1_000), b"label")
    bare_time = _least(lambda: AESGCM(unwrap(wrapping, person, wrapped)).decrypt(nonce, sealed, b"label"))
    whole = _least(lambda: open_blob(AESGCM(unwrap(wrapping, person, wrapped)), label, 1, blob))
    print(f"{'unwrap and decrypt':20} {bare_time:8.2f} µs for 1 kB")
    print(f"{'open one cold':20} {whole:8.2f} µs for {len(blob)} bytes: with label, decoding, checks")


def _permit(persons: list[UUID], classes: list[str]) -> Warrant:
    from django.db import transaction
    from django.utils import timezone

    from comity.ledger.actions import record
    from comity.vault.gate import Warrant
    from comity.vault.models import RecordedDecision

    staff, now = new_ref(), timezone.now()
    with transaction.atomic():
        made = RecordedDecision.objects.create(
            staff=staff, operation="view", purpose="service", field_classes=classes, verdict="permit", persons=persons,
            permitted=persons, day=now.date(), fresh_until=now + timedelta(hours=1),
            entry=record(kind="counsel.decided", body={}, staff=staff, persons=persons),
        )  # fmt: skip
    return Warrant(decision=made.ref, staff=staff, operation="view", purpose="service")


def _opening_lists(people: People) -> None:
    from django.db import transaction

    from comity.vault.actions import open_fields
    from comity.vault.sealing import FieldClass, Label

    dice, took = random.Random(3), []
    for _ in range(300):
        refs = dice.sample(people.refs, 50)
        warrant, labels = _permit(refs, ["name"]), [Label(ref, FieldClass.NAME, "person", ref) for ref in refs]
        begun = time.perf_counter()
        with transaction.atomic():
            assert len(open_fields(warrant=warrant, labels=labels)) == 50
        took.append(time.perf_counter() - begun)
    _times("open a list of 50", took)


def _times(what: str, took: list[float], more: str = "") -> None:
    cuts = [cut * 1_000 for cut in quantiles(took, n=20)]
    print(
        f"{what:20} {cuts[9]:8.2f} ms p50 {cuts[18]:8.2f} ms p95 {max(took) * 1_000:8.2f} ms at most{more}", flush=True
    )


if __name__ == "__main__":
    main()
