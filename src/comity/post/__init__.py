"""Hand-over to the world: gateways, messages on their way, and the lock against late sends."""
