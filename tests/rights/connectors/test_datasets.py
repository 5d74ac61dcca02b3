"""Descriptions of systems: what is understood, and what is refused with file, line, what is wrong and the cure."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.rights.connectors.datasets import DatasetError, Key, read_datasets
from comity.rights.connectors.yaml_reading import LONGEST
from tests.rights.connectors.shops import ACCOUNTS_TEXT, MAILINGS_TEXT, SHOP_TEXT

HEAD = "dataset:\n  - fides_key: shop\n    collections:\n"
CUSTOMER = HEAD + (
    "      - name: customer\n        fields:\n"
    "          - name: email\n            fides_meta: {identity: email}\n"
)  # fmt: skip


def test_collections_fields_and_references_are_read() -> None:
    texts = {"shop.yml": SHOP_TEXT, "accounts.yml": ACCOUNTS_TEXT, "mailings.yml": MAILINGS_TEXT}
    shop, accounts, _ = read_datasets(texts)
    by_name = {each.key.name: each for each in shop.collections}
    assert list(by_name) == ["address", "customer", "product", "orders", "order_item"]
    assert by_name["order_item"].primary == ("order_id", "line")
    email = by_name["customer"].field("email")
    assert email is not None
    assert (email.identity, email.categories, email.data_type) == ("email", ("user.contact.email",), "string")
    assert email.says(["user"])
    assert email.says(["user.contact"])
    assert not email.says(["user.contact.email.work", "use", "user.con"])
    files = accounts.collections[-1]
    assert files.deleted
    assert files.erase_after == (Key("mailings", "click"),)


def test_the_old_name_of_the_meta_and_its_forms_are_understood() -> None:
    text = CUSTOMER.replace("fides_meta", "fidesops_meta") + (
        "          - {name: no, fidesops_meta: {primary_key: True, length: 40, data_type: 'integer'}}\n"
        "          - name: address\n            data_categories: [user.contact]\n            fields:\n"
        "              - {name: street, data_categories: [user.contact.address.street]}\n"
        "              - name: geo\n                fields: [{name: x}, {name: y}]\n"
    )  # fmt: skip
    [shop] = read_datasets({"shop.yml": text})
    assert [each.name for each in shop.collections[0].fields] == [
        "email",
        "no",
        "address.street",
        "address.geo.x",
        "address.geo.y",
    ]
    assert shop.collections[0].columns == ("email", "no", "address")
    x = shop.collections[0].field("address.geo.x")
    assert x is not None
    assert x.categories == ("user.contact",), "what is said of an object is said of what lies in it"


REFUSED = [
    ("", "shop.yml, line 1: it is empty"),
    ("dataset", "shop.yml, line 1: here a table of keys and values is expected"),
    ("datasets: []", "shop.yml, line 1: a description begins with `dataset:`"),
    ("dataset:\n  - name: shop", "shop.yml, line 2: this dataset has no `fides_key`"),
    ("dataset:\n  - fides_key: shop", "line 2: dataset 'shop': it has no `collections`"),
    (HEAD + "      - name: customer", "line 4: collection shop.customer: it has no `fields`"),
    (HEAD + "      - name: customer\n        feilds: []",
     "line 5: dataset 'shop': the key 'feilds' is not known; did you mean 'fields'?"),
    (CUSTOMER + "          - name: email",
     "collection shop.customer: the field 'email' is described twice; keep one"),
    (CUSTOMER + "            name: mail", "the key 'name' stands there twice; keep one"),
    (CUSTOMER + "      - name: customer\n        fields: []",
     "the collection 'customer' is described twice; keep one"),
    (CUSTOMER.replace("identity: email", "identety: email"),
     "line 7: field 'email': the key 'identety' is not known; did you"),
    (CUSTOMER.replace("identity: email", "primary_key: true"), "no field has an `identity`, so nobody can be found"),
    (CUSTOMER.replace("identity: email", "identity: email, primary_key: maybe"), "'maybe' is neither true nor false"),
    (CUSTOMER.replace("identity: email", "identity: email, length: 0"), "'0' is no number above 0"),
    (CUSTOMER.replace("identity: email", "identity: email, data_type: text"), "the data_type 'text' is not known"),
    (CUSTOMER + "          - name: a.b", "line 8: collection shop.customer: the field 'a.b' has a dot in its name"),
    (CUSTOMER + "          - {name: a, fides_meta: {data_type: string}, fields: [{name: b}]}",
     "fields of its own and the data_type"),
    (CUSTOMER + "          - {name: a, fides_meta: {references: [{dataset: shop, field: order}]}}",
     "names no field; write it as"),
    (CUSTOMER + "          - {name: a, fides_meta: {references: [{dataset: shop, field: customer.emial}]}}",
     "there is no such field; did you mean 'email'?"),
    (CUSTOMER + "          - {name: a, fides_meta: {references: [{dataset: shop, field: custmer.email}]}}",
     "there is no such collection; did you mean 'customer'?"),
    (CUSTOMER + "          - {name: a, fides_meta: {references: [{dataset: ship, field: customer.email}]}}",
     "the dataset 'ship', which no system describes; did you mean 'shop'?"),
    (CUSTOMER + "          - {name: a, fides_meta: {references: [{dataset: shop, field: customer.email, "
     "direction: both}]}}",
     "the direction 'both' is neither `to` nor `from`"),
    (CUSTOMER + "          - {name: a, fides_meta: {masking_strategy_override: {strategy: hash}}}",
     "'hash' does not erase here"),
    (CUSTOMER + "        fides_meta: {after: [shop.customer]}",
     "`after` goes round in a circle: shop.customer after shop.customer"),
    (CUSTOMER + "        fides_meta: {erase_after: [shop.orders]}",
     "`erase_after` names shop.orders, which is not there"),
    (CUSTOMER + "        fides_meta: {masking_strategy_override: {strategy: hash}}",
     "erased by `strategy: delete` alone"),
    (CUSTOMER + "  - fides_key: shop\n    collections: []", "the dataset 'shop' is described twice"),
    ("dataset: [1, 2", "shop.yml, line 2: it is not YAML: did not find expected"),
    ("dataset:\n\t- a", "shop.yml, line 2: it is not YAML:"),
    ("dataset: !!python/object/apply:os.system [ls]", "line 1: here a table of keys and values is expected"),
    ("dataset: &a [*a]", "repeat too much, or themselves"),
    ("dataset:\n  - <<: {fides_key: shop}", "write out what `<<` would merge"),
    ("[" * 100_000, "nested more than 24 deep"),
    ("dataset: " + "{a: " * 500, "nested more than 24 deep"),
    ("a" * (LONGEST + 1), "more than 1,000,000 letters"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_meant_is_refused_with_its_place_and_cure(text: str, says: str) -> None:
    with pytest.raises(DatasetError) as refused:
        read_datasets({"shop.yml": text})
    assert says in str(refused.value)
    assert str(refused.value).startswith("shop.yml")


def test_a_circle_over_two_collections_is_shown_whole() -> None:
    text = CUSTOMER + (
        "        fides_meta: {erase_after: [shop.orders]}\n"
        "      - {name: orders, fides_meta: {erase_after: [shop.customer]}, fields: [{name: id}]}\n"
    )
    with pytest.raises(DatasetError, match=r"shop\.customer after shop\.orders after shop\.customer"):
        read_datasets({"shop.yml": text})


def test_aliases_that_unfold_without_end_are_refused_at_once() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for one, other in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{other}: &{other} [{', '.join([f'*{one}'] * 9)}]\n"
    began = time.monotonic()
    with pytest.raises(DatasetError, match="aliases"):
        read_datasets({"bomb.yml": bomb + "dataset: *i\n"})
    assert time.monotonic() - began < 5


def test_an_alias_that_repeats_a_few_lines_is_read() -> None:
    text = (
        CUSTOMER.replace("{identity: email}", "&known {identity: email}")
        + "          - {name: other, fides_meta: *known}\n"
    )
    [shop] = read_datasets({"shop.yml": text})
    assert [each.identity for each in shop.collections[0].fields] == ["email", "email"]


def test_columns_that_yaml_would_take_for_truths_keep_their_names() -> None:
    [shop] = read_datasets({"shop.yml": CUSTOMER + "          - name: no\n          - name: 12\n"})
    assert [each.name for each in shop.collections[0].fields][1:] == ["no", "12"]


@given(st.text(alphabet=st.sampled_from("dataset:-[]{}&*!|>'\"# \n\tfields_kynmrc.,<?@%"), max_size=200))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        read_datasets({"any.yml": "dataset:\n" + text})
    except DatasetError as error:
        assert str(error).startswith("any.yml")  # noqa: PT017 - it may be raised or not
