"""How an act ended, in the words of the audit."""

from types import TracebackType

from zhiyin.errors import ZhiyinError


class Outcome:
    """Watches a block and lets every exception pass; `text` is "done", "failed", or "failed: " and a reason.

    Only our own errors are given as reasons: what others say may hold secrets.
    """

    text: str = "failed"

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.text = "done"
        elif isinstance(error, ZhiyinError):
            self.text = f"failed: {error}"
