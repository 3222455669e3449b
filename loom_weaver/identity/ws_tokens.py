"""WebSocket tokens: good for one use within 30 seconds, on any server that shares the database."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, insert

from loom_weaver.errors import Unauthorized
from loom_weaver.identity.database import Database
from loom_weaver.identity.keys import Keys
from loom_weaver.identity.principal import Principal
from loom_weaver.identity.tables import WsTokenRow
from loom_weaver.identity.tokens import is_token, new_token, token_hash
from loom_weaver.identity.users import Users
from loom_weaver.identity.wire import WsToken
from loom_weaver.lifetime import Clock

WS_PREFIX = "ws_"
VALID_SECONDS = 30
REFUSED = "The token is unknown, used or expired; get a new one from /auth/ws-token"


class WsTokens:
    def __init__(self, database: Database, clock: Clock, users: Users, keys: Keys) -> None:
        self._database = database
        self._clock = clock
        self._users = users
        self._keys = keys

    async def issue(self, principal: Principal) -> WsToken:
        token = new_token(WS_PREFIX)
        now = self._clock()
        row = {
            "hash": token_hash(token),
            "user_id": principal.user_id,
            "key_id": principal.key_id,
            "expires_at": now + timedelta(seconds=VALID_SECONDS),
        }
        async with self._database.write() as connection:
            await connection.execute(delete(WsTokenRow).where(WsTokenRow.expires_at <= now))
            await connection.execute(insert(WsTokenRow).values(row))
        return WsToken(token=token, expires_in=VALID_SECONDS)

    async def consume(self, token: str) -> Principal:
        """The user it was issued to; raises Unauthorized the second time, or when it is too late."""
        if not is_token(WS_PREFIX, token):
            raise Unauthorized(REFUSED)
        # Found and gone in one statement: of two servers that ask at once, one gets it.
        taken = (
            delete(WsTokenRow)
            .where(WsTokenRow.hash == token_hash(token), WsTokenRow.expires_at > self._clock())
            .returning(WsTokenRow.user_id, WsTokenRow.key_id)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(taken)).one_or_none()
        if row is None:
            raise Unauthorized(REFUSED)
        if row.key_id is not None:
            return await self._keys.principal_by_id(row.key_id)
        return await self._users.principal(row.user_id)
