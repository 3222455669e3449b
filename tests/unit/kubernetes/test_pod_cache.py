"""The cache over a scripted API server: it forgets, falls silent, refuses; the cache finds back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from loom_weaver.cleanup import sweep
from loom_weaver.errors import Conflict, NotFound, Unavailable
from loom_weaver.lifetime import utc_now
from loom_weaver.names import new_id, pod_name
from loom_weaver.quotas import Quotas
from loom_weaver.runtimes.kubernetes.runtime import KubernetesRuntime
from loom_weaver.weaver import Weaver, WeaverSpec
from tests.unit.kubernetes.fake_api import PODS, FakeApi, let_pass, status

PATIENCE = 30


def spec(**fields: Any) -> WeaverSpec:
    given = {"id": new_id("weaver"), "created_at": utc_now(), "lifetime_hours": 1, **fields}
    return WeaverSpec(owner_user_id="user_1", org_id="o", image="python", **given)


@asynccontextmanager
async def opened(folder: Path, api: FakeApi, **traits: Any) -> AsyncIterator[KubernetesRuntime]:
    async with api.serving():
        runtime = KubernetesRuntime(kubeconfig=api.kubeconfig(folder), installation="i", **traits)
        await runtime.start()
        try:
            yield runtime
        finally:
            await runtime.stop()


async def until(runtime: KubernetesRuntime, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await runtime.changes.news()


def knows(runtime: KubernetesRuntime, weaver_id: str) -> bool:
    return any(weaver.id == weaver_id for weaver in runtime.list())


async def test_what_happens_in_the_cluster_is_known(tmp_path: Path) -> None:
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        made = await runtime.create(spec())
        assert runtime.get(made.id).status == "pending"
        await api.set(pod_name(made.id), status={"phase": "Failed", "reason": "Evicted", "message": "low"})
        await until(runtime, lambda: runtime.get(made.id).status == "failed")
        await api.remove(pod_name(made.id))
        await until(runtime, lambda: not knows(runtime, made.id))
        assert [change.kind for change in runtime.changes.since(0)] == ["added", "modified", "deleted"]
        assert runtime.changes.since(2)[0].weaver.reason == "Evicted", "its last known reason"
        with pytest.raises(NotFound):
            runtime.get(made.id)


async def test_pod_3_an_evicted_pod_takes_no_place_and_can_be_deleted(tmp_path: Path) -> None:
    """POD-3: phase Failed, no container status at all."""
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        made = await runtime.create(spec())
        await api.set(pod_name(made.id), status={"phase": "Failed", "reason": "Evicted", "message": "low"})
        await until(runtime, lambda: runtime.get(made.id).status == "failed")
        weaver = runtime.get(made.id)
        assert (weaver.reason, weaver.exit_code) == ("Evicted", None)
        assert Quotas(per_user=1).usage("user_1", runtime.list())["per_user"]["used"] == 0
        assert await runtime.delete(made.id)


@pytest.mark.parametrize("inside", [True, False])
async def test_watch_1_gone_is_answered_with_one_fresh_list(tmp_path: Path, inside: bool) -> None:
    """WATCH-1: as an event inside a 200, and as the answer to the watch itself."""
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        kept, lost = await runtime.create(spec()), await runtime.create(spec())
        await api.watched()
        del api.pods[pod_name(lost.id)]
        before = len(api.requests)
        await api.forget(inside=inside)
        await until(runtime, lambda: not knows(runtime, lost.id))
        await api.watched()
        assert runtime.changes.since(runtime.changes.last - 1)[0].kind == "deleted"
        assert knows(runtime, kept.id)
        calls = api.requests[before:]
        assert sum("limit=" in call for call in calls) == 1, calls
        assert len(calls) <= 4, calls
        assert not any("resourceVersion=None" in call or "resourceVersion=&" in call for call in calls)
        await api.set(pod_name(kept.id), status={"phase": "Succeeded"})
        await until(runtime, lambda: runtime.get(kept.id).status == "succeeded")


async def test_a_watch_that_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        made = await runtime.create(spec())
        await api.watched()
        before = len(api.requests)
        await api.cut()
        await api.set(pod_name(made.id), status={"phase": "Succeeded"})
        await until(runtime, lambda: runtime.get(made.id).status == "succeeded")
        assert not any("limit=" in call for call in api.requests[before:]), "no new list"


async def test_watch_2_a_silent_watch_is_replaced(tmp_path: Path) -> None:
    """WATCH-2: nothing comes and nothing closes; what happened meanwhile is known after the next watch."""
    api = FakeApi()
    async with opened(tmp_path, api, watch_seconds=1.0) as runtime:
        made = await runtime.create(spec())
        await api.watched()
        api.silent = True
        await api.set(pod_name(made.id), status={"phase": "Succeeded"})
        await api.watched(2)
        api.silent = False
        await until(runtime, lambda: runtime.get(made.id).status == "succeeded")


async def test_watch_2_a_server_that_refuses_everything_is_asked_again(tmp_path: Path) -> None:
    """WATCH-2: meanwhile `/health` can tell; afterwards states are right without a restart."""
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        made = await runtime.create(spec())
        await api.watched()
        api.refuse = lambda path: status(503, "ServiceUnavailable", path)
        asked = len(api.requests)
        await api.cut()
        await api.asked(lambda calls: len(calls) >= asked + 4)
        assert runtime.describe()["problem"]
        api.pods[pod_name(made.id)]["status"] = {"phase": "Succeeded"}
        api.refuse = let_pass
        await api.set(pod_name(made.id))
        await until(runtime, lambda: runtime.get(made.id).status == "succeeded")
        assert runtime.describe()["problem"] is None


async def test_not_ready_before_the_first_list(tmp_path: Path) -> None:
    api = FakeApi()
    api.lists.clear()
    async with api.serving():
        runtime = KubernetesRuntime(kubeconfig=api.kubeconfig(tmp_path), installation="i")
        starting = asyncio.create_task(runtime.start())
        try:
            await api.asked(lambda calls: any("limit=" in call for call in calls))
            assert not runtime.ready
            for call in (runtime.list, lambda: runtime.get("weaver_x")):
                with pytest.raises(Unavailable):
                    call()
            api.lists.set()
            await starting
            assert runtime.ready
        finally:
            await runtime.stop()


async def test_a_list_comes_in_pages_and_is_whole(tmp_path: Path) -> None:
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        made = {(await runtime.create(spec())).id for _ in range(25)}
        api.page = 10
        await api.forget()
        await api.watched()
        assert {weaver.id for weaver in runtime.list()} == made
        assert sum("continue=" in call for call in api.requests) == 2


async def test_ttl_2_what_was_extended_a_moment_ago_stays(tmp_path: Path) -> None:
    """TTL-2: the sweep is held between its look and its delete; an extension comes in between."""
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        made = await runtime.create(spec(created_at=utc_now() - timedelta(hours=2)))
        api.hold = asyncio.Event()
        sweeping = asyncio.create_task(sweep(runtime))
        await api.asked(lambda calls: any(call.startswith("DELETE") for call in calls))
        assert (await runtime.extend(made.id, 48)).lifetime_hours == 48
        api.hold.set()
        report = await sweeping
        assert (report.deleted, report.count) == ([], 0)
        assert runtime.get(made.id).status == "pending"
        assert "deletionTimestamp" not in api.pods[pod_name(made.id)]["metadata"]


async def test_a_sweep_deletes_what_only_changed_its_state(tmp_path: Path) -> None:
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        made = await runtime.create(spec(created_at=utc_now() - timedelta(hours=2)))
        api.hold = asyncio.Event()
        sweeping = asyncio.create_task(sweep(runtime))
        await asyncio.sleep(0)
        await api.set(pod_name(made.id), status={"phase": "Running"})
        api.hold.set()
        assert (await sweeping).deleted == [made.id]
        assert runtime.get(made.id).reason == "Expired"


async def test_an_extend_that_meets_a_newer_pod_is_tried_on_it(tmp_path: Path) -> None:
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        made = await runtime.create(spec())
        await api.watched()
        api.silent = True
        await api.set(pod_name(made.id), status={"phase": "Running"})
        weaver: Weaver = await runtime.extend(made.id, 7)
        assert weaver.lifetime_hours == 7
        assert weaver.timeline[-1].event == "Extended"


async def test_a_create_whose_answer_was_lost_meets_its_own_pod(tmp_path: Path) -> None:
    """RACE-3: the id names the pod, so a retry after a crash finds it."""
    api = FakeApi()
    asked = spec(env={"A": "1"})
    async with opened(tmp_path, api) as runtime:
        first = await runtime.create(asked)
        assert (await runtime.create(asked)).id == first.id
        assert len(api.pods) == 1
        secret = api.secrets[pod_name(first.id)]
        assert (
            secret["metadata"]["ownerReferences"][0]["uid"] == api.pods[pod_name(first.id)]["metadata"]["uid"]
        )


async def test_race_2_a_pod_whose_secret_is_refused_is_taken_back(tmp_path: Path) -> None:
    """RACE-2: what failed half-way is unmade."""
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        api.refuse = lambda path: (
            status(403, "Forbidden", "secrets is forbidden") if path.endswith("/secrets") else None
        )
        with pytest.raises(Exception, match="does not let this server store a weaver's environment"):
            await runtime.create(spec(env={"A": "1"}))
        assert all("deletionTimestamp" in pod["metadata"] for pod in api.pods.values())
        assert len(api.pods) == 1


async def test_a_pod_of_somebody_else_under_our_name_is_left_alone(tmp_path: Path) -> None:
    api = FakeApi()
    asked = spec()
    api.pods[pod_name(asked.id)] = {
        "metadata": {"name": pod_name(asked.id), "uid": "theirs", "resourceVersion": "1"}
    }
    async with opened(tmp_path, api) as runtime:
        with pytest.raises(Conflict, match="belongs to somebody else"):
            await runtime.create(asked)
        assert "deletionTimestamp" not in api.pods[pod_name(asked.id)]["metadata"]
        assert not any(call.startswith("DELETE") for call in api.requests)


async def test_an_answer_that_was_long_on_its_way_brings_nothing_back(tmp_path: Path) -> None:
    api = FakeApi()
    async with opened(tmp_path, api) as runtime:
        made = await runtime.create(spec())
        late = msgspec.json.encode(api.pods[pod_name(made.id)])
        await api.set(pod_name(made.id), status={"phase": "Failed"})
        await until(runtime, lambda: runtime.get(made.id).status == "failed")
        runtime._pods.take_raw(late)
        assert runtime.get(made.id).status == "failed", "older than what is known"
        await api.remove(pod_name(made.id))
        await until(runtime, lambda: not knows(runtime, made.id))
        runtime._pods.take_raw(late)
        assert not knows(runtime, made.id)


async def test_no_terminal_is_asked_for_before_a_node_has_the_pod(tmp_path: Path) -> None:
    api, asked = FakeApi(), asyncio.Queue[str]()

    def refuse(path: str) -> web.Response | None:
        if not path.endswith("/attach"):
            return None
        asked.put_nowait(path)
        return status(400, "BadRequest", "the container is not there yet")

    api.refuse = refuse
    async with opened(tmp_path, api) as runtime, asyncio.timeout(PATIENCE):
        names = [pod_name((await runtime.create(spec())).id) for _ in range(2)]
        await api.set(names[1], spec={"nodeName": "node"})
        # The second is asked for several times, and so the first would have been.
        assert {await asked.get() for _ in range(3)} == {f"{PODS}/{names[1]}/attach"}
        await api.set(names[0], spec={"nodeName": "node"})
        while names[0] not in await asked.get():
            pass
