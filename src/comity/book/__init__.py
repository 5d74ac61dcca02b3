"""Persons, organisations, and what there is between them and us. What names somebody is sealed; all else is plain."""
