"""What Jupyter's own `/metrics` tells about weavers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sized

from prometheus_client import REGISTRY, Gauge, Metric
from prometheus_client import Counter as PrometheusCounter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from loom_weaver.models import STATUSES
from loom_weaver.service import WeaverService

CREATES = PrometheusCounter("loom_weaver_creates", "Weavers that were created")
LOG_READERS = Gauge("loom_weaver_log_readers", "Open log streams")
ERRORS = PrometheusCounter("loom_weaver_request_errors", "Requests answered with an error", ["error"])


class WeaverCollector(Collector):
    """Counts what there is at the moment of the question: nothing here can drift from the truth."""

    def __init__(self, service: WeaverService, websockets: Sized) -> None:
        self._service = service
        self._websockets = websockets

    def register(self) -> None:
        REGISTRY.register(self)

    def unregister(self) -> None:
        REGISTRY.unregister(self)

    def collect(self) -> Iterable[Metric]:
        if not self._service.runtime.ready:
            return
        yield self._weavers()
        yield GaugeMetricFamily(
            "loom_weaver_websockets", "Open WebSockets of terminals and commands", len(self._websockets)
        )
        presence = self._service.presence
        viewers = sum(presence.viewers(weaver.id) for weaver in self._service.runtime.list())
        yield GaugeMetricFamily("loom_weaver_viewers", "Viewers of terminals", viewers)

    def _weavers(self) -> Metric:
        counts = Counter(weaver.status for weaver in self._service.runtime.list())
        gauge = GaugeMetricFamily("loom_weaver_weavers", "Weavers by status", labels=["status"])
        for status in STATUSES:
            gauge.add_metric([status], counts[status])
        return gauge
