"""Which page stands at which address."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from comity.web import pages

shell = [
    path("settings/language/", pages.choose_language, name="language"),
    path("settings/theme/", pages.choose_theme, name="theme"),
    path("palette/", pages.palette, name="palette"),
    path("styleguide/", pages.styleguide, name="styleguide"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.first, name="first"),
    path("", include((shell, "web"))),
    path("", include("comity.book.urls")),
    path("", include("comity.desk.urls")),
    path("", include("comity.counsel.urls")),
    path("", include("comity.staff.urls")),
    path("sign-in/", include("comity.web.signing_in")),
]

handler400 = "comity.web.errors.bad_request"
handler403 = "comity.web.errors.forbidden"
handler404 = "comity.web.errors.not_found"
handler500 = "comity.web.errors.failed"
