"""The journal: every no, outside the database, so that a database that was put back does not forget it."""
