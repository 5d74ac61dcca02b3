"""The tags that draw our components."""
