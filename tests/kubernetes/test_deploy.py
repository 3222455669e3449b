"""What deploy/ puts into a cluster: valid for the API server, complete for the server, and nothing beyond."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from loom_weaver import __version__
from tests.kube_cluster import RESTRICTED, WEAVER_IMAGE, Kube
from tests.kubernetes.helm import CHART, DEPLOY, helm

SCRIPTS = Path(__file__).parents[2] / "scripts"
# Each call that the Kubernetes runtime makes, in the namespace of its weavers.
NEEDED = {
    *itertools.product(("pods",), ("create", "delete", "get", "list", "patch", "watch")),
    *itertools.product(("pods/attach", "pods/exec"), ("create", "get")),
    *itertools.product(("events",), ("list", "watch")),
    ("pods/log", "get"),
    ("secrets", "create"),
    ("namespaces", "get"),
}
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
# Of the core group, and what would give more rights or containers.
RESOURCES = {
    "": (
        *("pods", "pods/attach", "pods/exec", "pods/log", "pods/portforward", "pods/proxy", "pods/status"),
        *("pods/ephemeralcontainers", "pods/eviction", "pods/binding", "pods/resize"),
        *("events", "secrets", "configmaps", "namespaces", "nodes", "nodes/proxy", "services"),
        *("serviceaccounts", "serviceaccounts/token", "persistentvolumeclaims", "persistentvolumes"),
        *("replicationcontrollers", "resourcequotas", "limitranges", "endpoints"),
    ),
    "apps": ("deployments", "daemonsets", "statefulsets", "replicasets"),
    "batch": ("jobs", "cronjobs"),
    "networking.k8s.io": ("networkpolicies", "ingresses"),
    "rbac.authorization.k8s.io": ("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
}


class Release(NamedTuple):
    namespace: str
    weavers: str


@pytest.fixture(scope="module")
def release(kube: Kube) -> Iterator[Release]:
    """The chart, installed without servers: what they are is another test's matter."""
    with kube.namespace() as namespace:
        weavers = f"{namespace}-weavers"
        values = f"weavers.namespace={weavers},replicas=0"
        helm(kube, "install", "loom-weaver", str(CHART), "--namespace", namespace, "--set", values)
        try:
            yield Release(namespace, weavers)
        finally:
            helm(kube, "uninstall", "loom-weaver", "--namespace", namespace)
            kube.kubectl("delete", "namespace", weavers, "--wait=false")


def test_helm_finds_no_fault_with_the_chart(kube: Kube) -> None:
    assert "0 chart(s) failed" in helm(kube, "lint", "--strict", str(CHART))


def test_the_chart_is_of_the_servers_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_one_server_keeps_its_data_on_a_claim_and_more_need_a_database(kube: Kube) -> None:
    one = helm(kube, "template", str(CHART), "--set", "replicas=1,dataClaim=data")
    assert "claimName: data" in one
    assert "PodDisruptionBudget" not in one
    with pytest.raises(AssertionError, match="replicas must be 1"):
        helm(kube, "template", str(CHART), "--set", "dataClaim=data")


def test_the_plain_manifests_are_the_chart(kube: Kube) -> None:
    del kube  # it brings helm
    printed = subprocess.run([SCRIPTS / "manifests", "-"], capture_output=True, text=True, check=True).stdout
    written = (DEPLOY / "manifests/loom-weaver.yaml").read_text()
    assert printed == written, "run scripts/manifests"


def test_the_api_server_takes_every_manifest(kube: Kube, release: Release) -> None:
    manifests = list(yaml.safe_load_all((DEPLOY / "manifests/loom-weaver.yaml").read_text()))
    assert len(manifests) > 10
    for manifest in manifests:
        place = manifest["metadata"].get("namespace")
        # Namespaces that exist, in the place of those that the manifests name.
        where = {"loom-weaver": release.namespace, "loom-weavers": release.weavers}.get(place)
        manifest["metadata"].pop("namespace", None)
        words = ["--namespace", where] if where else []
        kube.kubectl(
            "apply", "--dry-run=server", "--validate=strict", *words, "-f", "-", text=json.dumps(manifest)
        )


def test_the_servers_account_may_do_what_the_runtime_does_and_nothing_else(
    kube: Kube, release: Release
) -> None:
    asked = list(questions(release, release.weavers))
    allowed = {
        (spec["resource"] + ("/" + spec["subresource"] if "subresource" in spec else ""), spec["verb"])
        for spec in answers(kube, asked)
    }
    assert allowed == NEEDED


@pytest.mark.parametrize("place", ["default", "kube-system", ""])
def test_the_servers_account_may_do_nothing_elsewhere(kube: Kube, release: Release, place: str) -> None:
    assert answers(kube, list(questions(release, place))) == []


def questions(release: Release, namespace: str) -> Iterator[dict[str, Any]]:
    """A SubjectAccessReview for each verb on each resource."""
    user = f"system:serviceaccount:{release.namespace}:loom-weaver"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{release.namespace}", "system:authenticated"]
    for group, resources in RESOURCES.items():
        for resource, verb in itertools.product(resources, VERBS):
            kind, _, sub = resource.partition("/")
            what = {"namespace": namespace, "verb": verb, "group": group, "resource": kind}
            what |= {"subresource": sub} if sub else {}
            # Only its own namespace may be looked at.
            what |= {"name": namespace} if kind == "namespaces" else {}
            spec = {"user": user, "groups": groups, "resourceAttributes": what}
            yield {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def answers(kube: Kube, reviews: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is allowed of what was asked."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
    answered = kube.kubectl("create", "-f", "-", "-o", "json", text=text)
    decoded = json.JSONDecoder()
    found, at = [], 0
    while at < len(answered.rstrip()):
        one, at = decoded.raw_decode(answered, at)
        found += one.get("items", [one])
        at += len(answered[at:]) - len(answered[at:].lstrip())
    assert len(found) == len(reviews)
    return [one["spec"]["resourceAttributes"] for one in found if one["status"]["allowed"]]


def test_a_pod_that_is_not_restricted_is_refused(kube: Kube, release: Release) -> None:
    said = kube.kubectl(
        *("run", "bad", f"--image={WEAVER_IMAGE}", "--namespace", release.weavers, "--restart=Never"),
        *("--", "true"),
        check=False,
    )
    assert 'violates PodSecurity "restricted' in said


def test_weavers_have_limits_even_where_they_ask_for_none_and_nothing_else_has_room(
    kube: Kube, release: Release
) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "plain", "namespace": release.weavers},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "main",
                    "image": WEAVER_IMAGE,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
    made = json.loads(
        kube.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", text=json.dumps(pod))
    )
    assert made["spec"]["containers"][0]["resources"]["limits"]["memory"] == "1Gi"
    refused = kube.kubectl(
        "create", "service", "clusterip", "s", "--tcp=80", "--namespace", release.weavers, check=False
    )
    assert "exceeded quota" in refused


def test_the_weavers_namespace_is_closed_and_stays_when_the_release_goes(
    kube: Kube, release: Release
) -> None:
    metadata = kube.get("namespace", release.weavers)["metadata"]
    assert RESTRICTED.items() <= metadata["labels"].items()
    assert metadata["annotations"]["helm.sh/resource-policy"] == "keep"
    policy = kube.get("networkpolicy", "loom-weaver", "--namespace", release.weavers)["spec"]
    assert policy.get("ingress", []) == []
    assert policy["podSelector"] == {}
    world = policy["egress"][0]["to"][0]["ipBlock"]
    assert "169.254.0.0/16" in world["except"]
