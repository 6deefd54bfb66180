"""What a number was measured on."""

import os
import platform
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from threading import Thread
from typing import Any

PACKAGES = ("numpy", "scipy", "numba", "polars", "uvicorn", "torch")


def machine() -> dict[str, Any]:
    """Processor, cores, memory, versions, date and commit."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
    }


def alone(task: Callable[..., Mapping[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What a task returns, run in a process of its own, with that process's peak memory in `peak_mb`.

    The process ends with this one, however this one ends.
    """
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(there, task, arguments), daemon=True)
    process.start()
    there.close()
    try:
        found: dict[str, Any] = here.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"{task.__name__} ended with exit code {process.exitcode}") from None
    process.join()
    return found


def _report(pipe: Connection, task: Callable[..., Mapping[str, Any]], arguments: tuple[Any, ...]) -> None:
    Thread(target=_end_with_the_parent, daemon=True).start()
    found = dict(task(*arguments))
    pipe.send({**found, "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss / 1024})


def _end_with_the_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # a signal to the parent alone, SIGKILL too: nobody waits for the result any more


def _commit() -> str:
    try:
        found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
