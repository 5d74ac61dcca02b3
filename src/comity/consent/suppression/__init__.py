"""Who must not be written to whatever else is known: addresses that refused, and national registers."""
