"""Lays an administrator's template over a pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What tells the elements of a list apart, as in Kubernetes' own strategic merge.
KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "imagePullSecrets": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
}
# What has no key is put behind what there is.
ADDED_TO = frozenset({"tolerations", "envFrom", "hostAliases", "topologySpreadConstraints"})


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Objects are merged, lists by the names of their elements; a null takes away; else `over` wins.

    Neither is changed; what the result has of them is shared.
    """
    merged = dict(base)
    for name, value in over.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(name, merged.get(name), value)
    return merged


def _merged(name: str, base: Any, over: Any) -> Any:
    if isinstance(over, Mapping):
        return merge(base if isinstance(base, Mapping) else {}, over)
    if isinstance(base, list) and isinstance(over, list):
        if name in KEYS:
            return _by_key(KEYS[name], base, over)
        if name in ADDED_TO:
            return [*base, *over]
    return over


def _by_key(key: str, base: list[Any], over: list[Any]) -> list[Any]:
    elements = {each.get(key): each for each in base}
    for each in over:
        elements[each.get(key)] = merge(elements.get(each.get(key), {}), each)
    return list(elements.values())
