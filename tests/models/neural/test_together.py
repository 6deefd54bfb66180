"""Two processes that train one network step alike, and learn what one would."""

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from zhiyin.models.deep_fm import DeepFM
from zhiyin.models.fm import FM
from zhiyin.models.sasrec import SASRec
from zhiyin.testing import small_world

MODELS = {
    "SASRec": SASRec(epochs=3, dimensions=8, window=6, batch_events=100, dropout=0.0),
    "FM": FM(epochs=3, dimensions=4, window=6, batch_size=37, learning_rate=0.02),
    "DeepFM": DeepFM(epochs=3, dimensions=4, window=6, batch_size=37, layers=(8,)),
}
PROCESS = """
import os, sys
from safetensors.numpy import save_file
from zhiyin.models.deep_fm import DeepFM
from zhiyin.models.fm import FM
from zhiyin.models.sasrec import SASRec
from zhiyin.registry.agreement import agreed
from zhiyin.testing import small_world

for text in sys.argv[2:]:
    model = eval(text).fit(small_world())
    weights = {"items": getattr(model, "item_vectors_", model.curve_), "curve": model.curve_, **model.weights_}
    save_file(weights, f"{sys.argv[1]}/{type(model).__name__}-{os.environ['RANK']}.safetensors")
assert agreed("ab"[int(os.environ["RANK"])], ["a", "b"]) == "a"
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    found: Path = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"PATH": "", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
              "OMP_NUM_THREADS": "1", "ZHIYIN_THREADS": "1"}  # fmt: skip
    asked = [sys.executable, "-c", PROCESS, str(found), *map(repr, MODELS.values())]
    processes = [subprocess.Popen(asked, env=common | {"RANK": str(rank)}) for rank in range(2)]
    assert [process.wait(300) for process in processes] == [0, 0]
    return found


@pytest.fixture(params=MODELS)
def name(request) -> str:
    return request.param


@pytest.fixture
def both(directory: Path, name: str) -> list[dict[str, np.ndarray]]:
    return [load_file(directory / f"{name}-{rank}.safetensors") for rank in range(2)]


def test_both_end_with_the_same_weights(both):
    assert both[0].keys() == both[1].keys()
    for name, value in both[0].items():
        np.testing.assert_array_equal(value, both[1][name], name)


def test_they_learn_what_one_process_learns(both, name):
    alone = MODELS[name].fit(small_world())
    if name == "DeepFM":  # drops other numbers, and makes them normal within its own part of a batch
        np.testing.assert_allclose(both[0]["curve"], alone.curve_, atol=0.1)
        return
    np.testing.assert_allclose(both[0]["curve"], alone.curve_, rtol=0.01, atol=0.005)
    for weights, value in (alone.weights_ | {"items": getattr(alone, "item_vectors_", alone.curve_)}).items():
        np.testing.assert_allclose(both[0][weights], value, atol=0.02, err_msg=weights)
