"""What is looked up when somebody reads the metrics: the release that answers, and the trainings."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from zhiyin.errors import ArtifactError
from zhiyin.registry.retrain import State, read_state
from zhiyin.serving.live import Live

SECOND = 1_000_000  # µs


class ReleaseMetrics(Collector):
    """Of the process that is asked."""

    def __init__(self, live: Live, clock: Callable[[], int]) -> None:
        self._live = live
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """The release, and the trainings beside it."""
        served, now = self._live.served, self._clock()
        release = served.release
        yield GaugeMetricFamily("zhiyin_release_version", "The number of the release", release.number)
        if served.created:
            age = (now - served.created) / SECOND
            yield GaugeMetricFamily("zhiyin_release_age_seconds", "Since it was trained", age)
        age = (now - release.last_event) / SECOND
        yield GaugeMetricFamily("zhiyin_release_newest_event_age_seconds", "Of what it has learnt from", age)
        yield from self._trainings()

    def _trainings(self) -> Iterator[Metric]:
        state = State()
        if self._live.registry is not None:
            try:
                state = read_state(self._live.registry.root)
            except ArtifactError:
                return
        runs = CounterMetricFamily("zhiyin_trainings", "Trainings of the service by outcome", labels=["outcome"])
        for outcome, count in state.runs.items():
            runs.add_metric([outcome], count)
        yield runs
        yield GaugeMetricFamily("zhiyin_training_failures", "In a row", state.failures)
        yield GaugeMetricFamily("zhiyin_training_running", "1 while one runs", int(state.running))
        if state.succeeded:
            about = "When a training last succeeded"
            yield GaugeMetricFamily("zhiyin_training_success_timestamp_seconds", about, state.succeeded / SECOND)
