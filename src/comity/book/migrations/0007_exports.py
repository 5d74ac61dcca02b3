"""The tables of comity.book.exports."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("book", "0006_imports")]
    operations: ClassVar[list[Operation]] = []
