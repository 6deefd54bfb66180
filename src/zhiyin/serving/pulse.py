"""What is looked at every few seconds: how much waits, how much is held, and whether trainings fail."""

import asyncio
import os
import resource
from contextlib import suppress
from pathlib import Path

from zhiyin.errors import ArtifactError
from zhiyin.registry.retrain import read_state
from zhiyin.serving.service import Service

SECONDS = 5.0
STATM = Path("/proc/self/statm")


async def pulse(service: Service) -> None:
    """Look until cancelled."""
    while True:
        look(service)
        service.readiness.training_problem = await asyncio.to_thread(training_problem, service)
        await asyncio.sleep(SECONDS)


def look(service: Service) -> None:
    """Note what is so now, for the metrics of this process."""
    used = os.times()
    service.metrics.count_dropped(service.store.dropped_impressions)
    service.metrics.gauge(
        {
            "store_queue_events": service.store.waiting,
            "sessions": len(service.sessions),
            "scoring_queue": service.workers.waiting,
            "worker_memory_bytes": memory(),
            "worker_cpu_seconds": used.user + used.system,
        }
    )


def memory() -> int:
    """Resident bytes; the most that they ever were where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        return int(STATM.read_text("ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def training_problem(service: Service) -> str:
    """Why the last training failed; empty if it did not."""
    if service.live.registry is None:
        return ""
    try:
        state = read_state(service.live.registry.root)
    except ArtifactError as error:
        return str(error)
    return f"the last training failed: {state.sentence}" if state.failures else ""
