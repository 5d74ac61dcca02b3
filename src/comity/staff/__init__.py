"""People who log in: legal entities of ours, teams, roles, the purposes they act for."""
