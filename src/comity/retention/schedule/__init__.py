"""The schedule: how long each table stays and why, obeyed by a job, shown to everybody."""
