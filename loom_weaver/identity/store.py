"""The identity store: who is who, and what belongs to whom."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, make_url, select
from sqlalchemy.exc import ArgumentError

from loom_weaver.errors import Unavailable
from loom_weaver.identity.database import Database, is_sqlite
from loom_weaver.identity.idempotency import IdempotentCreates
from loom_weaver.identity.keys import Keys
from loom_weaver.identity.migrations import upgrade
from loom_weaver.identity.orgs import Orgs
from loom_weaver.identity.places import Places
from loom_weaver.identity.principal import Principal
from loom_weaver.identity.repo_secrets import RepoSecrets
from loom_weaver.identity.repos import Repos
from loom_weaver.identity.secret_box import SecretBox
from loom_weaver.identity.tables import InstallationRow
from loom_weaver.identity.users import Users
from loom_weaver.identity.ws_tokens import WsTokens
from loom_weaver.lifetime import Clock, utc_now

DATABASE_FILE = "identity.db"


class IdentityStore:
    """One open identity database. Several processes may have the same one open."""

    def __init__(
        self, database: Database, box: SecretBox, installation_id: str, clock: Clock = utc_now
    ) -> None:
        self._database = database
        self.installation_id = installation_id
        self.users = Users(database, clock)
        self.orgs = Orgs(database, clock)
        self.repos = Repos(database, clock)
        self.secrets = RepoSecrets(database, clock, box)
        self.keys = Keys(database, clock)
        self.ws_tokens = WsTokens(database, clock)
        self.idempotent_creates = IdempotentCreates(database, clock)
        self.places = Places(database, clock)

    def __repr__(self) -> str:
        return f"<IdentityStore {self.installation_id} {self._database!r}>"

    @classmethod
    async def open(
        cls, data_dir: Path, *, url: str = "", secrets_key_file: str = "", clock: Clock = utc_now
    ) -> IdentityStore:
        """Open the database of a data directory, or the one at `url`, and bring it up to date."""
        box = await asyncio.to_thread(_secret_box, data_dir, secrets_key_file)
        where = database_url(data_dir, url)
        await asyncio.to_thread(_prepare, where)
        database = Database(where)
        try:
            installation = (await database.rows(select(InstallationRow.id)))[0].id
        except BaseException:
            await database.aclose()
            raise
        return cls(database, box, installation, clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self.keys.aclose()
        await self._database.aclose()

    async def current(self, principal: Principal) -> Principal:
        """The same caller as of now; raises Unauthorized when the key or the user is no longer valid."""
        if principal.key_id is not None:
            return await self.keys.principal_by_id(principal.key_id)
        return await self.users.principal(principal.user_id)


def database_url(data_dir: Path, url: str) -> URL:
    if not url:
        return URL.create("sqlite", database=str(data_dir / DATABASE_FILE))
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Unavailable(
            "the database URL is none; give one such as postgresql+psycopg://HOST/NAME"
        ) from error
    if is_sqlite(parsed) and parsed.database in {None, "", ":memory:"}:
        raise Unavailable("the identity database cannot live in memory; give a file or a PostgreSQL URL")
    return parsed


def _secret_box(data_dir: Path, key_file: str) -> SecretBox:
    return SecretBox.from_file(Path(key_file)) if key_file else SecretBox.in_data_dir(data_dir)


def _prepare(url: URL) -> None:
    if is_sqlite(url):
        _create_private(str(url.database))
    upgrade(url)


def _create_private(path: str) -> None:
    """Make the file for its owner alone before SQLite makes it for everybody; its other files follow suit.

    An existing file is left alone: closing it would drop the locks that SQLite holds on it in this process.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise Unavailable(f"the identity database {path} cannot be made: {error.strerror}") from error
