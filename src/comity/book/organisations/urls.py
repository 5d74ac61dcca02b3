"""The addresses of organisations."""

from __future__ import annotations

from django.urls import path

from comity.book.organisations import views

urlpatterns = [
    path("organisations/new/", views.add, name="organisation-new"),
    path("organisations/<uuid:ref>/", views.organisation, name="organisation"),
    path("organisations/<uuid:ref>/change/", views.change, name="organisation-change"),
    path("organisations/<uuid:ref>/remove/", views.remove, name="organisation-remove"),
]
