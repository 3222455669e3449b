"""What the cluster's pods are, kept up to date by one list and one watch; answers come from memory."""

from __future__ import annotations

from collections.abc import Callable, Collection

from loom_weaver.changes import ChangeLog
from loom_weaver.errors import NotFound
from loom_weaver.runtimes.base import NO_SUCH_WEAVER
from loom_weaver.runtimes.kubernetes.objects import Pod
from loom_weaver.weaver import Weaver


class PodCache:
    """The pods of one installation in one namespace."""

    def __init__(self, changes: ChangeLog) -> None:
        self.changes = changes

    def weaver(self, weaver_id: str) -> Weaver:
        """Raise NotFound where there is none (any more)."""
        raise NotFound(NO_SUCH_WEAVER)

    def pod(self, weaver_id: str) -> Pod:
        """Raise NotFound where there is none (any more)."""
        raise NotFound(NO_SUCH_WEAVER)

    def weavers(self) -> Collection[Weaver]:
        return []

    async def changed(self, weaver_id: str) -> None:
        """Wait for the next change of one pod, its end included."""

    async def until(self, weaver_id: str, predicate: Callable[[Pod], bool]) -> Pod:
        """Wait until the pod is so; raises NotFound once it is gone."""
        raise NotFound(NO_SUCH_WEAVER)
