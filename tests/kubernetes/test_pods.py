"""What weavers leave in a cluster, and what they leave alone."""

from __future__ import annotations

import asyncio
import json

import pytest

from loom_weaver.cleanup import sweep
from loom_weaver.errors import NotFound, Unavailable
from loom_weaver.lifetime import utc_now
from loom_weaver.names import new_id, pod_name
from loom_weaver.runtimes.base import LogStart
from loom_weaver.runtimes.kubernetes.pod import PodSettings, manifest
from loom_weaver.runtimes.kubernetes.runtime import KubernetesRuntime
from tests.contract.probes import House, eventually, spec_of
from tests.kube_cluster import WEAVER_IMAGE, Kube
from tests.kubernetes.houses import opened

FOREVER = "while :; do sleep 1; done"


def pods(kube: Kube, namespace: str) -> set[str]:
    return {each["metadata"]["name"] for each in kube.get("pods", "--namespace", namespace)["items"]}


def secrets(kube: Kube, namespace: str) -> list[str]:
    return [each["metadata"]["name"] for each in kube.get("secrets", "--namespace", namespace)["items"]]


async def test_every_pod_is_taken_under_restricted_pod_security(kube: Kube, namespace: str) -> None:
    """Validated by the API server itself: whole pods, with everything that can be asked for."""
    spec = spec_of("sh", "-c", "true", tags={"ünï code/…": "a b"}, workdir="/workspace", env={"A": "1"})
    settings = PodSettings(
        installation="test",
        image_pull_secrets=["registry"],
        node_selector={"kubernetes.io/os": "linux"},
        tolerations=[{"key": "gpu", "operator": "Exists"}],
        extra_resources={"nvidia.com/gpu": "1"},
    )
    for made in (manifest(spec, settings), manifest(spec_of(), PodSettings(installation="test"))):
        words = ("create", "--dry-run=server", "--namespace", namespace, "-o", "name", "-f", "-")
        assert kube.kubectl(*words, text=json.dumps(made)).startswith("pod/loom-weaver-")


async def test_a_weaver_can_do_in_its_pod_what_it_should_and_no_more(kube: Kube, namespace: str) -> None:
    script = (
        "id -u; touch /tmp/a ~/b /workspace/c && echo written; touch /usr/x; "
        "ls /var/run/secrets/kubernetes.io 2>&1; grep NoNewPrivs /proc/self/status; pwd"
    )
    async with opened(kube, namespace) as house:
        log = await house.log(await house.sh(script, workdir="/workspace"))
        text = "\n".join(log.texts)
        assert log.texts[:2] == ["1000", "written"]
        assert "Read-only file system" in text
        assert "No such file or directory" in text
        assert "NoNewPrivs:\t1" in text
        assert log.texts[-1] == "/workspace"


async def test_secrets_travel_in_a_secret_and_go_with_the_pod(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace) as house:
        weaver_id = await house.sh(f"echo $WORD; {FOREVER}", env={"WORD": "hunter2"})
        await house.log(weaver_id, until=lambda log: log.texts == ["hunter2"])
        assert secrets(kube, namespace) == [pod_name(weaver_id)]
        assert "hunter2" not in json.dumps(kube.get("pod", pod_name(weaver_id), "--namespace", namespace))
        await house.runtime.delete(weaver_id)
        await house.gone(weaver_id)
        await eventually(lambda: secrets(kube, namespace) == [], "the Secret to be gone")


async def test_ttl_3_what_belongs_to_others_is_never_touched(kube: Kube, namespace: str) -> None:
    """TTL-3: another installation's pod, one named like ours, and one with our labels and no lifetime."""
    ours = PodSettings(installation="test")
    named = manifest(spec_of("sleep", "600"), ours)
    named["metadata"]["labels"], named["metadata"]["annotations"] = {}, {}
    lifeless = manifest(spec_of("sleep", "600"), ours)
    lifeless["metadata"]["annotations"] = {}
    for made in (named, lifeless):
        made["metadata"]["namespace"] = namespace
        made["spec"]["containers"][0]["image"] = WEAVER_IMAGE
    kube.apply(named, lifeless)
    strangers = {named["metadata"]["name"], lifeless["metadata"]["name"]}
    async with (
        opened(kube, namespace) as house,
        opened(kube, namespace, installation="other", keep=True) as others,
    ):
        past = utc_now().replace(year=2020)
        theirs = await others.create("sleep", "600", created_at=past)
        expired = await house.create("sleep", "600", created_at=past)
        assert [weaver.id for weaver in house.runtime.list()] == [expired]
        assert (await sweep(house.runtime, dry_run=True)).would_delete == [expired]
        assert (await sweep(house.runtime)).deleted == [expired]
        await house.gone(expired)
        assert pods(kube, namespace) == {*strangers, pod_name(theirs)}
        with pytest.raises(NotFound):
            await house.runtime.delete(theirs)


async def test_pod_7_deleted_behind_our_back(kube: Kube, namespace: str) -> None:
    """POD-7: readers get an end, and it never runs again; a delete of it is not found, and no error."""
    async with opened(kube, namespace) as house:
        weaver_id = await house.sh(f"echo on; {FOREVER}")
        await house.until(weaver_id, "running")
        before = house.runtime.changes.last
        async with house.view(weaver_id) as viewer:
            await viewer.until(b"on")
            reading = asyncio.create_task(house.log(weaver_id, LogStart()))
            kube.kubectl("delete", "pod", pod_name(weaver_id), "--namespace", namespace, "--wait=false")
            assert (await reading).end is not None
            assert await viewer.end() == "ended"
        await house.gone(weaver_id)
        after = house.changes_of(weaver_id, before)
        assert {change.weaver.status for change in after} == {"terminating"}
        with pytest.raises(NotFound):
            await house.runtime.delete(weaver_id)


async def test_race_2_a_create_that_is_cancelled_leaves_no_pod(kube: Kube, namespace: str) -> None:
    """RACE-2: cancelled at any moment; what the list shows is what there is."""
    async with opened(kube, namespace) as house:
        for pause in (0.0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.04, 0.08):
            spec = spec_of("sleep", "600", env={"A": "1"})
            making = asyncio.create_task(house.runtime.create(spec))
            await asyncio.wait([making], timeout=pause)
            making.cancel()
            await asyncio.wait([making])

        def agree() -> bool:
            listed = {pod_name(weaver.id) for weaver in house.runtime.list()}
            return listed == pods(kube, namespace) and len(secrets(kube, namespace)) <= len(listed)

        await eventually(agree, "the list to show what there is")


async def test_race_3_one_id_is_one_pod(kube: Kube, namespace: str) -> None:
    """RACE-3: the same create on two servers at once."""
    async with opened(kube, namespace) as house, opened(kube, namespace) as replica:
        spec = spec_of("sleep", "600", id=new_id("weaver"))
        made = await asyncio.gather(*(each.runtime.create(spec) for each in (house, replica) * 3))
        assert {weaver.id for weaver in made} == {spec.id}
        assert pods(kube, namespace) == {pod_name(spec.id)}


async def test_replicas_know_of_each_other_within_a_moment(kube: Kube, namespace: str) -> None:
    async with opened(kube, namespace) as one, opened(kube, namespace, keep=True) as other:
        weaver_id = await one.sh(FOREVER)
        await _known(other, weaver_id)
        await other.until(weaver_id, "running")
        await other.runtime.extend(weaver_id, 30)
        await eventually(lambda: one.runtime.get(weaver_id).lifetime_hours == 30, "the extension to be known")
        await one.runtime.delete(weaver_id)
        await other.gone(weaver_id)


async def _known(house: House, weaver_id: str) -> None:
    async with asyncio.timeout(30):
        while not house.knows(weaver_id):
            await house.runtime.changes.news()


async def test_a_namespace_that_is_missing_is_made(kube: Kube) -> None:
    name = "loom-test-made-at-the-start"
    try:
        async with opened(kube, name) as house:
            await house.over(await house.sh("true"))
        labels = kube.get("namespace", name)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    finally:
        kube.kubectl("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        ({"runtime_class": "no-such-class"}, "no-such-class"),
        ({"priority_class": "no-such-class"}, "no-such-class"),
        ({"service_account": "nobody"}, "nobody"),
        ({"tolerations": [{"operator": "Nonsense"}]}, "tolerations"),
        ({"pod_template": {"spec": {"hostNetwork": True}}}, "violates PodSecurity"),
        ({"pod_template": {"spec": {"volumes": [{"name": "UPPER CASE"}]}}}, "UPPER CASE"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_options_that_no_pod_can_have_are_told_at_the_start(
    kube: Kube, namespace: str, traits: dict[str, object], words: str
) -> None:
    runtime = KubernetesRuntime(kubeconfig=str(kube.kubeconfig), namespace=namespace, **traits)
    try:
        with pytest.raises(Unavailable, match="takes no pod as weavers are set up") as told:
            await runtime.start()
        assert words in told.value.message
    finally:
        await runtime.stop()


async def test_a_terminal_too_many_is_let_go_and_comes_back_from_its_log(kube: Kube, namespace: str) -> None:
    """Only one that nobody watches; its program does not notice."""
    echoing = "stty -echo; echo ready; while read x; do echo got $x; done"
    async with opened(kube, namespace, terminals=1) as house:
        first = await house.sh(echoing)
        async with house.view(first) as before:
            await before.until(b"ready\r\n")
            second = await house.sh(echoing)
            async with house.view(second) as other:
                await other.until(b"ready\r\n")
            await before.type(b"one\n")
            await before.until(b"got one\r\n")
        third = await house.sh(echoing)
        await house.until(third, "running")
        async with house.view(first) as after:
            await after.type(b"two\n")
            await after.until(b"got two\r\n")
        assert after.attachment.epoch != before.attachment.epoch, "the terminal is another"
        assert after.received == before.received + b"got two\r\n"
