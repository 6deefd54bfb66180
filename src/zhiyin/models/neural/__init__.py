"""What needs PyTorch (the extra `neural`): networks, losses and the loop that trains them.

Nothing outside this folder imports it at its top: a model calls `needs_torch` first, then imports what it trains with.
"""
