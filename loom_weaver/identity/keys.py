"""API keys: shown once, kept as a hash, looked up at every call: a revoked one fails at the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Executable, Row, bindparam, insert, select, update

from loom_weaver.errors import BadRequest, LoomError, NotFound, Unauthorized
from loom_weaver.identity.database import Database
from loom_weaver.identity.naming import check_name
from loom_weaver.identity.principal import Principal
from loom_weaver.identity.tables import ApiKeyRow, MembershipRow, UserRow
from loom_weaver.identity.tokens import is_token, new_token, same_hash, token_hash
from loom_weaver.identity.users import PRINCIPAL_COLUMNS, principal_from
from loom_weaver.identity.wire import Key, NewKey
from loom_weaver.lifetime import Clock
from loom_weaver.names import new_id

KEY_PREFIX = "loom_sk_"
# Enough of a key to tell it from its owner's others, far too little to guess the rest.
SHOWN_CHARACTERS = len(KEY_PREFIX) + 4
# `last_used_at` is no finer than this: one write a minute, not one a call.
USE_RECORDED_EVERY = timedelta(minutes=1)
BAD_KEY = "The API key is unknown, revoked or expired; send another, or have a new one made"

KEYS = select(
    ApiKeyRow.id,
    ApiKeyRow.user_id,
    ApiKeyRow.name,
    ApiKeyRow.prefix,
    ApiKeyRow.created_at,
    ApiKeyRow.expires_at,
    ApiKeyRow.last_used_at,
    ApiKeyRow.revoked_at,
).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
KEY = KEYS.where(ApiKeyRow.id == bindparam("key_id"))
KEYS_OF_USER = KEYS.where(ApiKeyRow.user_id == bindparam("user_id"))
VALID_KEYS = (
    select(ApiKeyRow.id.label("key_id"), ApiKeyRow.hash, ApiKeyRow.last_used_at, *PRINCIPAL_COLUMNS)
    .join_from(ApiKeyRow, UserRow)
    .outerjoin(MembershipRow, MembershipRow.user_id == UserRow.id)
    .where(
        ApiKeyRow.revoked_at.is_(None),
        (ApiKeyRow.expires_at.is_(None))
        | (ApiKeyRow.expires_at > bindparam("now", type_=ApiKeyRow.expires_at.type)),
    )
)
VALID_KEY_BY_HASH = VALID_KEYS.where(ApiKeyRow.hash == bindparam("hash"))
VALID_KEY_BY_ID: Executable = VALID_KEYS.where(ApiKeyRow.id == bindparam("key_id"))

_log = logging.getLogger(__name__)


def valid(rows: Sequence[Row[Any]], key_id: str) -> Principal:
    """Raise Unauthorized where there are none."""
    if not rows:
        raise Unauthorized(BAD_KEY)
    return principal_from(rows, key_id)


class Keys:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._recordings: dict[str, asyncio.Task[None]] = {}

    async def aclose(self) -> None:
        """Wait until the last uses are recorded."""
        await asyncio.gather(*self._recordings.values())

    async def create(self, user_id: str, name: str, expires_at: datetime | None = None) -> NewKey:
        check_name(name)
        now = self._clock()
        if expires_at is not None and expires_at <= now:
            raise BadRequest("must lie in the future", field="expires_at")
        secret = new_token(KEY_PREFIX)
        row: dict[str, Any] = {
            "id": new_id("key"),
            "user_id": user_id,
            "name": name,
            "hash": token_hash(secret),
            "prefix": secret[:SHOWN_CHARACTERS],
            "created_at": now,
            "expires_at": expires_at,
            "last_used_at": None,
            "revoked_at": None,
        }
        async with self._database.write() as connection:
            await connection.execute(insert(ApiKeyRow).values(row))
        return NewKey(key=secret, **row)

    async def get(self, key_id: str) -> Key:
        rows = await self._database.rows(KEY, key_id=key_id)
        if not rows:
            raise NotFound("No such API key")
        return Key(**rows[0]._mapping)

    async def list(self, user_id: str) -> Sequence[Key]:
        return [Key(**row._mapping) for row in await self._database.rows(KEYS_OF_USER, user_id=user_id)]

    async def revoke(self, key_id: str) -> None:
        """At once and for good; a key that was revoked before keeps its time."""
        await self.get(key_id)
        revoked = update(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
        async with self._database.write() as connection:
            await connection.execute(revoked.values(revoked_at=self._clock()))

    async def principal(self, key: str) -> Principal:
        """The user of this key; raises Unauthorized for one that is unknown, revoked or expired."""
        if not is_token(KEY_PREFIX, key):
            raise Unauthorized(BAD_KEY)
        digest = token_hash(key)
        rows = await self._database.rows(VALID_KEY_BY_HASH, hash=digest, now=self._clock())
        if not rows or not same_hash(rows[0].hash, digest):
            raise Unauthorized(BAD_KEY)
        self._record_use(rows[0])
        return principal_from(rows, rows[0].key_id)

    async def principal_by_id(self, key_id: str) -> Principal:
        """The user of a key that was shown before, as long as it is still valid."""
        return valid(await self._database.rows(VALID_KEY_BY_ID, key_id=key_id, now=self._clock()), key_id)

    def _record_use(self, row: Row[Any]) -> None:
        """Off the caller's way: who calls does not wait for a write."""
        now = self._clock()
        stale = row.last_used_at is None or now - row.last_used_at >= USE_RECORDED_EVERY
        if stale and row.key_id not in self._recordings:
            task = asyncio.create_task(self._write_use(row.key_id, now))
            self._recordings[row.key_id] = task
            task.add_done_callback(lambda _: self._recordings.pop(row.key_id))

    async def _write_use(self, key_id: str, now: datetime) -> None:
        used = update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(last_used_at=now)
        try:
            async with self._database.write() as connection:
                await connection.execute(used)
        except LoomError as error:
            # The next use tries again; the time is for people's eyes only.
            _log.warning("The last use of %s was not recorded: %s", key_id, error)
