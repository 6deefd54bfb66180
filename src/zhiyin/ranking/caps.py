"""At most so many items with the same value of a column: no list of one brand."""

from collections.abc import Sequence


class Room:
    """How many more items of each value fit into one list; a value that is not known (-1) is not capped."""

    def __init__(self, limits: Sequence[int]) -> None:
        self.limits = limits
        self._used: list[dict[int, int]] = [{} for _ in limits]

    def fits(self, values: Sequence[int]) -> bool:
        """Whether one more item with these values, one for each cap, breaks none."""
        return all(
            value < 0 or used.get(value, 0) < limit
            for value, used, limit in zip(values, self._used, self.limits, strict=True)
        )

    def take(self, values: Sequence[int]) -> None:
        """An item with these values is in the list."""
        for value, used in zip(values, self._used, strict=True):
            used[value] = used.get(value, 0) + 1

    def full(self, cap: int) -> list[int]:
        """The values of which no further item fits."""
        return [value for value, used in self._used[cap].items() if value >= 0 and used >= self.limits[cap]]
