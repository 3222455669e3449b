"""What a pod remembers of the weaver that it is: written once at the create, read at each look."""

from __future__ import annotations

import json

from loom_weaver.lifetime import parse_rfc3339, rfc3339
from loom_weaver.models import Resources
from loom_weaver.names import is_weaver_id, pod_name
from loom_weaver.runtimes.kubernetes import labels
from loom_weaver.runtimes.kubernetes.containers import CONTAINER
from loom_weaver.runtimes.kubernetes.objects import Container, Pod
from loom_weaver.weaver import WeaverSpec


def record(spec: WeaverSpec) -> dict[str, str]:
    given = [name for name in ("command", "args") if getattr(spec, name) is not None]
    exact = {
        labels.CREATED_AT: rfc3339(spec.created_at),
        labels.LIFETIME_HOURS: str(spec.lifetime_hours),
        labels.OWNER: spec.owner_user_id,
        labels.ORG: spec.org_id,
        labels.IMAGE: spec.image,
        labels.GIVEN: ",".join(given),
        labels.REPO: spec.repo_id,
        labels.TAGS: json.dumps(dict(spec.tags), ensure_ascii=False) if spec.tags else None,
        labels.RESOURCES: spec.resources.model_dump_json() if spec.resources else None,
    }
    return {name: value for name, value in exact.items() if value is not None}


def spec_of(pod: Pod) -> WeaverSpec | None:
    """What the pod was made from, without its environment; None for a pod that no weaver was made into."""
    noted = pod.metadata.annotations or {}
    weaver_id = (pod.metadata.labels or {}).get(labels.WEAVER, "")
    try:
        if not is_weaver_id(weaver_id) or pod.name != pod_name(weaver_id):
            return None
        container = next(each for each in pod.spec.containers or () if each.name == CONTAINER)
        command, args = _given(container, noted.get(labels.GIVEN, ""))
        resources = noted.get(labels.RESOURCES)
        return WeaverSpec(
            id=weaver_id,
            owner_user_id=noted[labels.OWNER],
            org_id=noted[labels.ORG],
            image=noted[labels.IMAGE],
            created_at=parse_rfc3339(noted[labels.CREATED_AT]),
            lifetime_hours=int(noted[labels.LIFETIME_HOURS]),
            repo_id=noted.get(labels.REPO),
            resources=Resources.model_validate_json(resources) if resources else None,
            tags=json.loads(noted.get(labels.TAGS, "{}")),
            command=command,
            args=args,
            workdir=container.working_dir or None,
        )
    except (KeyError, ValueError, StopIteration):
        return None


def _given(container: Container, given: str) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    names = given.split(",")
    command = tuple(map(unescaped, container.command or ())) if "command" in names else None
    args = tuple(map(unescaped, container.args or ())) if "args" in names else None
    return command, args


def escaped(text: str) -> str:
    """Kubernetes expands `$(NAME)` and makes `$$` into `$`; a weaver gets what was written."""
    return text.replace("$", "$$")


def unescaped(text: str) -> str:
    return text.replace("$$", "$")
