"""What the columns of other people's exports mean, and the errors of a dialect file."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from comity.check import homes
from comity.check.dialects import (
    Dialect,
    DialectError,
    Reading,
    Silence,
    Understood,
    built_in,
    header_key,
    header_words,
    join,
    load,
    parse,
    recognise,
)
from comity.law import lawbook

SHARED = Path(__file__).parents[3] / "shared" / "data"
TODAY = date(2026, 11, 21)

EXPORTS = {
    "hubspot": "Record ID|First Name|Email|Country/Region|Contact owner|Lifecycle Stage|Unsubscribed from all email",
    "salesforce": "Contact ID|Account ID|Mailing Country|Email Opt Out|Do Not Call|Birthdate",
    "mailchimp": "Email Address|MEMBER_RATING|OPTIN_TIME|OPTIN_IP|CONFIRM_TIME|CC|LEID|EUID|NOTES",
    "shopify": "Customer ID|Email|Accepts Email Marketing|Default Address Country Code|Tax Exempt|Total Orders",
    "klaviyo": "Email|Klaviyo ID|Country|Email Marketing Consent|Email Marketing Consent Timestamp|Email Suppressions",
    "pipedrive": "Person - ID|Person - Name|Person - Email - Work|Person - Phone - Work|Person - Marketing status",
    "zoho": "Record Id|Contact Owner|Email|Email Opt Out|Mailing Country|Unsubscribed Mode|Data Processing Basis",
    "dynamics": "(Do Not Modify) Contact|(Do Not Modify) Row Checksum|Do not allow Emails|Address 1: Country/Region",
    "odoo": "External ID|Name|Is a Company|Email|Country|Is Blacklisted|Phone Blacklisted",
    "comity": "Person ref|Export mark|Given name|Family name|E-mail|Home|Met as|Customer since|Objected at|Notice on",
    "chinese": "姓名|手机号|邮箱|国家/地区|省份|是否同意接收营销|生日|退订|备注",
    "generic": "name|e-mail|Land|Telefon|abgemeldet|geburtsdatum|bemerkung",
}


def understood(
    header: str, dialect: str = "generic", *, channel: str = "email", operation: str = "contact"
) -> list[Understood]:
    return built_in()[dialect].understand([header], "marketing", channel, operation=operation)


def reading(text: str, header: str, fact: str, dialect: str = "generic", *, channel: str = "email") -> Reading:
    (column,) = [one for one in understood(header, dialect, channel=channel) if one.fact == fact]
    return column.read(text, today=TODAY)


# ---------------------------------------------------------------- recognising


@pytest.mark.parametrize(("id_", "headers"), EXPORTS.items())
def test_an_export_is_recognised_by_its_columns(id_: str, headers: str) -> None:
    assert recognise(headers.split("|")).id == id_
    assert recognise([header.upper().replace(" ", "_") for header in headers.split("|")]).id == id_


@pytest.mark.parametrize("columns", [[], [""], ["a", "b"], ["a"] * 400, ["\0", "名" * 10_000]])
def test_recognising_never_fails(columns: list[str]) -> None:
    assert len(recognise(columns).understand(columns, "marketing", "email")) >= len(columns)


@pytest.mark.parametrize("name", ["salesforce-contact.csv", "salesforce-lead.csv"])
def test_every_column_of_a_real_salesforce_table_is_known(name: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip("the shared sample data is not here")
    with (SHARED / name).open(encoding="utf-8-sig") as file:
        headers = next(csv.reader(file))
    dialect = recognise(headers)
    read = {one.header: one for one in dialect.understand(headers, "marketing", "email")}
    assert dialect.id == "salesforce"
    assert [header for header in headers if not dialect.known(header)] == []
    assert read["has_opted_out_of_email"].fact == read["sales_email_opt_out_c"].fact == "consent.opted_out"
    assert all(one.how for one in read.values())


@pytest.mark.parametrize(
    ("header", "fact"),
    [
        ("is_eu_resident_c", None),
        ("email_opt_in_explicit_c", "consent.given"),
        ("birthdate", "person.age"),
        ("mailing_country", None),
        ("sales_email_opt_out_date_time_c", "consent.opted_out_on"),
    ],
)
def test_the_custom_fields_of_salesforce_are_read(header: str, fact: str | None) -> None:
    assert not any(one.ignored for one in understood(header, "salesforce"))
    assert fact in {one.fact for one in understood(header, "salesforce")}


def test_a_header_is_compared_by_its_words() -> None:
    assert (
        header_key("HasOptedOutOfEmail") == header_key("has_opted_out_of_email") == header_key("Has Opted Out Of Email")
    )
    assert header_words("HasOptedOutOfEmail") == header_words("has_opted_out-of  email") == "has opted out of email"


# ---------------------------------------------------------------- opt-outs


@pytest.mark.parametrize(
    ("dialect", "header", "text"),
    [
        ("hubspot", "Unsubscribed from all email", "Yes"), ("hubspot", "Opted out of email: One to One", "true"),
        ("salesforce", "Email Opt Out", "1"), ("salesforce", "email_opt_out_date_time_c", "2024-03-04T10:00:00Z"),
        ("mailchimp", "UNSUB_TIME", "2024-03-04 10:00:00"), ("mailchimp", "NOTES", "pls do not mail"),
        ("shopify", "Email Marketing: Status", "unsubscribed"), ("shopify", "Note", "keine Werbung"),
        ("klaviyo", "Email Marketing Consent", "UNSUBSCRIBED"), ("klaviyo", "Email Suppressions", "USER_SUPPRESSED"),
        ("pipedrive", "Person - Marketing status", "Unsubscribed"), ("zoho", "Unsubscribed Mode", "Consent form"),
        ("dynamics", "Do not allow Bulk Emails", "Do Not Allow"), ("odoo", "Is Blacklisted", "True"),
        ("chinese", "退订", "是"), ("chinese", "退订", "已退订"), ("chinese", "备注", "不要再发"),
        ("generic", "abgemeldet", "ja"), ("generic", "Do Not Mail", "x"), ("generic", "opted_out", "y"),
        ("generic", "unsubscribe reason", "too many"), ("generic", "désinscrit", "oui"), ("generic",
        "Newsletter unsubscribed", "1"),
    ],
)  # fmt: skip
def test_an_opt_out_in_any_column_is_read(dialect: str, header: str, text: str) -> None:
    assert reading(text, header, "consent.opted_out", dialect) is True


def test_hubspot_is_complete_for_opt_outs_of_email_only_where_the_column_is() -> None:
    (column,) = understood("Unsubscribed from all email", "hubspot")
    assert column.complete_for == ("opt-outs:email",)
    assert column.read("", today=TODAY) is False
    assert not any(
        one.complete_for for header in ("Email", "Opted out of email: News") for one in understood(header, "hubspot")
    )


def test_a_bare_list_is_complete_for_nothing() -> None:
    generic = built_in()["generic"]
    assert not any(column.complete_for for column in generic.columns)


@pytest.mark.parametrize(
    ("header", "speaks"),
    [("sms_opt_out", {"sms", "autocall"}), ("do not call", {"call", "autocall", "sms"}), ("fax opt out", {"fax"}),
     ("email opt out", {"email"}), ("opted out", {"email", "sms", "autocall", "call", "fax", "post", "messenger"})],
)  # fmt: skip
def test_an_opt_out_counts_for_its_channel_and_one_without_for_all(header: str, speaks: set[str]) -> None:
    for channel in ("email", "sms", "autocall", "call", "fax", "post", "messenger"):
        heard = any(one.fact == "consent.opted_out" for one in understood(header, channel=channel))
        assert heard is (channel in speaks)


def test_an_opt_out_of_sale_speaks_of_sale_alone() -> None:
    assert understood("Do Not Sell My Info")[0].ignored
    assert understood("Do Not Sell My Info", operation="sell")[0].fact == "consent.opted_out"


@pytest.mark.parametrize("header", ["unsubscribe_url", "opt_out_page", "email bounced", "Marketing contact status"])
def test_machinery_is_no_opt_out(header: str) -> None:
    assert all(one.ignored for one in understood(header, "hubspot"))


# ---------------------------------------------------------------- consents


@pytest.mark.parametrize(
    ("dialect", "header", "text", "given"),
    [
        ("shopify", "Accepts Email Marketing", "yes", True), ("shopify", "Accepts Email Marketing", "no", False),
        ("klaviyo", "Email Marketing Consent", "SUBSCRIBED", True), ("klaviyo", "Email Marketing Consent",
        "?", Silence.UNKNOWN),
        ("mailchimp", "OPTIN_TIME", "2024-03-04 10:00:00", True), ("mailchimp", "OPTIN_TIME", "", Silence.ABSENT),
        ("pipedrive", "Person - Marketing status", "No consent", False), ("generic", "email_opt_in", "true", True),
        ("generic", "marketing_consent", "yes", Silence.UNKNOWN), ("generic", "marketing_consent", "no", False),
        ("chinese", "是否同意接收营销", "是", Silence.UNKNOWN), ("chinese", "是否同意接收营销邮件", "同意", True),
        ("hubspot", "Legal basis for processing contact's data",
        "Freely given consent from contact", Silence.UNKNOWN),
        ("hubspot", "Legal basis for processing contact's data",
        "Legitimate interest – existing customer", Silence.ABSENT),
        ("salesforce", "gdpr_opt_in_explicit_c", "TRUE", Silence.UNKNOWN), ("generic", "newsletter",
        "yes", Silence.UNKNOWN),
    ],
)  # fmt: skip
def test_a_consent_is_read_for_its_channel_and_nothing_else_is_one(
    dialect: str, header: str, text: str, given: Reading
) -> None:
    assert reading(text, header, "consent.given", dialect) is given


@pytest.mark.parametrize(
    ("dialect", "header"),
    [("hubspot", "Marketing contact status"), ("hubspot", "Lifecycle Stage"), ("mailchimp", "CONFIRM_IP"),
     ("salesforce", "email_opt_in_implicit_c"), ("dynamics", "Send Marketing Materials"), ("odoo", "Mailing Lists"),
     ("shopify", "Accepts SMS Marketing"), ("generic", "Subscription Date")],
)  # fmt: skip
def test_what_is_no_consent_to_email_is_not_read_as_one(dialect: str, header: str) -> None:
    assert all(one.fact != "consent.given" for one in understood(header, dialect))


def test_a_shop_that_says_no_does_not_say_whether_somebody_unsubscribed() -> None:
    assert reading("no", "Accepts Email Marketing", "consent.opted_out", "shopify") is Silence.UNKNOWN
    assert reading("yes", "Accepts Email Marketing", "consent.opted_out", "shopify") is False


def test_the_proof_of_a_consent_is_read_as_far_as_there_are_columns() -> None:
    assert reading("2024-03-04 10:00:00", "OPTIN_TIME", "consent.given_on", "mailchimp") == date(2024, 3, 4)
    assert reading("203.0.113.7", "OPTIN_IP", "consent.source_kept", "mailchimp") is True
    assert reading("Form 12", "consent source", "consent.source_kept") is True
    assert reading("v3", "同意文本", "consent.wording_kept", "chinese") is True


@pytest.mark.parametrize(
    ("header", "facts"),
    [
        ("Consent source", {"consent.source_kept"}), ("Email consent source", {"consent.source_kept"}),
        ("SMS consent method", {"consent.source_kept"}), ("Quelle der Einwilligung", {"consent.source_kept"}),
        ("source du consentement", {"consent.source_kept"}), ("Where consent was given", {"consent.source_kept"}),
        ("Consent wording", {"consent.wording_kept"}), ("Email consent text", {"consent.wording_kept"}),
        ("Consent statement", {"consent.wording_kept"}), ("Einwilligungstext", {"consent.wording_kept"}),
        ("Parental consent", {"consent.parental"}), ("Consent type", set()), ("Consent expiry date", set()),
        ("Double-Opt-In Datum", {"consent.express", "consent.given_on"}),
    ],
)  # fmt: skip
def test_the_evidence_of_a_consent_is_read_as_evidence_and_as_no_consent(header: str, facts: set[str]) -> None:
    assert {one.fact for one in understood(header) if one.fact} == facts


def test_a_double_opt_in_is_an_express_statement_to_which_it_must_be_asked() -> None:
    for text in ("yes", "2024-03-04"):
        assert reading(text, "Double opt-in", "consent.express") is True
    assert reading("yes", "Double opt-in", "consent.given") is Silence.UNKNOWN
    assert reading("no", "Double opt-in", "consent.given") is Silence.ABSENT


@pytest.mark.parametrize("header", ["Consent withdrawn", "Email consent revoked on", "Widerruf der Einwilligung"])
def test_a_consent_that_was_taken_back_is_no_consent(header: str) -> None:
    (column,) = understood(header)
    assert column.fact == "consent.withdrawn"
    assert [column.read(text, today=TODAY) for text in ("yes", "2024-03-04", "no")] == [True, True, False]


# ---------------------------------------------------------------- relation, age, home


def test_only_the_stage_customer_says_that_somebody_bought() -> None:
    assert reading("Customer", "Lifecycle Stage", "relation.customer", "hubspot") is True
    assert reading("Evangelist", "Lifecycle Stage", "relation.customer", "hubspot") is Silence.ABSENT
    assert reading("3", "Total Orders", "relation.customer", "shopify") is True
    assert reading("0.00", "Total Spent", "relation.customer", "shopify") is Silence.ABSENT


def test_an_age_is_read_and_an_unreadable_one_is_unknown() -> None:
    assert reading("1980", "Date of birth", "person.age", "hubspot") == (45, 46)
    assert reading("soon", "生日", "person.age", "chinese") is Silence.UNKNOWN


@pytest.mark.parametrize(
    ("dialect", "header", "text", "home"),
    [
        ("hubspot", "Country/Region", "Allemagne", "DE"),
        ("hubspot", "IP Country", "france", "FR"),
        ("chinese", "国家/地区", "中国", "CN"),
        ("chinese", "手机号", "138 0000 0000", "CN"),
        ("chinese", "省份", "广东省", "CN"),
        ("generic", "Land", "Österreich", "AT"),
        ("generic", "Telefon", "+49 30 123456", "DE"),
        ("generic", "e-mail", "a@b.fr", "FR"),
    ],
)
def test_evidence_for_the_home_is_read(dialect: str, header: str, text: str, home: str) -> None:
    (column,) = understood(header, dialect)
    assert column.evidence(text) == frozenset({home})


def test_a_national_number_is_chinese_only_under_a_chinese_header() -> None:
    (column,) = understood("手机号", "chinese")
    assert understood("Telefon")[0].evidence("13800000000") is None
    assert column.evidence("021-1234567") is None
    assert column.evidence("+49 30 123456") == frozenset({"DE"})


def test_a_tick_for_residents_of_the_union_is_evidence_and_its_absence_is_none() -> None:
    (column,) = understood("is_eu_resident_c", "salesforce")
    yes = column.evidence("TRUE")
    assert yes is not None
    assert len(yes) == 27
    assert column.evidence("FALSE") == column.evidence("") == frozenset()
    assert column.evidence("perhaps") is None


# ---------------------------------------------------------------- several columns


def test_several_columns_are_joined_on_the_strict_side() -> None:
    assert join("consent.opted_out", [False, True, None]) is True
    assert join("consent.opted_out", [False, None]) is None
    assert join("consent.given", [True, False]) is None
    assert join("consent.given", [True, None]) is True
    assert join("consent.given_on", [date(2024, 1, 1), date(2023, 1, 1)]) == date(2023, 1, 1)
    assert join("consent.opted_out_on", [date(2024, 1, 1), date(2025, 1, 1)]) == date(2025, 1, 1)
    assert join("person.age", [(17, 18), (20, 20)]) == (17, 20)
    assert join("relation.source", ["person", "third-party"]) is None


# ---------------------------------------------------------------- files


VOCABULARY = lawbook().vocabulary


@pytest.mark.parametrize("name", EXPORTS)
def test_every_dialect_speaks_the_words_of_the_vocabulary(name: str) -> None:
    text = (files("comity.check") / "dialects" / f"{name}.toml").read_text(encoding="utf-8")
    assert parse(text, where=name, vocabulary=VOCABULARY).columns == built_in()[name].columns


def test_a_home_that_a_dialect_names_is_a_place() -> None:
    for dialect in built_in().values():
        for column in dialect.columns:
            named = [*column.values.values(), column.yes, column.no] if column.role.startswith("home.") else []
            assert None not in [homes.from_country(place) for place in named if isinstance(place, str)]


def test_a_dialect_of_ones_own_is_read_and_falls_to_the_generic_one(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(
        'id = "ours"\nname = "Ours"\n[[column]]\nheader = "mag"\nfact = "consent.given"\nchannels = ["email"]\n'
    )
    dialect = load(path, VOCABULARY)
    heard, country = dialect.understand(["MAG", "Land"], "marketing", "email")
    assert heard.fact == "consent.given"
    assert country.role == "home.country"


def test_the_first_meaning_of_a_header_counts_and_none_behind_an_ignore() -> None:
    dialect = parse(
        'id = "x"\nname = "x"\n'
        '[[column]]\nheader = "a"\nfact = "consent.given"\nno = "unknown"\n'
        '[[column]]\npattern = "a"\nfact = "consent.given"\n'
        '[[column]]\npattern = "b"\nrole = "ignore"\nwhy = "b"\n'
        '[[column]]\npattern = "[ab]"\nfact = "consent.opted_out"\n'
        '[[column]]\npattern = "a"\nrole = "ignore"\nwhy = "a"\n',
        where="x.toml",
    )
    assert [(one.role, one.fact) for one in dialect.known("a")] == [
        ("fact", "consent.given"),
        ("fact", "consent.opted_out"),
    ]
    assert [one.role for one in dialect.known("b")] == ["ignore"]
    assert dialect.known("a")[0].no == "unknown"
    assert dialect.known("c") == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("id = ", "not TOML"),
        ('name = "x"', "needs `id`"),
        ('id = "x"\nname = "x"\nfoo = 1', "`foo`"),
        ('id = "x"\nname = "x"\n[[column]]\nrole = "age"', "needs `header` or `pattern`"),
        ('id = "x"\nname = "x"\n[[column]]\nheader = "a"\nrole = "hom"', "cannot be 'hom'"),
        ('id = "x"\nname = "x"\n[[column]]\nheader = "a"\nreads = "tick"', "cannot be 'tick'"),
        ('id = "x"\nname = "x"\n[[column]]\nheader = "a"', "needs `fact`"),
        ('id = "x"\nname = "x"\n[[column]]\nheader = "a"\nrole = "ignore"', "needs its reason"),
        ('id = "x"\nname = "x"\n[[column]]\nheader = "a"\nfact = "f"\ncomplete_for = ["x"]', "needs the reason"),
        ('id = "x"\nname = "x"\n[[column]]\npattern = "("\nrole = "age"', "is no pattern"),
        ('id = "x"\nname = "x"\n[[column]]\nheader = "a"\nrol = "age"', "`rol`"),
    ],
)
def test_a_bad_dialect_says_what_is_wrong_where_and_what_to_do(text: str, what: str) -> None:
    with pytest.raises(DialectError) as caught:
        parse(text, where="ours.toml")
    assert what in caught.value.what
    assert caught.value.where.startswith("ours.toml")
    assert caught.value.cure
    assert str(caught.value).startswith("ours.toml")


HEAD = 'id = "x"\nname = "x"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('order = "ymd"', ["`order` cannot be 'ymd'", "auto, dmy, mdy"]),
        ("recognise = 3", ["`recognise` cannot be 3"]),
        ("pieces = 3", ["`pieces` cannot be 3"]),
        ("[pieces]\nyes = 3", ["pieces", "`yes` cannot be 3"]),
        (
            "[pieces]\nagreed = 'opt ?in'\n[[column]]\npattern = '{agred} of'\nrole = \"age\"",
            ["column 1", "`pieces` cannot be 'agred'", "did you mean 'agreed'?"],
        ),
        ('[column]\nheader = "a"', ["[[column]]"]),
        ("column = [3]", ["`column` cannot be 3"]),
        ('[[column]]\nheader = 3\nrole = "age"', ["`header` cannot be 3"]),
        ('[[column]]\npattern = 3\nrole = "age"', ["`pattern` cannot be 3"]),
        ('[[column]]\nheader = "a"\nrole = "age"\nwhy = 3', ["`why` cannot be 3"]),
        ('[[column]]\nheader = "a"\nfact = "consent.given"\nvalues = ["yes"]', ["`values` cannot be"]),
        ('[[column]]\nheader = "a"\nfact = "consent.given"\nyes = 1', ["`yes` cannot be 1"]),
        ('[[column]]\nheader = "a"\nfact = "consent.gven"', ["column 1 (a)", "did you mean 'consent.given'?"]),
        ('[[column]]\nheader = "a"\nfact = "consent.given"\nchannels = ["emial"]', ["`channels`", "'email'"]),
        ('[[column]]\nheader = "a"\nfact = "consent.given"\npurposes = "marketting"', ["`purposes`", "'marketing'"]),
        ('[[column]]\nheader = "a"\nfact = "consent.given"\noperations = "sel"', ["`operations`", "'sell'"]),
        (
            '[[column]]\nheader = "a"\nfact = "consent.opted_out"\ncomplete_for = "optouts:email"\nwhy = "x"',
            ["`complete_for`", "'opt-outs:email'"],
        ),
        ('[[column]]\nheader = "a"\nfact = "person.home"', ["home.country"]),
        ('[[column]]\nheader = "a"\nfact = "use.channel"', ["no fact of a person", "--set"]),
        ('[[column]]\nheader = "a"\nfact = "consent.given_on"', ["`reads`", '"day"']),
        ('[[column]]\nheader = "a"\nfact = "consent.given"\nreads = "day"', ["`reads`", '"truth"']),
        ('[[column]]\nheader = "a"\nfact = "person.age"', ['role = "age"']),
        ('[[column]]\nheader = "a"\nfact = "person.capacity"', ["`yes` cannot be true", "business"]),
        (
            '[[column]]\nheader = "a"\nfact = "person.capacity"\nreads = "choice"\nvalues = { b = "busines" }',
            ["`values` cannot be 'busines'", "did you mean 'business'?"],
        ),
        ('[[column]]\nheader = "a"\nfact = "consent.given"\nempty = "nothing"', ["`empty` cannot be 'nothing'"]),
    ],
)
def test_a_word_that_no_law_knows_is_refused_with_the_nearest_one(text: str, words: list[str]) -> None:
    with pytest.raises(DialectError) as caught:
        parse(HEAD + text, where="ours.toml", vocabulary=VOCABULARY)
    assert str(caught.value).startswith("ours.toml")
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_missing_or_binary_dialect_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match="Cannot be read"):
        load(tmp_path / "none.toml", VOCABULARY)
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DialectError, match="UTF-8"):
        load(tmp_path / "x.toml", VOCABULARY)


def test_every_built_in_dialect_has_its_export_in_these_tests() -> None:
    assert set(built_in()) == set(EXPORTS)
    assert all(isinstance(dialect, Dialect) for dialect in built_in().values())
