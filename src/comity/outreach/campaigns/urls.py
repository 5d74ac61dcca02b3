"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.outreach.campaigns import pages, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns/", views.campaigns, name="campaigns"),
    path("campaigns/new/", views.new, name="campaign-new"),
    path("campaigns/sending/", views.sending, name="sending"),
    path("campaigns/sending/<uuid:ref>/imprint/", views.imprint, name="imprint"),
    path("campaigns/sending/<uuid:ref>/relay/", views.relay, name="relay"),
    path("campaigns/sending/<uuid:ref>/way/<slug:kind>/", views.gateway, name="gateway"),
    path("campaigns/templates/", pages.templates, name="templates"),
    path("campaigns/templates/new/", pages.new_template, name="template-new"),
    path("campaigns/templates/<uuid:ref>/", pages.template, name="template"),
    path("campaigns/templates/<uuid:ref>/words/<slug:language>/", pages.template_words, name="template-words"),
    path("campaigns/templates/<uuid:ref>/language/", pages.template_language, name="template-language"),
    path("campaigns/templates/<uuid:ref>/end/", pages.template_end, name="template-end"),
    path("campaigns/<uuid:ref>/results/", pages.outcome, name="campaign-results"),
    path("campaigns/<uuid:ref>/lists/", pages.close, name="campaign-lists"),
    path("campaigns/<uuid:ref>/try/<int:number>/<slug:language>/", pages.try_it, name="campaign-try"),
    path("campaigns/<uuid:ref>/keep/", pages.keep, name="campaign-keep"),
    path("campaigns/<uuid:ref>/wordings/", pages.add_wording, name="campaign-wordings"),
    path("campaigns/<uuid:ref>/wordings/<int:number>/drop/", pages.drop_wording, name="campaign-wording-drop"),
    path("campaigns/<uuid:ref>/wordings/<int:number>/<slug:language>/", pages.wording, name="campaign-wording"),
    path("campaigns/<uuid:ref>/", views.one, name="campaign"),
    path("campaigns/<uuid:ref>/words/<slug:language>/", views.words, name="campaign-words"),
    path("campaigns/<uuid:ref>/language/", views.add_language, name="campaign-language"),
    path("campaigns/<uuid:ref>/audience/", views.audience, name="campaign-audience"),
    path("campaigns/<uuid:ref>/way/", views.way, name="campaign-way"),
    path("campaigns/<uuid:ref>/ticks/", views.ticks, name="campaign-ticks"),
    path("campaigns/<uuid:ref>/approval/", views.ask_second, name="campaign-approval"),
    path("campaigns/<uuid:ref>/send/", views.send, name="campaign-send"),
    path("campaigns/<uuid:ref>/take-back/", views.take_back, name="campaign-take-back"),
    path("campaigns/<uuid:ref>/turn/<slug:to>/", views.turn, name="campaign-turn"),
    path("campaigns/<uuid:ref>/example/<slug:language>/", views.shown_as, name="campaign-example"),
]
