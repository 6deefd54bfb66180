"""What is known when asking. Always a batch; a request is a batch of one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.histories import Histories
from zhiyin.types import Indexes, Times


@dataclass(frozen=True, eq=False)
class Queries:
    """b questions: of whom, with which past, at what moment."""

    histories: Histories  # b rows, oldest first
    people: Indexes  # int32[b]; -1 is a stranger
    times: Times  # int64[b], µs UTC: the moment of asking

    @classmethod
    def of(cls, histories: Histories, people: Indexes | None = None, now: int | Times = 0) -> "Queries":
        """Ask for these histories; without `people` all are strangers."""
        rows = len(histories)
        people = np.full(rows, -1, np.int32) if people is None else people
        return cls(histories, people, np.broadcast_to(np.asarray(now, np.int64), rows))

    def __len__(self) -> int:
        return len(self.people)

    def anonymous(self) -> "Queries":
        """The same moments, asked by nobody in particular."""
        return Queries.of(Histories.empty(len(self)), None, self.times)

    def __repr__(self) -> str:
        return f"Queries({len(self):,} of {len(self.histories.items):,} events)"

    def __getitem__(self, rows: slice | Indexes | NDArray[np.int64] | Sequence[int]) -> "Queries":
        return Queries(self.histories[rows], self.people[rows], self.times[rows])
