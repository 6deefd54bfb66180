"""Whether an optional package is there."""

from importlib.util import find_spec

from zhiyin.errors import MissingExtraError


def needs_torch() -> None:
    """Refuse to go on without PyTorch.

    Raises
    ------
    MissingExtraError
        With the command that installs it.
    """
    needs("torch", "neural")


def needs(package: str, extra: str) -> None:
    """Refuse to go on without a package, which an extra of ours installs.

    Raises
    ------
    MissingExtraError
        With the command that installs it.
    """
    if not installed(package):
        raise MissingExtraError(package, extra)


def installed(package: str) -> bool:
    """Whether a package can be imported."""
    try:
        return find_spec(package) is not None
    except ValueError:  # None in sys.modules
        return False
