"""Why a pod does not start, in plain words and with the way out where one is known."""

from __future__ import annotations

from loom_weaver.runtimes.kubernetes.objects import Condition, Waiting

IMAGE_REASONS = frozenset(
    {
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
    }
)
# The way of every start; nothing is wrong yet.
ON_THE_WAY = frozenset({"", "ContainerCreating", "PodInitializing"})
# What an event tells about a start that its pod's status does not. The reasons, each with what it means.
EVENTS = {
    "FailedMount": "A volume of the weaver cannot be mounted",
    "FailedAttachVolume": "A volume of the weaver cannot be attached to its node",
    "FailedCreatePodSandBox": "The node cannot make the weaver's surroundings",
    "NetworkNotReady": "The node's network is not ready",
    "FailedCreatePodContainer": "The node cannot make the weaver's container",
    "FailedNodeAllocatableEnforcement": "The node cannot give what the weaver asks for",
}
# How a sentence about an image goes on where nobody said why.
NO_CAUSE = "cannot be pulled."


def waiting_sentence(image: str, waiting: Waiting, pull_error: str = "") -> str:
    """`pull_error` is what an event told of the first try, as a back-off forgets it."""
    cause = _cause(waiting.message)
    match waiting.reason:
        case "ErrImageNeverPull":
            return f"The image {image} is not on the node, and the pull policy Never forbids to pull it"
        case "InvalidImageName":
            return f"{image} is no name of an image: {cause}"
        case "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" | "ImageInspectError":
            if not cause or cause.startswith("Back-off"):
                cause = _cause(pull_error)
            return (
                f"The image {image} cannot be pulled{f': {cause}' if cause else ''}. Check its name and tag; "
                "a private registry needs KubernetesRuntime.image_pull_secrets"
            )
        case "CreateContainerConfigError":
            return f"The container cannot be set up: {cause}"
        case _:
            return f"The container cannot be made: {cause}" if cause else "The container cannot be made"


def unschedulable_sentence(condition: Condition) -> str:
    """The scheduler's own sentence, and what to do about the usual ones."""
    said = condition.message.strip() or "no node takes it"
    if "Insufficient" in said:
        return f"{said} Ask for less in resources, delete a weaver, or add a node"
    if "taint" in said:
        return f"{said} KubernetesRuntime.tolerations may allow it to run there"
    if "selector" in said or "affinity" in said:
        return f"{said} Look at KubernetesRuntime.node_selector"
    return said


def event_sentence(reason: str, message: str) -> str:
    return f"{EVENTS[reason]}: {_cause(message)}"


def _cause(message: str) -> str:
    """The message without the names that Kubernetes puts before the cause, on one line."""
    text = " ".join(message.split())
    for mark in ("ErrImagePull: ", " desc = ", "failed to resolve reference "):
        text = text.rpartition(mark)[2]
    return text.strip().rstrip(".")
