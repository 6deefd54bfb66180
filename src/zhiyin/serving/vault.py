"""Columns that the shop wants encrypted, sealed on their way into the store and opened on their way out.

Training never opens them: what is worth encrypting is nothing to learn from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

import msgspec

from zhiyin.data.encryption import Keyring, is_token
from zhiyin.data.privacy import PrivacySettings
from zhiyin.data.store.records import Attributes, Event, Impression, User
from zhiyin.errors import DataError, RequestError

CONTEXT = "context."
Happened = TypeVar("Happened", Event, Impression)


@dataclass(frozen=True)
class Vault:
    """The keys, and the names of what they seal: attributes of people, and parts of the context of what happened."""

    keyring: Keyring | None = None
    people: frozenset[str] = field(default_factory=frozenset)
    contexts: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, settings: PrivacySettings, environment: Mapping[str, str]) -> Self:
        """What the settings want.

        Raises
        ------
        ConfigError
            If they want something encrypted and there are no keys.
        """
        if not settings.encrypt:
            return cls()
        contexts = {name.removeprefix(CONTEXT) for name in settings.encrypt if name.startswith(CONTEXT)}
        people = {name.removeprefix("users.") for name in settings.encrypt if not name.startswith(CONTEXT)}
        return cls(Keyring.of(environment, settings.encryption_keys_env), frozenset(people), frozenset(contexts))

    def sealed(self, user: User) -> User:
        """The person as the store keeps it."""
        return user if not self.people else replace(user, attributes=self.seal(user.attributes, user.user_id))

    def opened(self, user: User) -> User:
        """The person as the shop described it.

        Raises
        ------
        RequestError
            503 if a key is missing, or a value was tampered with.
        """
        return replace(user, attributes=self.open(user.attributes, "users", user.user_id))

    def seal(self, attributes: Attributes, user_id: str) -> Attributes:
        """Attributes of a person; `None`, which removes one, stays."""
        return self._seal(attributes, self.people, "users", user_id)

    def sealed_context(self, happened: Happened) -> Happened:
        """An event or a list that was shown, as the store keeps it."""
        if not self.contexts or happened.context is None:
            return happened
        who = happened.user_id or happened.session_id or ""
        context = self._seal(msgspec.json.decode(happened.context), self.contexts, "context", who)
        return happened._replace(context=msgspec.json.encode(context).decode())

    def open(self, values: Attributes, table: str, who: str) -> Attributes:
        """Whatever is sealed among some values, opened; raises as `opened` does."""
        if not any(map(is_token, values.values())):
            return values
        if self.keyring is None:
            raise RequestError(503, "values are encrypted and the service has no keys: set privacy.encrypt again")
        try:
            return {
                name: self.keyring.decrypted(value, _place(table, name, who)) if is_token(value) else value
                for name, value in values.items()
            }
        except DataError as error:
            raise RequestError(503, str(error)) from None

    def renewed(self, values: Attributes, table: str, who: str) -> Attributes | None:
        """The values under the key that encrypts now; `None` where they are already."""
        ring = self.keyring
        if ring is None or all(ring.is_current(value) for value in values.values() if is_token(value)):
            return None
        opened = self.open(values, table, who)
        return {
            name: ring.encrypted(opened[name], _place(table, name, who)) if is_token(value) else value
            for name, value in values.items()
        }

    def _seal(self, values: Attributes, names: frozenset[str], table: str, who: str) -> Attributes:
        if self.keyring is None or names.isdisjoint(values):
            return values
        return {
            name: self.keyring.encrypted(value, _place(table, name, who))
            if name in names and value is not None
            else value
            for name, value in values.items()
        }


def opened_export(vault: Vault, held: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """All that is held on a person, opened."""
    for row in held["users"]:
        row["attributes"] = vault.open(row["attributes"], "users", row["user_id"])
    for row in [*held["events"], *held["impressions"]]:
        if row["context"]:
            row["context"] = vault.open(row["context"], "context", row["user_id"] or row["session_id"] or "")
    return held


def _place(table: str, name: str, who: str) -> str:
    return f"{table}.{name} of {who}"
