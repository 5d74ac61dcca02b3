"""What we write to many people at once: campaigns, what each reader gets, and the lint of what it says."""
