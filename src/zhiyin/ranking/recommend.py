"""The one request path: evaluation, batch export, the command line and the service all come through here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zhiyin.compute.pooling import best_of_pool, merged
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.fields import unknown
from zhiyin.models.popularity import Popularity
from zhiyin.models.reading import Reading, read
from zhiyin.models.recommender import Recommender, Retrieves
from zhiyin.ranking.arrange import arranged
from zhiyin.ranking.candidates import FALLBACK, Candidates, best
from zhiyin.ranking.fresh import fresh_items, fresh_of
from zhiyin.ranking.fuse import Combines, Opinions, ReciprocalRank
from zhiyin.ranking.masks import Masks
from zhiyin.ranking.recalled import Recalled
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.terms import PLAIN, Terms
from zhiyin.types import Indexes, Mask, Scores

BLOCK_BYTES = 256 * 2**20
"""What the scores of one block of queries may take."""

RETRIEVED_AT_ONCE = 1 << 16
"""Queries that go to a model that retrieves together, because it brings its items into order for each batch."""

MAXIMUM_K = 10_000

MOST_VARIANTS = 64
"""Choices of retrievers and seen items that are kept; each is a few references."""

Permits: TypeAlias = Callable[[Queries], Mask]
"""bool[b, n]: what each of some queries may be shown."""


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Fitted retrievers, how their opinions become one, the rules, and what fills a short list."""

    retrievers: Mapping[str, Recommender]
    catalog: Catalog
    fallback: Recommender
    rules: Rules = field(default_factory=Rules)
    combine: Combines = field(default_factory=ReciprocalRank)
    pool: int = 200
    """Candidates that each retriever proposes."""

    @classmethod
    def of(cls, model: Recommender, data: Dataset, rules: Rules | None = None, name: str = "") -> "Pipeline":
        """One fitted model alone."""
        retrievers = {name or type(model).__name__.lower(): model}
        return cls(retrievers, data.catalog, Popularity().fit(data), rules or Rules())

    def __repr__(self) -> str:
        return f"Pipeline({', '.join(map(repr, self.retrievers.values()))}, {self.combine!r}, {self.rules!r})"

    @property
    def origin_names(self) -> tuple[str, ...]:
        """Who may have found an item; the fallback is last."""
        return (*self.retrievers, FALLBACK)

    def recommend(self, queries: Queries, k: int, terms: Terms = PLAIN) -> Candidates:
        """The k best items for each query, best first, as the terms want them.

        Parameters
        ----------
        k
            From 1 to 10,000; a list is shorter only if fewer items are allowed.

        Raises
        ------
        ConfigError
            If k is out of range, a retriever is not of this pipeline, or a column that is capped not of its items.
        ExpressionError
            If a condition cannot be read.
        """
        if not 1 <= k <= MAXIMUM_K:
            raise ConfigError(f"k must be from 1 to {MAXIMUM_K:,}, got {k}")
        asked = queries if terms.personal else queries.anonymous()
        items = self.allowed_items(*terms.where)
        pipeline = self.under(terms)

        def find(some: Queries, most: int, of: Mask) -> Candidates:
            def search(asking: Queries) -> Candidates:
                return pipeline.found(asking, most, of, terms.exclude)

            return self.recalled.found(pipeline, some, most, terms, search) if of is items else search(some)

        if not terms.arranges:
            return find(asked, k, items)
        draw = partial(fresh_items, pipeline, k, terms)
        return arranged(find, draw, asked, k, terms, items, masks=self.masks, pool=self.pool)

    def found(self, queries: Queries, k: int, items: Mask, exclude: Indexes | None = None) -> Candidates:
        """The k best of the items bool[n] that the rules allow for each query."""
        permits = partial(self.rules.of_queries, items=items, catalog=self.catalog, exclude=exclude)
        model = self._retrieving
        size = RETRIEVED_AT_ONCE if model else self.block_size(len(self.catalog))
        parts = (queries[start : start + size] for start in range(0, max(len(queries), 1), size))
        blocks = [
            self._retrieved(model, part, k, permits) if model else self._scored(part, k, permits) for part in parts
        ]
        return self._filled(Candidates.joined(blocks), queries, k, permits)

    def under(self, terms: Terms) -> "Pipeline":
        """The same with the retrievers and the policy on seen items that the terms name."""
        rules = terms.rules(self.rules)
        if rules is self.rules and not terms.retrievers:
            return self
        return self._variants(rules, terms.retrievers)

    def proposing(self, retrievers: Mapping[str, Recommender], combine: Combines | None = None) -> "Pipeline":
        """The same catalogue and rules with other retrievers."""
        other = replace(self, retrievers=retrievers, combine=combine or ReciprocalRank())
        vars(other)["masks"] = self.masks  # one bounded memory of conditions for all of them
        return other

    @cached_property
    def masks(self) -> Masks:
        """What conditions and columns say of the items, remembered."""
        return Masks(self.rules, self.catalog)

    @cached_property
    def recalled(self) -> Recalled:
        """Lists that were found before, of this pipeline and its variants."""
        return Recalled()

    @property
    def allowed_items(self) -> Callable[..., Mask]:
        """From conditions to bool[n]: the items of which the rules and all of these hold."""
        return self.masks.allowed

    @cached_property
    def fresh(self) -> Indexes:
        """int32[_]: items without an event that counts, the newest first, at most as many as exploring looks at."""
        return fresh_of(self.fallback, self.catalog)

    @cached_property
    def _variants(self) -> Callable[[Rules, tuple[str, ...]], "Pipeline"]:
        return lru_cache(MOST_VARIANTS)(self._variant)

    def _variant(self, rules: Rules, names: tuple[str, ...]) -> "Pipeline":
        known = list(self.retrievers)
        for name in names:
            if name not in known:
                raise ConfigError(unknown(f"retrievers: {name[:100]!r}", name, known))
        chosen = {name: self.retrievers[name] for name in names or known}
        combine = self.combine.among([known.index(name) for name in chosen]) if names else self.combine
        other = replace(self.proposing(chosen, combine), rules=rules)
        vars(other)["masks"] = self.masks  # rules on seen items are no rules on items
        vars(other)["fresh"] = self.fresh
        return other

    def block_size(self, n: int) -> int:
        """How many queries are answered at once."""
        return max(1, BLOCK_BYTES // (4 * max(n, 1) * (len(self.retrievers) + 2)))

    def score_all(self, queries: Queries) -> Scores | None:
        """float32[b, n]: the score of every item, where one model alone decides; else None."""
        if len(self.retrievers) != 1:
            return None
        (model,) = self.retrievers.values()
        return model.score(queries)

    def opinions(self, queries: Queries, k: int, allowed: Mask) -> tuple[Indexes, Opinions]:
        """int32[b, m] candidates, those of the first retriever first, and what each retriever thinks of them."""
        return pooled([read(model, queries) for model in self.retrievers.values()], max(self.pool, k), allowed)

    @property
    def _retrieving(self) -> Retrieves | None:
        """The model that decides alone and need not score everything."""
        model = next(iter(self.retrievers.values()))
        return model if len(self.retrievers) == 1 and isinstance(model, Retrieves) else None

    def _retrieved(self, model: Retrieves, queries: Queries, k: int, permits: Permits) -> Candidates:
        return self._of_one(*model.retrieve(queries, k, permits))

    def _scored(self, queries: Queries, k: int, permits: Permits) -> Candidates:
        allowed = permits(queries)  # [b, n]
        if len(self.retrievers) == 1:
            (model,) = self.retrievers.values()
            return self._of_one(*read(model, queries).best(k, allowed))
        return combined(*self.opinions(queries, k, allowed), self.combine, k, self.origin_names)

    def _of_one(self, chosen: Indexes, scores: Scores) -> Candidates:
        return Candidates(chosen, scores, np.where(chosen < 0, -1, 0).astype(np.int8), self.origin_names)

    def _filled(self, found: Candidates, queries: Queries, k: int, permits: Permits) -> Candidates:
        """Short lists completed by the fallback, with scores that continue below."""
        short = np.flatnonzero((found.items < 0).any(axis=1) | (found.items.shape[1] < k))
        if len(short) == 0:
            return found
        items, scores, origins = (_widened(one, k) for one in (found.items, found.scores, found.origins))
        filled, size = Candidates(items, scores, origins, found.origin_names), self.block_size(len(self.catalog))
        for start in range(0, len(short), size):
            rows = short[start : start + size]
            self._fill(filled, rows, queries[rows], permits(queries[rows]))
        return filled

    def _fill(self, lists: Candidates, rows: NDArray[np.int64], queries: Queries, room: Mask) -> None:
        """Complete some rows of new lists; `room` [rows, n] is what may stand there, and is used up."""
        items, scores, origins = lists.items, lists.scores, lists.origins
        places, columns = np.nonzero(items[rows] >= 0)
        room[places, items[rows][places, columns]] = False
        common = self.fallback.score(queries)
        filler, _ = best(np.where(np.isnan(common), np.float32(-1.0), common), items.shape[1], room)
        for row, common_items in zip(rows, filler, strict=True):
            have = int((items[row] >= 0).sum())
            more = common_items[common_items >= 0][: items.shape[1] - have]
            floor = scores[row, have - 1] if have else np.float32(0.0)
            items[row, have : have + len(more)] = more
            scores[row, have : have + len(more)] = np.minimum(floor, 0.0) - 1.0 - np.arange(len(more))
            origins[row, have : have + len(more)] = len(self.retrievers)


def pooled(readings: Sequence[Reading], pool: int, allowed: Mask) -> tuple[Indexes, Opinions]:
    """int32[b, m], the best `pool` items of each of r readings, and what each of them thinks of all of these."""
    items, ranks = merged([one.best(pool, allowed)[0] for one in readings])  # [b, m], [r, b, m]
    return items, Opinions(lambda: np.stack([one.of(items) for one in readings]), ranks)


def combined(items: Indexes, opinions: Opinions, combine: Combines, k: int, names: tuple[str, ...]) -> Candidates:
    """The k best of a pool; an item's origin is the retriever that ranks it highest."""
    fused = combine.combine(opinions)  # [b, m]
    return Candidates(*best_of_pool(items, fused, opinions.ranks, k), names)


def _widened(array: NDArray[Any], k: int) -> NDArray[Any]:
    """[b, k], filled up as a short list ends."""
    empty = -np.inf if array.dtype.kind == "f" else -1
    wide = np.full((len(array), max(k, array.shape[1])), empty, array.dtype)
    wide[:, : array.shape[1]] = array
    return wide
