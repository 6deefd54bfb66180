"""`zhiyin why`: the same that the service tells."""

from cli.terminal import Run


def test_a_shown_item_is_told_with_its_rank_and_its_stages(ask: Run) -> None:
    first = ask("recommend", "--user", "u00002", "--json").json["answers"][0]["items"][0]
    found = ask("why", "u00002", first["item_id"])
    assert found.code == 0, found.err
    assert found.out.startswith(f"{first['item_id']} for u00002")
    assert found.out.endswith(f"shown at rank 1: found by {first['origin']}\n")
    assert all(word in found.out for word in ("stage", "passed", "left", "rules.where", "combined"))


def test_an_item_that_is_not_shown_is_told_for_a_program(ask: Run) -> None:
    found = ask("why", "u00002", "i00001", "--where", "price < 0", "-k", 3, "--json").json
    assert {**found, "stages": 0, "verdict": 0} == {
        "release": 1, "user_id": "u00002", "item_id": "i00001", "k": 3, "rank": None, "stages": 0, "verdict": 0,
    }  # fmt: skip
    assert found["verdict"].startswith("not shown: ")
    assert set(found["stages"][0]) == {"name", "passed", "remaining", "detail"}
    assert next(one for one in found["stages"] if one["name"] == "where")["remaining"] == 0


def test_an_unknown_item_and_a_stranger_are_answers_too(ask: Run) -> None:
    assert "does not know the item" in ask("why", "u00002", "nothing").out
    assert ask("why", "nobody", "i00001", "--now", "2030-01-01", "--json").code == 0


def test_a_wrong_moment_is_refused(ask: Run) -> None:
    found = ask("why", "u00002", "i00001", "--now", "soon")
    assert found.code == 2
    assert "--now" in found.err
