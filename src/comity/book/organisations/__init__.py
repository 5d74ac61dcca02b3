"""Organisations: the firms and bodies for which people work, and which of them belongs to which."""
