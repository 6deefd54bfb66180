"""The check of the data, begun by a click and done in a thread, while whoever looks sees how far it is."""

import asyncio
import logging
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zhiyin.errors import RegistryBusyError, RequestError
from zhiyin.registry import check
from zhiyin.registry.check import Check
from zhiyin.registry.progress_file import Doing
from zhiyin.serving.releases import registry
from zhiyin.serving.service import Service

BEGIN_SECONDS = 2.0
"""How long a click waits for the thread to begin, so that the page that follows shows it."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What is known of the data now."""

    can_check: bool
    """False for a service that was started without a zhiyin.toml."""
    last: Check | None = None
    doing: Doing | None = None
    """None while nobody checks."""
    is_old: bool = False
    """The zhiyin.toml was changed since."""


async def known(service: Service) -> Known:
    """Read from the disk."""
    return await asyncio.to_thread(_known, service)


def _known(service: Service) -> Known:
    if service.config is None or service.live.registry is None:
        return Known(False)
    root = service.live.registry.root
    last = check.last(root)
    is_old = last is not None and last.config != check.digest(service.config)
    return Known(True, last, check.going_on(root), is_old)


async def begin(service: Service) -> None:
    """Check, unless somebody does already.

    Raises
    ------
    RequestError
        409 for a service that was started without a zhiyin.toml.
    """
    if service.config is None:
        raise RequestError(409, "this service knows no zhiyin.toml: start it with `zhiyin serve` to check its data")
    begun = threading.Event()
    arguments = (service.config, registry(service).root, service.clock(), begun)
    threading.Thread(target=_check, args=arguments, name="data-check", daemon=True).start()
    await asyncio.to_thread(begun.wait, BEGIN_SECONDS)


def _check(config: Path, root: Path, now: int, begun: threading.Event) -> None:
    try:
        with suppress(RegistryBusyError):  # then somebody else's is as good
            check.check(config, root, now=now, environment=os.environ, begun=begun.set)
    except OSError as error:
        log.error("the check of the data cannot be kept: %s", error)
    finally:
        begun.set()
