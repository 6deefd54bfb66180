"""Gorse's REST routes over our own store and release, so that its client libraries work unchanged."""
