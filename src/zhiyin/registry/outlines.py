"""What a saved model is, without loading what it has learned: its class, its settings, its curve of training."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import safe_open

from zhiyin.errors import ArtifactError
from zhiyin.registry.arrays import ARRAYS, MALFORMED, MODEL
from zhiyin.types import Floats

CURVE = "curve_"
"""float64[epochs, 2] of a network: loss, and the metric of its validation."""
LARGEST = 2**20
"""Bytes of an outline that are looked at; those that name arrays alone are much smaller."""


@dataclass(frozen=True, eq=False)
class Outline:
    """One model of a release."""

    kind: str
    """Its class."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    curve: Floats | None = None
    """float64[epochs, 2]: loss, metric (NaN where nothing was held back); None for what does not learn in epochs."""


def outline(directory: Path) -> Outline:
    """That of a model that `save_model` wrote.

    Raises
    ------
    ArtifactError
        If it cannot be read.
    """
    path = directory / MODEL
    try:
        if path.stat().st_size > LARGEST:
            return Outline("")
        node = json.loads(path.read_bytes())["model"]
        settings = {name: _plain(one) for name, one in node["fields"].items() if not name.endswith("_")}
        curve = _curve(directory, node["fields"].get(CURVE))
    except MALFORMED as error:
        raise ArtifactError(f"{path} cannot be read ({error}): train again, or roll back") from error
    return Outline(str(node["class"]), settings, curve)


def _plain(node: Any) -> Any:
    """A setting as a person writes it."""
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    match node["kind"]:
        case "tuple":
            return [_plain(one) for one in node["items"]]
        case "dict":
            return {key: _plain(one) for key, one in node["items"]}
        case "float":
            return node["value"]
        case "object":
            return {"type": node["class"]} | {name: _plain(one) for name, one in node["fields"].items()}
        case kind:
            return kind


def _curve(directory: Path, node: Any) -> Floats | None:
    if not isinstance(node, dict) or node.get("kind") != "array" or len(node["shape"]) != 2:
        return None
    with safe_open(directory / ARRAYS, "numpy") as file:
        found: Floats = file.get_tensor(node["name"])
    return found.T if node["turned"] else found
