"""A place where lists are shown, and what the shop wants of them there: the `[scenarios.NAME]` of zhiyin.toml."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

from zhiyin import fields
from zhiyin.errors import ConfigError, ExpressionError
from zhiyin.ranking.boosts import LEAST_FACTOR, MOST_FACTOR
from zhiyin.ranking.promotions import Promotion
from zhiyin.ranking.recommend import MAXIMUM_K, Pipeline
from zhiyin.ranking.terms import PLAIN, Terms

Kind: TypeAlias = Literal["personal", "similar", "cart", "popular", "trending", "latest"]
MOST_BOOSTS, MOST_PROMOTIONS, MOST_CAPS, MOST_VARIANTS = 32, 8, 8, 16
"""Bounds on the time of a request."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "home": {"explore": 0.1},
    "similar": {"kind": "similar"},
    "cart": {"kind": "cart"},
    "email": {},
}
"""Scenarios that exist without being written; what the shop writes of one overrides it key by key."""


@dataclass(frozen=True)
class Scenario:
    """What one place of the shop wants on top of the release, which stays the same for all of them."""

    kind: Kind = "personal"
    """What makes the list: the person, an item, a cart, or what everybody buys, buys lately, or what is new."""
    retrievers: tuple[str, ...] = ()
    """Names from the release's models; empty means all. For kind = "personal", "similar" and "cart"."""
    k: int | None = None
    """Not set: as the release says."""
    where: str | None = None
    seen: Literal["drop", "keep"] | None = None
    """Not set: as the rules of the release."""
    seen_types: tuple[str, ...] | None = None
    seen_days: float | None = None
    boosts: dict[str, float] = field(default_factory=dict)
    """Condition to factor; see `boosts.boosted`."""
    promotions: tuple[Promotion, ...] = ()
    caps: dict[str, int] = field(default_factory=dict)
    """Item column to the most items with the same value."""
    explore: float = 0.0
    personal: bool = True
    variants: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name to a share of the people and whatever differs for them."""

    def check(self, place: str) -> None:
        """Refuse what cannot be, whatever the release.

        Raises
        ------
        ConfigError
            With the key; `place` is where the scenario is written.
        """
        check_terms(place, self.boosts, self.promotions, self.caps, self.seen_days)
        if self.k is not None and not 1 <= self.k <= MAXIMUM_K:
            raise ConfigError(f"{place}.k must be from 1 to {MAXIMUM_K:,}, got {self.k}")
        if self.retrievers and self.kind in ("popular", "trending", "latest"):
            raise ConfigError(
                f"{place}.retrievers are not for kind = {self.kind!r}, which has one model: leave them out"
            )
        if not 0 <= self.explore <= 0.5:
            raise ConfigError(
                f"{place}.explore must be from 0 to 0.5, got {self.explore}: 0.1 is a tenth of the places"
            )
        if len(self.variants) > MOST_VARIANTS:
            raise ConfigError(f"{place}.variants has {len(self.variants)} entries: at most {MOST_VARIANTS} are allowed")
        if self.variants and not self.personal:
            raise ConfigError(f"{place}.variants need the person's id: write personal = false into a variant instead")
        total = 0.0
        for name, table in self.variants.items():
            where = f"{place}.variants.{name}"
            share = table.get("share")
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
                raise ConfigError(f"{where}.share must be above 0 and at most 1, got {share!r}: 0.1 is a tenth")
            if "variants" in table:
                raise ConfigError(f"{where}.variants is not allowed: a variant has no variants of its own")
            total += share
            self._varied(table, where).check(where)
        if total > 1 + 1e-9:
            raise ConfigError(f"{place}.variants have shares of {total:g} together: at most 1 is allowed")

    def fit(self, place: str, pipeline: Pipeline) -> None:
        """Refuse a release that this scenario cannot be answered with.

        Raises
        ------
        ConfigError
            For a retriever or a column that the release does not have.
        """
        for scenario, where in [
            (self, place),
            *((one, f"{place}.variants.{name}") for name, one in self.varied.items()),
        ]:
            terms = scenario.terms()
            try:
                pipeline.under(terms)
            except ConfigError as error:
                raise ConfigError(f"{where}.{error}") from None
            check_columns(pipeline, terms, f"{where}.")

    @cached_property
    def varied(self) -> Mapping[str, "Scenario"]:
        """Each variant by name."""
        return {name: self._varied(table, f"variants.{name}") for name, table in self.variants.items()}

    def variant_of(self, person: str | None, salt: str) -> str | None:
        """Which variant a person belongs to, always the same one; None is the scenario itself.

        Parameters
        ----------
        salt
            The name of the scenario, so that those who see a variant in one place are not the same in another.
        """
        if person is None or not self.variants or not self.personal:
            return None
        digest = hashlib.blake2b(f"{salt}\0{person}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        lot = int.from_bytes(digest, "big") / 2**64
        for name, table in self.variants.items():
            lot -= float(table["share"])
            if lot < 0:
                return name
        return None

    def terms(self, asked: Terms = PLAIN, *, promotions: bool = False) -> Terms:
        """What holds for one request that asks for more.

        A request narrows: all conditions must hold, boosts multiply, the lower cap counts, and without personalisation
        stays without. It overrides the policy on seen items, and promotions if it says any or `promotions` says that
        it wants none.
        """
        lower = dict(self.caps)
        for column, most in asked.caps:
            lower[column] = min(most, lower.get(column, most))
        return replace(
            asked,
            where=(*((self.where,) if self.where else ()), *asked.where),
            boosts=(*self.boosts.items(), *asked.boosts),
            promotions=asked.promotions if asked.promotions or promotions else self.promotions,
            caps=tuple(lower.items()),
            seen=asked.seen or self.seen,
            seen_types=self.seen_types if asked.seen_types is None else asked.seen_types,
            seen_days=self.seen_days if asked.seen_days is None else asked.seen_days,
            retrievers=asked.retrievers or self.retrievers,
            personal=self.personal and asked.personal,
            explore=asked.explore or self.explore,
        )

    def _varied(self, table: Mapping[str, Any], place: str) -> "Scenario":
        own = fields.to_table(replace(self, variants={}))
        return fields.from_table(Scenario, own | {key: value for key, value in table.items() if key != "share"}, place)


def completed(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of `[scenarios]` with the scenarios that exist without being written."""
    found: dict[str, Any] = {name: dict(table) for name, table in DEFAULTS.items()}
    for name, table in tables.items():
        found[name] = {**found.get(name, {}), **table} if isinstance(table, Mapping) else table
    return found


def default_scenarios() -> dict[str, Scenario]:
    """Those that exist without being written."""
    return {name: fields.from_table(Scenario, table, f"scenarios.{name}") for name, table in DEFAULTS.items()}


def check_terms(
    place: str, boosts: Mapping[str, float], promotions: Sequence[Promotion], caps: Mapping[str, int],
    seen_days: float | None,
) -> None:  # fmt: skip
    """Refuse terms that cannot be, whatever the release.

    Raises
    ------
    ConfigError
        With the key.
    """
    for name, given, most in (("boosts", boosts, MOST_BOOSTS), ("promotions", promotions, MOST_PROMOTIONS),
                              ("caps", caps, MOST_CAPS)):  # fmt: skip
        if len(given) > most:
            raise ConfigError(f"{place}.{name} has {len(given)} entries: at most {most} are allowed")
    for condition, factor in boosts.items():
        if not LEAST_FACTOR <= factor <= MOST_FACTOR:
            allowed = f"from {LEAST_FACTOR} to {MOST_FACTOR:g}"
            raise ConfigError(f"{place}.boosts: the factor of {condition[:80]!r} must be {allowed}, got {factor}")
    for i, promotion in enumerate(promotions):
        promotion.check(f"{place}.promotions[{i}]")
    for column, limit in caps.items():
        if limit < 1:
            raise ConfigError(f"{place}.caps.{column[:100]} must be at least 1, got {limit}")
    if seen_days is not None and not seen_days > 0:
        raise ConfigError(f"{place}.seen_days must be above 0, got {seen_days}")


def check_columns(pipeline: Pipeline, terms: Terms, place: str) -> None:
    """Refuse conditions and caps that do not fit the items; what is read here is remembered.

    Raises
    ------
    ConfigError
        With the key behind `place`.
    """
    written = [("where", one) for one in terms.where]
    written += [("boosts", condition) for condition, _ in terms.boosts]
    written += [(f"promotions[{i}].where", one.where) for i, one in enumerate(terms.promotions)]
    for key, condition in written:
        try:
            pipeline.masks.matching(condition)
        except ExpressionError as error:
            raise ConfigError(f"{place}{key}{str(error).removeprefix('where')}") from None
    for column, _ in terms.caps:
        try:
            pipeline.masks.values(column)
        except ConfigError as error:
            raise ConfigError(f"{place}{error}") from None
