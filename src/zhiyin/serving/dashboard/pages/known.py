"""All pages, and what they do: a new page is one line here."""

from zhiyin.serving.dashboard.page import Place
from zhiyin.serving.dashboard.pages import audit, data, data_upload, keys, model, models, overview, rules, shop, sign_in

PLACES: tuple[Place, ...] = (
    *sign_in.PLACES,
    *overview.PLACES,
    *data.PLACES,
    *data_upload.PLACES,
    *models.PLACES,
    *model.PLACES,
    *rules.PLACES,
    *keys.PLACES,
    *audit.PLACES,
    *shop.PLACES,
)
