"""The private PostgreSQL that Comity starts for itself, and the processes that stop together."""
