"""The pages for people: what it recommends, why, how well, and what to do about it."""
