"""The addresses of forms: those of staff; and those that stand on other people's sites, which are never changed."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.outreach.forms import public, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("forms/", views.forms_list, name="forms"),
    path("forms/new/", views.start, name="form-new"),
    path("forms/guardians/<uuid:ref>/", views.check, name="form-check"),
    path("forms/<uuid:ref>/", views.one, name="form"),
    path("forms/<uuid:ref>/draft/", views.draft, name="form-draft"),
    path("forms/<uuid:ref>/draft/begin/", views.begin, name="form-begin"),
    path("forms/<uuid:ref>/draft/discard/", views.discard, name="form-discard"),
    path("forms/<uuid:ref>/draft/words/<slug:language>/", views.words, name="form-words"),
    path("forms/<uuid:ref>/publish/", views.publish, name="form-publish"),
    path("forms/<uuid:ref>/withdraw/", views.withdraw, name="form-withdraw"),
    path("forms/<uuid:ref>/open/", views.open_again, name="form-open"),
    path("forms/<uuid:ref>/<int:number>/<slug:language>/", views.preview, name="form-preview"),
    path("form/<uuid:ref>/", public.fill_in, name="form-public"),
    path("form/confirm/<str:link>/", public.second_step, name="form-confirm"),
]
