"""One create: all checks in the contract's order, then the weaver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from loom_weaver import access
from loom_weaver.errors import BadRequest, Forbidden, NotFound
from loom_weaver.identity.database import finish
from loom_weaver.identity.places import Place
from loom_weaver.identity.principal import Principal
from loom_weaver.images import parse_image
from loom_weaver.lifetime import utc_now
from loom_weaver.models import CreateWeaver, WeaverObject, check_environment
from loom_weaver.quotas import Quotas
from loom_weaver.runtimes.base import Runtime
from loom_weaver.weaver import Weaver, WeaverSpec

if TYPE_CHECKING:
    from loom_weaver.identity.idempotency import Claim
    from loom_weaver.identity.store import IdentityStore

NO_SUCH_REPO = "This repository does not exist in this organization"
TOO_MANY_SECRETS = "its secrets together with env, command and args are more than a process can be given"


@dataclass(frozen=True, slots=True)
class Creation:
    """What a create needs; one for the whole service."""

    runtime: Runtime
    identity: IdentityStore
    quotas: Quotas
    allow_unisolated: bool

    async def create(self, principal: Principal, request: CreateWeaver, weaver_id: str) -> Weaver:
        access.check_create(principal, request.org_id)
        isolation = self.runtime.info().isolation
        access.check_isolation(principal, isolation, allow_unisolated=self.allow_unisolated)
        env = await self._environment(request)
        self.runtime.check_image(parse_image(request.image))
        self.runtime.check_caps(request)
        spec = _spec(principal, request, weaver_id, env)
        async with self._place(spec):
            return await self.runtime.create(spec)

    @asynccontextmanager
    async def _place(self, spec: WeaverSpec) -> AsyncIterator[None]:
        """Hold a place for `spec` while it is made, and for as long as other servers may not see it yet."""
        present = self.runtime.list()
        if not (self.runtime.shared and self.quotas.limited):
            with self.quotas.reservation(spec, present):
                yield
            return
        places = self.identity.places
        place = Place(spec.id, spec.owner_user_id, spec.org_id)
        await places.take(place, lambda others: self.quotas.check_among(spec, present, others))
        try:
            yield
        except BaseException:
            await finish(places.give_back(spec.id))
            raise

    async def create_once(self, principal: Principal, request: CreateWeaver, key: str) -> WeaverObject:
        """The same key and body again gets the first answer again, whatever became of that weaver."""
        claim: Claim | None = None
        made: Weaver | None = None
        try:
            async with self.identity.idempotent_creates.claim(
                principal.user_id, key, _canonical(request)
            ) as claim:
                if claim.answer is not None:
                    return WeaverObject.model_validate_json(claim.answer)
                made = self._made_before(claim)
                if made is None:
                    made = await self.create(principal, request, claim.weaver_id)
                answer = made.wire(utc_now())
                claim.answer = answer.model_dump_json(warnings=False)
            return answer
        except BaseException:
            if made is not None and claim is not None and not claim.remembered:
                await self._unmake(made)
            raise

    def _made_before(self, claim: Claim) -> Weaver | None:
        """What a server made that died before it could answer."""
        if not claim.inherited:
            return None
        try:
            return self.runtime.get(claim.weaver_id)
        except NotFound:
            return None

    async def _unmake(self, weaver: Weaver) -> None:
        """Its id could not be remembered, so a retry would make a second one; also while being cancelled."""
        try:
            await asyncio.shield(self.runtime.delete(weaver.id, reason="CreateFailed"))
        except NotFound:
            return

    async def _environment(self, request: CreateWeaver) -> dict[str, str]:
        """The repository's secrets under what was asked for."""
        if request.repo_id is None:
            return dict(request.env)
        try:
            repo = await self.identity.repos.get(request.org_id, request.repo_id)
        except NotFound as error:
            raise Forbidden(NO_SUCH_REPO) from error
        env = {**await self.identity.secrets.values(repo.id), **request.env}
        try:
            check_environment(env, [*(request.command or ()), *(request.args or ())])
        except PydanticCustomError:
            # Its message would tell the names and sizes of secrets.
            raise BadRequest(TOO_MANY_SECRETS, field="repo_id") from None
        return env


def _canonical(request: CreateWeaver) -> bytes:
    """Equal for bodies that ask for the same."""
    return json.dumps(request.model_dump(mode="json"), sort_keys=True).encode()


def _spec(principal: Principal, request: CreateWeaver, weaver_id: str, env: dict[str, str]) -> WeaverSpec:
    return WeaverSpec(
        id=weaver_id,
        owner_user_id=principal.user_id,
        org_id=request.org_id,
        image=request.image,
        created_at=utc_now(),
        lifetime_hours=request.lifetime_hours,
        repo_id=request.repo_id,
        resources=request.resources,
        tags=request.tags,
        command=None if request.command is None else tuple(request.command),
        args=None if request.args is None else tuple(request.args),
        workdir=request.workdir,
        env=env,
    )
