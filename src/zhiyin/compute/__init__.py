"""Floor 1: threads and compiled loops."""
