"""Floor 7: from zhiyin.toml to numbered releases."""
