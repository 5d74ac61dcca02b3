"""Holds: a legal reason not to erase, with its owner and the day on which it is looked at again."""
