"""What several processes that train together decide as one."""

from collections.abc import Sequence

from zhiyin.compute.ranks import rank_count


def agreed(choice: str, among: Sequence[str]) -> str:
    """What the first process has chosen: a score that is rounded otherwise may have decided differently here."""
    if rank_count() == 1:
        return choice
    from zhiyin.models.neural.together import of_first  # noqa: PLC0415 - the extra neural

    (place,) = of_first([float(among.index(choice))])
    return among[int(place)]
