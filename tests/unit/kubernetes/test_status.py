"""What a pod's state means, row by row: made from what real clusters answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from loom_weaver.models import Isolation, Resources
from loom_weaver.runtimes.kubernetes.objects import Pod
from loom_weaver.runtimes.kubernetes.status import Look, Trouble, weaver_of
from loom_weaver.weaver import Weaver, WeaverSpec

NOW = datetime(2026, 3, 3, 12, 0, 10, tzinfo=UTC)
SPEC = WeaverSpec(
    id="weaver_abc",
    owner_user_id="user_1",
    org_id="o",
    image="ghcr.io/x/y:1",
    created_at=NOW - timedelta(seconds=10),
    lifetime_hours=2,
    resources=Resources(memory_limit="64Mi"),
)
ISOLATION = Isolation(kind="container", enforced=[])
STARTED, FINISHED = "2026-03-03T12:00:02Z", "2026-03-03T12:00:05Z"


def look(status: dict[str, Any], trouble: Trouble | None = None, **more: Any) -> Look:
    metadata = {"name": "loom-weaver-abc", "uid": "u", "resourceVersion": "1", **more.pop("metadata", {})}
    pod = msgspec.convert({"metadata": metadata, "spec": {"nodeName": "node-7"}, "status": status}, Pod)
    return Look(pod, SPEC, ISOLATION, **{"now": NOW, "trouble": trouble, **more})


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"phase": "Pending", **_container(waiting={"reason": reason, "message": message})}


def running(**more: Any) -> dict[str, Any]:
    return {"phase": "Running", **_container(running={"startedAt": STARTED}), **more}


def terminated(code: int, reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    state = {
        "exitCode": code,
        "reason": reason,
        "message": message,
        "startedAt": STARTED,
        "finishedAt": FINISHED,
    }
    return {"phase": "Succeeded" if code == 0 else "Failed", **_container(terminated=state), **more}


def _container(**state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "sidecar"}, {"name": "weaver", "state": state}]}


@dataclass(frozen=True)
class Row:
    name: str
    status: dict[str, Any]
    weaver: tuple[str, str | None, int | None]
    detail: str | None
    trouble: Trouble | None = None


UNSCHEDULABLE = "0/1 nodes are available: 1 Insufficient memory."
START = "failed to create shim task: OCI runtime create failed: runc create failed"
ROWS = [
    Row("not scheduled yet", {"phase": "Pending"}, ("pending", None, None), None),
    Row("being made", waiting("ContainerCreating"), ("pending", None, None), None),
    Row(
        "no room (POD-4)",
        {
            "phase": "Pending",
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": UNSCHEDULABLE,
                }
            ],
        },
        ("pending", "Unschedulable", None),
        f"{UNSCHEDULABLE} Ask for less in resources, delete a weaver, or add a node",
    ),
    Row(
        "no such image (POD-1)",
        waiting(
            "ErrImagePull",
            'rpc error: code = NotFound desc = failed to resolve reference "ghcr.io/x/y:1": not found',
        ),
        ("pending", "ErrImagePull", None),
        'The image ghcr.io/x/y:1 cannot be pulled: "ghcr.io/x/y:1": not found. Check its name',
    ),
    Row(
        "back-off that tells the cause, as since 1.31",
        waiting("ImagePullBackOff", 'Back-off pulling image "y": ErrImagePull: rpc error: desc = denied'),
        ("pending", "ImagePullBackOff", None),
        "cannot be pulled: denied. Check its name",
    ),
    Row(
        "back-off that does not, and an event that did",
        waiting("ImagePullBackOff", 'Back-off pulling image "y"'),
        ("pending", "ImagePullBackOff", None),
        "cannot be pulled: denied. Check its name",
        Trouble("Failed", 'Failed to pull image "y": rpc error: code = Unknown desc = denied', NOW),
    ),
    Row(
        "never pulled",
        waiting("ErrImageNeverPull", 'Container image "y" is not present with pull policy of Never'),
        ("pending", "ErrImageNeverPull", None),
        "The image ghcr.io/x/y:1 is not on the node, and the pull policy Never forbids to pull it",
    ),
    Row(
        "bad configuration",
        waiting("CreateContainerConfigError", 'secret "s" not found'),
        ("pending", "CreateContainerConfigError", None),
        'The container cannot be set up: secret "s" not found',
    ),
    Row(
        "only an event tells",
        waiting("ContainerCreating"),
        ("pending", "FailedMount", None),
        'A volume of the weaver cannot be mounted: MountVolume.SetUp failed: secret "s" not found',
        Trouble("FailedMount", 'MountVolume.SetUp failed: secret "s" not found', NOW),
    ),
    Row("running", running(), ("running", None, None), None),
    Row(
        "its node is silent",
        running(conditions=[{"type": "Ready", "status": "False"}]),
        ("running", "NodeLost", None),
        "Its node does not answer",
    ),
    Row("ended well", terminated(0, "Completed"), ("succeeded", "Completed", 0), None),
    Row("ended badly", terminated(3, "Error"), ("failed", "Error", 3), "exited with 3"),
    Row("killed (POD-2)", terminated(137, "Error"), ("failed", "Error", 137), "ended by signal 9 (SIGKILL)"),
    Row(
        "out of memory (POD-2)",
        terminated(137, "OOMKilled"),
        ("failed", "OOMKilled", 137),
        "It used more memory than its limit of 64Mi; create another one with more resources.memory_limit",
    ),
    Row(
        "a child out of memory",
        terminated(0, "OOMKilled"),
        ("succeeded", "Completed", 0),
        "A process in it was killed at the memory limit of 64Mi",
    ),
    Row(
        "no such command",
        terminated(128, "StartError", f'{START}: exec: "nope": executable file not found in $PATH: unknown'),
        ("failed", "StartError", 127),
        'The command cannot be started: exec: "nope": executable file not found in $PATH',
    ),
    Row(
        "not executable",
        terminated(128, "StartError", f'{START}: exec: "/etc/passwd": permission denied: unknown'),
        ("failed", "StartError", 126),
        'The command cannot be started: exec: "/etc/passwd": permission denied',
    ),
    Row(
        "evicted, without a word about containers (POD-3)",
        {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."},
        ("failed", "Evicted", None),
        "Its node ran short of something and put it out: The node was low on resource: memory.",
    ),
    Row(
        "the deadline, while the container still says that it runs",
        {**running(), "phase": "Failed", "reason": "DeadlineExceeded", "message": "Pod was active too long"},
        ("failed", "DeadlineExceeded", None),
        "It ran longer than any weaver may: Pod was active too long",
    ),
    Row(
        "the node had no room after all",
        {"phase": "Failed", "reason": "OutOfcpu", "message": "Pod was rejected"},
        ("failed", "OutOfcpu", None),
        "Its node had too little cpu left: Pod was rejected",
    ),
    Row("nobody says why", {"phase": "Failed"}, ("failed", "Error", None), "does not say why"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_state_and_its_words(row: Row) -> None:
    """POD-1 to POD-4: the row says which."""
    weaver = weaver_of(look(row.status, row.trouble))
    assert (weaver.status, weaver.reason, weaver.exit_code) == row.weaver
    if row.detail is None:
        assert weaver.detail is None
    else:
        assert row.detail in (weaver.detail or "")


def test_the_times_of_a_life() -> None:
    weaver = weaver_of(look(terminated(0, "Completed")))
    assert weaver.started_at == datetime(2026, 3, 3, 12, 0, 2, tzinfo=UTC)
    assert weaver.finished_at == datetime(2026, 3, 3, 12, 0, 5, tzinfo=UTC)
    assert [entry.event for entry in weaver.timeline] == ["Created", "Started", "Completed"]


def test_a_cluster_whose_clock_is_five_minutes_behind_starts_nothing_before_its_creation() -> None:
    skewed = replace(SPEC, created_at=NOW + timedelta(minutes=5))
    weaver = weaver_of(replace(look(terminated(0, "Completed")), spec=skewed))
    assert weaver.started_at == weaver.finished_at == skewed.created_at


def test_pod_1_the_first_cause_stays() -> None:
    """POD-1: cause and mere back-off alternate; what is told does not."""
    weaver: Weaver | None = None
    told = []
    alternating = [
        waiting("ErrImagePull", "rpc error: desc = no such host"),
        waiting("ImagePullBackOff", 'Back-off pulling image "y"'),
        waiting("ErrImagePull", "rpc error: desc = timeout"),
        waiting("ContainerCreating"),
        waiting("ImagePullBackOff", 'Back-off pulling image "y"'),
    ]
    for status in alternating:
        weaver = weaver_of(look(status), weaver)
        told.append((weaver.reason, "no such host" in (weaver.detail or "")))
    assert told == [("ErrImagePull", True), *[("ImagePullBackOff", True)] * 4]
    assert weaver is not None
    assert [entry.event for entry in weaver.timeline] == ["Created", "ErrImagePull", "ImagePullBackOff"]


def test_a_cause_that_is_known_only_later_is_told() -> None:
    first = weaver_of(look(waiting("ImagePullBackOff", 'Back-off pulling image "y"')))
    assert "cannot be pulled. Check" in (first.detail or "")
    trouble = Trouble("Failed", "rpc error: desc = denied", NOW)
    second = weaver_of(look(waiting("ImagePullBackOff", 'Back-off pulling image "y"'), trouble), first)
    assert "cannot be pulled: denied." in (second.detail or "")


def test_pod_4_the_reason_goes_when_room_appears() -> None:
    """POD-4: back to empty once it is scheduled; the timeline remembers."""
    first = weaver_of(look(ROWS[2].status))
    then = weaver_of(look(waiting("ContainerCreating")), first)
    assert (then.reason, then.detail) == (None, None)
    assert [entry.event for entry in then.timeline] == ["Created", "Unschedulable"]


DELETED = {"deletionTimestamp": "2026-03-03T12:00:09Z", "deletionGracePeriodSeconds": 1}


@pytest.mark.parametrize(
    ("more", "status", "reason"),
    [
        ({}, running(), "Deleted"),
        ({"ending": "Expired"}, running(), "Expired"),
        ({"spec": replace(SPEC, created_at=NOW - timedelta(hours=3))}, running(), "Expired"),
        (
            {},
            running(
                conditions=[
                    {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}
                ]
            ),
            "NodeLost",
        ),
    ],
)
def test_why_it_is_ending(more: dict[str, Any], status: dict[str, Any], reason: str) -> None:
    weaver = weaver_of(replace(look(status, metadata=DELETED), **more))
    assert (weaver.status, weaver.reason) == ("terminating", reason)


def test_a_pod_that_should_be_gone_says_so() -> None:
    """A node that is gone leaves its pods terminating for ever: said, not hidden."""
    late = replace(look(running(), metadata=DELETED), now=NOW + timedelta(minutes=2))
    weaver = weaver_of(late, weaver_of(look(running(), metadata=DELETED)))
    assert weaver.status == "terminating"
    assert "node-7 does not say so" in (weaver.detail or "")
    assert "kubectl delete pod loom-weaver-abc --force" in (weaver.detail or "")
    held = replace(late, pod=msgspec.structs.replace(late.pod))
    held.pod.metadata.finalizers = ["example.com/wait"]
    assert "example.com/wait" in (weaver_of(held).detail or "")


def test_the_moment_of_an_end_that_nobody_noted_stays() -> None:
    first = weaver_of(look({"phase": "Failed", "reason": "Evicted"}))
    later = replace(look({"phase": "Failed", "reason": "Evicted"}), now=NOW + timedelta(hours=1))
    assert weaver_of(later, first).finished_at == first.finished_at == NOW
