"""The door: gather the facts, ask the law, record the answer, show why. What only a human can settle waits here."""
