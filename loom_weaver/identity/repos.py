"""Repositories: what secrets belong to."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, or_, select

from loom_weaver.errors import Conflict, NotFound
from loom_weaver.identity.database import Database
from loom_weaver.identity.naming import check_name, may_exist
from loom_weaver.identity.tables import RepoRow
from loom_weaver.identity.wire import Repo
from loom_weaver.lifetime import Clock
from loom_weaver.names import new_id

NO_SUCH_REPO = "No such repository"
REPOS = select(RepoRow.id, RepoRow.org_id, RepoRow.name, RepoRow.created_at)
REPOS_OF_ORG = REPOS.where(RepoRow.org_id == bindparam("org_id")).order_by(RepoRow.name)
# Names are unique within an organization only.
REPOS_CALLED = REPOS.where(or_(RepoRow.id == bindparam("repo"), RepoRow.name == bindparam("repo")))


class Repos:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, org_id: str, name: str) -> Repo:
        check_name(name)
        repo = Repo(id=new_id("repo"), org_id=org_id, name=name, created_at=self._clock())
        taken = "a repository of this name exists in the organization; choose another name"
        async with self._database.write(conflict=taken) as connection:
            await connection.execute(insert(RepoRow).values(dict(repo)))
        return repo

    async def list(self, org_id: str) -> Sequence[Repo]:
        return [Repo(**row._mapping) for row in await self._database.rows(REPOS_OF_ORG, org_id=org_id)]

    async def get(self, org_id: str, repo_id: str) -> Repo:
        for repo in await self._called(repo_id):
            if repo.id == repo_id and repo.org_id == org_id:
                return repo
        raise NotFound(NO_SUCH_REPO)

    async def find(self, name_or_id: str) -> Repo:
        """The repository of this id, or of this name where only one organization has such a repository."""
        repos = await self._called(name_or_id)
        if not repos:
            raise NotFound(NO_SUCH_REPO)
        if len(repos) > 1:
            ids = ", ".join(repo.id for repo in repos)
            raise Conflict(f"several organizations have a repository of this name; give the id: {ids}")
        return repos[0]

    async def _called(self, name_or_id: str) -> Sequence[Repo]:
        if not may_exist(name_or_id):
            return ()
        return [Repo(**row._mapping) for row in await self._database.rows(REPOS_CALLED, repo=name_or_id)]
