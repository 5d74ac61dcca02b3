"""Addresses of signing in: of all that django-allauth has, what staff need. Nobody signs up or changes an address."""

from __future__ import annotations

from allauth.account import views as own
from allauth.socialaccount import views as provider
from django.urls import URLPattern, URLResolver, include, path, re_path

from comity.web.pages import nothing_here

urlpatterns: list[URLPattern | URLResolver] = [
    path("", own.login, name="account_login"),
    path("out/", own.logout, name="account_logout"),
    path("shut-out/", own.account_inactive, name="account_inactive"),
    path("again/", own.reauthenticate, name="account_reauthenticate"),
    path("password/", own.password_change, name="account_change_password"),
    path("password/set/", own.password_set, name="account_set_password"),
    path("password/forgotten/", own.password_reset, name="account_reset_password"),
    path("password/forgotten/sent/", own.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        own.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/done/", own.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("factors/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
    path("with/", include("allauth.socialaccount.providers.openid_connect.urls")),
    path("with/cancelled/", provider.login_cancelled, name="socialaccount_login_cancelled"),
    path("with/error/", provider.login_error, name="socialaccount_login_error"),
    # Names that allauth looks up, of pages that are not for our staff.
    path("none/signup/", nothing_here, name="account_signup"),
    path("none/signup/with/", nothing_here, name="socialaccount_signup"),
    path("none/email/", nothing_here, name="account_email"),
    path("none/connections/", nothing_here, name="socialaccount_connections"),
]
