"""Django's own commands: python -m comity.web check, migrate, makemigrations."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.web.settings")
execute_from_command_line(["python -m comity.web", *sys.argv[1:]])
