"""What people ask of us under a law: requests with their clocks, who asks, what they get, and their own pages."""
