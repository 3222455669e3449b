"""Ten thousand weavers: what a server needs to know them all, and how fast it tells."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.cluster_api import ClusterAPI, clone, kubectl_output, namespace
from benchmarks.measuring import MIB, percentile, rss
from benchmarks.pod_server import NOWHERE, settings, weaver_body
from benchmarks.results import Goal, Row
from benchmarks.server import BenchServer, serving
from loom_weaver.names import new_id, pod_name

IN_FLIGHT = 20
LISTS, GETS = 20, 500
WAIT_SECONDS = 120.0


def measure(count: int) -> list[Row]:
    """One server finds an empty namespace, the next, with the same identity, all the weavers in it."""
    with tempfile.TemporaryDirectory(prefix="loom-bench-") as folder, namespace() as api:
        more = settings(api, NOWHERE, f"c.LoomWeaverApp.data_dir = {folder + '/data'!r}")
        with serving(more=more) as server:
            empty = _seen(server)
            sample = server.call("POST", "/api/weaver", weaver_body(server))
            pod = api.get(f"{api.pods}/{pod_name(sample['id'])}")
        _fill(api, pod, count)
        with serving(more=more) as server:
            _until_known(server, count)
            full = _seen(server)
            one = server.weavers()[0]["id"]
            rows = [*_load(empty, full, count), *_reads(server, api, count, one)]
            api.delete_pods()
            _until_known(server, 0)
        return rows


def _seen(server: BenchServer) -> tuple[float, float]:
    """Resident MiB, and the longest stall since the start in ms."""
    return rss(server.pid) / MIB, 1000 * float(server.probe()["own_stall"])


def _load(empty: tuple[float, float], full: tuple[float, float], count: int) -> list[Row]:
    return [
        Row(
            name=f"a server that finds {count:,} weavers: growth",
            unit="MiB",
            ours=full[0] - empty[0],
            goal=Goal(60, of="value"),
            note=f"of resident memory, on top of {empty[0]:.0f} MiB without any",
        ),
        Row(
            name="longest stall of its start",
            unit="ms",
            ours=full[1],
            reference=empty[1],
            reference_name="start without any",
            goal=Goal(50, of="value"),
            note="of the event loop, without the time in which other processes had the processor",
        ),
    ]


def _fill(api: ClusterAPI, pod: dict[str, Any], count: int) -> None:
    metadata = pod["metadata"]

    def post(numbers: range) -> None:
        mine = ClusterAPI(api.namespace)
        for _ in numbers:
            weaver = new_id("weaver")
            labels = {**metadata["labels"], "loom-weaver/weaver": weaver}
            mine.call("POST", api.pods, clone(pod, pod_name(weaver), labels, metadata["annotations"]))
        mine.close()

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(post, (range(start, count, IN_FLIGHT) for start in range(IN_FLIGHT))))


def _until_known(server: BenchServer, count: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while sum(server.call("GET", "/health")["weavers"].values()) != count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the server does not get to know that there are {count} weavers")
        time.sleep(0.2)


def _reads(server: BenchServer, api: ClusterAPI, count: int, one: str) -> list[Row]:
    pages = [_timed(server, "/api/weavers?limit=50") for _ in range(LISTS)]
    lists = [_timed(server, "/api/weavers") for _ in range(LISTS)]
    gets = [_timed(server, f"/api/weaver/{one}") for _ in range(GETS)]
    started = time.perf_counter()
    kubectl_output("get", "pods", "--namespace", api.namespace, "-o", "json")
    theirs = 1000 * (time.perf_counter() - started)
    named = {"all": lists, "a page of 50": pages}
    return [
        *(
            Row(
                name=f"list of {count:,} weavers, {which}: p95",
                unit="ms",
                ours=percentile(times, 0.95),
                reference=theirs,
                reference_name="kubectl get pods -o json",
                goal=Goal(0.01),
                note=f"{theirs / percentile(times, 0.95):,.0f} times as fast; kubectl gets all of them",
            )
            for which, times in named.items()
        ),
        Row(
            name=f"one weaver of {count:,}: p95",
            unit="ms",
            ours=percentile(gets, 0.95),
            goal=Goal(2, of="value"),
            note="a whole request on a connection that is kept",
        ),
    ]


def _timed(server: BenchServer, path: str) -> float:
    started = time.perf_counter()
    server.fetch("GET", path)
    return 1000 * (time.perf_counter() - started)
