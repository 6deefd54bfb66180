"""All pages, and what they do: a new page is one line here."""

from zhiyin.serving.dashboard.page import Place
from zhiyin.serving.dashboard.pages import (
    audit,
    data,
    data_upload,
    item,
    item_acts,
    items,
    keys,
    model,
    models,
    overview,
    people,
    person,
    person_acts,
    rules,
    shop,
    sign_in,
)

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
    *items.PLACES,
    *item.PLACES,
    *item_acts.PLACES,
    *people.PLACES,
    *person.PLACES,
    *person_acts.PLACES,
)
