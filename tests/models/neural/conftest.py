"""Networks of a test are so small that a second thread only waits."""

import pytest

from zhiyin.compute.threads import threads


@pytest.fixture(autouse=True)
def _one_thread():
    threads(1)
    yield
    threads(None)
