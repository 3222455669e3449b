"""One method for each verb of the API: who may, by which rule, then the runtime."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from traitlets import Bool
from traitlets.config import LoggingConfigurable

from loom_weaver import access, lifetime
from loom_weaver.cleanup import sweep, sweep_for_ever
from loom_weaver.creation import Creation
from loom_weaver.errors import Conflict, NotFound
from loom_weaver.events import WeaverEvents
from loom_weaver.files import Files
from loom_weaver.identity.principal import Principal
from loom_weaver.lifetime import utc_now
from loom_weaver.listing import ListQuery, select
from loom_weaver.models import CleanupReport, CreateWeaver, ExtendWeaver, Me, WeaverObject
from loom_weaver.names import is_weaver_id, new_id
from loom_weaver.presence import PresenceByWeaver
from loom_weaver.quotas import Quotas
from loom_weaver.runtimes.base import Runtime
from loom_weaver.weaver import Weaver
from loom_weaver.weaver_json import WeaverJSON

if TYPE_CHECKING:
    from loom_weaver.identity.store import IdentityStore

NO_SUCH_WEAVER = "There is no weaver with this id; GET /api/weavers lists those that there are"
HAS_ENDED = "The weaver has ended or is being deleted, so its lifetime cannot change; create another one"


class WeaverService(LoggingConfigurable):
    """Weavers as the API has them, whatever runs them."""

    allow_unisolated = Bool(
        False,
        config=True,
        help="Whether users who are no system admins create weavers even where nothing isolates them.",
    )

    def __init__(self, runtime: Runtime, identity: IdentityStore, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.runtime = runtime
        self.identity = identity
        self.quotas = Quotas(parent=self)
        self.presence = PresenceByWeaver()
        self.files = Files(runtime, parent=self)
        self._json = WeaverJSON(self.presence.viewers)
        self._creation = Creation(runtime, identity, self.quotas, self.allow_unisolated)
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._sweeping = asyncio.create_task(sweep_for_ever(self.runtime), name="weaver cleanup")

    async def stop(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
            self._sweeping = None

    def events(self, sees: Callable[[Weaver], bool]) -> WeaverEvents:
        return WeaverEvents(self.runtime.changes, self.runtime.list, sees)

    def find(self, principal: Principal, verb: access.Verb, weaver_id: str) -> Weaver:
        """The weaver, for who may do `verb` to it."""
        if not is_weaver_id(weaver_id):
            raise NotFound(NO_SUCH_WEAVER)
        weaver = self.runtime.get(weaver_id)
        access.check(principal, verb, weaver)
        return weaver

    def sees(self, principal: Principal, weaver: Weaver) -> bool:
        return access.may(principal, "get", weaver)

    def wire(self, weaver: Weaver) -> WeaverObject:
        return weaver.wire(utc_now(), self.presence.viewers(weaver.id))

    def json(self, weaver: Weaver) -> str:
        """The weaver object as text."""
        self._json.drop(self.runtime.list)
        return self._json.one(weaver, utc_now())

    async def create(
        self, principal: Principal, request: CreateWeaver, idempotency_key: str | None = None
    ) -> WeaverObject:
        if idempotency_key is None:
            return self.wire(await self._creation.create(principal, request, new_id("weaver")))
        return await self._creation.create_once(principal, request, idempotency_key)

    async def me(self, principal: Principal) -> Me:
        orgs = await self.identity.orgs.list_of_user(principal.user_id)
        info = self.runtime.info()
        return Me(
            user={"id": principal.user_id, "name": principal.name},
            roles=_roles(principal),
            orgs=[{"id": org.id, "name": org.name, "role": org.role or "member"} for org in orgs],
            default_org_id=orgs[0].id if orgs else None,
            quotas=self.quotas.usage(principal.user_id, self.runtime.list()),
            runtime={
                "name": info.name,
                "default_image": info.default_image,
                "images": info.images,
                "isolation": info.isolation.model_dump(),
            },
        )

    async def list(self, principal: Principal, query: ListQuery) -> str:
        """The page that is asked for, of what the caller may see, as text."""
        seen = (weaver for weaver in self.runtime.list() if self.sees(principal, weaver))
        page, token = select(query, seen)
        self._json.drop(self.runtime.list)
        return await self._json.page(page, token, utc_now())

    async def delete(self, principal: Principal, weaver_id: str) -> None:
        self.find(principal, "delete", weaver_id)
        await self.runtime.delete(weaver_id)
        if self.runtime.shared and self.quotas.limited:
            await self.identity.places.give_back(weaver_id)

    async def extend(self, principal: Principal, weaver_id: str, request: ExtendWeaver) -> Weaver:
        weaver = self.find(principal, "extend", weaver_id)
        if not weaver.active:
            raise Conflict(HAS_ENDED)
        lifetime.check_extension(weaver.created_at, request.lifetime_hours, utc_now())
        return await self.runtime.extend(weaver_id, request.lifetime_hours)

    async def cleanup(self, principal: Principal, *, dry_run: bool) -> CleanupReport:
        access.check_cleanup(principal)
        return await sweep(self.runtime, dry_run=dry_run)


def _roles(principal: Principal) -> list[str]:
    flags = {"system_admin": principal.is_system_admin, "support": principal.is_support}
    return [role for role, has in flags.items() if has]
