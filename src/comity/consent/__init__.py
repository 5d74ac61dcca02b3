"""What persons agreed to, refused and took back: a history that only grows, and where each of them stands now."""
