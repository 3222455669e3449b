"""What a pod's state means for the weaver that it is: pure, the clock is passed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from loom_weaver.lifetime import parse_rfc3339, rfc3339
from loom_weaver.models import Isolation, TimelineEntry
from loom_weaver.runtimes.kubernetes import labels
from loom_weaver.runtimes.kubernetes.containers import CONTAINER
from loom_weaver.runtimes.kubernetes.end_words import End, end_of
from loom_weaver.runtimes.kubernetes.objects import Condition, Pod
from loom_weaver.runtimes.kubernetes.start_words import (
    EVENTS,
    IMAGE_REASONS,
    NO_CAUSE,
    ON_THE_WAY,
    event_sentence,
    unschedulable_sentence,
    waiting_sentence,
)
from loom_weaver.weaver import Weaver, WeaverSpec

# Why Kubernetes itself takes a pod away: the `DisruptionTarget` condition's reasons, in the wire's words.
DISRUPTIONS = {
    "DeletionByPodGC": ("NodeLost", "Its node is gone"),
    "DeletionByTaintManager": ("NodeLost", "Its node is not ready, or no longer takes it"),
    "EvictionByEvictionAPI": ("Evicted", "It was put out, as at the maintenance of a node"),
    "PreemptionByScheduler": ("Preempted", "It had to make room for something of higher priority"),
    "TerminationByKubelet": ("Evicted", "Its node ran short of something and put it out"),
}
# Longer than any grace of ours, and than a healthy node takes to report an end.
STUCK = timedelta(seconds=30)
NODE_SILENT = "Its node does not answer; whether it still runs is not known"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What an event of the cluster told about a pod."""

    reason: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a pod. `ending` is why this server deleted it, where it did."""

    pod: Pod
    spec: WeaverSpec
    isolation: Isolation
    now: datetime
    trouble: Trouble | None = None
    ending: str | None = None


def weaver_of(look: Look, previous: Weaver | None = None) -> Weaver:
    """The weaver as of this look. `previous` keeps what the cluster forgets: first causes, past troubles."""
    fresh = Weaver.pending(look.spec, look.isolation)
    terminated = _terminated(look)
    if look.pod.metadata.deletion_timestamp:
        weaver = _terminating(look, fresh, previous)
    elif terminated is not None:
        weaver = _ended(look, fresh, previous, terminated)
    elif _is_running(look.pod):
        weaver = _running(look, fresh)
    else:
        weaver = _pending(look, fresh, previous)
    return replace(weaver, timeline=_timeline(look, weaver, previous))


def is_over(pod: Pod) -> bool:
    """Whether its program has ended."""
    state = pod.state(CONTAINER)
    return pod.status.phase in ("Succeeded", "Failed") or (state is not None and state.terminated is not None)


def _terminated(look: Look) -> End | None:
    if not is_over(look.pod):
        return None
    state = look.pod.state(CONTAINER)
    limit = look.spec.resources.memory_limit if look.spec.resources else None
    return end_of(look.pod.status, state.terminated if state else None, limit)


def _is_running(pod: Pod) -> bool:
    state = pod.state(CONTAINER)
    return pod.status.phase == "Unknown" or (state is not None and state.running is not None)


def _running(look: Look, fresh: Weaver) -> Weaver:
    ready = _condition(look.pod, "Ready")
    # A node that is not heard of any more has its pods' Ready set to False, without a word why.
    silent = look.pod.status.phase == "Unknown" or (
        ready is not None and ready.status == "False" and not ready.reason
    )
    return replace(
        fresh,
        status="running",
        started_at=_started_at(look),
        reason="NodeLost" if silent else None,
        detail=NODE_SILENT if silent else None,
    )


def _ended(look: Look, fresh: Weaver, previous: Weaver | None, end: End) -> Weaver:
    started_at = _started_at(look)
    return replace(
        fresh,
        status="succeeded" if end.succeeded else "failed",
        started_at=started_at,
        finished_at=_finished_at(look, started_at, previous),
        exit_code=end.exit_code,
        reason=end.reason,
        detail=end.detail,
    )


def _terminating(look: Look, fresh: Weaver, previous: Weaver | None) -> Weaver:
    end = _terminated(look)
    started_at = _started_at(look)
    reason, detail = _why_terminating(look, fresh)
    return replace(
        fresh,
        status="terminating",
        started_at=started_at,
        finished_at=_finished_at(look, started_at, previous) if end else None,
        exit_code=end.exit_code if end else None,
        reason=reason,
        detail=_stuck(look) or detail,
    )


def _why_terminating(look: Look, fresh: Weaver) -> tuple[str, str | None]:
    if look.ending is not None:
        return look.ending, None
    disruption = _condition(look.pod, "DisruptionTarget")
    if disruption is not None and disruption.status == "True" and disruption.reason in DISRUPTIONS:
        return DISRUPTIONS[disruption.reason]
    return ("Expired" if fresh.expires_at <= _deleted_at(look.pod) else "Deleted"), None


def _stuck(look: Look) -> str | None:
    deadline = _moment(look.pod.metadata.deletion_timestamp)
    if deadline is None or look.now < deadline + STUCK:
        return None
    node = look.pod.spec.node_name
    if look.pod.metadata.finalizers:
        return f"It cannot go before its finalizers are done: {', '.join(look.pod.metadata.finalizers)}"
    return (
        f"It should be gone since {rfc3339(deadline)}, but its node {node} does not say so; "
        "once the node is known to be off, an administrator can remove the pod with "
        f"`kubectl delete pod {look.pod.name} --force`"
    )


def _pending(look: Look, fresh: Weaver, previous: Weaver | None) -> Weaver:
    reason, detail = _why_pending(look)
    if previous is not None and previous.status == "pending" and previous.reason in IMAGE_REASONS:
        reason, detail = _image_trouble(previous, reason, detail)
    return replace(fresh, reason=reason, detail=detail)


def _image_trouble(previous: Weaver, reason: str | None, detail: str | None) -> tuple[str | None, str | None]:
    """The first cause stays: what follows is the same again, or only that there will be another try."""
    if reason is not None and reason not in IMAGE_REASONS:
        return reason, detail
    settled = reason is None or previous.reason == "ImagePullBackOff"
    causeless = previous.detail is None or NO_CAUSE in previous.detail
    return (previous.reason if settled else reason), (
        detail or previous.detail if causeless else previous.detail
    )


def _why_pending(look: Look) -> tuple[str | None, str | None]:
    scheduled = _condition(look.pod, "PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return scheduled.reason or "Unschedulable", unschedulable_sentence(scheduled)
    state = look.pod.state(CONTAINER)
    if state is not None and state.waiting is not None and state.waiting.reason not in ON_THE_WAY:
        pull_error = look.trouble.message if look.trouble and look.trouble.reason == "Failed" else ""
        return state.waiting.reason, waiting_sentence(look.spec.image, state.waiting, pull_error)
    if look.trouble is not None and look.trouble.reason in EVENTS:
        return look.trouble.reason, event_sentence(look.trouble.reason, look.trouble.message)
    return None, None


def _timeline(look: Look, weaver: Weaver, previous: Weaver | None) -> tuple[TimelineEntry, ...]:
    """What the pod tells, and the troubles seen on the way, in the order in which it must have been."""
    entries = [_entry(look.spec.created_at, "Created"), *_troubles(look, weaver, previous)]
    if weaver.started_at:
        entries.append(_entry(weaver.started_at, "Started"))
    if (extended_at := _moment((look.pod.metadata.annotations or {}).get(labels.EXTENDED_AT))) is not None:
        entries.append(_entry(extended_at, "Extended", f"to {weaver.lifetime_hours} hours"))
    ended = weaver.status != "terminating" or (previous is not None and _has_ended(previous))
    if ended and (end := _terminated(look)) is not None:
        at = weaver.finished_at or look.now
        entries.append(_entry(at, "Completed" if end.succeeded else "Failed", end.detail))
    if weaver.status == "terminating":
        known = [each for each in previous.timeline if each.event == "Terminating"] if previous else []
        entries.append(known[0] if known else _entry(_deleted_at(look.pod), "Terminating", weaver.detail))
    return tuple(entries)


def _has_ended(weaver: Weaver) -> bool:
    """Whether it had ended before it was deleted."""
    return any(entry.event in ("Completed", "Failed") for entry in weaver.timeline)


def _troubles(look: Look, weaver: Weaver, previous: Weaver | None) -> list[TimelineEntry]:
    known = {"Created", "Started", "Extended", "Completed", "Failed", "Terminating"}
    troubles = [entry for entry in previous.timeline if entry.event not in known] if previous else []
    unlike = previous is None or (previous.reason, previous.status) != (weaver.reason, weaver.status)
    if weaver.status in ("pending", "running") and weaver.reason and unlike:
        troubles.append(_entry(look.now, weaver.reason, weaver.detail))
    return troubles


def _entry(at: datetime, event: str, detail: str | None = None) -> TimelineEntry:
    return TimelineEntry(at=rfc3339(at), event=event, detail=detail)


def _started_at(look: Look) -> datetime | None:
    """Kubernetes tells whole seconds, of another clock: never before the weaver was created."""
    state = look.pod.state(CONTAINER)
    if state is None:
        return None
    told = state.running or state.terminated
    moment = _moment(told.started_at) if told else None
    # A container that was never started has 1970 here.
    if moment is None or moment.year < 2000:
        return None
    return max(moment, look.spec.created_at)


def _finished_at(look: Look, started_at: datetime | None, previous: Weaver | None) -> datetime:
    """Where the pod does not tell, the moment at which it was first seen to be over."""
    state = look.pod.state(CONTAINER)
    told = state.terminated if state else None
    moment = _moment(told.finished_at) if told else None
    if moment is None or moment.year < 2000:
        moment = (previous.finished_at if previous else None) or look.now
    return max(moment, started_at or look.spec.created_at)


def _deleted_at(pod: Pod) -> datetime:
    """Kubernetes tells the end of the grace period."""
    deadline = _moment(pod.metadata.deletion_timestamp)
    assert deadline is not None
    return deadline - timedelta(seconds=pod.metadata.deletion_grace_period_seconds or 0)


def _condition(pod: Pod, kind: str) -> Condition | None:
    return next((each for each in pod.status.conditions or () if each.type == kind), None)


def _moment(text: str | None) -> datetime | None:
    return parse_rfc3339(text) if text else None
