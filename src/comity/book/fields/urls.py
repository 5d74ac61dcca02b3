"""The addresses of custom fields and attachments."""

from __future__ import annotations

from django.urls import path

from comity.book.fields import views

urlpatterns = [
    path("settings/fields/", views.fields, name="fields"),
    path("settings/fields/new/", views.make, name="field-new"),
    path("settings/fields/<uuid:ref>/", views.change, name="field"),
    path("settings/fields/<uuid:ref>/retire/", views.retire, name="field-retire"),
    path("people/<uuid:ref>/fields/<uuid:field>/", views.fill, name="field-fill"),
    path("people/<uuid:ref>/files/", views.attach, name="attach"),
    path("people/<uuid:ref>/files/<uuid:attachment>/", views.download, name="attachment"),
    path("people/<uuid:ref>/files/<uuid:attachment>/remove/", views.detach, name="detach"),
]
