"""Floor 3: what columns say, as numbers."""
