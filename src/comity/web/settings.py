"""Django's settings. What differs from one installation to the next comes from the environment; nothing else does."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

HERE = Path(__file__).resolve().parent


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
        "OPTIONS": more | ({"assume_role": role} if role else {}),
    }


DEBUG = False
ALLOWED_HOSTS = os.environ.get("COMITY_HOSTS", "localhost 127.0.0.1 [::1]").split()
SECRET_KEY = os.environ.get("COMITY_SECRET_KEY", "")  # Django itself refuses to start without one
DATABASES = {"default": database(os.environ["DATABASE_URL"])} if "DATABASE_URL" in os.environ else {}

FOLDER = Path(os.environ.get("COMITY_FOLDER", Path.home() / ".local/share/comity"))
"""Where keys, journal and the private database lie: outside the database, on this machine alone."""

INSTALLED_APPS = [
    "comity.ledger",
    "comity.staff",
    "comity.vault",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "comity.web.urls"
WSGI_APPLICATION = "comity.web.wsgi.application"
AUTH_USER_MODEL = "staff.Staff"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
STATIC_URL = "static/"
