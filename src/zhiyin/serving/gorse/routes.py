"""Every route of Gorse's that its clients call, and their siblings."""

from zhiyin.serving.caller import Role
from zhiyin.serving.gorse import catalogue, feedback, health, people, recommend
from zhiyin.serving.gorse.plain import Handler, plainly
from zhiyin.serving.gorse.shapes import (
    Feedback,
    FeedbackIterator,
    HealthStatus,
    Item,
    ItemIterator,
    ItemPatch,
    Score,
    SessionFeedback,
    StoredFeedback,
    Success,
    User,
    UserIterator,
    UserPatch,
)
from zhiyin.serving.operation import Operation, Parameter

N = Parameter("n", "query", int, "how many at most; 10 if not given")
OFFSET = Parameter("offset", "query", int, "how many of the first are left out")
CURSOR = Parameter("cursor", "query", str, "from the page before")
SEARCH = Parameter("q", "query", str, "words that must all occur in an item")
CATEGORY = Parameter("category", "query", str, "the category that items must have; may stand several times")
READER = Parameter("user-id", "query", str, "a person whose items are left out")
WRITE_BACK = (
    Parameter("write-back-type", "query", str, "store the answer as feedback of this type"),
    Parameter("write-back-delay", "query", str, "from when on it counts: 10m, 1h30m"),
)
IN_PATH = {
    name: Parameter(name, "path", str, f"the {name.replace('_', ' ')}")
    for name in ("user_id", "item_id", "feedback_type", "category", "name")
}
LISTED = (N, OFFSET, CATEGORY, READER)
OF_USER, OF_ITEM, OF_TYPE = "/api/user/{user_id}", "/api/item/{item_id}", "/{feedback_type}"
OF_BOTH = "/{user_id}/{item_id}"


def _route(
    method: str,
    path: str,
    handler: Handler,
    answer: object,
    asks: tuple[Parameter, ...] = (),
    body: object = None,
    *,
    role: Role | None = Role.READER,
) -> Operation:
    inside = tuple(parameter for name, parameter in IN_PATH.items() if f"{{{name}}}" in path)
    refusals = (400, 404, 413) if body else (400, 404)
    return Operation(
        method,
        path,
        plainly(handler),
        (handler.__doc__ or "").strip(),
        answers={200: answer},
        refusals=refusals,
        body=body,
        parameters=(*inside, *asks),
        role=role,
        slashed=True,  # its clients send both
    )


OPERATIONS = (
    _route("GET", "/api/health/live", health.live, HealthStatus, role=None),
    _route("GET", "/api/health/ready", health.ready, HealthStatus, role=None),
    _route("POST", "/api/user", people.insert, Success, body=User, role=Role.WRITER),
    _route("POST", "/api/users", people.insert_many, Success, body=list[User], role=Role.WRITER),
    _route("GET", "/api/users", people.several, UserIterator, (N, CURSOR), role=Role.WRITER),
    _route("GET", OF_USER, people.one, User, role=Role.WRITER),
    _route("PATCH", OF_USER, people.modify, Success, body=UserPatch, role=Role.WRITER),
    _route("DELETE", OF_USER, people.remove, Success, role=Role.ADMIN),
    _route("POST", "/api/item", catalogue.insert, Success, body=Item, role=Role.WRITER),
    _route("POST", "/api/items", catalogue.insert_many, Success, body=list[Item], role=Role.WRITER),
    _route("GET", "/api/items", catalogue.several, ItemIterator, (N, CURSOR, SEARCH)),
    _route("GET", OF_ITEM, catalogue.one, Item),
    _route("PATCH", OF_ITEM, catalogue.modify, Success, body=ItemPatch, role=Role.WRITER),
    _route("DELETE", OF_ITEM, catalogue.remove, Success, role=Role.WRITER),
    _route("PUT", f"{OF_ITEM}/category/{{category}}", catalogue.add_category, Success, role=Role.WRITER),
    _route("DELETE", f"{OF_ITEM}/category/{{category}}", catalogue.remove_category, Success, role=Role.WRITER),
    _route("POST", "/api/feedback", feedback.insert, Success, body=list[Feedback], role=Role.WRITER),
    _route("PUT", "/api/feedback", feedback.insert, Success, body=list[Feedback], role=Role.WRITER),
    _route("GET", "/api/feedback", feedback.several, FeedbackIterator, (N, CURSOR), role=Role.WRITER),
    _route("GET", f"/api/feedback{OF_TYPE}", feedback.of_type, FeedbackIterator, (N, CURSOR), role=Role.WRITER),
    _route("GET", f"/api/feedback{OF_BOTH}", feedback.between, list[StoredFeedback], role=Role.WRITER),
    _route("DELETE", f"/api/feedback{OF_BOTH}", feedback.remove, Success, role=Role.WRITER),
    _route(
        "GET", f"/api/feedback{OF_TYPE}{OF_BOTH}", feedback.between_of_type, dict[str, str | float], role=Role.WRITER
    ),
    _route("DELETE", f"/api/feedback{OF_TYPE}{OF_BOTH}", feedback.remove, Success, role=Role.WRITER),
    _route("GET", f"{OF_USER}/feedback", feedback.of_user, list[StoredFeedback], role=Role.WRITER),
    _route("GET", f"{OF_USER}/feedback{OF_TYPE}", feedback.of_user, list[StoredFeedback], role=Role.WRITER),
    _route("GET", f"{OF_ITEM}/feedback", feedback.of_item, list[StoredFeedback], role=Role.WRITER),
    _route("GET", f"{OF_ITEM}/feedback{OF_TYPE}", feedback.of_item, list[StoredFeedback], role=Role.WRITER),
    _route("GET", "/api/recommend/{user_id}", recommend.of_user, list[str | Score], (N, OFFSET, CATEGORY, *WRITE_BACK)),
    _route(
        "GET", "/api/recommend/{user_id}/{category}", recommend.of_user, list[str | Score], (N, OFFSET, *WRITE_BACK)
    ),
    _route("POST", "/api/session/recommend", recommend.of_session, list[Score], (N, OFFSET), list[SessionFeedback]),
    _route(
        "POST",
        "/api/session/recommend/{category}",
        recommend.of_session,
        list[Score],
        (N, OFFSET),
        list[SessionFeedback],
    ),
    _route("GET", f"{OF_ITEM}/neighbors", recommend.neighbours, list[Score], LISTED),
    _route("GET", f"{OF_ITEM}/neighbors/{{category}}", recommend.neighbours, list[Score], LISTED),
    _route("GET", f"{OF_USER}/neighbors", recommend.user_neighbours, list[Score], (N, OFFSET)),
    _route("GET", "/api/latest", recommend.latest, list[Score], LISTED),
    _route("GET", "/api/latest/{category}", recommend.latest, list[Score], LISTED),
    _route("GET", "/api/popular", recommend.popular, list[Score], LISTED),
    _route("GET", "/api/popular/{category}", recommend.popular, list[Score], LISTED),
    _route("GET", "/api/non-personalized/{name}", recommend.non_personalized, list[Score], LISTED),
)
