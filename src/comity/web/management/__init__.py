"""Commands of `python -m comity.web` that belong to no room."""
