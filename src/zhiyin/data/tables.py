"""The four tables as they come from outside, with canonical column names: ids are still text here.

events   user_id, item_id: String · timestamp: Int64 µs UTC · event_type: String · value, price, quantity: Float32
items    item_id: String, then whatever the shop knows of them
users    user_id: String, then whatever the shop knows of them
friends  user_id, friend_id: String
"""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Tables:
    """What was read; an absent table is `None`, an absent optional column is not there."""

    events: pl.DataFrame
    items: pl.DataFrame | None = None
    users: pl.DataFrame | None = None
    friends: pl.DataFrame | None = None
