"""The pages of people themselves: what we hold, who looked, what they want changed or stopped."""
