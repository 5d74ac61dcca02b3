"""Who is sought is found, however the name is typed; who does not match is never shown."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from comity.ledger.models import Entry
from comity.vault import keyring, queries
from comity.vault.actions import search
from comity.vault.epochs import EpochKey
from comity.vault.matching import distance, match
from comity.vault.models import Epoch, Sealed
from comity.vault.sealing import FieldClass, Fields, Label
from comity.vault.tokens import INDEXED, Sort, Tokens, asks, phone, terms
from tests.vault.conftest import CONTACTS, HEALTH, NAMES, NOTES, Permit, everybody, label, ref_of

FOUND = [
    # exact
    (Sort.EXACT, "greta.101@example.org", "Greta"),
    (Sort.EXACT, "  GRETA.101@EXAMPLE.ORG ", "Greta"),
    (Sort.EXACT, "ｇｒｅｔａ.101@example.org", "Greta"),
    (Sort.EXACT, "+49 (0)30 5550-102", "Paul"),
    (Sort.EXACT, "0049305550102", "Paul"),
    (Sort.EXACT, "030 5550102", "Paul"),
    (Sort.EXACT, "kd00103", "Nadia"),
    (Sort.EXACT, "KD 00103", "Nadia"),
    # prefix
    (Sort.PREFIX, "gre", "Greta"),
    (Sort.PREFIX, "GRUN", "Greta"),
    (Sort.PREFIX, "gruenw", "Greta"),
    (Sort.PREFIX, "grünwald g", "Greta"),
    (Sort.PREFIX, "gretagr", "Greta"),
    (Sort.PREFIX, "beran", "Paul"),
    (Sort.PREFIX, "moreau", "Nadia"),
    (Sort.PREFIX, "obrien", "Oliver"),
    (Sort.PREFIX, "o'br", "Oliver"),
    (Sort.PREFIX, "o brien", "Oliver"),
    (Sort.PREFIX, "O’Brien", "Oliver"),
    (Sort.PREFIX, "gonz iba", "Sofia"),
    (Sort.PREFIX, "lukasz wis", "Jan"),
    (Sort.PREFIX, "annie", "Hannah"),
    (Sort.PREFIX, "delacruz", "Carlos"),
    (Sort.PREFIX, "schwarzenegg", "Tyler"),
    (Sort.PREFIX, "sorensen", "Luca"),
    (Sort.PREFIX, "soerensen", "Luca"),
    (Sort.PREFIX, "weiss", "Bruno"),
    (Sort.PREFIX, "曾", "Mei"),
    (Sort.PREFIX, "曾小", "Mei"),
    (Sort.PREFIX, "小美", "Mei"),
    (Sort.PREFIX, "zeng xiao", "Mei"),
    (Sort.PREFIX, "zengxiaom", "Mei"),
    (Sort.PREFIX, "xiaomei zeng", "Mei"),
    (Sort.PREFIX, "xiaomeizeng", "Mei"),
    (Sort.PREFIX, "zxm", "Mei"),
    (Sort.PREFIX, "xm", "Mei"),
    (Sort.PREFIX, "ouyang", "Aiko"),
    (Sort.PREFIX, "omh", "Aiko"),
    (Sort.PREFIX, "ouyangminghua", "Aiko"),
    # fuzzy
    (Sort.FUZZY, "greta grunwlad", "Greta"),
    (Sort.FUZZY, "grete grünwald", "Greta"),
    (Sort.FUZZY, "beringer", "Paul"),
    (Sort.FUZZY, "nadja lefevre", "Nadia"),
    (Sort.FUZZY, "olliver obrian", "Oliver"),
    (Sort.FUZZY, "sofia gonsales", "Sofia"),
    (Sort.FUZZY, "gonzalez sofia", "Sofia"),
    (Sort.FUZZY, "wisnevski", "Jan"),
    (Sort.FUZZY, "hanna tomson", "Hannah"),
    (Sort.FUZZY, "shwarzeneger", "Tyler"),
    (Sort.FUZZY, "tyler schwartzenegger", "Tyler"),
    (Sort.FUZZY, "zeng xiaomie", "Mei"),
    (Sort.FUZZY, "zenxiaomei", "Mei"),
    (Sort.FUZZY, "ouyang minghau", "Aiko"),
]
NOBODY = [
    (Sort.EXACT, "greta@example.org"),
    (Sort.EXACT, "greta"),
    (Sort.EXACT, "130 5550102"),
    (Sort.EXACT, "kettle"),
    (Sort.PREFIX, "reta"),
    (Sort.PREFIX, "greta x"),
    (Sort.PREFIX, "dr"),
    (Sort.PREFIX, "美小"),
    (Sort.FUZZY, "xavier quintero"),
    (Sort.FUZZY, "greta schmidt"),
    (Sort.FUZZY, "Pollenallergie"),
    (Sort.FUZZY, ""),
    (Sort.PREFIX, "   "),
    (Sort.EXACT, ""),
]


def found(permit: Permit, sort: Sort, query: str) -> list[str]:
    """Search as a page does: candidates, a decision about them, what truly matches; names of the cast, best first."""
    candidates = queries.candidates(sort=sort, query=query, among=everybody())
    if not candidates:
        return []
    who = {ref_of(each): each for each in NAMES}
    warrant = permit(*(who[each.person] for each in candidates))
    rows = search(warrant=warrant, sort=sort, query=query, candidates=candidates)
    return [who[row.label.person] for row in rows]


@pytest.mark.parametrize(("sort", "query", "who"), FOUND)
@pytest.mark.usefixtures("cast")
def test_the_cast_is_found_however_they_are_typed(permit: Permit, sort: Sort, query: str, who: str) -> None:
    assert found(permit, sort, query)[:1] == [who]


@pytest.mark.parametrize(("sort", "query"), NOBODY)
@pytest.mark.usefixtures("cast")
def test_who_does_not_match_is_not_shown(permit: Permit, sort: Sort, query: str) -> None:
    assert found(permit, sort, query) == []


@pytest.mark.usefixtures("cast")
def test_persons_who_are_not_permitted_are_left_out(permit: Permit) -> None:
    candidates = queries.candidates(sort=Sort.PREFIX, query="g", among=everybody())
    warrant = permit("Greta", "Sofia", verdict="deny", permitted=[ref_of("Sofia")])
    rows = search(warrant=warrant, sort=Sort.PREFIX, query="g", candidates=candidates)
    assert [row.label.person for row in rows] == [ref_of("Sofia")]


@pytest.mark.usefixtures("cast")
def test_a_candidate_that_a_chance_token_brought_is_not_shown(permit: Permit) -> None:
    somebody = Sealed.objects.get(person=ref_of("Bruno"), field_class="name")
    hers = Sealed.objects.get(person=ref_of("Greta"), field_class="name")
    somebody.tokens = hers.tokens
    somebody.save()
    assert len(queries.candidates(sort=Sort.PREFIX, query="greta", among=everybody())) == 2
    assert found(permit, Sort.PREFIX, "greta") == ["Greta"]


@pytest.mark.usefixtures("cast")
def test_naughty_strings_can_be_sealed_and_searched(naughty: list[str], permit: Permit) -> None:
    for text in naughty:
        for sort in Sort:
            assert all(match(sort, text, FieldClass.NAME, NAMES[who]) <= 1 for who in found(permit, sort, text))
        if match(Sort.PREFIX, text, FieldClass.NAME, {"full": text}):
            assert terms(FieldClass.NAME, {"full": text})


# ---------------------------------------------------------------- terms and tokens


def test_only_names_and_identifiers_are_indexed() -> None:
    held: Fields = {"full": "Greta", "email": "a@b.example", "diagnosis": "Asthma"}
    assert {each for each in FieldClass if terms(each, held)} == INDEXED == {"name", "contact", "identifier"}


@pytest.mark.usefixtures("cast")
def test_special_categories_notes_and_messages_have_no_tokens() -> None:
    assert set(Sealed.objects.filter(tokens=None).values_list("field_class", flat=True)) == {"note", "special"}
    assert NOTES
    assert HEALTH


def test_a_token_is_64_bits_of_hmac_sha_256() -> None:
    epoch = EpochKey(number=1, secret=bytes(range(32)))
    tokens = Tokens(epoch)
    assert tokens.raw("w:greta") == hmac.digest(epoch.names, b"w:greta", hashlib.sha256)[:8]
    assert tokens.raw("email:a@b.example") == hmac.digest(epoch.exact, b"email:a@b.example", hashlib.sha256)[:8]
    assert tokens.number("w:greta") == int.from_bytes(tokens.raw("w:greta"), "big", signed=True)


def test_tokens_of_two_epochs_have_nothing_in_common() -> None:
    one, two = (Tokens(EpochKey(number=number, secret=bytes(32))) for number in (1, 2))
    for who in NAMES:
        assert not set(one.numbers(FieldClass.NAME, NAMES[who])) & set(two.numbers(FieldClass.NAME, NAMES[who]))


def test_many_tokens_at_once_are_those_of_the_terms() -> None:
    tokens = Tokens(EpochKey(number=1, secret=bytes(32)))
    for who in NAMES:
        for sort, held in ((FieldClass.NAME, NAMES[who]), (FieldClass.CONTACT, CONTACTS[who])):
            assert tokens.numbers(sort, held) == sorted(map(tokens.number, terms(sort, held)))


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+49 30 5550-102", "49305550102"),
        ("+49 (0)30 5550102", "49305550102"),
        ("0049 30 5550102", "49305550102"),
        ("030/5550102", "305550102"),
        ("(209)172-7124x3651", "2091727124"),
        ("１２３", "123"),
        ("", ""),
    ],
)
def test_phone_numbers_are_reduced_to_what_tells_them_apart(written: str, digits: str) -> None:
    assert phone(written) == digits


# ---------------------------------------------------------------- what holds for every name

letters = st.text("abcdefghijklmnopqrstuvwxyzáéíñöüßłø", min_size=4, max_size=12)
words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12)
characters = st.text("王李张刘陈杨曾单解欧阳小明伟芳娜敏静丽强磊", min_size=2, max_size=4)
full_names = st.lists(letters, min_size=1, max_size=3).map(" ".join) | characters


def is_asked_for(sort: Sort, query: str, held: Fields) -> bool:
    has = terms(FieldClass.NAME, held)
    return any(all(has & part for part in ask) for ask in asks(sort, query))


@given(full_names)
def test_every_name_is_found_by_itself(name: str) -> None:
    for sort in (Sort.PREFIX, Sort.FUZZY):
        assert is_asked_for(sort, name, {"full": name})
        assert match(sort, name, FieldClass.NAME, {"full": name}) > 0.9


@given(full_names, st.data())
def test_every_name_is_found_by_its_beginning(name: str, data: st.DataObject) -> None:
    beginning = name[: data.draw(st.integers(1, len(name)))]
    if beginning.strip():
        assert is_asked_for(Sort.PREFIX, beginning, {"full": name})
        assert match(Sort.PREFIX, beginning, FieldClass.NAME, {"full": name}) > 0


def errors(word: str) -> list[str]:
    """Return the word with one letter left out, put in, changed, or swapped with the next."""
    out = [word[:place] + word[place + 1 :] for place in range(len(word))]
    put = [word[:place] + "q" + word[place:] for place in range(len(word) + 1)]
    changed = [word[:place] + "q" + word[place + 1 :] for place in range(len(word))]
    swapped = [word[:place] + word[place + 1] + word[place] + word[place + 2 :] for place in range(len(word) - 1)]
    return out + put + changed + swapped


@given(words)
def test_every_single_typing_error_is_forgiven(word: str) -> None:
    for wrong in errors(word):
        assert distance(word, wrong) <= 1
        assert is_asked_for(Sort.FUZZY, wrong, {"full": word}), wrong
        assert match(Sort.FUZZY, wrong, FieldClass.NAME, {"full": word}) > 0, wrong


@given(full_names, full_names)
def test_whoever_matches_a_beginning_is_among_the_candidates(name: str, query: str) -> None:
    if match(Sort.PREFIX, query, FieldClass.NAME, {"full": name}):
        assert is_asked_for(Sort.PREFIX, query, {"full": name})


@given(words, words)
def test_distance_is_symmetric_and_nothing_for_equal_words(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)


# ---------------------------------------------------------------- among whom, and what is opened


@pytest.mark.usefixtures("cast")
def test_others_of_the_same_name_take_nobodys_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("Paul", "Nadia", "Oliver"):
        hers = Sealed.objects.get(person=ref_of("Greta"), field_class="name")
        Sealed.objects.filter(person=ref_of(who), field_class="name").update(tokens=hers.tokens)
    monkeypatch.setitem(queries.MOST, Sort.PREFIX, 1)
    for who in ("Greta", "Paul", "Nadia", "Oliver"):
        assert queries.candidates(sort=Sort.PREFIX, query="greta", among=everybody(person=ref_of(who))) == [label(who)]


@pytest.mark.usefixtures("cast")
def test_among_nobody_nobody_is_sought() -> None:
    assert queries.candidates(sort=Sort.PREFIX, query="greta", among=everybody(person__in=[])) == []


@pytest.mark.parametrize(
    ("query", "who", "classes", "blobs"),
    [("+49 30 5550102", ["Paul"], ["contact", "name"], 2), ("130 5550102", [], ["contact"], 1)],
    ids=["who matches", "whose number only ends so"],
)
@pytest.mark.usefixtures("cast")
def test_the_name_beside_is_opened_of_who_matches_alone_and_all_is_one_entry(
    permit: Permit, query: str, who: list[str], classes: list[str], blobs: int
) -> None:
    sought = queries.candidates(sort=Sort.EXACT, query=query, among=everybody())
    assert sought == [label("Paul", FieldClass.CONTACT)]
    rows = search(
        warrant=permit("Paul"), sort=Sort.EXACT, query=query, candidates=sought,
        beside=lambda person: Label(person, FieldClass.NAME, "person", person),
    )  # fmt: skip
    assert [row.beside for row in rows] == [NAMES[each] for each in who]
    (entry,) = Entry.objects.filter(kind="vault.opened")
    assert entry.persons == [ref_of("Paul")]
    body = json.loads(bytes(entry.body))["body"]
    assert (body["classes"], body["blobs"]) == (classes, blobs)


MANY = """
    INSERT INTO vault_sealed (person, field_class, record, kind, schema, ciphertext, tokens)
    SELECT ref, 'name', ref, 'person', 1, convert_to(repeat('x', 1000), 'UTF8'), ARRAY[%s, n, -n, n + 1000000]
    FROM (SELECT n, gen_random_uuid() AS ref FROM generate_series(1, 20000) AS n) AS made
"""


def test_whoever_has_a_rare_name_is_sought_by_the_index(epoch: Epoch) -> None:
    making = keyring.tokens_of(epoch.number, epoch.check_value)
    with connection.cursor() as cursor:
        cursor.execute(MANY, [making.number("p:ann")])
        cursor.execute("ANALYZE vault_sealed")
        for query in ("greta", "ann gret"):
            sought = queries._statement(asks(Sort.PREFIX, query), [making], 30, everybody())
            cursor.execute(f"EXPLAIN {sought[0]}", sought[1])
            plan = "\n".join(row for (row,) in cursor.fetchall())
            assert "Seq Scan on vault_sealed" not in plan, plan
            assert "Join" not in plan, plan  # which might read everybody among whom is sought
            assert "vault_tokens" in plan
