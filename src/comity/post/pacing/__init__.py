"""When a message may go: at which hour, how often to one person, how many by one gateway and to one domain."""
