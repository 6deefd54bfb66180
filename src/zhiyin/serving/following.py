"""One item followed to one list: what it has to pass on the way."""

from zhiyin.data.queries import Queries
from zhiyin.ranking import why
from zhiyin.ranking.funnel import Asked
from zhiyin.ranking.why import Why
from zhiyin.registry.release import Release
from zhiyin.serving.wish import Wish


def followed(release: Release, wish: Wish, queries: Queries, item_id: str, person: str) -> Why:
    """Why the item is in the list of this wish, or why not; in a thread, it asks every model.

    Parameters
    ----------
    person
        How sentences call who asks.

    Raises
    ------
    RequestError
        422 for a condition or a column that does not fit the items.
    """
    wish.check(release)
    queries = queries if wish.terms.personal else queries.anonymous()
    pipeline = release.lists.proposing(wish.settings.kind).under(wish.terms)
    item = int(release.items.indexes([item_id])[0])
    return why.why(Asked(pipeline, queries, item, wish.k, wish.terms, person=person))
