"""One person who is in the book twice: found, explained, made one, and taken back."""
