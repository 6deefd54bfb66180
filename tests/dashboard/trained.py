"""A shop with files, a zhiyin.toml and two releases that were trained from them, for the pages on data and models."""

from pathlib import Path

from starlette.applications import Starlette

from zhiyin.data.sample_shop import sample_shop
from zhiyin.registry.config import read_config
from zhiyin.registry.signing import Signer
from zhiyin.registry.store import Store as Releases
from zhiyin.registry.train import train
from zhiyin.serving.app import create_app
from zhiyin.serving.audit import Audit
from zhiyin.serving.caller import Role
from zhiyin.serving.clock import Clock
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

from .conftest import Shop

TOML = """
[data]
events = "events.csv"
items = "items.csv"
users = "users.csv"
[split]
test = "30d"
target = ["purchase"]
[rules]
seen_types = ["purchase"]
[models.popularity]
[models.item_knn]
neighbours = {neighbours}
"""


def trained_shop(folder: Path) -> Shop:
    """300 people, 120 items; release 2 has other settings than release 1, and release 1 serves."""
    folder.mkdir(parents=True, exist_ok=True)
    sample_shop(people=300, items=120, events=9_000, seed=1, end=Clock()()).write(folder)
    config = folder / "zhiyin.toml"
    for neighbours in (50, 20):
        config.write_text(TOML.format(neighbours=neighbours))
        train(read_config(config), folder, now=Clock()(), environment={})
    releases = Releases(folder / "releases")
    (releases.root / "serving.json").unlink()  # whether the second was promoted depends on the hour at which this runs
    releases.promote(1, Clock()(), "promoted by hand")
    keys = Keys(folder / "keys.json")
    shown = {str(role): keys.create(str(role), role=role) for role in Role}
    return Shop(app_of(folder), shown, folder)


def app_of(folder: Path, *, with_config: bool = True) -> Starlette:
    """A service over a folder that `trained_shop` has filled."""
    path = folder / "zhiyin.toml"
    config = read_config(path)
    return create_app(
        Live.of(Releases(folder / "releases"), {}),
        Store.of("events.db", folder),
        Keys(folder / "keys.json"),
        Settings.of(config),
        audit=Audit(folder / "audit.jsonl"),
        signer=Signer.of(folder / "signing.key"),
        config=path if with_config else None,
    )
