"""One mail to one person, by whoever of our staff writes it: through the same door as a campaign."""
