"""Which page stands at which address."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from comity.web import pages, settings_pages

shell = [
    path("settings/", settings_pages.home, name="settings"),
    path("settings/kept/", settings_pages.kept, name="kept"),
    path("settings/about/", settings_pages.about, name="about"),
    path("settings/language/", pages.choose_language, name="language"),
    path("settings/theme/", pages.choose_theme, name="theme"),
    path("palette/", pages.palette, name="palette"),
    path("styleguide/", pages.styleguide, name="styleguide"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.first, name="first"),
    path("", include((shell, "web"))),
    path("", include("comity.book.urls")),
    path("", include("comity.consent.urls")),
    path("", include("comity.post.urls")),
    path("", include("comity.outreach.urls")),
    path("", include("comity.retention.urls")),
    path("", include("comity.rights.urls")),
    path("", include("comity.desk.urls")),
    path("", include("comity.counsel.urls")),
    path("", include("comity.vault.urls")),
    path("", include("comity.staff.urls")),
    path("", include("comity.api.urls")),
    path("sign-in/", include("comity.web.signing_in")),
]

handler400 = "comity.web.errors.bad_request"
handler403 = "comity.web.errors.forbidden"
handler404 = "comity.web.errors.not_found"
handler500 = "comity.web.errors.failed"
