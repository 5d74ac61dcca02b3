"""The addresses of imports."""

from __future__ import annotations

from django.urls import path

from comity.book.imports import views

urlpatterns = [
    path("imports/", views.imports, name="imports"),
    path("imports/new/", views.new, name="import-new"),
    path("imports/<uuid:ref>/", views.one, name="import-one"),
    path("imports/<uuid:ref>/columns/", views.columns, name="import-columns"),
    path("imports/<uuid:ref>/look/", views.look, name="import-look"),
    path("imports/<uuid:ref>/settle/", views.settle, name="import-settle"),
    path("imports/<uuid:ref>/choices/", views.choices, name="import-choices"),
    path("imports/<uuid:ref>/run/", views.run, name="import-run"),
    path("imports/<uuid:ref>/undo/", views.undo, name="import-undo"),
    path("imports/<uuid:ref>/drop/", views.drop, name="import-drop"),
    path("imports/<uuid:ref>/progress/", views.progress, name="import-progress"),
    path("imports/<uuid:ref>/problems.csv", views.problems, name="import-problems"),
]
