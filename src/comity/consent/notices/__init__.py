"""Notices: the wordings people are shown, their versions, and what the law wants in them."""
