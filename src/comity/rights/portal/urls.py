"""The addresses of this part. Those of people stand in letters and on websites: none of them is ever changed."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.rights.portal import staff_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("you/<uuid:entity>/", views.door, name="portal-door"),
    path("you/<uuid:entity>/code/", views.code, name="portal-code"),
    path("you/<uuid:entity>/go/", views.go, name="portal-go"),
    path("you/<uuid:entity>/full/", views.full, name="portal-full"),
    path("you/<uuid:entity>/full/<slug:part>/", views.full, name="portal-full-part"),
    path("you/<uuid:entity>/looks/", views.looks, name="portal-looks"),
    path("you/<uuid:entity>/decided/", views.decided, name="portal-decided"),
    path("you/<uuid:entity>/choices/", views.choices, name="portal-choices"),
    path("you/<uuid:entity>/asked/", views.asks, name="portal-asks"),
    path("you/<uuid:entity>/ask/<slug:what>/", views.ask, name="portal-ask"),
    path("you/<uuid:entity>/stop/", views.stop, name="portal-stop"),
    path("you/<uuid:entity>/stop/<slug:what>/", views.stop_one, name="portal-stop-one"),
    path("portals/", staff_views.portals, name="portals"),
    path("portals/<uuid:ref>/", staff_views.opening, name="portal-opening"),
]
