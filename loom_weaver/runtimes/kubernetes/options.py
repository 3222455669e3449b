"""What an administrator decides about weavers on Kubernetes."""

from __future__ import annotations

import re
from typing import Any

from traitlets import Bool, Bunch, Dict, Enum, Float, Int, List, TraitError, Unicode, validate

from loom_weaver.images import parse_image
from loom_weaver.quantities import cpu_cores, memory_bytes, parse_quantity
from loom_weaver.runtimes.base import Runtime
from loom_weaver.runtimes.kubernetes.labels import LABEL_VALUE
from loom_weaver.runtimes.kubernetes.pod import PodSettings

DNS_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)


class KubernetesOptions(Runtime):
    """The traits; each is checked when it is set, and all of them together by the API server at the start."""

    kubeconfig = Unicode(
        help="The kubeconfig file. Default: KUBECONFIG, then ~/.kube/config, then the pod that this runs in."
    ).tag(config=True)
    context = Unicode(help="The kubeconfig's context; empty for its current one.").tag(config=True)
    namespace = Unicode(
        "loom-weavers", help="Where the pods of weavers are; made at the start where it is missing."
    ).tag(config=True)
    installation = Unicode(
        help="Tells the pods of this server and its replicas from those of others. Set by the server."
    ).tag(config=True)
    call_timeout = Float(15.0, help="Seconds after which a call to Kubernetes is given up.").tag(config=True)
    watch_seconds = Float(
        40.0,
        min=1,
        max=45,
        help="Seconds after which the watch of the cluster is opened anew; a dead one is found by then.",
    ).tag(config=True)
    terminals = Int(
        2000,
        min=1,
        help="Terminals that a server is connected to at once; those that nobody watched for longest are let"
        " go, and come back from their logs.",
    ).tag(config=True)
    images = Dict(
        help="Short names of images: name -> {image: reference, command: [...], args: [...],"
        " description: str}. Any tag or digest of the name fits."
    ).tag(config=True)
    any_image = Bool(True, help="Whether images beside those in `images` may be asked for.").tag(config=True)
    default_image = Unicode("ghcr.io/loom/weaver:latest", help="The image offered first.").tag(config=True)
    image_pull_policy = Enum(
        ["", "Always", "IfNotPresent", "Never"],
        "IfNotPresent",
        help="When nodes pull images; empty for the cluster's own rule.",
    ).tag(config=True)
    image_pull_secrets = List(
        Unicode(), help="Names of Secrets in the namespace to pull private images with."
    ).tag(config=True)
    default_memory = Unicode(
        "1Gi", help="The memory limit of weavers that ask for none; empty for no limit."
    ).tag(config=True)
    default_cpu = Unicode("1", help="The CPU limit of weavers that ask for none; empty for no limit.").tag(
        config=True
    )
    memory_request_ratio = Float(
        1.0, min=0.01, max=1, help="The share of its memory limit that is set aside for a weaver."
    ).tag(config=True)
    cpu_request_ratio = Float(
        0.1, min=0.01, max=1, help="The share of its CPU limit that is set aside for a weaver."
    ).tag(config=True)
    extra_resources = Dict(
        Unicode(), help="Further resources of every weaver, such as {'nvidia.com/gpu': '1'}."
    ).tag(config=True)
    home_directory = Unicode(
        "/home/weaver", help="The home directory of weavers, on a volume of its own."
    ).tag(config=True)
    home_size = Unicode("2Gi", help="How much the home directory, and a workdir, may hold.").tag(config=True)
    tmp_size = Unicode("1Gi", help="How much /tmp may hold.").tag(config=True)
    run_as_user = Int(1000, min=1, help="The user id that weavers run as.").tag(config=True)
    run_as_group = Int(1000, min=1, help="The group id that weavers run as.").tag(config=True)
    service_account = Unicode(help="The service account of weavers; they get no token of it.").tag(
        config=True
    )
    runtime_class = Unicode(help="The RuntimeClass, such as gvisor or kata.").tag(config=True)
    priority_class = Unicode(help="The PriorityClass.").tag(config=True)
    node_selector = Dict(Unicode(), help="Labels that a node must have.").tag(config=True)
    tolerations = List(Dict(), help="Taints that weavers bear, as in a pod's tolerations.").tag(config=True)
    pod_template = Dict(
        help="Laid over every pod: {metadata: {...}, spec: {...}}. Objects are merged, lists of containers,"
        " volumes and the like by name, a null takes away. The weaver's container is named weaver."
    ).tag(config=True)

    def pod_settings(self) -> PodSettings:
        own: dict[str, Any] = {
            "installation": self.installation or "none",
            "home": self.home_directory,
            "template": self.pod_template,
        }
        same = {name: getattr(self, name) for name in PodSettings.__dataclass_fields__ if name not in own}
        return PodSettings(**own, **same)

    @validate("default_memory", "home_size", "tmp_size")
    def _is_memory(self, proposal: Bunch) -> str:
        return _checked(proposal, memory_bytes, empty=proposal.trait.name == "default_memory")

    @validate("default_cpu")
    def _is_cpu(self, proposal: Bunch) -> str:
        return _checked(proposal, cpu_cores)

    @validate("namespace", "service_account", "runtime_class", "priority_class")
    def _is_name(self, proposal: Bunch) -> str:
        return _checked(proposal, _dns_name, empty=proposal.trait.name != "namespace")

    @validate("default_image")
    def _is_image(self, proposal: Bunch) -> str:
        return _checked(proposal, parse_image)

    @validate("home_directory")
    def _is_path(self, proposal: Bunch) -> str:
        return _checked(proposal, _absolute, empty=False).rstrip("/")

    @validate("extra_resources")
    def _are_quantities(self, proposal: Bunch) -> dict[str, str]:
        for name, quantity in proposal.value.items():
            _checked(Bunch(trait=Bunch(name=f"extra_resources.{name}"), value=quantity), parse_quantity)
        return dict(proposal.value)

    @validate("node_selector")
    def _are_labels(self, proposal: Bunch) -> dict[str, str]:
        for name, value in proposal.value.items():
            if not LABEL_VALUE.fullmatch(value):
                raise TraitError(f"node_selector.{name} must be a label's value, not {value!r}")
        return dict(proposal.value)

    @validate("images")
    def _are_images(self, proposal: Bunch) -> dict[str, Any]:
        for name, entry in proposal.value.items():
            if not isinstance(entry, dict) or not isinstance(entry.get("image"), str):
                raise TraitError(f"images.{name} must be an object with an image")
            _checked(Bunch(trait=Bunch(name=f"images.{name}.image"), value=entry["image"]), parse_image)
        return dict(proposal.value)

    @validate("pod_template")
    def _is_template(self, proposal: Bunch) -> dict[str, Any]:
        wrong = set(proposal.value) - {"metadata", "spec"}
        if wrong or not all(isinstance(part, dict) for part in proposal.value.values()):
            raise TraitError("pod_template must be an object with metadata and spec, and nothing else")
        return dict(proposal.value)


def _checked(proposal: Bunch, parse: Any, *, empty: bool = True) -> str:
    try:
        if proposal.value or not empty:
            parse(proposal.value)
    except ValueError as error:
        raise TraitError(f"{proposal.trait.name} {error}") from error
    return str(proposal.value)


def _dns_name(text: str) -> None:
    if not DNS_NAME.fullmatch(text):
        raise ValueError(f"must be a name of lower-case letters, digits and hyphens, not {text!r}")


def _absolute(text: str) -> None:
    if not text.startswith("/") or not text.strip("/"):
        raise ValueError("must be an absolute path such as /home/weaver")
