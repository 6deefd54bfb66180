"""A client that a generator makes from /openapi.json, in an environment of its own, against a live server."""

import json
import os
import subprocess
from pathlib import Path

import httpx2
import pytest

from live_server import running
from zhiyin.registry.release import Release
from zhiyin.serving.app import create_app
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live, Served
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

OF_GENERATOR = Path(__file__).parents[2] / ".venv-openapi" / "bin"
USE = """
import json, sys
from made import AuthenticatedClient, Client
from made.api.events import post_events_post as events
from made.api.health import get_health_health as health
from made.api.items import get_items_one as item, get_items_page as items, patch_items_change as change
from made.api.items import post_items_post as put
from made.api.recommendations import get_recommendations_of_user as of_user, post_recommendations_post as recommend
from made.api.similar import get_similar_of_item as similar
from made.models import Failure, ItemChange, NewEvent, NewItem, NewItemAttributes, Question

url, key = sys.argv[1:]
client = AuthenticatedClient(url, key)
said = {"stranger": health.sync(client=Client(url)).status}
tagged = NewItem(7, attributes=NewItemAttributes.from_dict({"tags": ["x"]}))
many = put.sync(client=client, body=[NewItem("jug"), tagged])
one = put.sync(client=client, body=NewItem("a/b c", hidden=True))
said["stored"] = [many.stored, one.stored]
said["changed"] = change.sync("a/b c", client=client, body=ItemChange(hidden=False)).hidden
said["items"] = [each.item_id for each in items.sync(client=client, limit=2).items]
said["attributes"] = item.sync("7", client=client).attributes.to_dict()
before = recommend.sync(client=client, body=Question(user_id="new", k=12))
best = before.items[0].item_id
event = NewEvent(best, user_id="new", event_type="purchase", price=2.5, event_id="e1")
said["accepted"] = [events.sync(client=client, body=body).accepted for body in (event, [event])]
after = of_user.sync("new", client=client, k=12)
said["left"] = best not in [each.item_id for each in after.items]
said["fallback"] = [before.fallback, after.fallback]
said["similar"] = len(similar.sync("a-02", client=client, k=3).items)
wrong = recommend.sync_detailed(client=client, body=Question(k=0))
said["wrong"] = [int(wrong.status_code), type(wrong.parsed) is Failure, wrong.parsed.error.where]
print(json.dumps(said))
"""


def run(*command: object, folder: Path) -> str:
    path = f"{OF_GENERATOR}{os.pathsep}{os.environ['PATH']}"  # it formats what it makes with the ruff beside it
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder)}
    words = [str(one) for one in command]
    done = subprocess.run(words, check=False, capture_output=True, text=True, env=environment, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not OF_GENERATOR.exists(), reason="no .venv-openapi: run `make .venv-openapi/installed`")
def test_a_client_made_from_the_document_works(release: Release, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    key = keys.create("made")
    app = create_app(Live(Served.of(release, {})), Store.of("events.db", tmp_path), keys, Settings())
    with running(app) as url:
        (tmp_path / "openapi.json").write_bytes(httpx2.get(f"{url}/openapi.json").content)
        generator = (OF_GENERATOR / "openapi-python-client", "generate", "--meta", "none", "--fail-on-warning")
        run(*generator, "--path", "openapi.json", "--output-path", "made", folder=tmp_path)
        said = json.loads(run(OF_GENERATOR / "python", "-c", USE, url, key, folder=tmp_path))
    assert said == {
        "stranger": "ok", "stored": [2, 1], "changed": False, "items": ["7", "a/b c"], "attributes": {"tags": ["x"]},
        "accepted": [1, 0], "left": True, "fallback": [True, False], "similar": 3, "wrong": [422, True, "k"],
    }  # fmt: skip
