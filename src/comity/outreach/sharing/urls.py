"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.outreach.sharing import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("sharing/", views.sharings, name="sharings"),
    path("sharing/new/", views.new, name="sharing-new"),
    path("sharing/recipients/", views.recipients, name="recipients"),
    path("sharing/recipients/new/", views.recipient_new, name="recipient-new"),
    path("sharing/recipients/<uuid:ref>/", views.recipient, name="recipient"),
    path("sharing/recipients/<uuid:ref>/change/", views.recipient_change, name="recipient-change"),
    path("sharing/recipients/<uuid:ref>/end/", views.recipient_end, name="recipient-end"),
    path("sharing/notices/<uuid:ref>/file/", views.tell, name="telling-file"),
    path("sharing/notices/<uuid:ref>/acknowledged/", views.acknowledged, name="telling-acknowledged"),
    path("sharing/of/<uuid:ref>/", views.given, name="sharing-given"),
    path("sharing/of/<uuid:ref>/corrected/", views.corrected, name="sharing-corrected"),
    path("sharing/<uuid:ref>/", views.one, name="sharing"),
    path("sharing/<uuid:ref>/audience/", views.audience, name="sharing-audience"),
    path("sharing/<uuid:ref>/proofs/", views.proofs, name="sharing-proofs"),
    path("sharing/<uuid:ref>/approval/", views.ask_second, name="sharing-approval"),
    path("sharing/<uuid:ref>/make/", views.make, name="sharing-make"),
]
