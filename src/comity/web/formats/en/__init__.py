"""English as it is written outside America: the day first, and no doubt about it."""
