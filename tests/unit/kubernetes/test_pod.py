"""The manifest that a weaver becomes, whole, and back."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from loom_weaver.models import Resources
from loom_weaver.runtimes.kubernetes.labels import label_value
from loom_weaver.runtimes.kubernetes.objects import Pod
from loom_weaver.runtimes.kubernetes.pod import PodSettings, file_roots, manifest, secret_manifest
from loom_weaver.runtimes.kubernetes.pod_isolation import isolation_of
from loom_weaver.runtimes.kubernetes.pod_record import spec_of
from loom_weaver.weaver import WeaverSpec

SETTINGS = PodSettings(installation="3b1e", default_memory="1Gi", default_cpu="1")
SPEC = WeaverSpec(
    id="weaver_abc",
    owner_user_id="user_1",
    org_id="550e8400-e29b-41d4-a716-446655440000",
    image="ghcr.io/loom/weaver:latest",
    created_at=datetime(2026, 3, 3, 12, 0, 0, 250_000, tzinfo=UTC),
    lifetime_hours=12,
)
LIMITS = {"memory": "1Gi", "cpu": "1"}
PLAIN: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "loom-weaver-abc",
        "labels": {
            "app.kubernetes.io/managed-by": "loom-weaver",
            "app.kubernetes.io/name": "weaver",
            "loom-weaver/installation": "3b1e",
            "loom-weaver/weaver": "weaver_abc",
            "loom-weaver/owner": "user_1",
            "loom-weaver/org": "550e8400-e29b-41d4-a716-446655440000",
        },
        "annotations": {
            "loom-weaver/created-at": "2026-03-03T12:00:00.250Z",
            "loom-weaver/lifetime-hours": "12",
            "loom-weaver/owner": "user_1",
            "loom-weaver/org": "550e8400-e29b-41d4-a716-446655440000",
            "loom-weaver/image": "ghcr.io/loom/weaver:latest",
            "loom-weaver/given": "",
        },
    },
    "spec": {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": 49 * 3600,
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": True,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "weaver",
                "image": "ghcr.io/loom/weaver:latest",
                "stdin": True,
                "tty": True,
                "env": [
                    {"name": "HOME", "value": "/home/weaver"},
                    {"name": "USER", "value": "weaver"},
                    {"name": "LANG", "value": "C.UTF-8"},
                    {"name": "TERM", "value": "xterm-256color"},
                    {"name": "LOOM_WEAVER_ID", "value": "weaver_abc"},
                ],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "home", "mountPath": "/home/weaver"},
                    {"name": "tmp", "mountPath": "/tmp"},
                ],
                "imagePullPolicy": "IfNotPresent",
                "resources": {"limits": LIMITS, "requests": {"memory": "1Gi", "cpu": "100m"}},
            }
        ],
        "volumes": [
            {"name": "home", "emptyDir": {"sizeLimit": "2Gi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
        ],
    },
}
EVERYTHING = replace(
    SPEC,
    repo_id="repo_1",
    resources=Resources(memory_limit="4Gi", cpu_limit="500m"),
    tags={"project": "ai worker", "ünïcode / any": "…"},
    command=("sh", "-c", "echo $(HOME) $$ $HOME"),
    args=("a$", ""),
    workdir="/workspace/x",
    env={"A": "$(B)", "HOME": "/mine"},
)


def back(pod: dict[str, Any]) -> WeaverSpec | None:
    return spec_of(msgspec.json.decode(msgspec.json.encode(pod), type=Pod))


def container(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["spec"]["containers"][0]
    return found


def test_the_plain_pod() -> None:
    assert manifest(SPEC, SETTINGS) == PLAIN


def test_everything_that_can_be_asked_for() -> None:
    pod = manifest(EVERYTHING, SETTINGS)
    made = container(pod)
    assert made["command"] == ["sh", "-c", "echo $$(HOME) $$$$ $$HOME"], "nothing is expanded"
    assert made["args"] == ["a$$", ""]
    assert made["workingDir"] == "/workspace/x"
    assert made["envFrom"] == [{"secretRef": {"name": "loom-weaver-abc"}}]
    assert "HOME" not in [each["name"] for each in made["env"]], "the asked-for one comes with the Secret"
    assert made["resources"] == {
        "limits": {"memory": "4Gi", "cpu": "500m"},
        "requests": {"memory": "4Gi", "cpu": "50m"},
    }
    assert made["volumeMounts"][-1] == {"name": "workdir", "mountPath": "/workspace/x"}
    assert "$(B)" not in str(pod), "values travel in the Secret"


def test_the_secret_is_the_pods() -> None:
    assert secret_manifest(EVERYTHING, SETTINGS, "uid-1") == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "loom-weaver-abc",
            "labels": PLAIN["metadata"]["labels"],
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Pod", "name": "loom-weaver-abc", "uid": "uid-1"}
            ],
        },
        "type": "Opaque",
        "immutable": True,
        "stringData": {"A": "$(B)", "HOME": "/mine"},
    }


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        replace(EVERYTHING, env={}),
        replace(SPEC, args=("-c", "x")),
        replace(SPEC, command=("true",)),
        replace(SPEC, tags={"a": ""}, owner_user_id="user with spaces"),
    ],
)
def test_a_pod_remembers_its_weaver(spec: WeaverSpec) -> None:
    assert back(manifest(spec, SETTINGS)) == spec


@pytest.mark.parametrize(
    "part",
    ["loom-weaver/created-at", "loom-weaver/lifetime-hours", "loom-weaver/owner", "loom-weaver/image"],
)
def test_ttl_3_a_pod_with_our_labels_and_nothing_behind_them_is_no_weaver(part: str) -> None:
    """TTL-3: somebody else's pod, however it is named, is nobody we know."""
    pod = manifest(SPEC, SETTINGS)
    del pod["metadata"]["annotations"][part]
    assert back(pod) is None
    other = manifest(SPEC, SETTINGS)
    other["metadata"]["name"] = "loom-weaver-other"
    assert back(other) is None


def test_a_short_name_brings_image_and_command() -> None:
    images = {"python": {"image": "registry/python:3", "command": ["python3"], "args": ["-q"]}}
    settings = replace(SETTINGS, images=images)
    spec = replace(SPEC, image="python:3.13")
    made = container(manifest(spec, settings))
    assert (made["image"], made["command"], made["args"]) == ("registry/python:3", ["python3"], ["-q"])
    given = container(manifest(replace(spec, args=("-c", "1")), settings))
    assert (given["command"], given["args"]) == (["python3"], ["-c", "1"])
    replaced = container(manifest(replace(spec, command=("true",)), settings))
    assert (replaced["command"], "args" in replaced) == (["true"], False)
    assert back(manifest(spec, settings)) == spec


def test_where_pods_run_is_an_administrators_choice() -> None:
    settings = replace(
        SETTINGS,
        runtime_class="gvisor",
        priority_class="low",
        service_account="weaver",
        node_selector={"disk": "ssd"},
        tolerations=[{"key": "gpu", "operator": "Exists"}],
        image_pull_secrets=["registry"],
        extra_resources={"nvidia.com/gpu": "1"},
        memory_request_ratio=0.5,
    )
    spec = manifest(SPEC, settings)["spec"]
    assert spec["runtimeClassName"] == "gvisor"
    assert spec["priorityClassName"] == "low"
    assert spec["serviceAccountName"] == "weaver"
    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert spec["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    resources = spec["containers"][0]["resources"]
    assert resources["limits"]["nvidia.com/gpu"] == "1"
    assert resources["requests"]["memory"] == str(2**29)
    assert isolation_of(settings)(SPEC).kind == "gvisor"


def test_a_template_is_laid_over_the_pod() -> None:
    template = {
        "metadata": {"labels": {"team": "a", "loom-weaver/weaver": "hers"}},
        "spec": {
            "activeDeadlineSeconds": None,
            "containers": [
                {"name": "weaver", "env": [{"name": "PROXY", "value": "p"}, {"name": "LANG", "value": "de"}]},
                {"name": "side", "image": "side:1"},
            ],
            "volumes": [{"name": "home", "emptyDir": {"medium": "Memory"}}],
        },
    }
    pod = manifest(SPEC, replace(SETTINGS, template=template))
    assert pod["metadata"]["labels"]["team"] == "a"
    assert pod["metadata"]["labels"]["loom-weaver/weaver"] == "weaver_abc", "what we select by stays"
    assert "activeDeadlineSeconds" not in pod["spec"]
    env = {each["name"]: each["value"] for each in container(pod)["env"]}
    assert (env["LANG"], env["PROXY"], env["TERM"]) == ("de", "p", "xterm-256color")
    assert [each["name"] for each in pod["spec"]["containers"]] == ["weaver", "side"]
    assert pod["spec"]["volumes"][0] == {
        "name": "home",
        "emptyDir": {"sizeLimit": "2Gi", "medium": "Memory"},
    }
    assert back(pod) == SPEC


def test_isolation_never_claims_what_a_template_took_away() -> None:
    template = {
        "spec": {
            "hostNetwork": True,
            "containers": [{"name": "weaver", "securityContext": {"readOnlyRootFilesystem": False}}],
        }
    }
    enforced = isolation_of(replace(SETTINGS, template=template))(SPEC).enforced
    assert "filesystem" not in enforced
    assert "abstract_sockets" not in enforced
    assert {"capabilities", "no_new_privileges", "processes"} <= set(enforced)


@pytest.mark.parametrize(
    ("workdir", "roots"),
    [
        (None, ("/home/weaver", "/tmp")),
        ("/tmp", ("/home/weaver", "/tmp")),
        ("/home/weaver/", ("/home/weaver", "/tmp")),
        ("/workspace", ("/home/weaver", "/tmp", "/workspace")),
        ("/tmp/a", ("/home/weaver", "/tmp", "/tmp/a")),
        ("/usr/src", ("/home/weaver", "/tmp")),
        ("/", ("/home/weaver", "/tmp")),
    ],
)
def test_what_can_be_written_to(workdir: str | None, roots: tuple[str, ...]) -> None:
    assert file_roots(SETTINGS, workdir) == roots
    mounts = container(manifest(replace(SPEC, workdir=workdir), SETTINGS))["volumeMounts"]
    assert tuple(each["mountPath"] for each in mounts) == roots


@pytest.mark.parametrize("text", ["user_1", "a.b-c", "x" * 63])
def test_a_label_keeps_what_it_can(text: str) -> None:
    assert label_value(text) == text


@pytest.mark.parametrize("text", ["", "-a", "a b", "é", "x" * 64, "a/b", "a\n"])
def test_a_label_holds_a_digest_of_what_it_cannot(text: str) -> None:
    assert label_value(text).startswith("sha256-")
    assert len(label_value(text)) <= 63
    assert label_value(text) != label_value(text + "x")


def test_a_template_is_the_same_after_a_pod_was_made_with_it() -> None:
    """And can take away no label that weavers are found by."""
    labels = {"team": "data", "loom-weaver/weaver": None}
    template = {"metadata": {"labels": labels, "annotations": None}, "spec": {"nodeSelector": {"a": "b"}}}
    before = deepcopy(template)
    made = manifest(SPEC, replace(SETTINGS, template=template))
    assert template == before
    plain = manifest(SPEC, SETTINGS)["metadata"]
    assert made["metadata"] == {**plain, "labels": {**plain["labels"], "team": "data"}}
