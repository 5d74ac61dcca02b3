"""Custom fields and attachments: what a firm wants to keep beyond what the law asks about."""
