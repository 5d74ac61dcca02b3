"""What a web server serves."""

from __future__ import annotations

import os

import django
from django.core.wsgi import get_wsgi_application

from comity.web.statics import gather

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.web.settings")
django.setup()
gather()  # before the application looks which there are
application = get_wsgi_application()
