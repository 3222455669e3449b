"""What all handlers share: the service, who is who, and whether the house is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_weaver.errors import Unavailable

if TYPE_CHECKING:
    from loom_weaver.identity.store import IdentityStore
    from loom_weaver.service import WeaverService
    from loom_weaver_server.identity import Callers

STARTING = "The server is starting; try again in a moment"
STOPPING = "The server is shutting down; try again in a moment"


class House:
    """Stands in Tornado's settings as `loom_weaver_house` from the start; is `ready` once its parts have started."""

    identity: IdentityStore
    service: WeaverService
    callers: Callers

    def __init__(self) -> None:
        self.problem: str | None = STARTING
        """Why nothing can be served; None once everything can."""

    def __repr__(self) -> str:
        return f"<House {self.problem or 'ready'}>"

    @property
    def ready(self) -> bool:
        return self.problem is None

    def require_ready(self) -> None:
        if self.problem is not None:
            raise Unavailable(self.problem)
