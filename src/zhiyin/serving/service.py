"""What every route works with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zhiyin.ranking.scenario import Scenario, default_scenarios
from zhiyin.registry.signing import Signer
from zhiyin.serving.access import Access
from zhiyin.serving.assortment import Assortment
from zhiyin.serving.audit import Audit
from zhiyin.serving.clock import Clock
from zhiyin.serving.current import current
from zhiyin.serving.current import new_request_id as fresh
from zhiyin.serving.live import Live, Served
from zhiyin.serving.metrics import Metrics
from zhiyin.serving.readiness import Readiness
from zhiyin.serving.rulebook import Rulebook
from zhiyin.serving.sessions import Sessions
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store
from zhiyin.serving.workers import Workers


@dataclass(frozen=True, eq=False)
class Service:
    """The release, the people, the store and the door; one per process."""

    live: Live
    store: Store
    sessions: Sessions
    assortment: Assortment
    access: Access
    settings: Settings = field(default_factory=Settings)
    audit: Audit = field(default_factory=Audit)
    signer: Signer = field(default_factory=Signer.fresh)
    clock: Clock = field(default_factory=Clock)
    workers: Workers = field(default_factory=Workers)
    metrics: Metrics = field(default_factory=Metrics)
    readiness: Readiness = field(default_factory=Readiness)
    rulebook: Rulebook = field(default_factory=lambda: Rulebook(default_scenarios()))
    config: Path | None = None
    """The zhiyin.toml that the data and the trainings of this service are of; None inside another program."""

    @property
    def served(self) -> Served:
        """The release that answers now, over the items that it knows of."""
        return self.assortment.served

    @property
    def body_limit(self) -> int:
        """Bytes of a request body."""
        return self.settings.serve.body_limit_mb * 2**20

    @property
    def scenarios(self) -> Mapping[str, Scenario]:
        """Those that hold now, by name."""
        return self.rulebook.scenarios


def new_request_id() -> str:
    """The id of this request, which its answer carries in its body and in a header."""
    return current().request_id or fresh()
