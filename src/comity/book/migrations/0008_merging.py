"""The tables of comity.book.merging."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("book", "0007_exports")]
    operations: ClassVar[list[Operation]] = []
