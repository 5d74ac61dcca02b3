"""Who logs in."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from comity.refs import new_ref


class Staff(AbstractBaseUser):
    """Somebody who logs in."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
