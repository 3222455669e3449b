"""`Idempotency-Key`: the same create twice makes one weaver, also when two race or a server dies."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from loom_weaver.errors import BadRequest, Conflict
from loom_weaver.identity.database import Database, finish
from loom_weaver.identity.tables import IdempotentCreateRow as Create
from loom_weaver.lifetime import Clock
from loom_weaver.names import new_id

REMEMBERED = timedelta(hours=24)
LONGEST_KEY = 255
# A call that has not ended by then was lost with its server, and the next one finishes its work. Should it
# live after all, both make the weaver of the same id, which is one weaver.
BELIEVED = timedelta(seconds=30)
# How often a second call looks whether the first is through, in seconds; the first may run on another server.
LOOK_EVERY = 0.05
OTHER_BODY = "this Idempotency-Key was used with another body; send the same body, or another key"

CREATE = select(
    Create.body_hash, Create.weaver_id, Create.answer, Create.claim, Create.claimed_until, Create.created_at
).where(Create.user_id == bindparam("user_id"), Create.key_hash == bindparam("key_hash"))


@dataclass(frozen=True, slots=True)
class _Use:
    user_id: str
    key_hash: str
    body_hash: str

    @property
    def is_mine(self) -> ColumnElement[bool]:
        return and_(Create.user_id == self.user_id, Create.key_hash == self.key_hash)


@dataclass(slots=True)
class Claim:
    """What is to be done for one use of a key.

    With an `answer`, nothing: it is the 201 to repeat. Else the weaver `weaver_id` is to be made, and its 201
    remembered. Where the claim is `inherited`, a server that died may have made that weaver already. Once the
    answer is `remembered` the weaver must stay, also when the caller is cancelled at that moment.
    """

    weaver_id: str
    answer: str | None = None
    inherited: bool = False
    remembered: bool = False


class IdempotentCreates:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def claim(self, user_id: str, key: str, body: bytes) -> AsyncIterator[Claim]:
        """Wait for other calls with the same key, then say what is left to do.

        Who sets the claim's `answer` has it remembered; who leaves without one, or by an exception, has the
        use forgotten. Raises Conflict where the key was used with another body.
        """
        if not 1 <= len(key) <= LONGEST_KEY:
            raise BadRequest(f"must have 1 to {LONGEST_KEY} characters", field="Idempotency-Key")
        use = _Use(user_id, _sha256(key.encode(errors="surrogatepass")), _sha256(body))
        token = secrets.token_hex(16)
        claim = await self._wait(use, token)
        if claim.answer is not None:
            yield claim
            return
        try:
            yield claim
        except BaseException:
            claim.answer = None
            raise
        finally:
            await finish(self._settle(use, token, claim))

    async def _wait(self, use: _Use, token: str) -> Claim:
        while True:
            now = self._clock()
            rows = await self._database.rows(CREATE, user_id=use.user_id, key_hash=use.key_hash)
            row = rows[0] if rows and rows[0].created_at > now - REMEMBERED else None
            if row is not None and row.body_hash != use.body_hash:
                raise Conflict(OTHER_BODY)
            if row is not None and row.answer is not None:
                return Claim(row.weaver_id, row.answer, remembered=True)
            if row is None or row.claimed_until <= now:
                claim = await self._take(use, token, row, now)
                if claim is not None:
                    return claim
            await asyncio.sleep(LOOK_EVERY)

    async def _take(self, use: _Use, token: str, row: Row[Any] | None, now: datetime) -> Claim | None:
        """None where another call was faster."""
        try:
            return await (
                self._begin(use, token, now) if row is None else self._inherit(use, token, row, now)
            )
        except IntegrityError:
            return None

    async def _begin(self, use: _Use, token: str, now: datetime) -> Claim:
        claim = Claim(new_id("weaver"))
        row = {
            "user_id": use.user_id,
            "key_hash": use.key_hash,
            "body_hash": use.body_hash,
            "weaver_id": claim.weaver_id,
            "claim": token,
            "claimed_until": now + BELIEVED,
            "created_at": now,
        }
        async with self._database.write() as connection:
            await connection.execute(delete(Create).where(Create.created_at <= now - REMEMBERED))
            await connection.execute(insert(Create).values(row))
        return claim

    async def _inherit(self, use: _Use, token: str, row: Row[Any], now: datetime) -> Claim | None:
        lost = update(Create).where(use.is_mine, Create.claim == row.claim, Create.answer.is_(None))
        async with self._database.write() as connection:
            taken = await connection.execute(lost.values(claim=token, claimed_until=now + BELIEVED))
        return Claim(row.weaver_id, inherited=True) if taken.rowcount else None

    async def _settle(self, use: _Use, token: str, claim: Claim) -> None:
        mine = and_(use.is_mine, Create.claim == token)
        async with self._database.write() as connection:
            if claim.answer is None:
                await connection.execute(delete(Create).where(mine))
            else:
                await connection.execute(update(Create).where(mine).values(answer=claim.answer))
        claim.remembered = claim.answer is not None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
