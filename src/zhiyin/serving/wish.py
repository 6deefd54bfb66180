"""What a request wants, read and checked: its scenario, the variant of the person, and the terms of the list."""

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError, RequestError, UnknownIdError
from zhiyin.fields import unknown
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.promotions import Promotion
from zhiyin.ranking.scenario import Scenario, check_columns, check_terms
from zhiyin.ranking.terms import Terms
from zhiyin.ranking.wording import Language
from zhiyin.registry.release import Release, shown
from zhiyin.serving.answers import is_fallback, length
from zhiyin.serving.bodies import text_of
from zhiyin.serving.reasons import reasons_of
from zhiyin.serving.schemas import Id, Reason, Wanted
from zhiyin.types import Indexes

SEED_BYTES = 8
BASKETS = ("similar", "cart")

HOME = "home"
"""The scenario of a request that names none."""

LONGEST = 100
"""Items of a list that is made together with others: longer ones take their time."""


@dataclass(frozen=True, eq=False)
class Wish:
    """What remains of a request when it has been read."""

    request_id: str
    scenario: str
    variant: str | None
    settings: Scenario  # of the variant
    terms: Terms
    own: Terms  # what the request itself said, to say where it is wrong
    k: int
    basket: Indexes  # int32[_]
    thorough: bool = False  # reasons, from models that do not tell them for nothing
    language: Language = "en"

    @property
    def alike(self) -> Hashable | None:
        """What it shares with wishes that can be answered together with it; None: with none.

        The settings are the same object for all requests, until the rules change.
        """
        own = self.own
        if self.settings.kind in BASKETS or own.exclude is not None or self.thorough or self.k > LONGEST:
            return None
        said = own.where, own.boosts, own.promotions, own.caps, own.seen, own.seen_days, own.personal
        return id(self.settings), self.scenario, self.variant, self.k, self.language, said

    def check(self, release: Release) -> None:
        """Refuse what does not fit the items.

        Raises
        ------
        RequestError
            422 for a condition or a column, with the field.
        """
        try:
            check_columns(release.pipeline, self.own, "")
        except ConfigError as error:
            raise _refused(error) from None

    def why(self, release: Release, queries: Queries, found: Candidates) -> list[list[Reason]]:
        """The reason of each item of each list; of lists that start from items there is none but these."""
        if self.settings.kind in BASKETS:
            return [[] for _ in range(len(queries))]
        asked = queries if self.terms.personal else queries.anonymous()
        pipeline = release.lists.proposing(self.settings.kind).under(self.terms)
        return reasons_of(release, pipeline, asked, found, self.language, thorough=self.thorough)

    def found(self, release: Release, queries: Queries) -> Candidates:
        """The lists.

        Raises
        ------
        RequestError
            422 for a condition or a column that does not fit the items, with the field.
        """
        self.check(release)
        return release.lists.of(self.settings.kind, queries, self.k, self.terms, self.basket)

    def is_fallback(self, queries: Queries, made_by: str) -> bool:
        """Whether a list that is to be personal is not."""
        return self.settings.kind == "personal" and (not self.terms.personal or is_fallback(queries, made_by))


def wish_of(
    release: Release, scenarios: Mapping[str, Scenario], wanted: Wanted, default: str, request_id: str,
    person: str | None = None, items: list[Id] | None = None,
) -> Wish:  # fmt: skip
    """Read what a list should be like.

    Parameters
    ----------
    default
        The scenario where the request names none.
    person
        Whom the variant is chosen for: the id of the user or session.
    items
        What the list starts from.

    Raises
    ------
    RequestError
        422 for a scenario that does not exist, or terms that cannot be.
    UnknownIdError
        If the list starts from items and none of them is known.
    """
    name = default if wanted.scenario is None else wanted.scenario
    if name not in scenarios:
        raise RequestError(422, unknown(f"scenario {shown(name)}", name, scenarios), "scenario")
    variant = scenarios[name].variant_of(person if wanted.personal else None, name)
    settings = scenarios[name] if variant is None else scenarios[name].varied[variant]
    own = _said(release, wanted, _seed(request_id))
    terms = settings.terms(own, promotions=wanted.promotions is not None)
    basket = _basket(release, settings, name, items)
    k = length(release, wanted.k, settings.k)
    return Wish(request_id, name, variant, settings, terms, own, k, basket, wanted.explain, wanted.language)


def _seed(request_id: str) -> int:
    """The same for the same request, which may have its id from the caller."""
    return int.from_bytes(hashlib.blake2b(request_id.encode(), digest_size=SEED_BYTES).digest(), "big")


def _said(release: Release, wanted: Wanted, seed: int) -> Terms:
    """What the request says beside its scenario."""
    promotions = tuple(Promotion(**msgspec.structs.asdict(one)) for one in wanted.promotions or ())
    exclude = [text_of(one, f"exclude[{i}]") for i, one in enumerate(wanted.exclude or ())]
    try:
        check_terms("", wanted.boosts or {}, promotions, wanted.caps or {}, wanted.seen_days)
    except ConfigError as error:
        raise _refused(error) from None
    return Terms(
        where=(wanted.where,) if wanted.where else (),
        exclude=release.items.indexes(exclude) if exclude else None,
        boosts=tuple((wanted.boosts or {}).items()),
        promotions=promotions,
        caps=tuple((wanted.caps or {}).items()),
        seen=wanted.seen,
        seen_days=wanted.seen_days,
        personal=wanted.personal,
        seeds=(seed,),
    )


def _refused(error: ConfigError) -> RequestError:
    """The same sentence for the request, with the field that it begins with."""
    sentence = str(error).removeprefix(".")
    return RequestError(422, sentence, sentence.partition(" ")[0].rstrip(":"))


def _basket(release: Release, settings: Scenario, name: str, items: list[Id] | None) -> Indexes:
    if settings.kind not in BASKETS:
        if items is not None:
            raise RequestError(
                422,
                f"items are not for scenario {shown(name)}, whose kind is {settings.kind!r}: leave them out",
                "items",
            )
        return np.empty(0, np.int32)
    if not items:
        raise RequestError(422, f"items are missing: a list of kind {settings.kind!r} starts from them", "items")
    found = release.items.indexes([text_of(one, f"items[{i}]") for i, one in enumerate(items)])
    if (found < 0).all():
        which = f"item {shown(items[0])} is not" if len(items) == 1 else f"of {len(items)} items none is"
        raise UnknownIdError(f"{which} known: check the id, or train again after it was added")
    return found
