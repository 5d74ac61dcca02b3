"""Django's settings. What differs from one installation to the next comes from the environment; nothing else does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF

from comity.web.logs import no_probes

HERE = Path(__file__).resolve().parent

LONGEST_CONNECT = 5
"""Seconds after which a database that does not answer is called gone."""

NOTICING = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""So that a connection to a machine that vanished without a word is given up after half a minute, not after hours."""


PLANNED_FROM = 0
"""Earlier askings after which PostgreSQL keeps the plan of a statement; only those of `staff.once` are bound there."""


def database(url: str, role: str | None = None) -> dict[str, object]:
    """Turn postgresql://name:password@host:port/database?host=…&sslmode=… into what Django wants.

    `role` is the database role that each connection takes on: one that owns no table and may not pass by a policy.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL begins with {parts.scheme or 'nothing'}://, not with postgresql://")
    more = dict(parse_qsl(parts.query))
    named = {"HOST": more.pop("host", parts.hostname or ""), "PORT": more.pop("port", str(parts.port or ""))}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        **named,
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": LONGEST_CONNECT, "prepare_threshold": PLANNED_FROM, **NOTICING}
        | more
        | ({"assume_role": role} if role else {}),
    }


def single_sign_on(given: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the one OpenID Connect provider that COMITY_OIDC_URL, _CLIENT, _SECRET and _NAME describe, or none."""
    if not (url := given.get("COMITY_OIDC_URL")):
        return []
    lacking = [name for name in ("COMITY_OIDC_CLIENT", "COMITY_OIDC_SECRET") if not given.get(name)]
    if lacking:
        raise ValueError(f"COMITY_OIDC_URL is set, but {' and '.join(lacking)} is not; set both, or none of the three")
    return [
        {
            "provider_id": "oidc",
            "name": given.get("COMITY_OIDC_NAME", urlsplit(url).hostname or "OpenID Connect"),
            "client_id": given["COMITY_OIDC_CLIENT"],
            "secret": given["COMITY_OIDC_SECRET"],
            "settings": {"server_url": url, "oauth_pkce_enabled": True},
        }
    ]


# ---------------------------------------------------------------- where we are

DEBUG = False
ADDRESS = urlsplit(os.environ.get("COMITY_ADDRESS", "http://localhost:8000"))
"""Where browsers find us. https means that cookies, redirects and passkeys insist on TLS."""

TLS = ADDRESS.scheme == "https"
PROXIES = int(os.environ.get("COMITY_PROXIES", "0"))
"""How many reverse proxies of ours stand in front, each of which adds to X-Forwarded-For."""

ALLOWED_HOSTS = sorted({
    *os.environ.get("COMITY_HOSTS", "localhost 127.0.0.1 [::1]").split(),
    *filter(None, [ADDRESS.hostname]),
})  # fmt: skip
SECRET_KEY = os.environ.get("COMITY_SECRET_KEY", "")  # Django itself refuses to start without one
DATABASES = {
    "default": database(
        os.environ.get("DATABASE_URL", "postgresql:///"),  # else whatever PostgreSQL answers on this machine
        os.environ.get("COMITY_DATABASE_ROLE"),
    )
}

FOLDER = Path(os.environ.get("COMITY_FOLDER", Path.home() / ".local/share/comity"))
"""Where keys, journal and the private database lie: outside the database, on this machine alone."""

JOURNAL = Path(os.environ["COMITY_JOURNAL"]) if "COMITY_JOURNAL" in os.environ else None
"""Where the journal lies, if not in that folder: on another disk than the database, which all machines reach."""


# ---------------------------------------------------------------- what it is made of

INSTALLED_APPS = [
    "comity.web",  # before allauth, whose templates it replaces
    "comity.ledger",
    "comity.staff",
    "comity.vault",
    "comity.counsel",
    "comity.post",
    "comity.book",
    "comity.consent",
    "comity.retention",
    "comity.outreach",
    "comity.rights",
    "comity.desk",
    "comity.api",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "csp",
    "django_htmx",
    "lucide",
    "procrastinate.contrib.django",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "comity.web.middleware.healthz",
    "csp.middleware.CSPMiddleware",
    "comity.web.middleware.permissions_policy",
    "comity.web.statics.Served",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "comity.web.middleware.sessions_noticed",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "comity.web.urls"
WSGI_APPLICATION = "comity.web.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [("comity.web.templating.ByLanguage", ["django.template.loaders.app_directories.Loader"])],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "comity.web.templatetags.comity"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "comity.web.shell.shell",
            ],
        },
    }
]
FORM_RENDERER = "comity.web.looks.Looks"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
EXPORT_ALONE = int(os.environ.get("COMITY_EXPORT_ALONE", "500"))
"""People whom one of the staff may take out without a second person's approval."""
CAMPAIGN_ALONE = int(os.environ.get("COMITY_CAMPAIGN_ALONE", "5000"))
"""People to whom one of the staff may send a campaign without a second person's approval."""
PROCRASTINATE_PERIODIC_DEFAULTS = {"max_delay": 24 * 60 * 60}
"""Seconds for which a nightly job is made up for, where the machine slept at night."""

# ---------------------------------------------------------------- who signs in, and how

AUTH_USER_MODEL = "staff.Staff"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first, so that who is locked out is turned away before the password
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"

SECOND_FACTOR = os.environ.get("COMITY_SECOND_FACTOR", "required")
"""'required': roles of which roles.toml says so work only with a second factor. 'optional': a demo, all invented."""

ACCOUNT_ADAPTER = "comity.staff.signing_in.StaffAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an administrator enters the address
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds for which a proof of identity counts as fresh
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,10/5m/key"}  # second factors too; of passwords axes allows fewer
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Comity"
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not TLS
USERSESSIONS_TRACK_ACTIVITY = True
SOCIALACCOUNT_ADAPTER = "comity.staff.signing_in.SingleSignOn"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True  # an address that our own provider vouches for is that of our staff
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": single_sign_on(os.environ), "EMAIL_AUTHENTICATION": True}}

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # nobody can lock out somebody else from afar
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "comity.staff.signing_in.name_given"
AXES_CLIENT_IP_CALLABLE = "comity.staff.signing_in.address_of"
AXES_LOCKOUT_TEMPLATE = "errors/locked_out.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# ---------------------------------------------------------------- what programs may do

API_REQUESTS_A_MINUTE = int(os.environ.get("COMITY_API_REQUESTS_A_MINUTE", "600"))
"""How many requests one token may make; as many at once, if it rested for a minute."""

WEBHOOK_NETWORKS = os.environ.get("COMITY_WEBHOOK_NETWORKS", "").split()
"""Networks of our own that webhooks may reach beside the public ones, such as 10.20.0.0/16."""

SYSTEM_FOLDERS = [each for each in os.environ.get("COMITY_SYSTEM_FOLDERS", "").split(os.pathsep) if each]
"""Folders below which files of other systems may lie, beside `systems` in FOLDER: no page can name any other."""

WEBHOOK_PLAIN = False
"""Whether webhooks may go without TLS. Tests alone say so."""

# ---------------------------------------------------------------- what browsers may do

SESSION_ENGINE = "comity.web.sessions"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = TLS
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = ("__Host-session", "__Host-csrf") if TLS else ("session", "csrf")
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "comity.web.errors.forgery"
CSRF_TRUSTED_ORIGINS = [f"{ADDRESS.scheme}://{ADDRESS.netloc}"]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False  # of names beside ours, their owners decide
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF, *(app["settings"]["server_url"] for app in single_sign_on(os.environ))],  # type: ignore[index]
        "frame-ancestors": [NONE],
        "img-src": [SELF],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
    }
}

LARGEST_UPLOAD = 200 * 2**20
"""Bytes of a file that is taken in."""
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "comity.web.uploads.OurUploads",  # in FOLDER, since Django would put what is large where temporary files lie
]

STATIC_URL = "static/"
STATIC_ROOT = FOLDER / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # what is attached is sealed, in the database
    "staticfiles": {"BACKEND": "comity.web.statics.Statics"},
}
WHITENOISE_USE_FINDERS = True  # for what was not gathered yet: comity.web.statics
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "web_cache"}}
"""Shared by all processes, since what allauth counts here are attempts to guess."""

# ---------------------------------------------------------------- words and numbers

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_HTTPONLY = True
FORMAT_MODULE_PATH = ["comity.web.formats"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "comity.web.logs.Terse", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "filters": {"no-probes": {"()": "django.utils.log.CallbackFilter", "callback": no_probes}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no-probes"]}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("COMITY_LOG", "WARNING")},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # whoever scans the network would fill the log
        "psycopg.pool": {"level": "ERROR"},  # the worker says once that the database is away, and once that it is back
    },
}
