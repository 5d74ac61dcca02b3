"""What comes back: bounces, complaints, replies and STOP words, read from mail and from what gateways tell."""
