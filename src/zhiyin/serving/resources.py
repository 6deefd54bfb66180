"""All that is answered, in the order in which paths are compared with it."""

from zhiyin.serving.gorse import routes as gorse
from zhiyin.serving.operation import Operation
from zhiyin.serving.routes import (
    audit,
    batch,
    cart,
    debug,
    events,
    friends,
    health,
    items,
    lists,
    metrics,
    people,
    privacy,
    recommendations,
    retrain,
    sessions,
    similar,
    users,
    versions,
)  # fmt: skip

RESOURCES = (
    events, recommendations, batch, cart, lists, similar, people, sessions, friends, privacy, items, users,
    versions, retrain, debug, audit, metrics, health,
)  # fmt: skip
"""What stands below an item or a person comes before it: an id may hold slashes."""

OPERATIONS: tuple[Operation, ...] = tuple(operation for resource in RESOURCES for operation in resource.OPERATIONS)
OPEN_PATHS = frozenset(
    {"/openapi.json", *(path for one in (*OPERATIONS, *gorse.OPERATIONS) if one.role is None for path in one.paths)}
)
"""What needs no key."""
