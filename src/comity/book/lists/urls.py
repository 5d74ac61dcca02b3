"""The addresses of this part of the book."""

from __future__ import annotations

from django.urls import path

from comity.book.lists import views

urlpatterns = [
    path("people/views/keep/", views.keep, name="view-keep"),
    path("people/views/<uuid:ref>/", views.change, name="view-change"),
    path("people/views/<uuid:ref>/again/", views.keep_again, name="view-again"),
    path("people/views/<uuid:ref>/delete/", views.delete, name="view-delete"),
    path("people/verdicts/", views.verdicts, name="verdicts"),
    path("people/exactly/", views.exactly, name="exactly"),
    path("people/together/", views.together, name="together"),
    path("people/together/<uuid:ref>/", views.together_done, name="together-done"),
]
