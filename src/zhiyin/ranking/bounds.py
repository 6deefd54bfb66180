"""Bounds of a question, apart from what answers it, so that a client can know them and stay light."""

MOST_BASKET = 100
"""Items of one question; each costs as much as a question about one."""
