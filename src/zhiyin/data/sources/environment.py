"""Places that stand in the environment: ${NAME}, or ${NAME:-what is meant where NAME is not set}."""

import os
import re

from zhiyin.errors import ConfigError

VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def with_environment(text: str) -> str:
    """The text with every variable replaced.

    Raises
    ------
    ConfigError
        If one is not set and has no default.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name not in os.environ and default is None:
            raise ConfigError(f"a source names the environment variable {name}, which is not set: export it")
        return os.environ.get(name) or default or ""

    return VARIABLE.sub(value, text)
