"""Erasing a person: what would go and what must stay, the run, and the certificate of it."""
