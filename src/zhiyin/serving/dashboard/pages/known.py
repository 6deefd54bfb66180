"""All pages, and what they do: a new page is one line here."""

from zhiyin.serving.dashboard.page import Place
from zhiyin.serving.dashboard.pages import audit, keys, overview, rules, shop, sign_in

PLACES: tuple[Place, ...] = (
    *sign_in.PLACES,
    *overview.PLACES,
    *rules.PLACES,
    *keys.PLACES,
    *audit.PLACES,
    *shop.PLACES,
)
