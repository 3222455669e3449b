"""Why a weaver does not start, or ended, told in words soon after the cluster knows."""

from __future__ import annotations

import asyncio

import pytest

from loom_weaver.errors import BadRequest, TooManyWeavers
from loom_weaver.models import Resources
from loom_weaver.names import pod_name
from loom_weaver.runtimes.kubernetes.labels import LIFETIME_HOURS
from loom_weaver.weaver import Weaver
from tests.contract.probes import PATIENCE, House, spec_of
from tests.kube_cluster import Kube
from tests.kubernetes.houses import opened


async def until_reason(house: House, weaver_id: str, *reasons: str) -> Weaver:
    changes = house.runtime.changes
    try:
        async with asyncio.timeout(PATIENCE * 2):
            while house.runtime.get(weaver_id).reason not in reasons:
                await changes.news()
    except TimeoutError:
        raise AssertionError(f"waited for {reasons}, have {house.runtime.get(weaver_id)}") from None
    return house.runtime.get(weaver_id)


async def test_pod_1_an_image_that_cannot_be_pulled(kube: Kube, namespace: str) -> None:
    """POD-1: the reason stays while the cluster alternates, the first cause too, and it can be deleted."""
    async with opened(kube, namespace) as house:
        weaver = await house.runtime.create(spec_of(image="ghcr.io/no-such-org/no-such-image:1"))
        first = await until_reason(house, weaver.id, "ErrImagePull", "ImagePullBackOff")
        assert first.status == "pending"
        assert "ghcr.io/no-such-org/no-such-image:1 cannot be pulled: " in (first.detail or "")
        later = await until_reason(house, weaver.id, "ImagePullBackOff")
        assert later.detail == first.detail
        reasons = [change.weaver.reason for change in house.changes_of(weaver.id)]
        assert None not in reasons[reasons.index(first.reason) :]
        assert await house.runtime.delete(weaver.id)
        await house.gone(weaver.id)


async def test_pod_4_no_room_in_the_cluster(kube: Kube, namespace: str) -> None:
    """POD-4: the scheduler's sentence."""
    async with opened(kube, namespace) as house:
        weaver = await house.runtime.create(
            spec_of("true", resources=Resources(memory_limit="900Gi", cpu_limit="1"))
        )
        told = await until_reason(house, weaver.id, "Unschedulable")
        assert told.status == "pending"
        assert "Insufficient memory" in (told.detail or "")
        assert told.timeline[-1].event == "Unschedulable"


async def test_an_image_that_may_not_be_pulled(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace, image_pull_policy="Never") as house:
        weaver = await house.runtime.create(spec_of(image="not-here:1"))
        told = await until_reason(house, weaver.id, "ErrImageNeverPull")
        assert "pull policy Never" in (told.detail or "")


async def test_a_volume_that_cannot_be_mounted_is_told_by_an_event(kube: Kube, namespace: str) -> None:
    template = {
        "spec": {
            "volumes": [{"name": "missing", "secret": {"secretName": "no-such-secret"}}],
            "containers": [
                {"name": "weaver", "volumeMounts": [{"name": "missing", "mountPath": "/missing"}]}
            ],
        }
    }
    async with opened(kube, namespace, pod_template=template) as house:
        weaver = await house.runtime.create(spec_of("true"))
        told = await until_reason(house, weaver.id, "FailedMount")
        assert 'secret "no-such-secret" not found' in (told.detail or "")


async def test_a_reason_is_told_before_what_the_cluster_does_next(kube: Kube, namespace: str) -> None:
    """Once the cluster knows it, whatever it does afterwards is heard of later."""
    where = ("--namespace", namespace)
    async with opened(kube, namespace, image_pull_policy="Never") as house:
        other = await house.sh("sleep 600")
        no_room = await house.runtime.create(spec_of("true", resources=Resources(memory_limit="900Gi")))
        no_image = await house.runtime.create(spec_of(image="not-here:1"))
        known = {
            no_room.id: "condition=PodScheduled=False",
            no_image.id: "jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImageNeverPull",
        }
        for weaver_id, what in known.items():
            wait = ("wait", f"pod/{pod_name(weaver_id)}", f"--for={what}", "--timeout=60s", *where)
            await asyncio.to_thread(kube.kubectl, *wait)
        kube.kubectl("annotate", "pod", pod_name(other), f"{LIFETIME_HOURS}=30", "--overwrite", *where)
        async with asyncio.timeout(PATIENCE):
            while house.runtime.get(other).lifetime_hours != 30:
                await house.runtime.changes.news()
        assert house.runtime.get(no_room.id).reason == "Unschedulable"
        assert house.runtime.get(no_image.id).reason == "ErrImageNeverPull"


ENDS = {
    ("python3", "-c", "b = bytearray(10**9)"): ("failed", "OOMKilled", 137),
    ("sh", "-c", "kill -9 $$"): ("failed", "Error", 137),
    ("sh", "-c", "exit 7"): ("failed", "Error", 7),
    ("no-such-command",): ("failed", "StartError", 127),
    ("/etc/passwd",): ("failed", "StartError", 126),
    ("true",): ("succeeded", "Completed", 0),
}


async def test_pod_2_how_it_ended(kube: Kube, namespace: str) -> None:
    """POD-2: out of memory, or just killed."""
    async with opened(kube, namespace) as house:
        limits = Resources(memory_limit="64Mi")
        made = {command: await house.create(*command, resources=limits) for command in ENDS}
        for command, weaver_id in made.items():
            weaver = await house.over(weaver_id)
            assert (weaver.status, weaver.reason, weaver.exit_code) == ENDS[command], command
            assert "64Mi" in (weaver.detail or "") or weaver.reason != "OOMKilled"


async def test_pod_5_the_namespaces_own_quota_refuses(kube: Kube, namespace: str) -> None:
    """POD-5: told as a quota, and nothing is left behind."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "one", "namespace": namespace},
        "spec": {"hard": {"pods": "1"}},
    }
    kube.apply(quota)
    kube.kubectl(
        "wait", "resourcequota/one", "--for=jsonpath={.status.hard.pods}=1", "--namespace", namespace
    )
    async with opened(kube, namespace) as house:
        await house.sh("sleep 600")
        with pytest.raises(TooManyWeavers) as refused:
            await house.sh("sleep 600", env={"SECRET": "hunter2"})
        assert "ResourceQuota is used up" in refused.value.message
        assert "pods=1" in refused.value.message
        assert "hunter2" not in refused.value.message
        assert len(kube.get("pods", "--namespace", namespace)["items"]) == 1
        assert kube.get("secrets", "--namespace", namespace)["items"] == []


async def test_a_limit_range_that_refuses_is_a_bad_request(kube: Kube, namespace: str) -> None:
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "small", "namespace": namespace},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "100Mi"}}]},
    }
    kube.apply(limits)
    async with opened(kube, namespace) as house:
        with pytest.raises(BadRequest) as refused:
            await house.sh("true", resources=Resources(memory_limit="1Gi"))
        assert refused.value.details[0].field == "resources"
        assert "maximum memory usage per Container is 100Mi" in refused.value.message
