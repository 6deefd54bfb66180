"""Everything that zhiyin raises on purpose.

ZhiyinError                  one sentence for a person: what is wrong, where, what to do
├── DataError                a file, a table or a column is not what it should be
├── ConfigError              zhiyin.toml or a hyper-parameter is not allowed
├── ExpressionError          a `where` expression cannot be read
├── UnknownIdError           a user or item that nobody has heard of, where one is needed
├── ArtifactError            a saved release is missing, changed, truncated or foreign
├── RegistryBusyError        another training holds the registry
├── StoreError               the store of the service cannot be reached, read or written now
├── RefusedError             the store cannot hold a value
├── MissingExtraError        an optional package is not installed
├── ServiceError             the service cannot go on
└── RequestError             an HTTP request is refused (carries its status)
"""


class ZhiyinError(Exception):
    """One sentence for a person: what is wrong, where, and what to do."""


class DataError(ZhiyinError):
    """A file, a table or a column is not what it should be."""


class ConfigError(ZhiyinError):
    """zhiyin.toml or a hyper-parameter holds something that is not allowed."""


class ExpressionError(ZhiyinError):
    """A `where` expression cannot be read."""


class UnknownIdError(ZhiyinError):
    """A user or item that nobody has heard of, where one is needed."""


class ArtifactError(ZhiyinError):
    """A saved release is missing, changed, truncated or foreign."""


class RegistryBusyError(ZhiyinError):
    """Another training holds the registry."""


class StoreError(ZhiyinError):
    """The store cannot be reached, read or written now; nothing was stored, as far as is known.

    `reason` says why without saying where, so that it may be told to callers.
    """

    def __init__(self, place: str, reason: str, advice: str) -> None:
        super().__init__(f"{place} cannot be used as the store ({reason}): {advice}")
        self.reason = reason


class RefusedError(ZhiyinError):
    """The store cannot hold a value; nothing was stored."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store cannot hold a value ({reason}): correct it")
        self.reason = reason


class MissingExtraError(ZhiyinError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: run pip install 'zhiyin[{extra}]'")


class ServiceError(ZhiyinError):
    """The service cannot go on: its processes die, whoever starts them."""


class RequestError(ZhiyinError):
    """An HTTP request is refused; `status` is the HTTP status code, `where` the part of the request that is wrong."""

    def __init__(self, status: int, message: str, where: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.where = where
        self.headers = headers or {}
