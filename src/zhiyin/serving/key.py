"""One API key, as the file has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from zhiyin.registry.rate import Rate
from zhiyin.serving.caller import Role

State = Literal["valid", "expired", "revoked"]


@dataclass(frozen=True)
class Key:
    """Whose it is, what it may do, and until when; times are µs UTC."""

    name: str
    prefix: str
    hash: str = field(repr=False)
    role: Role = Role.WRITER
    scenarios: tuple[str, ...] = ()
    rate: str | None = None
    created: int | None = None
    expires: int | None = None
    revoked: int | None = None

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """The key of a row; one of format 1 has three columns, and could do what a writer can.

        Raises
        ------
        ValueError, KeyError, TypeError, OverflowError, ConfigError
            If the row is damaged.
        """
        rate = None if row.get("rate") is None else str(row["rate"])
        if rate is not None:
            Rate.read(rate, "rate")
        return cls(
            str(row["name"]),
            str(row["prefix"]),
            str(row["hash"]),
            Role[str(row.get("role", Role.WRITER)).upper()],
            tuple(str(one) for one in row.get("scenarios", ())),
            rate,
            *(None if row.get(name) is None else int(row[name]) for name in ("created", "expires", "revoked")),
        )

    def row(self) -> dict[str, Any]:
        """The same as `read` takes it."""
        return {**vars(self), "role": str(self.role), "scenarios": list(self.scenarios)}

    def state(self, now: int) -> State:
        """Whether it opens at this moment."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "valid"

    @property
    def limit(self) -> Rate | None:
        """How often it may ask, where it has a limit of its own."""
        return None if self.rate is None else Rate.read(self.rate, f"the rate of the key {self.name!r}")
