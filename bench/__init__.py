"""Comity's speed, in ratios against named peers and floors measured in the same run."""
