"""zhiyin.toml as one object: every floor declares its own section, here they come together."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zhiyin import fields
from zhiyin.data.privacy import PrivacySettings
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.settings import ColumnMap, DataSettings
from zhiyin.errors import ConfigError
from zhiyin.ranking.recommend import MAXIMUM_K
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.scenario import Scenario, completed, default_scenarios
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.retrain_settings import RetrainSettings
from zhiyin.registry.serve_settings import ServeSettings


@dataclass(frozen=True)
class SplitSettings:
    """The `[split]`: what is held back to measure on."""

    method: Literal["time", "leave_last_out", "random", "files"] = "time"
    """By time unless a published protocol says otherwise."""
    test: str | float = 0.1
    """A duration such as "14d", or a share; for "files" the path of the test events."""
    target: tuple[str, ...] = ()
    """Event types that count as success, such as ["purchase"]; empty means all."""
    seed: int = 0


@dataclass(frozen=True)
class RecipeSettings:
    """The `[recipe]`: which models propose, and how their opinions become one list."""

    retrievers: tuple[str, ...] = ()
    """Names from [models]; empty means all of them."""
    combine: Literal["blend", "fuse"] = "blend"
    """"blend" learns weights on a validation window, "fuse" adds reciprocal ranks."""
    pool: int = 200
    """Candidates that each retriever proposes; more costs time and rarely adds anything below rank 10."""
    k: int = 10
    """The length of the list, in evaluation and where a request does not say."""

    def __post_init__(self) -> None:
        if not 1 <= self.k <= MAXIMUM_K:
            raise ConfigError(f"recipe.k must be from 1 to {MAXIMUM_K:,}, got {self.k}")
        if self.pool < 1:
            raise ConfigError(f"recipe.pool must be at least 1, got {self.pool}")


@dataclass(frozen=True)
class TrainSettings:
    """The `[train]`: where training begins."""

    warm_start: bool = False
    """With the weights that serve, for models that can go on learning; otherwise from nothing."""


@dataclass(frozen=True)
class RegistrySettings:
    """The `[registry]`."""

    directory: str = "releases"
    keep: int = 10
    """Older releases than the newest ten are removed, never the serving one or the one before it."""

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ConfigError(f"registry.keep must be at least 1, got {self.keep}")


@dataclass(frozen=True)
class Config:
    """The whole of zhiyin.toml."""

    data: DataSettings = field(default_factory=DataSettings)
    columns: ColumnMap = field(default_factory=ColumnMap)
    clean: CleanSettings = field(default_factory=CleanSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    weights: dict[str, float] = field(default_factory=dict)
    """Event type to weight: how strong a sign of interest it is; a type that is not named weighs 1."""
    split: SplitSettings = field(default_factory=SplitSettings)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    recipe: RecipeSettings = field(default_factory=RecipeSettings)
    rules: Rules = field(default_factory=Rules)
    scenarios: dict[str, Scenario] = field(default_factory=default_scenarios)
    """By name; "home", "similar", "cart" and "email" are always there."""
    train: TrainSettings = field(default_factory=TrainSettings)
    registry: RegistrySettings = field(default_factory=RegistrySettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    retrain: RetrainSettings = field(default_factory=RetrainSettings)
    access: AccessSettings = field(default_factory=AccessSettings)

    def __post_init__(self) -> None:
        for name, scenario in self.scenarios.items():
            scenario.check(f"scenarios.{name}")

    @property
    def seen_types(self) -> tuple[str, ...] | None:
        """What a split leaves out as seen: the same as the rules do when serving."""
        return self.rules.seen_types if self.rules.seen == "drop" else None


def read_config(path: Path) -> Config:
    """Read zhiyin.toml.

    Raises
    ------
    ConfigError
        If the file is missing, is not TOML, or says something that is not allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: run `zhiyin init EVENTS` to write one from your files") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): it must be a text file in UTF-8") from None
    return parsed(text, str(path))


def parsed(text: str, name: str = "zhiyin.toml") -> Config:
    """The same from text; `name` is for the error."""
    try:
        table: Mapping[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{name} is nested too deeply: write flatter TOML") from None
    written = table.get("scenarios", {})
    if isinstance(written, Mapping):
        table = {**table, "scenarios": completed(written)}
    return fields.from_table(Config, table, "")
