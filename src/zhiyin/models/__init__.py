"""Floor 4: how much a history wants an item, one file per paper."""
