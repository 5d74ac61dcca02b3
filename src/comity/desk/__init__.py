"""Pages that cross rooms: today, a person's page, search."""
