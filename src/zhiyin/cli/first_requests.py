"""What to try on a service that has just begun: two lines for a shell."""

import json
from urllib.parse import quote

from zhiyin.data.dataset import Dataset

LISTED = 5


def try_it(url: str, person: str, item: str) -> list[str]:
    """Two lines for a shell, ask, and tell what somebody did and ask again; and the addresses of the pages."""
    ask = f"curl -s '{url}/v1/users/{quote(person, safe='')}/recommendations?k={LISTED}'"
    event = json.dumps({"user_id": person, "item_id": item, "event_type": "purchase"})
    tell = f"curl -s {url}/v1/events -H 'content-type: application/json' -d '{event}'"
    return [
        f"\nServing on {url} (Ctrl-C ends it). In another terminal, ask for the recommendations of a person:",
        f"\n{ask}\n",
        "and say that they bought the first item, then see the next answer change:",
        f"\n{tell} && {ask}\n",
        f"or see it in a browser, without a key on this machine: the shop as its customers do, {url}/shop, "
        f"and how it is run, {url}/",
    ]


def somebody(data: Dataset) -> str:
    """A person with a past of middling length, so that there is something to see."""
    lengths = data.interactions.histories.lengths
    return str(data.users.texts[int(abs(lengths - 20).argmin())])
