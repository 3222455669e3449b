"""Whether this server serves."""

from __future__ import annotations

from loom_weaver.errors import Unauthorized, Unavailable
from loom_weaver.models import Health
from loom_weaver_server.authentication import authenticate
from loom_weaver_server.handlers.base import WeaverAPIHandler
from loom_weaver_server.operations import Operation, operation

NOT_SERVING = "This server cannot serve weavers now; its log says why"


class HealthHandler(WeaverAPIHandler):
    public = True

    @operation(Operation("Whether lists answer", answers={200: Health}))
    async def get(self) -> None:
        if not self.house.is_ready:
            raise Unavailable(NOT_SERVING)
        more = self.house.describe() if await self._is_known() else {}
        self.reply(Health(**more))

    async def _is_known(self) -> bool:
        """Nothing internal is told to who is not; nobody is turned away."""
        try:
            await authenticate(self, self.house)
        except Unauthorized:
            return False
        return True
