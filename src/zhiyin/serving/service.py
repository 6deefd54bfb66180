"""What every route works with."""

import os
from dataclasses import dataclass, field

from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.access import Access
from zhiyin.serving.clock import Clock
from zhiyin.serving.live import Live
from zhiyin.serving.sessions import Sessions
from zhiyin.serving.store import Store
from zhiyin.serving.workers import Workers


@dataclass(frozen=True, eq=False)
class Service:
    """The release, the people, the store and the door; one per process."""

    live: Live
    store: Store
    sessions: Sessions
    access: Access
    settings: ServeSettings
    clock: Clock = field(default_factory=Clock)
    workers: Workers = field(default_factory=Workers)

    @property
    def body_limit(self) -> int:
        """Bytes of a request body."""
        return self.settings.body_limit_mb * 2**20


def new_request_id() -> str:
    """24 characters that no other answer has."""
    return os.urandom(12).hex()
