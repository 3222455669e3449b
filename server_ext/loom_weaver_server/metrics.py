"""What Jupyter's own `/metrics` tells about weavers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, Gauge, Metric
from prometheus_client import Counter as PrometheusCounter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from loom_weaver.models import STATUSES

if TYPE_CHECKING:
    from loom_weaver_server.house import House

CREATES = PrometheusCounter("loom_weaver_creates", "Weavers that were created")
LOG_READERS = Gauge("loom_weaver_log_readers", "Open log streams")
ERRORS = PrometheusCounter("loom_weaver_request_errors", "Requests answered with an error", ["error"])


class HouseCollector(Collector):
    """Counts what there is at the moment of the question: nothing here can drift from the truth."""

    def __init__(self, house: House) -> None:
        self._house = house

    def register(self) -> None:
        REGISTRY.register(self)

    def unregister(self) -> None:
        REGISTRY.unregister(self)

    def collect(self) -> Iterable[Metric]:
        if not self._house.is_ready:
            return
        yield self._weavers()
        yield GaugeMetricFamily(
            "loom_weaver_websockets", "Open WebSockets of terminals and commands", len(self._house.websockets)
        )
        viewers = sum(
            map(self._house.service.presence.viewers, (each.id for each in self._house.runtime.list()))
        )
        yield GaugeMetricFamily("loom_weaver_viewers", "Viewers of terminals", viewers)

    def _weavers(self) -> Metric:
        counts = Counter(weaver.status for weaver in self._house.runtime.list())
        gauge = GaugeMetricFamily("loom_weaver_weavers", "Weavers by status", labels=["status"])
        for status in STATUSES:
            gauge.add_metric([status], counts[status])
        return gauge
