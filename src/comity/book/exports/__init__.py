"""Taking people's data out: gated by the law, recorded, marked."""
