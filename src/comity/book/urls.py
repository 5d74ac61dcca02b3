"""The addresses of this room."""

from __future__ import annotations

from django.urls import include, path

from comity.book import views

app_name = "book"
urlpatterns = [
    path("people/", views.persons, name="persons"),
    path("organisations/", views.organisations, name="organisations"),
    path("", include("comity.book.organisations.urls")),
    path("", include("comity.book.editing.urls")),
    path("", include("comity.book.fields.urls")),
    path("", include("comity.book.lists.urls")),
    path("", include("comity.book.imports.urls")),
    path("", include("comity.book.exports.urls")),
    path("", include("comity.book.merging.urls")),
]
