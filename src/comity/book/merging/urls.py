"""The addresses of this part of the book."""

from __future__ import annotations

from django.urls import path

from comity.book.merging import views

urlpatterns = [
    path("people/duplicates/", views.duplicates, name="duplicates"),
    path("people/duplicates/seek/", views.seek, name="duplicates-seek"),
    path("people/duplicates/<uuid:ref>/not-the-same/", views.judge, name="duplicate-judge"),
    path("people/merge/<uuid:one>/<uuid:other>/", views.merge, name="merge"),
    path("people/merges/", views.merges, name="merges"),
    path("people/merges/<uuid:ref>/", views.one_merge, name="merge-one"),
    path("people/merges/<uuid:ref>/undo/", views.undo, name="merge-undo"),
]
