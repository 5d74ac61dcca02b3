"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from comity.book import views

app_name = "book"
urlpatterns = [
    path("people/", views.persons, name="persons"),
    path("organisations/", views.organisations, name="organisations"),
]
