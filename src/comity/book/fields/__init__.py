"""What a firm wants to keep beyond what the law asks about: fields of its own making, and files."""
