"""Bars while something takes long; silence where standard error is no terminal, or another process shows them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from zhiyin.compute.ranks import rank


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """A callback for what is being done, how many steps of it are behind and how many there are: a bar per task."""
    shown = Console(file=sys.stderr)
    columns = (TextColumn("{task.description:<34}", markup=False), BarColumn(30), MofNCompleteColumn())
    hidden = not shown.is_terminal or rank() > 0
    with Progress(*columns, TimeElapsedColumn(), console=shown, disable=hidden) as progress:
        watcher = _Watcher(progress)
        yield watcher.tell
        watcher.finish()


class _Watcher:
    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.task: TaskID | None = None
        self.done, self.steps = 0, 0

    def tell(self, doing: str, done: int, steps: int) -> None:
        """A new task begins where the count starts again."""
        if self.task is None or steps != self.steps or done < self.done or self.done == self.steps:
            self.finish()
            self.task = self.progress.add_task(doing, total=steps)
        self.done, self.steps = done, steps
        self.progress.update(self.task, description=doing, completed=done)

    def finish(self) -> None:
        """Whatever was begun is done."""
        if self.task is not None:
            self.progress.update(self.task, completed=self.steps)
