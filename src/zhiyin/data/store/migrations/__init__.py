"""How a database of any earlier zhiyin becomes one of today."""
