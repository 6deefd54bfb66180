"""The store: what people did and what the shop said of items and people, in SQLite or PostgreSQL."""
