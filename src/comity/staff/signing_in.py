"""How staff sign in: the few choices that are ours in what django-allauth and django-axes do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import get_client_ip
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter

from comity.staff.models import Staff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Nobody signs up: an administrator invites."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        del request
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: object) -> str:
        """Count wrong passwords for an address by where they come from, so that nobody locks out others from afar."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{address_of(request)}"

    def reauthenticate(self, staff: Staff, password: str) -> bool:
        """Ask for the password again, counted like any attempt to sign in."""
        again = self.authenticate(self.request, email=staff.email, password=password)
        return again is not None and again.pk == staff.pk


class SingleSignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]  # as above
    """The provider says who it is; whether they work here, our own list says."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        del request, sociallogin
        return False


def name_given(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the address somebody tries to sign in with, in one case, so that its tries are counted together."""
    given = (credentials or {}).get("email") or request.POST.get("login", "")
    return str(given).strip().casefold()


def address_of(request: HttpRequest) -> str | None:
    """Return the client's IP address, as far as proxies of ours vouch for it; None where no client called."""
    found: str | None = get_client_ip(request)
    return found
