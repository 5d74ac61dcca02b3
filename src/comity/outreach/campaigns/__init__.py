"""Campaigns: what is sent, to whom, when; approved, begun, stopped, and what came of it."""
