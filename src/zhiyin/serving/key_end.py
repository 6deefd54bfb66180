"""When a key ends, as people write it: on the command line and on the pages."""

from zhiyin.data.split import microseconds
from zhiyin.errors import ConfigError, RequestError
from zhiyin.serving.moments import LATEST, moment

NEVER = "never"


def key_end(text: str, now: int) -> int | None:
    """µs UTC of a duration from now or a date; None for "never".

    Raises
    ------
    ConfigError
        For anything else, and for what lies beyond the year 9999.
    """
    if text.strip() == NEVER:
        return None
    if "-" in text:
        try:
            return moment(text, "the end of a key")
        except RequestError as error:
            raise ConfigError(str(error)) from None
    end = now + microseconds(text)
    if end >= LATEST:
        raise ConfigError(f"{text[:40]!r} from now lies beyond the year 9999: write 'never'")
    return end
