"""Lists people keep: saved views, letters of the alphabet, what is done with many at once."""
