"""`zhiyin serve` trains anew when it is asked to, with the real command line."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLI = [sys.executable, "-m", "zhiyin"]


def asked(url: str, method: str = "GET") -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
        return json.load(answer)


@contextmanager
def service(folder: Path, *words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A service, and its address."""
    with subprocess.Popen([*CLI, "serve", "--port", "0", *words], cwd=folder, stdout=subprocess.PIPE, text=True) as one:
        try:
            assert one.stdout
            yield one, one.stdout.readline().split(" on ")[1].split(",")[0]
        finally:
            one.terminate()


def test_a_training_that_is_asked_for_is_done_and_told(own_shop: Path) -> None:
    config = own_shop / "zhiyin.toml"
    with config.open("a") as file:
        file.write('\n[retrain]\nevery = "6h"\n')
    with service(own_shop.parent, "--workers", "2", "--config", "shop/zhiyin.toml") as (running, url):
        assert asked(f"{url}/v1/retrain")["next"]
        assert asked(f"{url}/v1/retrain", "POST") == {"state": "queued"}
        deadline = time.monotonic() + 120
        while not (found := asked(f"{url}/v1/retrain"))["succeeded"]:
            assert time.monotonic() < deadline
            assert not found["failures"], found
            time.sleep(0.2)
        assert found["result"].startswith("release 2: ")
        versions = asked(f"{url}/v1/versions")["versions"]
        assert [one["number"] for one in versions] == [1, 2]
        serving = next(one["number"] for one in versions if one["serving"])
        assert (serving == 2) == (not found["result"].startswith("release 2: not promoted"))
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    state = json.loads((own_shop / "releases" / "retrain.json").read_bytes())
    assert sum(state["runs"].values()) == 1
    assert not (own_shop / "releases" / "retrain-taken.json").exists()
