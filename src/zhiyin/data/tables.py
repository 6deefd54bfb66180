"""The four tables as they come from outside, with canonical column names: ids are text, not indexes.

events   user_id, item_id, event_type: Categorical (text with codes) · timestamp: Int64 µs UTC · row: UInt32
         value, price, quantity: Float32
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
