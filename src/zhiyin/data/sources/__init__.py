"""Files, databases and frames as canonical tables."""
