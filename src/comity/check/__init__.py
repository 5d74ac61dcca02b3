"""Other people's exports: read them, understand them, and ask the law about every row."""
