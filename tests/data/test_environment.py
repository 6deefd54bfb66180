"""Places of sources may stand in the environment."""

import pytest

from zhiyin.data.sources.environment import with_environment
from zhiyin.errors import ConfigError


def test_variables_and_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", "/srv/shop")
    monkeypatch.delenv("NOWHERE", raising=False)
    assert with_environment("${SHOP}/events.csv") == "/srv/shop/events.csv"
    assert with_environment("${NOWHERE:-../data}/events.csv") == "../data/events.csv"
    assert with_environment("$SHOP/{}.csv") == "$SHOP/{}.csv"
    with pytest.raises(ConfigError, match="NOWHERE, which is not set"):
        with_environment("${NOWHERE}/events.csv")
