"""Two processes that train one network step alike, and learn what one would."""

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from zhiyin.models.sasrec import SASRec
from zhiyin.testing import small_world

SETTINGS = {"epochs": 3, "dimensions": 8, "window": 6, "batch_events": 100, "dropout": 0.0}
PROCESS = f"""
import os, sys
from safetensors.numpy import save_file
from zhiyin.models.sasrec import SASRec
from zhiyin.registry.agreement import agreed
from zhiyin.testing import small_world

model = SASRec(**{SETTINGS}).fit(small_world())
weights = {{"items": model.item_vectors_, "curve": model.curve_, **model.weights_}}
save_file(weights, f"{{sys.argv[1]}}/{{os.environ['RANK']}}.safetensors")
assert agreed("ab"[int(os.environ["RANK"])], ["a", "b"]) == "a"
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> list[dict[str, np.ndarray]]:
    directory: Path = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"PATH": "", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
              "OMP_NUM_THREADS": "1", "ZHIYIN_THREADS": "1"}  # fmt: skip
    processes = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(directory)], env=common | {"RANK": str(rank)})
        for rank in range(2)
    ]
    assert [process.wait(300) for process in processes] == [0, 0]
    return [load_file(directory / f"{rank}.safetensors") for rank in range(2)]


def test_both_end_with_the_same_weights(both):
    assert both[0].keys() == both[1].keys()
    for name, value in both[0].items():
        np.testing.assert_array_equal(value, both[1][name], name)


def test_they_learn_what_one_process_learns(both):
    alone = SASRec(**SETTINGS).fit(small_world())
    np.testing.assert_allclose(both[0]["curve"], alone.curve_, rtol=0.01, atol=0.005)
    np.testing.assert_allclose(both[0]["items"], alone.item_vectors_, atol=0.02)
