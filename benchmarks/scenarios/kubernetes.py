"""Weavers on the cluster that KUBECONFIG names, against its own API and against kubectl."""

from __future__ import annotations

from benchmarks import pod_creates, pod_crowd, pod_streams
from benchmarks.cluster_api import namespace
from benchmarks.pod_server import NOWHERE, settings
from benchmarks.results import Row
from benchmarks.server import serving
from benchmarks.sides import OURS
from benchmarks.stalls import watched


async def run(quick: bool) -> list[Row]:
    rows: list[Row] = []
    with namespace() as api:
        with serving(more=settings(api, NOWHERE)) as server, watched(server, OURS, "creates"):
            rows.append(pod_creates.one_after_the_other(server, api, 20 if quick else 100))
            rows.append(pod_creates.all_at_once(server, api))
            api.delete_pods()
        with serving(more=settings(api)) as server, watched(server, OURS, "pods"):
            rows.append(pod_creates.until_heard(server, api, 5 if quick else 20))
            rows += pod_streams.echo(server, api, 100 if quick else 500)
            rows += await pod_streams.logs(server, api, 20 if quick else 60)
    rows += pod_crowd.measure(2_000 if quick else 10_000)
    return rows
