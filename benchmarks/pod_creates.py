"""Creates on Kubernetes: one after the other, a hundred at once, and until a weaver is heard to run."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from statistics import median
from typing import Any

from benchmarks.cluster_api import ClusterAPI, clone
from benchmarks.measuring import percentile
from benchmarks.pod_server import event_stream, weaver_body
from benchmarks.results import Goal, Row
from benchmarks.server import BenchServer
from loom_weaver.names import pod_name

RAW = "POST pods"
WAIT_SECONDS = 120.0
AT_ONCE = 100


def one_after_the_other(server: BenchServer, api: ClusterAPI, repeats: int) -> Row:
    """No node takes these pods: what a kubelet does beside it is left out."""
    body = weaver_body(server)
    pod = api.get(f"{api.pods}/{_pod_of(server.call('POST', '/api/weaver', body))}")
    ours: list[float] = []
    raw: list[float] = []
    for number in range(repeats):
        # In another order each time.
        pair: list[tuple[list[float], Callable[[], object]]] = [
            (ours, partial(server.call, "POST", "/api/weaver", body)),
            (raw, partial(api.call, "POST", api.pods, clone(pod, f"raw-{number}", {}, {}))),
        ]
        for times, call in pair if number % 2 else pair[::-1]:
            times.append(1000 * _timed(call))
    return Row(
        name="create, one after the other: p50",
        unit="ms",
        ours=median(ours),
        reference=median(raw),
        reference_name=RAW,
        goal=Goal(1.2),
        note=f"of {repeats}; p95 {percentile(ours, 0.95):.0f} against {percentile(raw, 0.95):.0f} ms",
        samples={"weavers": ours, RAW: raw},
    )


def all_at_once(server: BenchServer, api: ClusterAPI) -> Row:
    """The slowest of a hundred, each on a connection of its own."""
    pod = api.get(f"{api.pods}/{_pod_of(server.call('POST', '/api/weaver', weaver_body(server)))}")
    raws = [ClusterAPI(api.namespace) for _ in range(AT_ONCE)]
    mine = [BenchServer(server.port, server.pid, server.data_dir, server.org_id) for _ in range(AT_ONCE)]
    for each in mine:
        each.call("GET", "/health")
    for one in raws:
        one.get("/api")
    raw = _burst(
        [
            partial(one.call, "POST", api.pods, clone(pod, f"burst-{number}", {}, {}))
            for number, one in enumerate(raws)
        ]
    )
    ours = _burst([partial(each.call, "POST", "/api/weaver", weaver_body(server)) for each in mine])
    for one in raws:
        one.close()
    return Row(
        name=f"{AT_ONCE} creates at once: the slowest",
        unit="ms",
        ours=max(ours),
        reference=max(raw),
        reference_name=RAW,
        goal=Goal(1.3),
        note=f"none failed; p50 {median(ours):.0f} against {median(raw):.0f} ms",
    )


def until_heard(server: BenchServer, api: ClusterAPI, repeats: int) -> Row:
    """From the moment that a watch of pods says Ready, to `running` on a client's event stream."""
    ready, running = SimpleQueue[tuple[str, float]](), SimpleQueue[tuple[str, float]]()
    threading.Thread(target=_note_ready, args=(ClusterAPI(api.namespace), ready), daemon=True).start()
    threading.Thread(target=_note_running, args=(server, running), daemon=True).start()
    lags, starts = [], []
    for _ in range(repeats):
        started = time.perf_counter()
        made = server.call("POST", "/api/weaver", {**weaver_body(server), "command": ["sleep", "600"]})
        seen = _await(ready, _pod_of(made))
        heard = _await(running, made["id"])
        lags.append(1000 * (heard - seen))
        starts.append(heard - started)
        server.call("DELETE", f"/api/weaver/{made['id']}")
    return Row(
        name="pod Ready → `running` on the event stream: p95",
        unit="ms",
        ours=percentile(lags, 0.95),
        goal=Goal(100, of="value"),
        note=f"of {repeats}; below 0 the client heard of it first; p50 {median(lags):.1f}"
        f" ms; the whole start takes {median(starts):.2f} s",
    )


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _burst(calls: list[Callable[[], object]]) -> list[float]:
    """Milliseconds of each, from the moment that all may go."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> float:
        gate.wait()
        return 1000 * _timed(call)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def _note_ready(api: ClusterAPI, found: SimpleQueue[tuple[str, float]]) -> None:
    seen: set[str] = set()
    for event in api.watch(f"{api.pods}?watch=true"):
        at, pod = time.perf_counter(), event["object"]
        conditions = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions", ())}
        name = pod["metadata"]["name"]
        if conditions.get("Ready") == "True" and name not in seen:
            seen.add(name)
            found.put((name, at))


def _note_running(server: BenchServer, found: SimpleQueue[tuple[str, float]]) -> None:
    seen: set[str] = set()
    for data in event_stream(server):
        at, weaver = time.perf_counter(), json.loads(data)
        if weaver.get("status") == "running" and weaver["id"] not in seen:
            seen.add(weaver["id"])
            found.put((weaver["id"], at))


def _await(queue: SimpleQueue[tuple[str, float]], name: str) -> float:
    while True:
        seen, at = queue.get(timeout=WAIT_SECONDS)
        if seen == name:
            return at


def _pod_of(weaver: dict[str, Any]) -> str:
    return pod_name(weaver["id"])
