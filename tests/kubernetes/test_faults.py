"""The cluster fails under a runtime: it says so, and finds back to the truth by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from loom_weaver.errors import LoomError, RuntimeTimeout, Unavailable
from loom_weaver.names import pod_name
from loom_weaver.runtimes.base import LogStart
from tests.contract.probes import House, eventually
from tests.kube_cluster import Kube
from tests.kubernetes.houses import opened

pytestmark = pytest.mark.timeout(240)
FOREVER = "while :; do sleep 1; done"
# A server of the cluster takes some seconds to be back, more on a slow machine.
BACK = 90.0


async def test_watch_1_the_api_server_stops_and_comes_back(kube: Kube, namespace: str) -> None:
    """WATCH-1: with it every older version is gone, as etcd is compacted meanwhile.

    Calls fail in time and in words, lists are answered, and afterwards nothing is lost, double or unseen.
    """
    async with (
        opened(kube, namespace, keep=True, call_timeout=5.0) as house,
        opened(kube, namespace, keep=True) as other,
    ):
        kept = await house.sh(f"echo before; {FOREVER}")
        lost, ends = await house.sh(FOREVER), await house.sh("sleep 4; exit 5")
        for weaver_id in (kept, lost):
            await house.until(weaver_id, "running")
        await asyncio.to_thread(kube.component, "stop", "kube-apiserver")
        try:
            with pytest.raises((Unavailable, RuntimeTimeout)) as failed:
                await house.sh("true")
            assert "Kubernetes" in failed.value.message
            assert house.runtime.get(kept).status == "running"
            assert {weaver.id for weaver in house.runtime.list()} == {kept, lost, ends}
            await asyncio.to_thread(kube.component, "compact")
            await eventually(lambda: house.runtime.describe()["seconds_since_heard"] > 10, "ten seconds")
        finally:
            await asyncio.to_thread(kube.component, "start", "kube-apiserver")
        kube.kubectl("delete", "pod", pod_name(lost), "--namespace", namespace, "--wait=false")
        await _extended(house, kept)
        await _sees(other, lambda: other.runtime.get(kept).lifetime_hours == 9)
        await _sees(other, lambda: not _is_active(other, lost))
        await _sees(house, lambda: not _is_active(house, ends))
        assert house.runtime.get(ends).exit_code == 5
        log = await house.log(kept, LogStart(), until=lambda log: bool(log.texts))
        assert log.texts == ["before"]
        await eventually(lambda: _agree(house, kube, namespace), "the list to be what there is")


async def test_watch_3_the_api_server_hangs(kube: Kube, namespace: str) -> None:
    """WATCH-3: paused, not gone. Calls end in a bounded time; no pod is left that the list does not show."""
    async with opened(kube, namespace, keep=True, call_timeout=2.0) as house:
        weaver_id = await house.sh(FOREVER)
        await house.until(weaver_id, "running")
        await asyncio.to_thread(kube.component, "freeze", "kube-apiserver")
        try:
            async with asyncio.timeout(30):
                for call in (house.sh("sleep 600"), house.runtime.delete(weaver_id)):
                    with pytest.raises(RuntimeTimeout):
                        await call
            assert house.runtime.get(weaver_id).status == "running"
        finally:
            await asyncio.to_thread(kube.component, "thaw", "kube-apiserver")
        await eventually(lambda: _agree(house, kube, namespace), "the list to be what there is")


async def test_the_kubelet_restarts(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace, keep=True) as house:
        weaver_id = await house.sh(FOREVER)
        await house.until(weaver_id, "running")
        before = house.runtime.changes.last
        await asyncio.to_thread(kube.component, "restart", "kubelet")
        made = await house.sh(FOREVER)
        await _sees(house, lambda: house.runtime.get(made).status == "running")
        statuses = {change.weaver.status for change in house.changes_of(weaver_id, before)}
        assert statuses == {"running"}, "it went on all the time"


async def _extended(house: House, weaver_id: str) -> None:
    """Calls are answered again."""
    async with asyncio.timeout(BACK):
        while True:
            try:
                await house.runtime.extend(weaver_id, 9)
            except LoomError:
                await asyncio.sleep(0.1)
            else:
                return


async def _sees(house: House, condition: Callable[[], bool]) -> None:
    """Kubelets take their time to find back to an API server that was away."""
    async with asyncio.timeout(BACK):
        while not condition():
            await house.runtime.changes.news()


def _is_active(house: House, weaver_id: str) -> bool:
    return house.knows(weaver_id) and house.runtime.get(weaver_id).active


def _agree(house: House, kube: Kube, namespace: str) -> bool:
    listed = {pod_name(weaver.id) for weaver in house.runtime.list()}
    items = kube.get("pods", "--namespace", namespace)["items"]
    return listed == {each["metadata"]["name"] for each in items}


async def test_a_node_that_is_gone_is_told_and_not_hidden(kube: Kube, namespace: str) -> None:
    """Its weavers are said to be of unknown state, and one that is deleted says why it does not go."""
    async with opened(kube, namespace, keep=True) as house:
        left, deleted = await house.sh(FOREVER), await house.sh(FOREVER)
        await house.until(left, "running")
        await house.until(deleted, "running")
        await asyncio.to_thread(kube.component, "stop", "kubelet")
        try:
            assert await house.runtime.delete(deleted)
            await _sees(house, lambda: "does not say so" in (house.runtime.get(deleted).detail or ""))
            assert "kubectl delete pod" in (house.runtime.get(deleted).detail or "")
            await _sees(house, lambda: house.runtime.get(left).reason == "NodeLost")
            assert house.runtime.get(left).status == "running"
        finally:
            await asyncio.to_thread(kube.component, "start", "kubelet")
        await _sees(house, lambda: not house.knows(deleted))
        await _sees(house, lambda: house.runtime.get(left).reason is None)
