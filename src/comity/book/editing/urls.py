"""The addresses of this part of the book."""

from __future__ import annotations

from django.urls import URLPattern, path

from comity.book.editing import newcomers, views

ONE = "people/<uuid:ref>"
urlpatterns: list[URLPattern] = [
    path("people/new/", newcomers.new, name="new-person"),
    path("people/organisations/", views.organisations, name="organisation-names"),
    path(f"{ONE}/shown/<slug:block>/", views.shown, name="shown"),
    path(f"{ONE}/name/", views.name, name="edit-name"),
    path(f"{ONE}/facts/", views.facts, name="edit-facts"),
    path(f"{ONE}/relation/", views.relation, name="edit-relation"),
    path(f"{ONE}/points/new/<slug:reach>/", views.new_point, name="new-point"),
    path(f"{ONE}/points/<uuid:point>/", views.point, name="edit-point"),
    path(f"{ONE}/points/<uuid:point>/first/", views.put_first, name="first-point"),
    path(f"{ONE}/points/<uuid:point>/remove/", views.remove_point, name="remove-point"),
    path(f"{ONE}/posts/new/", views.new_post, name="new-post"),
    path(f"{ONE}/posts/<uuid:post>/", views.post, name="edit-post"),
    path(f"{ONE}/posts/<uuid:post>/remove/", views.remove_post, name="remove-post"),
    path(f"{ONE}/tags/", views.tag, name="put-tag"),
    path(f"{ONE}/tags/<uuid:tag>/off/", views.take_tag_off, name="take-tag-off"),
    path(f"{ONE}/activities/new/<slug:doing>/", views.log, name="log"),
    path(f"{ONE}/activities/<uuid:activity>/", views.activity, name="edit-activity"),
    path(f"{ONE}/activities/<uuid:activity>/delete/", views.delete_activity, name="delete-activity"),
]
