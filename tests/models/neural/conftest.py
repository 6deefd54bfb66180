"""Networks of a test are so small that a second thread only waits."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZHIYIN_THREADS", "1")  # of the processes that a test starts, too
        yield
