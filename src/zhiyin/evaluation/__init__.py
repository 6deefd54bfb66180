"""Floor 6: how good the lists are, and how sure that is."""
