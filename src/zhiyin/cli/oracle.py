"""Who made the sample shop knows the best achievable answer: the ceiling of the demo's table."""

from dataclasses import dataclass

import numpy as np

from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.data.sample_shop import Truth
from zhiyin.ranking.candidates import Candidates, best
from zhiyin.ranking.rules import Rules


@dataclass(frozen=True, eq=False)
class Oracle:
    """Answers by the simulator's own expectation, under the same rules as every model."""

    truth: Truth
    data: Dataset
    rules: Rules

    def recommend(self, queries: Queries, k: int) -> Candidates:
        """The k items that each person is most likely to buy in the week of the query."""
        catalog = self.data.catalog
        people, items = self.data.users.ids(queries.people).to_list(), self.data.items.texts.to_list()
        chosen = self.truth.scores(people, items, queries.times)  # [b, n], expected choices
        bought = chosen * self.truth.buying(people, items, queries.times)
        allowed = self.rules.of_queries(queries, self.rules.of_items(catalog), catalog)
        found, scores = best(bought, k, allowed)
        return Candidates(found, scores, np.where(found < 0, -1, 0).astype(np.int8), ("truth",))
