"""`zhiyin similar`."""

from typing import Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath, K, VersionNumber, Where
from zhiyin.cli.printing import remark, show_json


def similar(
    item: Annotated[str, typer.Option(help="The item to start from.", metavar="ID")],
    k: K = 10,
    where: Where = None,
    version: VersionNumber = None,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """List the items that go with an item.

    JSON: release, item_id, items (item_id, score, rank, origin, title, price).
    """
    from zhiyin.cli.answers import items_json, show_items, with_details
    from zhiyin.cli.project import Project

    release = Project.read(config).release(version)
    found = with_details(release.similar(item, k, where=where), release)
    if found.height < k:
        remark(f"only {found.height} of {k} places are filled: no other item is known to be similar and allowed")
    if as_json:
        show_json({"release": release.number, "item_id": item, "items": items_json(found)})
        return
    show_items(found, f"Similar to {item}, by release {release.number}")
