"""What a hyper-parameter may be."""

from typing import Any

from zhiyin.errors import ConfigError


def require(model: Any, name: str, holds: bool, rule: str, advice: str) -> None:
    """Refuse a hyper-parameter that breaks its rule.

    Raises
    ------
    ConfigError
        "EASE.l2 must be > 0, got -1.0 (try 100 to 1000)".
    """
    if not holds:
        value = getattr(model, name)
        raise ConfigError(f"{type(model).__name__}.{name} must be {rule}, got {value!r} ({advice})")


def require_half_life(model: Any) -> None:
    """Refuse a `half_life_days` that is not a span of time."""
    half_life = model.half_life_days
    require(model, "half_life_days", half_life is None or half_life > 0, "> 0", "leave it out for no decay")
