from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from comity.staff.models import Staff
from comity.web.settings import single_sign_on
from tests.staff.people import PASSWORD, make_staff

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from comity.staff.models import Entity

WRONG = "wrong horse battery staple"


@pytest.fixture
def tom(dublin: Entity) -> Staff:
    """Does marketing for Dublin, and has a password."""
    return make_staff("marketing", entity=dublin, password=PASSWORD)


def fill_in(page: Page, staff: Staff, password: str = PASSWORD) -> None:
    page.goto("/sign-in/?next=/own/")
    page.get_by_label("Email").fill(staff.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def show_once_more(page: Page) -> None:
    """Prove again who one is, as steps with consequences ask."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def digits_of(secret: str) -> str:
    """Return what an authenticator app with this secret shows now."""
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


def test_password_app_and_recovery_code_sign_somebody_in(page: Page, tom: Staff) -> None:
    fill_in(page, tom)
    expect(page.get_by_role("heading", level=1)).to_have_text("Tom Okafor")
    page.get_by_role("link", name="Second factors").click()
    page.get_by_role("link", name="Set it up").click()
    show_once_more(page)
    secret = page.locator("code").inner_text()
    page.get_by_label(re.compile("code", re.IGNORECASE)).fill(digits_of(secret))
    page.get_by_role("button", name="Use this app").click()
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    page.context.clear_cookies()

    fill_in(page, tom)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".wrong")).to_be_visible()
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tom Okafor")


def test_a_passkey_signs_in_without_a_password(page: Page, tom: Staff) -> None:
    wire = page.context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    more = {"isUserVerified": True, "automaticPresenceSimulation": True}
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": key | more})
    fill_in(page, tom)
    page.goto("/sign-in/factors/webauthn/add/")
    show_once_more(page)
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add a key").click()
    expect(page.locator(".codes")).to_be_visible()
    page.context.clear_cookies()

    page.goto("/sign-in/?next=/own/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tom Okafor")


def test_one_browser_signs_the_others_out(page: Page, tom: Staff) -> None:
    elsewhere = Client()
    elsewhere.post("/sign-in/", {"login": tom.email, "password": PASSWORD})
    assert elsewhere.get("/own/").status_code == 200
    fill_in(page, tom)
    page.goto("/sign-in/sessions/")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Sign out everywhere but here").click()
    expect(page.get_by_role("row")).to_have_count(2)
    assert elsewhere.get("/own/").status_code == 302


def test_five_wrong_tries_lock_an_address_out_from_there_alone(tom: Staff) -> None:
    client, elsewhere = Client(), Client(REMOTE_ADDR="192.0.2.7")
    for _ in range(4):
        assert client.post("/sign-in/", {"login": tom.email, "password": WRONG}).status_code == 200
    locked = client.post("/sign-in/", {"login": tom.email.upper(), "password": WRONG})
    assert locked.status_code == 429
    assert "Too many tries" in locked.content.decode()
    assert client.post("/sign-in/", {"login": tom.email, "password": PASSWORD}).status_code == 429
    for _ in range(10):
        client.post("/sign-in/", {"login": tom.email, "password": WRONG})
    assert elsewhere.post("/sign-in/", {"login": tom.email, "password": PASSWORD}).status_code == 302


def test_an_unknown_address_is_told_apart_by_nothing(tom: Staff) -> None:
    known, unknown = (
        Client().post("/sign-in/", {"login": address, "password": WRONG}).content.decode()
        for address in (tom.email, "nobody@comity.example")
    )
    plain = re.compile(r'value="[^"]*"')
    assert plain.sub("", known) == plain.sub("", unknown)


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    "name", ["account_signup", "socialaccount_signup", "account_email", "socialaccount_connections"]
)
def test_nobody_signs_up_or_changes_an_address(name: str) -> None:
    assert Client().get(reverse(name)).status_code == 404


def test_a_password_is_kept_as_argon2(tom: Staff) -> None:
    assert Staff.objects.get(pk=tom.pk).password.startswith("argon2$argon2id$")


def test_single_sign_on_is_configured_whole_or_not_at_all() -> None:
    whole = {"COMITY_OIDC_URL": "https://id.example", "COMITY_OIDC_CLIENT": "comity", "COMITY_OIDC_SECRET": "s"}
    assert single_sign_on({}) == []
    assert single_sign_on(whole)[0]["settings"] == {"server_url": "https://id.example", "oauth_pkce_enabled": True}
    with pytest.raises(ValueError, match="COMITY_OIDC_SECRET is not"):
        single_sign_on({name: value for name, value in whole.items() if name != "COMITY_OIDC_SECRET"})


def test_breaking_glass_takes_a_second_factor_shown_just_now(page: Page, tom: Staff, dublin: Entity) -> None:
    sana = make_staff("support", entity=dublin, password=PASSWORD)
    fill_in(page, sana)
    page.goto(reverse("staff:break-glass", args=[dublin.ref, tom.ref]))
    page.get_by_label("Reason").fill("Collapsed in our shop")
    page.get_by_role("button", name="Break the glass").click()
    expect(page.locator(".wrongs")).to_have_text(re.compile("second factor"))
