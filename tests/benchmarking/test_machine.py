"""A benchmark runs its task in a process of its own, which does not outlive it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SECONDS = 60

BENCHMARK = f"""
import time
from benchmarks.machine import alone

def task(seconds):
    print("started", flush=True)
    time.sleep(seconds)
    return {{}}

if __name__ == "__main__":
    print(alone(task, {SECONDS}))
"""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda sign: sign.name)
def test_the_task_ends_with_its_benchmark(tmp_path: Path, sign: signal.Signals) -> None:
    script = tmp_path / "benchmark.py"
    script.write_text(BENCHMARK)
    command, environment = [sys.executable, str(script)], {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as benchmark:
        assert benchmark.stdout is not None
        assert benchmark.stdout.readline() == "started\n"
        start = time.monotonic()
        benchmark.send_signal(sign)  # to it alone, not to its group
        assert benchmark.stdout.read() == ""  # until both have let go of it
        assert time.monotonic() - start < SECONDS / 2
