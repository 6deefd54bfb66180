"""Cleaning and checking the tables before anything is learnt from them."""
