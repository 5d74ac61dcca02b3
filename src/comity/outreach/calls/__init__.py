"""Calling one person: what the law says at the moment of dialling, what is said, and what came of it."""
