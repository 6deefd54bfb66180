"""Which of several processes this is, where `torchrun` has started several for one training."""

import os


def rank() -> int:
    """0 for the first process, which alone speaks and writes."""
    return _number("RANK", 0) if rank_count() > 1 else 0


def rank_count() -> int:
    """How many processes train together."""
    return max(_number("WORLD_SIZE", 1), 1)


def local_rank() -> int:
    """Which of the processes on this machine."""
    return _number("LOCAL_RANK", 0)


def _number(name: str, otherwise: int) -> int:
    written = os.environ.get(name, "")
    return int(written) if written.isdecimal() else otherwise
