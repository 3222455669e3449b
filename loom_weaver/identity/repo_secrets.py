"""Secrets of repositories: they reach the weavers made for one, and nothing else ever shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, select

from loom_weaver.errors import BadRequest, NotFound
from loom_weaver.identity.database import Database
from loom_weaver.identity.secret_box import SecretBox
from loom_weaver.identity.tables import RepoSecretRow
from loom_weaver.identity.wire import SecretName
from loom_weaver.json_input import validate
from loom_weaver.lifetime import Clock
from loom_weaver.models import LARGEST_ENVIRONMENT, LONGEST_STRING, EnvName, Strict, Text, fault

SECRETS = select(RepoSecretRow.name, RepoSecretRow.encrypted_value).where(
    RepoSecretRow.repo_id == bindparam("repo_id")
)
SECRET_NAMES = (
    select(RepoSecretRow.name, RepoSecretRow.updated_at)
    .where(RepoSecretRow.repo_id == bindparam("repo_id"))
    .order_by(RepoSecretRow.name)
)


class _Secret(Strict):
    name: Annotated[EnvName, StringConstraints(max_length=255)]
    value: Text = Field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of `NAME=value`."""
        return len(self.name) + 1 + len(self.value.encode())

    @model_validator(mode="after")
    def _startable(self) -> Self:
        if self.size > LONGEST_STRING:
            raise fault(f"NAME=value must be at most {LONGEST_STRING} bytes, this has {self.size}", "value")
        return self


class RepoSecrets:
    def __init__(self, database: Database, clock: Clock, box: SecretBox) -> None:
        self._database = database
        self._clock = clock
        self._box = box

    async def set(self, repo_id: str, name: str, value: str) -> None:
        secret = validate(_Secret, {"name": name, "value": value})
        row = {
            "repo_id": repo_id,
            "name": name,
            "encrypted_value": await asyncio.to_thread(self._box.encrypt, value),
            "size": secret.size + 1,
            "updated_at": self._clock(),
        }
        total = select(func.sum(RepoSecretRow.size)).where(RepoSecretRow.repo_id == repo_id)
        async with self._database.write() as connection:
            await connection.execute(delete(RepoSecretRow).where(_is_secret(repo_id, name)))
            await connection.execute(insert(RepoSecretRow).values(row))
            if (await connection.scalar(total) or 0) > LARGEST_ENVIRONMENT:
                raise BadRequest(
                    f"a repository's secrets must be at most {LARGEST_ENVIRONMENT} bytes together",
                    field="value",
                )

    async def list_names(self, repo_id: str) -> Sequence[SecretName]:
        return [
            SecretName(**row._mapping) for row in await self._database.rows(SECRET_NAMES, repo_id=repo_id)
        ]

    async def delete(self, repo_id: str, name: str) -> None:
        async with self._database.write() as connection:
            deleted = await connection.execute(delete(RepoSecretRow).where(_is_secret(repo_id, name)))
        if not deleted.rowcount:
            raise NotFound("No such secret")

    async def values(self, repo_id: str) -> dict[str, str]:
        """Names and values, for the environment of a weaver and nowhere else."""
        rows = await self._database.rows(SECRETS, repo_id=repo_id)
        return await asyncio.to_thread(
            lambda: {row.name: self._box.decrypt(row.encrypted_value) for row in rows}
        )


def _is_secret(repo_id: str, name: str) -> ColumnElement[bool]:
    return and_(RepoSecretRow.repo_id == repo_id, RepoSecretRow.name == name)
