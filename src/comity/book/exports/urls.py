"""The addresses of this part of the book."""

from __future__ import annotations

from django.urls import path

from comity.book.exports import views

urlpatterns = [
    path("people/export/", views.export, name="export"),
    path("people/exports/", views.exports, name="exports"),
    path("people/exports/trace/", views.trace, name="export-trace"),
    path("people/exports/<uuid:ref>/", views.one, name="export-one"),
    path("people/exports/<uuid:ref>/approval/", views.ask_second, name="export-approval"),
    path("people/exports/<uuid:ref>/make/", views.make, name="export-make"),
    path("people/exports/<uuid:ref>/file/", views.fetch, name="export-fetch"),
    path("people/exports/<uuid:ref>/left-out.csv", views.left_out, name="export-left-out"),
]
