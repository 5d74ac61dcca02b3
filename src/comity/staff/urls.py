"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from comity.staff import views

app_name = "staff"
urlpatterns = [
    path("staff/", views.staff_list, name="list"),
    path("own/", views.own, name="own"),
    path("own/choices/", views.choose, name="choose"),
    path("staff/access/", views.access, name="access"),
    path("staff/invite/", views.invite, name="invite"),
    path("approvals/", views.approval_list, name="approvals"),
    path("approvals/<uuid:ref>/", views.approval, name="approval"),
    path("approvals/<uuid:ref>/settle/", views.settle, name="settle"),
    path("entities/", views.entity_list, name="entities"),
    path("entities/new/", views.entity_new, name="entity-new"),
    path("entities/<uuid:ref>/", views.entity, name="entity"),
    path("glass/<uuid:entity>/<uuid:person>/", views.break_glass, name="break-glass"),
    path("glass/<uuid:ref>/seen/", views.see_glass, name="see-glass"),
    path("staff/grants/<uuid:ref>/revoke/", views.revoke, name="revoke"),
    path("staff/<uuid:ref>/", views.one, name="one"),
    path("staff/<uuid:ref>/change/", views.change, name="change"),
    path("staff/<uuid:ref>/link/", views.link, name="link"),
    path("staff/<uuid:ref>/shut-out/", views.shut_out, name="shut-out"),
    path("staff/<uuid:ref>/role/", views.ask_role, name="ask-role"),
]
