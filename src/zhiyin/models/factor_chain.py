"""A chain of samples of what the ratings leave possible: Gibbs sampling of a factorisation with features on both sides.

    rating = intercept + Σ_f person_f item_f,  person_f = Σ_j x_uj w_jf,  item_f = Σ_j z_ij v_jf

The first factor is 1 for every item and so the bias of people, the second is 1 for every person. The features of a row
are the row itself and the set of those on the other side that it had to do with, by 1 / sqrt(its size). Some
people rate more haphazardly than others: the precision of a rating is noise · trust_u, with trusts drawn around 1
(Lakshminarayanan, Bouchard and Archambeau 2011).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, eye_array, hstack

from zhiyin.compute.gibbs_kernels import Rows, draw_weights
from zhiyin.types import Floats, Indexes, Offsets

PEOPLE_BIAS, ITEM_BIAS, FIRST = 0, 1, 2
"""The places of the factors."""

TRUST_SHAPE = 20.0
"""A trust is, before any rating, a gamma of this many degrees of freedom: between .5 and 1.7, mostly."""

_START = 0.1  # the standard deviation of the first weights: with zeros no factor would ever differ from another


@dataclass(eq=False)
class Side:
    """People or items: r rows, and r + o features, where o are the rows of the other side."""

    features: tuple[Rows, Rows, Floats]  # [r, r + o], the parts of a csc matrix
    ratings: tuple[Offsets, Rows, Rows]  # where those of a row start; the other side's row and the place of each
    weights: Floats  # float64[d + 2, r + o]
    factors: Floats  # float64[d + 2, r] = weights @ featuresᵀ, with ones at the bias of the other side
    means: Floats  # float64[d + 2], of the rows' own weights before any rating; those of sets have the mean 0
    precisions: Floats  # float64[2, d + 2], of the rows' own weights and of those of sets

    @classmethod
    def of(cls, sets: csr_array, rows: Indexes, others: Indexes, dimensions: int, rng: np.random.Generator) -> Self:
        """Start anywhere.

        Parameters
        ----------
        sets
            [r, o]: 1 where a row had to do with a row of the other side, rated or not.
        rows, others
            Of each rating.
        """
        sizes = np.maximum(np.diff(sets.indptr), 1)
        features = csc_array(hstack([eye_array(len(sizes)), diags_array(sizes**-0.5) @ sets]), dtype=np.float64)
        weights = rng.standard_normal((dimensions + FIRST, features.shape[1])) * _START
        weights[:FIRST] = 0
        places = np.argsort(rows, kind="stable")
        offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(sizes)))])
        return cls(
            (features.indptr.astype(np.int64), features.indices.astype(np.int32), features.data),
            (offsets.astype(np.int64), others[places].astype(np.int32), places.astype(np.int32)),
            weights,
            np.ascontiguousarray(weights @ features.T),
            np.zeros(len(weights)),
            np.ones((2, len(weights))),
        )

    @property
    def own(self) -> int:
        """How many features are the rows themselves; they come first."""
        return self.factors.shape[1]

    def draw_prior(self, factor: int, rng: np.random.Generator) -> None:
        """Draw what weights are like, given the weights; before them the precisions are 1 or so, the means 0."""
        mine, sets = self.weights[factor, : self.own], self.weights[factor, self.own :]
        mean = self.means[factor]
        spread = 1 + ((mine - mean) ** 2).sum() + mean**2
        self.precisions[0, factor] = rng.gamma((2 + len(mine)) / 2) * 2 / spread
        self.precisions[1, factor] = rng.gamma((1 + len(sets)) / 2) * 2 / (1 + (sets**2).sum())
        precision = (len(mine) + 1) * self.precisions[0, factor]
        self.means[factor] = mine.sum() / (len(mine) + 1) + rng.standard_normal() / np.sqrt(precision)

    def draw(self, factor: int, other: Floats, errors: Floats, trusts: Floats, rng: np.random.Generator) -> None:
        """Draw the weights of one factor, given everything else."""
        self.draw_prior(factor, rng)
        counts = [self.own, self.weights.shape[1] - self.own]
        priors = np.repeat([self.means[factor], 0.0], counts), np.repeat(self.precisions[:, factor], counts)
        normals = rng.standard_normal(self.weights.shape[1])
        draw_weights(
            self.features, self.ratings, errors, other, trusts, priors, normals, self.weights[factor],
            self.factors[factor],
        )  # fmt: skip


@dataclass(eq=False)
class FactorChain:
    """Where the chain stands."""

    people: Side
    items: Side
    users: Indexes  # int32[ratings]
    errors: Floats  # float64[ratings]
    trusts: Floats  # float64[people]
    rng: np.random.Generator
    intercept: float = 0.0
    noise: float = 1.0  # the precision of a rating of trust 1

    @classmethod
    def of(cls, sets: csr_array, users: Indexes, items: Indexes, ratings: Floats, dimensions: int, seed: int) -> Self:
        """Start anywhere; `sets` is [users, items], 1 where a person had to do with an item."""
        rng = np.random.default_rng(seed)
        left = Side.of(sets, users, items, dimensions, rng)
        right = Side.of(csr_array(sets.T), items, users, dimensions, rng)
        left.factors[ITEM_BIAS], right.factors[PEOPLE_BIAS] = 1, 1
        predicted = np.einsum("fr,fr->r", left.factors[:, users], right.factors[:, items])
        return cls(left, right, users, ratings - predicted, np.ones(sets.shape[0]), rng)

    def step(self) -> None:
        """Draw everything once, each from its distribution given all else."""
        precisions = self._draw_noise()
        total = precisions.sum()
        shift = (precisions @ self.errors) / total + self.rng.standard_normal() / np.sqrt(total)
        self.intercept += float(shift)
        self.errors -= shift
        for factor in range(len(self.people.factors)):
            if factor != ITEM_BIAS:
                self.people.draw(factor, self.items.factors[factor], self.errors, precisions, self.rng)
            if factor != PEOPLE_BIAS:
                self.items.draw(factor, self.people.factors[factor], self.errors, precisions, self.rng)

    def _draw_noise(self) -> Floats:
        """float64[ratings], the precision of each, after a draw of the noise and of the trusts."""
        counts = np.bincount(self.users, minlength=len(self.trusts))
        squares = np.bincount(self.users, self.errors**2, len(self.trusts))
        self.noise = self.rng.gamma((1 + len(self.errors)) / 2) * 2 / (1 + float(self.trusts @ squares))
        shapes, rates = (TRUST_SHAPE + counts) / 2, (TRUST_SHAPE + self.noise * squares) / 2
        self.trusts = self.rng.standard_gamma(shapes) / rates
        precisions: Floats = self.noise * self.trusts[self.users]
        return precisions
