"""Requests: what somebody asks, by which law, by when, and every step until it is answered."""
