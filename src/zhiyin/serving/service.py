"""What every route works with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from zhiyin.ranking.scenario import Scenario, default_scenarios
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.access import Access
from zhiyin.serving.audit import Audit
from zhiyin.serving.clock import Clock
from zhiyin.serving.events import EventStore
from zhiyin.serving.live import Live
from zhiyin.serving.sessions import Sessions
from zhiyin.serving.workers import Workers


@dataclass(frozen=True, eq=False)
class Service:
    """The release, the people, the store and the door; one per process."""

    live: Live
    store: EventStore
    sessions: Sessions
    access: Access
    settings: ServeSettings
    scenarios: Mapping[str, Scenario] = field(default_factory=default_scenarios)
    audit: Audit = field(default_factory=Audit)
    clock: Clock = field(default_factory=Clock)
    workers: Workers = field(default_factory=Workers)

    @property
    def body_limit(self) -> int:
        """Bytes of a request body."""
        return self.settings.body_limit_mb * 2**20


def new_request_id() -> str:
    """24 characters that no other answer has."""
    return os.urandom(12).hex()
