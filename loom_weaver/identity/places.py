"""Places of weavers that were made a moment ago: servers side by side count them before they see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from loom_weaver.identity.database import Database
from loom_weaver.identity.tables import InstallationRow, PlaceRow
from loom_weaver.lifetime import Clock

# Far longer than any server's view of the weavers lags behind, also with clocks that differ by minutes.
REMEMBERED = timedelta(minutes=10)


class Place(NamedTuple):
    id: str
    owner_user_id: str
    org_id: str


class Places:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, place: Place, check: Callable[[Sequence[Place]], None]) -> None:
        """Take a place, unless `check`, which is given those taken lately, raises.

        It is called in another thread. One server at a time is in here, so two never share the last place.
        """
        now = self._clock()

        def work(connection: Connection) -> None:
            # SQLite has one writer anyway; elsewhere the one row of this table is what is waited for.
            connection.execute(select(InstallationRow.id).with_for_update()).all()
            connection.execute(delete(PlaceRow).where(PlaceRow.taken_at <= now - REMEMBERED))
            connection.execute(delete(PlaceRow).where(PlaceRow.weaver_id == place.id))
            rows = connection.execute(select(PlaceRow.weaver_id, PlaceRow.user_id, PlaceRow.org_id)).all()
            check([Place(*row) for row in rows])
            values = dict(zip(("weaver_id", "user_id", "org_id"), place, strict=True))
            connection.execute(insert(PlaceRow).values(**values, taken_at=now))

        await self._database.transact(work)

    async def give_back(self, weaver_id: str) -> None:
        """What was not made after all, or is deleted."""
        gone = delete(PlaceRow).where(PlaceRow.weaver_id == weaver_id)

        def work(connection: Connection) -> None:
            connection.execute(gone)

        await self._database.transact(work)
