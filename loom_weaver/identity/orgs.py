"""Organizations and their members."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from loom_weaver.errors import Conflict, NotFound
from loom_weaver.identity.database import Database
from loom_weaver.identity.naming import LONGEST_NAME, check_name, may_exist
from loom_weaver.identity.principal import Role
from loom_weaver.identity.tables import MembershipRow, OrgRow, UserRow
from loom_weaver.identity.wire import Member, Org
from loom_weaver.lifetime import Clock

NO_SUCH_ORG = "No such organization"
NO_SUCH_MEMBER = "No such member"
LAST_OWNER = "this is the organization's last owner; make another member an owner first"
# With the role of one user, null where it is none of theirs.
ORGS = select(
    OrgRow.id,
    OrgRow.name,
    OrgRow.personal_user_id.is_not(None).label("personal"),
    OrgRow.created_at,
    MembershipRow.role,
).outerjoin_from(
    OrgRow,
    MembershipRow,
    and_(MembershipRow.org_id == OrgRow.id, MembershipRow.user_id == bindparam("user_id")),
)
ALL_ORGS = ORGS.order_by(OrgRow.name)
# The personal one first: it is where a weaver goes by default.
ORGS_OF_USER = ORGS.where(MembershipRow.user_id.is_not(None)).order_by(
    OrgRow.personal_user_id.is_(None), OrgRow.created_at, OrgRow.name
)
ORG = ORGS.where(or_(OrgRow.id == bindparam("org"), OrgRow.name == bindparam("org")))
MEMBERS = (
    select(MembershipRow.user_id, UserRow.name, MembershipRow.role, MembershipRow.created_at)
    .join(UserRow, UserRow.id == MembershipRow.user_id)
    .where(MembershipRow.org_id == bindparam("org_id"))
    .order_by(UserRow.name)
)


class Orgs:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, name: str, owner_id: str | None = None) -> Org:
        check_name(name)
        taken = "an organization of this name exists; choose another name"
        async with self._database.write(conflict=taken) as connection:
            return await insert_org(connection, name, self._clock(), owner_id)

    async def list(self, user_id: str | None = None) -> Sequence[Org]:
        """All of them; `role` is that of `user_id`."""
        return [Org(**row._mapping) for row in await self._database.rows(ALL_ORGS, user_id=user_id)]

    async def list_of_user(self, user_id: str) -> Sequence[Org]:
        """Those that the user is a member of, their personal one first."""
        return [Org(**row._mapping) for row in await self._database.rows(ORGS_OF_USER, user_id=user_id)]

    async def find(self, name_or_id: str) -> Org:
        if not may_exist(name_or_id):
            raise NotFound(NO_SUCH_ORG)
        rows = await self._database.rows(ORG, org=name_or_id, user_id=None)
        if not rows:
            raise NotFound(NO_SUCH_ORG)
        return Org(**rows[0]._mapping)

    async def get(self, org_id: str) -> Org:
        org = await self.find(org_id)
        if org.id != org_id:
            raise NotFound(NO_SUCH_ORG)
        return org

    async def members(self, org_id: str) -> Sequence[Member]:
        return [Member(**row._mapping) for row in await self._database.rows(MEMBERS, org_id=org_id)]

    async def add_member(self, org_id: str, user_id: str, role: Role = "member") -> Member:
        """Add a member, or give one another role."""
        async with self._database.write(conflict=NO_SUCH_ORG) as connection:
            await _lock(connection, org_id)
            if role != "owner":
                await _keep_an_owner(connection, org_id, user_id)
            changed = update(MembershipRow).where(_is_membership(org_id, user_id)).values(role=role)
            if not (await connection.execute(changed)).rowcount:
                await _insert_member(connection, org_id, user_id, role, self._clock())
            rows = (await connection.execute(MEMBERS, {"org_id": org_id})).all()
        return next(Member(**row._mapping) for row in rows if row.user_id == user_id)

    async def remove_member(self, org_id: str, user_id: str) -> None:
        async with self._database.write() as connection:
            await _lock(connection, org_id)
            await _keep_an_owner(connection, org_id, user_id)
            removed = await connection.execute(delete(MembershipRow).where(_is_membership(org_id, user_id)))
            if not removed.rowcount:
                raise NotFound(NO_SUCH_MEMBER)


async def insert_org(
    connection: AsyncConnection, name: str, now: datetime, owner_id: str | None, *, personal: bool = False
) -> Org:
    org = Org(
        id=str(uuid.uuid4()), name=name, personal=personal, role="owner" if owner_id else None, created_at=now
    )
    row = {"id": org.id, "name": name, "created_at": now, "personal_user_id": owner_id if personal else None}
    await connection.execute(insert(OrgRow).values(row))
    if owner_id:
        await _insert_member(connection, org.id, owner_id, "owner", now)
    return org


async def unused_org_name(connection: AsyncConnection, name: str) -> str:
    """`name`, with a number behind it where an organization of that name exists."""
    number, candidate = 1, name
    while await connection.scalar(select(OrgRow.id).where(OrgRow.name == candidate)):
        number += 1
        candidate = f"{name[: LONGEST_NAME - 10]} {number}"
    return candidate


async def _insert_member(
    connection: AsyncConnection, org_id: str, user_id: str, role: Role, now: datetime
) -> None:
    row = {"org_id": org_id, "user_id": user_id, "role": role, "created_at": now}
    await connection.execute(insert(MembershipRow).values(row))


def _is_membership(org_id: str, user_id: str) -> ColumnElement[bool]:
    return and_(MembershipRow.org_id == org_id, MembershipRow.user_id == user_id)


async def _lock(connection: AsyncConnection, org_id: str) -> None:
    """Two owners who remove each other at once must not both succeed (SQLite has one writer anyway)."""
    locked = select(OrgRow.id).where(OrgRow.id == org_id).with_for_update()
    if await connection.scalar(locked) is None:
        raise NotFound(NO_SUCH_ORG)


async def _keep_an_owner(connection: AsyncConnection, org_id: str, user_id: str) -> None:
    owners = select(MembershipRow.user_id).where(
        MembershipRow.org_id == org_id, MembershipRow.role == "owner"
    )
    if (await connection.scalars(owners)).all() == [user_id]:
        raise Conflict(LAST_OWNER)
