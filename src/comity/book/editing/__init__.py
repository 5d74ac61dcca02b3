"""Changing one person: what is kept about them, and what happened with them."""
