"""Everything that zhiyin raises on purpose.

ZhiyinError                  one sentence for a person: what is wrong, where, what to do
├── DataError                a file, a table or a column is not what it should be
├── ConfigError              zhiyin.toml or a hyper-parameter is not allowed
├── ExpressionError          a `where` expression cannot be read
├── UnknownIdError           a user or item that nobody has heard of, where one is needed
├── ArtifactError            a saved release is missing, changed, truncated or foreign
├── RegistryBusyError        another training holds the registry
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
