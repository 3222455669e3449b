"""Creates that race: for the last place, with a caller who leaves, with an `Idempotency-Key`."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from tests.server.running import PATIENCE, People, Person, RunningServer, wait_for

StartServer = Callable[..., AbstractContextManager[RunningServer]]


def body_of(people: People, **fields: Any) -> dict[str, Any]:
    return {"image": "python", "org_id": people.org_id, **fields}


def together(
    server: RunningServer,
    person: Person,
    calls: int,
    call: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]],
) -> list[Any]:
    """`call` so many times at once, over as many connections."""

    async def run() -> list[Any]:
        limits = httpx.Limits(max_connections=calls)
        async with httpx.AsyncClient(
            base_url=server.url, headers=person.headers, timeout=PATIENCE, limits=limits
        ) as http:
            return await asyncio.gather(*(call(http) for _ in range(calls)))

    return asyncio.run(run())


def post(
    body: dict[str, Any], **headers: str
) -> Callable[[httpx.AsyncClient], Coroutine[Any, Any, httpx.Response]]:
    async def call(http: httpx.AsyncClient) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await http.post("/api/weaver", json=body, headers=names)

    return call


def test_race_1_two_creates_never_share_the_last_place(start_server: StartServer) -> None:
    with start_server(config="c.Quotas.per_user = 5") as server:
        people = server.add_people()
        replies = together(server, people.owner, 40, post(body_of(people)))
        assert Counter(reply.status_code for reply in replies) == {201: 5, 429: 35}
        refused = next(reply for reply in replies if reply.status_code == 429)
        assert refused.json()["error"] == "too_many_weavers"
        assert int(refused.headers["Retry-After"]) > 0
        made = [reply.json()["id"] for reply in replies if reply.status_code == 201]
        assert people.owner.http.delete(f"/api/weaver/{made[0]}").status_code == 204
        again = together(server, people.owner, 10, post(body_of(people)))
        assert Counter(reply.status_code for reply in again) == {201: 1, 429: 9}
        server.delete_all_weavers()


def test_ended_weavers_take_no_place(start_server: StartServer) -> None:
    with start_server(config="c.Quotas.per_user = 1") as server:
        people = server.add_people()
        http = people.owner.http
        ended = http.post("/api/weaver", json=body_of(people, command=["true"])).json()["id"]
        wait_for(
            lambda: http.get(f"/api/weaver/{ended}").json()["status"] == "succeeded", "the weaver to end"
        )
        assert http.get("/api/weavers/me").json()["quotas"]["per_user"] == {"limit": 1, "used": 0}
        assert http.post("/api/weaver", json=body_of(people)).status_code == 201
        assert http.post("/api/weaver", json=body_of(people)).status_code == 429
        assert http.post("/api/weaver", json=body_of(people, image="nothing")).status_code == 400
        server.delete_all_weavers()


def test_race_2_callers_who_leave_during_the_create(start_server: StartServer) -> None:
    """Whatever was made is listed and counted; nothing else was made."""
    chance = random.Random(1)

    async def leave_early(http: httpx.AsyncClient) -> None:
        try:
            await http.post("/api/weaver", json=body, timeout=chance.uniform(0.001, 0.2))
        except httpx.TimeoutException:
            return

    with start_server(config="c.Quotas.per_user = 1000") as server:
        people = server.add_people()
        body = body_of(people, command=["sleep", "600"])
        together(server, people.owner, 100, leave_early)

        def settled() -> bool:
            listed = people.owner.http.get("/api/weavers").json()["weavers"]
            used = people.owner.http.get("/api/weavers/me").json()["quotas"]["per_user"]["used"]
            return len(listed) == used and {weaver["status"] for weaver in listed} <= {"running"}

        wait_for(settled, "each listed weaver to run and to count")
        folders = {path.name for path in (server.data_dir / "weavers").glob("weaver_*")}
        if folders:
            listed = people.owner.http.get("/api/weavers").json()["weavers"]
            assert folders == {weaver["id"] for weaver in listed}
        server.delete_all_weavers()


def test_race_2_a_server_that_stops_amid_creates(start_server: StartServer) -> None:
    """What was made is found by the next server, and nothing of what was not."""

    async def create_amid_the_stop(http: httpx.AsyncClient) -> None:
        try:
            await http.post("/api/weaver", json=body)
        except httpx.TransportError:
            return

    with start_server() as server:
        people = server.add_people()
        body = body_of(people, command=["sleep", "600"])
        stopping = threading.Timer(0.05, server.process.terminate)
        stopping.start()
        together(server, people.owner, 10, create_amid_the_stop)
        stopping.join()
        assert server.process.wait(PATIENCE) == 0
    with start_server() as server:
        listed = server.http().get("/api/weavers").json()["weavers"]
        folders = {path.name for path in (server.data_dir / "weavers").glob("weaver_*")}
        assert not folders or folders == {weaver["id"] for weaver in listed}
        server.delete_all_weavers()


def test_race_3_the_same_create_twice(start_server: StartServer) -> None:
    key = {"Idempotency_Key": "k" * 255}
    with start_server() as server:
        people = server.add_people()
        replies = together(server, people.owner, 10, post(body_of(people), **key))
        assert {reply.status_code for reply in replies} == {201}
        first = replies[0]
        assert {reply.text for reply in replies} == {first.text}
        assert {reply.headers["Location"] for reply in replies} == {first.headers["Location"]}
        assert people.owner.http.get("/api/weavers").json()["count"] == 1

        other_body = together(server, people.owner, 1, post(body_of(people, lifetime_hours=5), **key))[0]
        assert (other_body.status_code, other_body.json()["error"]) == (409, "conflict")
        other_user = together(server, people.member, 1, post(body_of(people), **key))[0]
        assert other_user.status_code == 201
        assert other_user.json()["id"] != first.json()["id"]
        server.delete_all_weavers()
        after_the_end = together(server, people.owner, 1, post(body_of(people), **key))[0]
        assert after_the_end.text == first.text
    with start_server() as server:
        after_a_restart = server.http(f"Bearer {people.owner.key}").post(
            "/api/weaver", json=body_of(people), headers={"Idempotency-Key": "k" * 255}
        )
        assert after_a_restart.text == first.text
        assert server.http().get("/api/weavers").json()["count"] == 0


def test_only_a_201_is_remembered(server: RunningServer, people: People) -> None:
    headers = {"Idempotency-Key": "try again"}
    body = body_of(people, org_id=people.other_org_id)
    assert people.owner.http.post("/api/weaver", json=body, headers=headers).status_code == 403

    async def join(store: Any) -> None:
        await store.orgs.add_member(people.other_org_id, people.owner.id)

    server.with_store(join)
    created = people.owner.http.post("/api/weaver", json=body, headers=headers)
    assert created.status_code == 201
    people.owner.http.delete(f"/api/weaver/{created.json()['id']}")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_not_an_idempotency_key(people: People, key: str) -> None:
    reply = people.owner.http.post("/api/weaver", json=body_of(people), headers={"Idempotency-Key": key})
    assert reply.status_code == 400
    assert reply.json()["details"][0]["field"] == "Idempotency-Key"
