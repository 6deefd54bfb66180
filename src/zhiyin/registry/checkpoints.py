"""What a training has learned so far, on disk, so that it goes on after a kill."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from zhiyin.errors import ArtifactError
from zhiyin.models.watch import State
from zhiyin.registry.arrays import load_arrays
from zhiyin.registry.durable import replace_bytes

DIRECTORY = "checkpoints"


@dataclass(frozen=True)
class Checkpoints:
    """A folder with one safetensors file for each network of a training; see `zhiyin.models.watch.Keeps`."""

    directory: Path

    def read(self, key: str) -> State | None:
        """The state of that key; None where there is none, or it cannot be read: then the work is done again."""
        try:
            return load_arrays(self._path(key))
        except ArtifactError:
            return None

    def write(self, key: str, state: State) -> None:
        """In place of what was there, wholly or not at all.

        Raises
        ------
        ArtifactError
            If the disk is full or fails.
        """
        content = save({name: np.ascontiguousarray(array).reshape(array.shape) for name, array in state.items()})
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            replace_bytes(self._path(key), content)
        except OSError as error:
            raise ArtifactError(
                f"{self.directory} cannot be written ({error.strerror}): make space and train again, "
                "which goes on after the last epoch that was kept"
            ) from error

    def clear(self) -> None:
        """Forget all of them: the training that they belong to has ended."""
        if self.directory.is_dir():
            for path in self.directory.iterdir():
                path.unlink()
            self.directory.rmdir()

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}.safetensors"
