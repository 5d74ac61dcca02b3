"""From whom people's data came who did not give them themselves, and that they were told so."""
