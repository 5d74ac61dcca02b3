"""Connectors: the same person in other systems, found and erased there too."""
