"""The addresses of this part of the book."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
