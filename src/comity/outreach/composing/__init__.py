"""A message for one person: content, and what the law of that person wants to accompany it. No database here."""
