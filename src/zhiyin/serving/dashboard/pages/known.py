"""All pages, and what they do: a new page is one line here."""

from zhiyin.serving.dashboard.page import Place
from zhiyin.serving.dashboard.pages import item, item_acts, items, overview, people, person, person_acts, sign_in

PLACES: tuple[Place, ...] = (
    *sign_in.PLACES,
    *overview.PLACES,
    *items.PLACES,
    *item.PLACES,
    *item_acts.PLACES,
    *people.PLACES,
    *person.PLACES,
    *person_acts.PLACES,
)
