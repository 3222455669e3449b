"""WebSocket tokens: good for one use within 30 seconds, on any server that shares the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert

from loom_weaver.errors import Unauthorized
from loom_weaver.identity.database import Database
from loom_weaver.identity.keys import VALID_KEY_BY_ID, valid
from loom_weaver.identity.principal import Principal
from loom_weaver.identity.tables import WsTokenRow
from loom_weaver.identity.tokens import is_token, new_token, token_hash
from loom_weaver.identity.users import PRINCIPAL_BY_ID, known
from loom_weaver.identity.wire import WsToken
from loom_weaver.lifetime import Clock

WS_PREFIX = "ws_"
VALID_SECONDS = 30
REFUSED = "The token is unknown, used or expired; get a new one from /auth/ws-token"

NOW = bindparam("now", type_=WsTokenRow.expires_at.type)
DROP_EXPIRED = delete(WsTokenRow).where(WsTokenRow.expires_at <= NOW)
ISSUE = insert(WsTokenRow)
# Found and gone in one statement: of two servers that ask at once, one gets it.
TAKE = (
    delete(WsTokenRow)
    .where(WsTokenRow.hash == bindparam("digest"), WsTokenRow.expires_at > NOW)
    .returning(WsTokenRow.user_id, WsTokenRow.key_id)
)


class WsTokens:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def issue(self, principal: Principal) -> WsToken:
        token = new_token(WS_PREFIX)
        now = self._clock()
        row = {
            "hash": token_hash(token),
            "user_id": principal.user_id,
            "key_id": principal.key_id,
            "expires_at": now + timedelta(seconds=VALID_SECONDS),
        }

        def work(connection: Connection) -> None:
            connection.execute(DROP_EXPIRED, {"now": now})
            connection.execute(ISSUE, row)

        await self._database.transact(work)
        return WsToken(token=token, expires_in=VALID_SECONDS)

    async def consume(self, token: str) -> Principal:
        """The user it was issued to; raises Unauthorized the second time, or when it is too late."""
        if not is_token(WS_PREFIX, token):
            raise Unauthorized(REFUSED)
        digest, now = token_hash(token), self._clock()

        def work(connection: Connection) -> tuple[str | None, Sequence[Row[Any]]] | None:
            row = connection.execute(TAKE, {"digest": digest, "now": now}).one_or_none()
            if row is None:
                return None
            if row.key_id is None:
                return None, connection.execute(PRINCIPAL_BY_ID, {"user_id": row.user_id}).all()
            values = {"key_id": row.key_id, "now": now}
            return row.key_id, connection.execute(VALID_KEY_BY_ID, values).all()

        taken = await self._database.transact(work)
        if taken is None:
            raise Unauthorized(REFUSED)
        key_id, rows = taken
        return known(rows) if key_id is None else valid(rows, key_id)
