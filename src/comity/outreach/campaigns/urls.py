"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.outreach.campaigns import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns/", views.campaigns, name="campaigns"),
    path("campaigns/new/", views.new, name="campaign-new"),
    path("campaigns/sending/", views.sending, name="sending"),
    path("campaigns/sending/<uuid:ref>/imprint/", views.imprint, name="imprint"),
    path("campaigns/sending/<uuid:ref>/relay/", views.relay, name="relay"),
    path("campaigns/<uuid:ref>/", views.one, name="campaign"),
    path("campaigns/<uuid:ref>/words/<slug:language>/", views.words, name="campaign-words"),
    path("campaigns/<uuid:ref>/language/", views.add_language, name="campaign-language"),
    path("campaigns/<uuid:ref>/audience/", views.audience, name="campaign-audience"),
    path("campaigns/<uuid:ref>/way/", views.way, name="campaign-way"),
    path("campaigns/<uuid:ref>/ticks/", views.ticks, name="campaign-ticks"),
    path("campaigns/<uuid:ref>/approval/", views.ask_second, name="campaign-approval"),
    path("campaigns/<uuid:ref>/send/", views.send, name="campaign-send"),
    path("campaigns/<uuid:ref>/turn/<slug:to>/", views.turn, name="campaign-turn"),
    path("campaigns/<uuid:ref>/example/<slug:language>/", views.shown_as, name="campaign-example"),
]
