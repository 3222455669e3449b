"""`loom-weaver serve --runtime kubernetes`, as users run it: killed, doubled, late."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from loom_weaver.names import pod_name
from tests.kube_cluster import Kube
from tests.kubernetes.houses import serving_cluster
from tests.postgres import database
from tests.server.running import JUPYTER_TOKEN, PATIENCE, People, RunningServer, wait_for

# A body and further headers.
Create = tuple[dict[str, Any], dict[str, str]]
pytestmark = pytest.mark.timeout(240)


def together(server: RunningServer, key: str, bodies: list[dict[str, Any]]) -> list[int]:
    """Statuses of creates at once; 0 for one that got no answer."""
    return asyncio.run(_together(server, key, [(body, {}) for body in bodies], asyncio.gather))


async def _together(
    server: RunningServer, key: str, creates: list[Create], wait: Callable[..., Awaitable[list[int]]]
) -> list[int]:
    async def create(http: httpx.AsyncClient, body: dict[str, Any], headers: dict[str, str]) -> int:
        try:
            return (await http.post("/api/weaver", json=body, headers=headers)).status_code
        except httpx.TransportError:
            return 0

    async with httpx.AsyncClient(
        base_url=server.url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=PATIENCE * 2,
        limits=httpx.Limits(max_connections=len(creates)),
    ) as http:
        return await wait(*(asyncio.create_task(create(http, *each)) for each in creates))


def pods(kube: Kube, namespace: str) -> set[str]:
    """Without those that are on their way out."""
    items = kube.get("pods", "--namespace", namespace)["items"]
    return {each["metadata"]["name"] for each in items if "deletionTimestamp" not in each["metadata"]}


def listed(http: httpx.Client) -> set[str]:
    reply = http.get("/api/weavers")
    assert reply.status_code == 200, reply.text
    return {each["id"] for each in reply.json()["weavers"] if each["status"] != "terminating"}


def body_of(people: People, *command: str, **fields: Any) -> dict[str, Any]:
    return {"image": "shell", "org_id": people.org_id, "command": command or ["sleep", "600"], **fields}


def test_a_life_over_the_api(kube: Kube, namespace: str, tmp_path: Path) -> None:
    """Create, read, list, extend, delete, with the documented fields; `/health` tells more to some."""
    with serving_cluster(kube, namespace, tmp_path / "data") as server:
        people = server.add_people()
        http = people.owner.http
        reply = http.post("/api/weaver", json=body_of(people, env={"A": "hunter2"}, tags={"a": "b"}))
        assert reply.status_code == 201
        made = reply.json()
        assert made["pod_name"] == pod_name(made["id"])
        assert (made["status"], made["tags"]) == ("pending", {"a": "b"})
        path = f"/api/weaver/{made['id']}"
        wait_for(lambda: http.get(path).json()["status"] == "running", "the weaver to run")
        assert http.patch(path, json={"lifetime_hours": 48}).json()["lifetime_hours"] == 48
        health = people.admin.http.get("/health").json()
        assert health["runtime"]["name"] == "kubernetes"
        assert health["runtime"]["seconds_since_heard"] < 60
        assert http.get("/api/weavers/me").json()["runtime"]["isolation"]["kind"] == "container"
        assert "hunter2" not in http.get(path).text
        assert http.delete(path).status_code == 204
        assert http.get(path).json()["status"] == "terminating"
        wait_for(lambda: http.get(path).status_code == 404, "the weaver to be gone")
        assert http.delete(path).status_code == 404


def test_a_server_that_is_killed_loses_and_doubles_nothing(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    """Killed with many weavers, amid open creates: the next one lists what there is, soon, and all of it.

    Who got no answer asks again with the same key, and has one weaver in the end.
    """
    with serving_cluster(kube, namespace, tmp_path / "data") as server:
        people = server.add_people()
        # Without a node, so that the cluster's own limits on pods a node do not matter.
        nowhere = body_of(people, resources={"memory_limit": "500Gi"})
        assert set(together(server, people.owner.key, [nowhere] * 50)) == {201}
        known = listed(people.owner.http)
        assert len(known) == 50
        creates = [(nowhere, {"Idempotency-Key": f"create-{number}"}) for number in range(10)]
        asyncio.run(_together(server, people.owner.key, creates, partial(_kill_amid, server)))
    with serving_cluster(kube, namespace, tmp_path / "data") as server:
        http = server.http(f"Bearer {people.owner.key}")
        began = time.monotonic()
        found = listed(http)
        assert time.monotonic() - began < PATIENCE
        assert known <= found
        assert {pod_name(weaver_id) for weaver_id in found} == pods(kube, namespace), "no orphan, no double"
        used = http.get("/api/weavers/me").json()["quotas"]["per_user"]["used"]
        assert used == len(found)
        again = asyncio.run(_together(server, people.owner.key, creates, asyncio.gather))
        assert set(again) == {201}
        assert len(listed(http)) == len(pods(kube, namespace)) == 60


async def _kill_amid(server: RunningServer, *creates: asyncio.Task[int]) -> list[int]:
    await asyncio.wait(creates, return_when=asyncio.FIRST_COMPLETED)
    server.kill()
    return await asyncio.gather(*creates)


def test_race_1_a_quota_is_kept_by_two_servers_together(kube: Kube, namespace: str, tmp_path: Path) -> None:
    """RACE-1: 40 creates for 5 places, spread over two servers that share the database and the cluster."""
    quota = "c.Quotas.per_user = 5\n"
    shared = f"c.House.database_url = 'sqlite:///{tmp_path}/one/identity.db'\n"
    with (
        serving_cluster(kube, namespace, tmp_path / "one", quota) as one,
        serving_cluster(kube, namespace, tmp_path / "two", quota + shared) as two,
    ):
        people = one.add_people()
        nowhere = body_of(people, resources={"memory_limit": "500Gi"})
        with ThreadPoolExecutor() as threads:
            halves = [threads.submit(together, each, people.owner.key, [nowhere] * 20) for each in (one, two)]
            statuses = Counter(halves[0].result() + halves[1].result())
        assert statuses == {201: 5, 429: 35}
        made = listed(people.owner.http)
        assert len(pods(kube, namespace)) == len(made) == 5
        other = two.http(f"Bearer {people.owner.key}")
        wait_for(lambda: listed(other) == made, "the other server to know them all")
        assert people.owner.http.delete(f"/api/weaver/{made.pop()}").status_code == 204
        wait_for(lambda: len(listed(other)) == 4, "the other server to know of the delete")
        assert Counter(together(two, people.owner.key, [nowhere] * 8)) == {201: 1, 429: 7}


def test_two_servers_on_postgresql_are_one(kube: Kube, namespace: str, tmp_path: Path, postgres: str) -> None:
    """They keep a quota together, make one weaver of the same create, and one goes on when the other dies."""
    with database(postgres) as url:
        config = f"c.Quotas.per_user = 5\nc.House.database_url = {url!r}\n"
        with (
            serving_cluster(kube, namespace, tmp_path / "one", config) as one,
            serving_cluster(kube, namespace, tmp_path / "two", config) as two,
        ):
            org_id = one.http().get("/api/weavers/me").json()["default_org_id"]
            nowhere = {"image": "shell", "org_id": org_id, "resources": {"memory_limit": "500Gi"}}
            same = (nowhere, {"Idempotency-Key": "the same"})
            with ThreadPoolExecutor() as threads:
                halves = [
                    threads.submit(asyncio.run, _together(each, JUPYTER_TOKEN, [same] * 5, asyncio.gather))
                    for each in (one, two)
                ]
                assert set(halves[0].result() + halves[1].result()) == {201}
                assert len(pods(kube, namespace)) == 1
                halves = [
                    threads.submit(together, each, JUPYTER_TOKEN, [nowhere] * 10) for each in (one, two)
                ]
                statuses = Counter(halves[0].result() + halves[1].result())
            assert statuses == {201: 4, 429: 16}
            one.kill()
            http = two.http()
            wait_for(lambda: len(listed(http)) == 5, "the one that is left to know them all")
            assert http.delete(f"/api/weaver/{listed(http).pop()}").status_code == 204
            assert together(two, JUPYTER_TOKEN, [nowhere]) == [201]


def test_ttl_4_what_expired_while_no_server_ran(kube: Kube, namespace: str, tmp_path: Path) -> None:
    """TTL-4: the next server names it in a dry run and deletes it; the others' lifetimes are as they were."""
    with serving_cluster(kube, namespace, tmp_path / "data") as server:
        people = server.add_people()
        nowhere = body_of(people, resources={"memory_limit": "500Gi"})
        ids = [people.owner.http.post("/api/weaver", json=nowhere).json()["id"] for _ in range(2)]
    old = '{"metadata": {"annotations": {"loom-weaver/created-at": "2026-01-01T00:00:00Z"}}}'
    kube.kubectl("patch", "pod", pod_name(ids[0]), "--namespace", namespace, "-p", old)
    with serving_cluster(kube, namespace, tmp_path / "data") as server:
        admin = server.http(f"Bearer {people.admin.key}")
        other = admin.get(f"/api/weaver/{ids[1]}").json()
        dry = admin.post("/api/weavers/cleanup?dry_run=true").json()
        assert dry["would_delete"] == [ids[0]]
        assert admin.post("/api/weavers/cleanup").json()["deleted"] == [ids[0]]
        wait_for(lambda: admin.get(f"/api/weaver/{ids[0]}").status_code == 404, "the expired one to be gone")
        assert admin.get(f"/api/weaver/{ids[1]}").json()["expires_at"] == other["expires_at"]


def test_a_stopped_api_server_is_answered_with_503_or_504(kube: Kube, namespace: str, tmp_path: Path) -> None:
    config = "c.KubernetesRuntime.call_timeout = 5.0\n"
    with serving_cluster(kube, namespace, tmp_path / "data", config) as server:
        people = server.add_people()
        http = people.owner.http
        made = http.post("/api/weaver", json=body_of(people)).json()["id"]
        with kube.without("kube-apiserver"):
            refused = http.post("/api/weaver", json=body_of(people))
            assert refused.status_code in (503, 504)
            assert refused.json()["error"] in ("unavailable", "runtime_timeout")
            assert "16443" not in refused.text, "no internal address"
            assert http.get(f"/api/weaver/{made}").status_code == 200
            assert http.get("/health").status_code == 200
        created = wait_for(lambda: _created(http, body_of(people)), "creates to work again", 90)
        wait_for(lambda: http.get(f"/api/weaver/{created}").json()["status"] == "running", "it to run", 60)
        assert server.log().count("Traceback") == 0


def _created(http: httpx.Client, body: dict[str, Any]) -> str:
    reply = http.post("/api/weaver", json=body)
    return reply.json()["id"] if reply.status_code == 201 else ""


def test_a_server_started_without_its_cluster_serves_once_it_is_there(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    """It says 503 until the first list; `/health` says so too."""
    config = "c.KubernetesRuntime.call_timeout = 2.0\n"
    kube.component("stop", "kube-apiserver")
    try:
        with serving_cluster(kube, namespace, tmp_path / "data", config, ready=503) as server:
            http = server.http()
            assert http.get("/api/weavers").status_code == 503
            assert "Retry-After" in http.get("/api/weavers").headers
            kube.component("start", "kube-apiserver")
            wait_for(lambda: http.get("/health").status_code == 200, "the first list", 90)
            assert http.get("/api/weavers").json()["count"] == 0
    finally:
        kube.component("start", "kube-apiserver")
