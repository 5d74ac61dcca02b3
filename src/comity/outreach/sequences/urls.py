"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.outreach.sequences import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("sequences/", views.sequences, name="sequences"),
    path("sequences/new/", views.new, name="sequence-new"),
    path("sequences/<uuid:ref>/", views.one, name="sequence"),
    path("sequences/<uuid:ref>/when/", views.when, name="sequence-when"),
    path("sequences/<uuid:ref>/unless/", views.unless, name="sequence-unless"),
    path("sequences/<uuid:ref>/gateway/", views.gateway, name="sequence-gateway"),
    path("sequences/<uuid:ref>/people/", views.people, name="sequence-people"),
    path("sequences/<uuid:ref>/ticks/", views.ticks, name="sequence-ticks"),
    path("sequences/<uuid:ref>/approval/", views.ask_second, name="sequence-approval"),
    path("sequences/<uuid:ref>/begin/", views.begin, name="sequence-begin"),
    path("sequences/<uuid:ref>/next/", views.make_next, name="sequence-next"),
    path("sequences/<uuid:ref>/turn/<slug:to>/", views.turn, name="sequence-turn"),
    path("sequences/<uuid:ref>/steps/new/", views.new_step, name="step-new"),
    path("sequences/<uuid:ref>/steps/<uuid:step>/", views.step, name="step"),
    path("sequences/<uuid:ref>/steps/<uuid:step>/words/<slug:language>/", views.words, name="step-words"),
    path("sequences/<uuid:ref>/steps/<uuid:step>/language/", views.add_language, name="step-language"),
    path("sequences/<uuid:ref>/steps/<uuid:step>/move/<slug:to>/", views.move, name="step-move"),
    path("people/<uuid:person>/sequences/<uuid:ref>/leave/", views.leave, name="sequence-leave"),
    path("people/<uuid:person>/errands/<uuid:ref>/done/", views.errand_done, name="errand-done"),
]
