"""The preference centre: every purpose and channel on one page, reached by a signed link, no sign-in needed."""
