"""A network that is served hears of an event at once."""

from pathlib import Path
from typing import Any

import numpy as np

from worlds import dataset
from zhiyin.models.sasrec import SASRec
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.release import Release
from zhiyin.serving.live import Live, Served

ITEMS = 12


def test_what_a_network_recommends_follows_from_the_event_before(opens: Any, tmp_path: Path) -> None:
    starts = np.random.default_rng(0).integers(0, ITEMS, 150)
    ring = dataset([
        (f"u{person}", f"i{(start + step) % ITEMS:02}", float(step))
        for person, start in enumerate(starts)
        for step in range(ITEMS // 2)
    ])  # fmt: skip
    sizes = {"dimensions": 16, "window": 6, "layers": 1, "batch_events": 256, "validation_people": 0}
    model = SASRec(**sizes, epochs=12, learning_rate=0.01).fit(ring)  # type: ignore[arg-type]
    Release.of(Pipeline.of(model, ring, name="sasrec"), ring).write(tmp_path)
    client = opens(live=Live(Served.of(Release.read(tmp_path), {})))
    answers = []
    for item in ("i03", "i07"):
        assert client.post("/v1/events", json={"user_id": "new", "item_id": item}).status_code == 202
        answers.append(client.post("/v1/recommendations", json={"user_id": "new", "k": 1}).json())
    assert [answer["items"][0]["item_id"] for answer in answers] == ["i04", "i08"]
    assert {(answer["source"], answer["fallback"]) for answer in answers} == {("sasrec", False)}
