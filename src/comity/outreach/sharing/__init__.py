"""Giving lists to others: to whom, under which contract, who is in the file, and telling them of each later no."""
