"""The HTTP API for programs: the same words, walls and law as the pages, and webhooks that tell of what happened."""
