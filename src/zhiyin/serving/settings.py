"""What zhiyin.toml says of the service, in one object that also reaches its worker processes."""

from dataclasses import dataclass, field
from typing import Self

from zhiyin.data.privacy import PrivacySettings
from zhiyin.ranking.scenario import Scenario, default_scenarios
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.config import Config
from zhiyin.registry.retrain_settings import RetrainSettings
from zhiyin.registry.serve_settings import ServeSettings


@dataclass(frozen=True)
class Settings:
    """The sections that a process which answers reads."""

    serve: ServeSettings = field(default_factory=ServeSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    retrain: RetrainSettings = field(default_factory=RetrainSettings)
    scenarios: dict[str, Scenario] = field(default_factory=default_scenarios)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)

    @classmethod
    def of(cls, config: Config) -> Self:
        """Those of a whole zhiyin.toml."""
        return cls(config.serve, config.access, config.retrain, config.scenarios, config.privacy)
