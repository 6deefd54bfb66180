"""From zhiyin.toml to a clean dataset: read, protect, add what the service has stored, clean, index."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from zhiyin.data.dataset import Dataset
from zhiyin.data.privacy import Protected, key_from, protect
from zhiyin.data.quality.clean import Cleaned, clean
from zhiyin.data.quality.findings import Finding, raise_if_blocked, worst_first
from zhiyin.data.quality.unreadable import about_unreadable
from zhiyin.data.settings import DataSettings
from zhiyin.data.sources.read import read_tables
from zhiyin.data.sources.reading import Reading
from zhiyin.data.split import Split, leave_last_out, split_at_random, split_by_time, split_given
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.training import read_tables as read_stored
from zhiyin.errors import ConfigError
from zhiyin.registry.config import Config
from zhiyin.registry.signing import Signer
from zhiyin.registry.stored import with_stored, without_erased

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done, how many steps of it are behind and how many there are."""


def silent(_doing: str, _done: int, _steps: int) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True)
class Prepared:
    """Clean tables with the account of how they came about."""

    reading: Reading
    protected: Protected
    cleaned: Cleaned
    store_sequence: int
    """The newest event of the service's store that is in here."""
    store_change: int = 0
    """The newest change of an item or a person of it that is in here."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found on the way, the worst first."""
        unreadable = about_unreadable(self.reading.unreadable, self.reading.tables)
        return worst_first([*unreadable, *self.protected.findings, *self.cleaned.findings])

    def dataset(self, weights: Mapping[str, float] | None = None) -> Dataset:
        """The clean tables by index.

        Raises
        ------
        DataError
            If a finding blocks: on such data training makes no sense.
        """
        raise_if_blocked(self.findings)
        return Dataset.of(self.cleaned.tables, weights)


def prepare(
    config: Config, root: Path, *, now: int, environment: Mapping[str, str], progress: Progress = silent
) -> Prepared:
    """Read and clean what `config` names, relative to `root`.

    Parameters
    ----------
    now
        µs UTC; an event later than this is impossible.
    environment
        Where the key of pseudonyms is looked up.
    """
    if config.data.events is None:
        raise ConfigError('data.events is missing: name the file of events in zhiyin.toml, as in events = "events.csv"')
    progress("reading", 0, 3)
    reading = read_tables(config.data, config.columns, root)
    protected = protect(reading.tables, config.privacy, key_from(environment, config.privacy))
    progress("cleaning", 1, 3)
    stored = read_stored(StoreAddress.of(config.serve.store, root))
    if stored.forgotten:
        digest = Signer.of(root / config.privacy.signing_key).digest
        protected = replace(protected, tables=without_erased(protected.tables, stored.forgotten, digest))
    protected = with_stored(protected, stored, config.privacy)
    # times made of the order of rows say nothing about how fast a person is
    rules = replace(config.clean, max_events_per_day=0) if config.data.order_is_time else config.clean
    cleaned = clean(protected.tables, rules, now)
    progress("cleaned", 3, 3)
    return Prepared(reading, protected, cleaned, stored.sequence, stored.change)


def held_out(data: Dataset, config: Config, root: Path) -> Split:
    """The split that `[split]` describes."""
    split, target, seen = config.split, config.split.target, config.seen_types
    if split.method == "time":
        return split_by_time(data, split.test, target=target, seen_types=seen)
    if split.method == "leave_last_out":
        return leave_last_out(data, target=target, seen_types=seen)
    if split.method == "random":
        if isinstance(split.test, str):
            raise ConfigError(f"split.test must be a share such as 0.2 for a random split, got {split.test!r}")
        return split_at_random(data, split.test, target=target, seen_types=seen, seed=split.seed)
    if not isinstance(split.test, str):
        raise ConfigError('split.test must name the file of test events when split.method = "files"')
    test = read_tables(DataSettings(events=split.test), config.columns, root).tables.events
    return split_given(
        data, data.log_of(test.drop_nulls(("user_id", "item_id", "timestamp"))), target=target, seen_types=seen
    )
