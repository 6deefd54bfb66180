"""Matrix factorisation of ratings by sampling."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from zhiyin.data.dataset import Dataset
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.models.factor_chain import FIRST, ITEM_BIAS, PEOPLE_BIAS, TRUST_SHAPE, FactorChain
from zhiyin.models.item_to_item import places_of
from zhiyin.models.settings import require
from zhiyin.types import Floats, Indexes, Scores, Vectors

_TURNS = 4  # more change nothing that matters
_ROOM = 1 << 22  # numbers of the history's vectors gathered at once: 32 MiB


@dataclass(kw_only=True)
class BayesianMF:
    """Bayesian SVD++ flipped (Rendle, Zhang and Koren 2019): what all likely factorisations predict on average.

    rating = μ + b_u + b_i + p_u·q_i, where also which items a person chose, rated or not, tells of p_u (SVD++, Koren
    2008), and who chose an item tells of q_i. Nothing is fitted and no penalty has to be chosen: Gibbs sampling (Rendle
    2012) draws factorisations, their penalties and how far each person's ratings can be trusted from what the ratings
    leave possible, and the answers of the `samples` that are kept are averaged. In each a history is folded in as the
    mean of b_u and p_u given the ratings in it, so everybody is a stranger here. Without any rating in training all is
    NaN.

    A sample holds 2 (dimensions + 1) numbers of each item: for a million items this is not the model.
    """

    dimensions: int = 8
    epochs: int = 200  # the first fifth only leads the chain from where it started to where it belongs
    samples: int = 80  # spread evenly over the other epochs
    seed: int = 0
    mean_: float = field(init=False, repr=False, compare=False)
    scale_: float = field(init=False, repr=False, compare=False)  # ratings are learned as (rating - mean_) / scale_
    bounds_: Scores = field(init=False, repr=False, compare=False)  # float32[2], the least and the best rating
    places_: Indexes = field(init=False, repr=False, compare=False)  # int32[n], -1 for an item that nobody chose
    items_: Vectors = field(init=False, repr=False, compare=False)  # float32[c + 1, s, d + 1]: b_i, q_i; last: any item
    hints_: Vectors = field(init=False, repr=False, compare=False)  # float32[c, s, d + 1]: what choosing it adds
    priors_: Vectors = field(init=False, repr=False, compare=False)  # float32[s, d + 1]: b_u, p_u before any rating
    ridges_: Vectors = field(init=False, repr=False, compare=False)  # float32[s, d + 1]: the precision of these
    noises_: Scores = field(init=False, repr=False, compare=False)  # float32[s]: the precision of a rating of trust 1

    def __post_init__(self) -> None:
        require(self, "dimensions", self.dimensions >= 1, ">= 1", "try 4 to 16")
        require(self, "epochs", self.epochs >= 5, ">= 5", "try 100 to 500")
        require(self, "samples", self.samples >= 1, ">= 1", "try 40 to 200")

    def fit(self, data: Dataset) -> Self:
        """Sample, keeping some of the samples."""
        log = data.interactions
        self.places_, ratings = places_of(log.item_counts > 0), log.values[np.isfinite(log.values)].astype(np.float64)
        self.mean_ = float(ratings.mean()) if len(ratings) else float("nan")
        self.scale_ = float(ratings.std()) or 1.0 if len(ratings) else 1.0
        self.bounds_ = np.array([ratings.min(), ratings.max()] if len(ratings) else [np.nan] * 2, np.float32)
        first = self.epochs // 5
        kept = np.linspace(first, self.epochs - 1, min(self.samples, self.epochs - first)).astype(np.int64)
        count, c, d = len(kept) if len(ratings) else 0, int((self.places_ >= 0).sum()), self.dimensions + 1
        self.items_, self.hints_ = np.empty((c + 1, count, d), np.float32), np.empty((c, count, d), np.float32)
        self.priors_, self.ridges_ = np.empty((count, d), np.float32), np.empty((count, d), np.float32)
        self.noises_ = np.empty(count, np.float32)
        if len(ratings):
            chain = self._chain(log)
            for epoch in range(self.epochs):
                chain.step()
                if epoch in kept:
                    self._keep(chain, int(np.searchsorted(kept, epoch)))
        return self

    def score(self, queries: Queries, items: Indexes | None = None) -> Scores:
        """float32[b, m], the ratings; NaN for an item that nobody chose, because nothing tells it from another."""
        places = self.places_ if items is None else np.where(items >= 0, self.places_[items], np.int32(-1))
        return np.where(places >= 0, self._ratings(queries, places), np.float32(np.nan))

    def rate(self, queries: Queries, items: Indexes) -> Scores:
        """float32[b, m], within the scale of the data; an item that nobody chose is taken for an average one."""
        ratings = np.clip(self._ratings(queries, self.places_[items]), *self.bounds_)
        return np.where(items >= 0, ratings, np.float32(np.nan))

    def _chain(self, log: Interactions) -> FactorChain:
        """Of those people and items alone that anything is known of, because each takes part in the draws."""
        active = np.bincount(log.users, minlength=log.n_users) > 0
        sets = log.matrix[active][:, self.places_ >= 0]
        rated = np.flatnonzero(np.isfinite(log.values))
        rated = rated[np.lexsort((log.items[rated], log.users[rated]))]  # people side by side: faster
        users, items = places_of(active)[log.users[rated]], self.places_[log.items[rated]]
        ratings = (log.values[rated].astype(np.float64) - self.mean_) / self.scale_
        return FactorChain.of(sets, users, items, ratings, self.dimensions, self.seed)

    def _keep(self, chain: FactorChain, at: int) -> None:
        """Write the sample at which the chain stands."""
        people, items = chain.people, chain.items
        of_items, of_people = [ITEM_BIAS, *range(FIRST, self.dimensions + FIRST)], [PEOPLE_BIAS]
        of_people += of_items[1:]
        self.items_[:-1, at] = items.factors[of_items].T
        self.items_[-1, at] = items.means[of_items]
        self.items_[:, at, 0] += chain.intercept
        self.hints_[:, at] = people.weights[of_people, people.own :].T
        self.priors_[at] = people.means[of_people]
        self.ridges_[at], self.noises_[at] = people.precisions[0, of_people], chain.noise

    def _ratings(self, queries: Queries, places: Indexes) -> Scores:
        """float32[b, m]: the rating at each place ([m] or [b, m]); at -1 that of an average item.

        The mean over the samples is one inner product of length s (d + 1).
        """
        vectors = self._fold_in(queries)  # [b, s, d + 1]
        biases = vectors[:, :, 0].sum(axis=1)
        vectors[:, :, 0] = 1  # for b_i
        table, flat = (of.reshape(len(of), self.priors_.size) for of in (self.items_, vectors))
        if places.ndim == 1:
            sums = flat @ table[places].T
        else:
            sums = np.empty(places.shape, np.float32)
            for row, vector in enumerate(flat):
                sums[row] = table[places[row]] @ vector
        samples = np.float32(max(len(self.priors_), 1))
        return np.float32(self.mean_) + np.float32(self.scale_) * (sums + biases[:, None]) / samples

    def _fold_in(self, queries: Queries) -> Vectors:
        """float32[b, s, d + 1]: b_u and p_u in each sample."""
        past, vectors = queries.histories, np.empty((len(queries), *self.priors_.shape), np.float32)
        known = (past.items >= 0) & (past.items < len(self.places_))
        known[known] = self.places_[past.items[known]] >= 0
        places = np.where(known, self.places_[np.where(known, past.items, 0)], np.int32(-1))
        ratings = (past.values.astype(np.float64) - self.mean_) / self.scale_
        for row, (first, last) in enumerate(zip(past.offsets, past.offsets[1:], strict=False)):
            mine = np.arange(first, last)[known[first:last]]
            chosen = np.unique(places[mine])
            prior = self.priors_ + self.hints_[chosen].sum(axis=0) / np.float32(np.sqrt(max(len(chosen), 1)))
            rated = mine[np.isfinite(ratings[mine])]
            vectors[row] = self._given(places[rated], ratings[rated], prior) if len(rated) else prior
        return vectors

    def _given(self, places: Indexes, ratings: Floats, prior: Vectors) -> Floats:
        """float64[s, d + 1]: the mean of b_u and p_u given ratings [t], in each sample."""
        samples, d = prior.shape
        step, parts = max(_ROOM // (len(places) * d), 1), []
        for first in range(0, samples, step):
            some = slice(first, first + step)
            x = self.items_[places, some].transpose(1, 0, 2).astype(np.float64)  # [s, t, d + 1]
            y = ratings - x[:, :, 0]  # [s, t]
            x[:, :, 0] = 1  # for b_u
            y -= (x @ prior[some, :, None])[:, :, 0]
            gains = _regression(x, y, self.ridges_[some].astype(np.float64), self.noises_[some].astype(np.float64))
            parts.append(prior[some] + gains)
        return np.concatenate(parts)


def _regression(x: Floats, y: Floats, ridges: Floats, noises: Floats) -> Floats:
    """float64[s, d]: the mean of w in y = w·x + noise, where it is not known how far to trust this person's ratings.

    Trust and w are each set to what is expected given the other, in turns (variational Bayes; Bishop 2006, chapter 10).
    """
    across = x.transpose(0, 2, 1)  # [s, d, t]
    gram, product = across @ x, (across @ y[:, :, None])[:, :, 0]  # [s, d, d], [s, d]
    penalty = ridges[:, :, None] * np.eye(x.shape[2])
    precisions = noises
    for _ in range(_TURNS):
        spread = np.linalg.inv(precisions[:, None, None] * gram + penalty)
        w: Floats = precisions[:, None] * (spread @ product[:, :, None])[:, :, 0]
        errors = y - (x @ w[:, :, None])[:, :, 0]
        squares = (errors**2).sum(axis=1) + (gram * spread).sum(axis=(1, 2))
        precisions = noises * (TRUST_SHAPE + y.shape[1]) / (TRUST_SHAPE + noises * squares)
    return w
