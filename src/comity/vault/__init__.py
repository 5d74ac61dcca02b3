"""Keys, sealing and opening, blind indexes. Nothing else yields a sealed value."""
