"""Users, and how one becomes a principal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Executable, Row, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from loom_weaver.errors import Conflict, NotFound, Unauthorized
from loom_weaver.identity.database import Database
from loom_weaver.identity.naming import check_name, may_exist
from loom_weaver.identity.orgs import insert_org, unused_org_name
from loom_weaver.identity.principal import Principal
from loom_weaver.identity.tables import MembershipRow, UserRow
from loom_weaver.identity.wire import User
from loom_weaver.lifetime import Clock
from loom_weaver.names import new_id

is_system_admin: ColumnElement[bool] = or_(UserRow.is_system_admin, UserRow.configured_system_admin)
is_support: ColumnElement[bool] = or_(UserRow.is_support, UserRow.configured_support)
USER_COLUMNS = (
    UserRow.id,
    UserRow.name,
    is_system_admin.label("is_system_admin"),
    is_support.label("is_support"),
    UserRow.created_at,
)
USERS = select(*USER_COLUMNS).order_by(UserRow.name)
USER = select(*USER_COLUMNS).where(or_(UserRow.id == bindparam("user"), UserRow.name == bindparam("user")))
# One row for each membership, one with nulls where there is none.
PRINCIPAL_COLUMNS = (
    UserRow.id.label("user_id"),
    UserRow.name.label("user_name"),
    is_system_admin.label("is_system_admin"),
    is_support.label("is_support"),
    MembershipRow.org_id,
    MembershipRow.role,
)
PRINCIPALS = select(*PRINCIPAL_COLUMNS).outerjoin_from(UserRow, MembershipRow)
PRINCIPAL_BY_ID: Executable = PRINCIPALS.where(UserRow.id == bindparam("user_id"))
CONFIGURED_PRINCIPAL = PRINCIPALS.add_columns(
    UserRow.configured_system_admin, UserRow.configured_support
).where(UserRow.name == bindparam("name"))


def principal_from(rows: Sequence[Row[Any]], key_id: str | None = None) -> Principal:
    first = rows[0]
    return Principal(
        user_id=first.user_id,
        name=first.user_name,
        is_system_admin=first.is_system_admin,
        is_support=first.is_support,
        memberships={row.org_id: row.role for row in rows if row.org_id is not None},
        key_id=key_id,
    )


def known(rows: Sequence[Row[Any]]) -> Principal:
    """Raise Unauthorized where there are none."""
    if not rows:
        raise Unauthorized("The user of this credential no longer exists")
    return principal_from(rows)


class Users:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, name: str, *, is_system_admin: bool = False, is_support: bool = False) -> User:
        check_name(name)
        user = User(
            id=new_id("user"),
            name=name,
            is_system_admin=is_system_admin,
            is_support=is_support,
            created_at=self._clock(),
        )
        async with self._database.write(
            conflict="a user of this name exists; choose another name"
        ) as connection:
            await connection.execute(insert(UserRow).values(dict(user)))
        return user

    async def list(self) -> Sequence[User]:
        return [User(**row._mapping) for row in await self._database.rows(USERS)]

    async def find(self, name_or_id: str) -> User:
        rows = await self._database.rows(USER, user=name_or_id) if may_exist(name_or_id) else ()
        if not rows:
            raise NotFound("No such user")
        return User(**rows[0]._mapping)

    async def set_flags(
        self, user_id: str, *, is_system_admin: bool | None = None, is_support: bool | None = None
    ) -> User:
        """Change what is given; a flag that the server's configuration gives is not taken away by this."""
        given = {"is_system_admin": is_system_admin, "is_support": is_support}
        changes = {name: value for name, value in given.items() if value is not None}
        if changes:
            async with self._database.write() as connection:
                await connection.execute(update(UserRow).where(UserRow.id == user_id).values(changes))
        return await self.find(user_id)

    async def principal(self, user_id: str) -> Principal:
        return known(await self._database.rows(PRINCIPAL_BY_ID, user_id=user_id))

    async def principal_by_name(
        self, name: str, *, is_system_admin: bool = False, is_support: bool = False
    ) -> Principal:
        """The user whom Jupyter or the hub calls `name`, made at first sight, with a personal organization.

        The flags are those of the server's configuration; they replace the ones it gave before.
        """
        flags = {"configured_system_admin": is_system_admin, "configured_support": is_support}
        rows = await self._database.rows(CONFIGURED_PRINCIPAL, name=name)
        if not rows or any(getattr(rows[0], flag) != value for flag, value in flags.items()):
            check_name(name, "user name")
            user_id = await self._map(name, flags)
            return await self.principal(user_id)
        return principal_from(rows)

    async def _map(self, name: str, flags: dict[str, bool]) -> str:
        try:
            async with self._database.write(conflict="the user has just been made") as connection:
                return await self._update_or_create(connection, name, flags)
        except Conflict:
            # Another server was faster (SQLite has one writer, PostgreSQL many).
            async with self._database.write() as connection:
                return await self._update_or_create(connection, name, flags)

    async def _update_or_create(self, connection: AsyncConnection, name: str, flags: dict[str, bool]) -> str:
        changed = update(UserRow).where(UserRow.name == name).values(flags).returning(UserRow.id)
        user_id = await connection.scalar(changed)
        if user_id is None:
            now = self._clock()
            user_id = new_id("user")
            row = {"id": user_id, "name": name, "created_at": now, **flags}
            await connection.execute(insert(UserRow).values(row))
            org_name = await unused_org_name(connection, name)
            await insert_org(connection, org_name, now, owner_id=user_id, personal=True)
        return user_id
