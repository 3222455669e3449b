"""The database's shape, and how it comes to be."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import downgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine

from loom_weaver.errors import Unavailable
from loom_weaver.identity import migrations
from loom_weaver.identity.database import sync_engine
from loom_weaver.identity.store import IdentityStore
from loom_weaver.identity.tables import Base
from loom_weaver.names import is_uuid

FOLDER = Path(migrations.__file__).parent
on_sqlite = pytest.mark.parametrize("database_url", [""], ids=["sqlite"])


def test_migrations_and_models_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_head_named_is_the_newest_revision() -> None:
    assert ScriptDirectory(FOLDER).get_current_head() == migrations.HEAD


def test_the_first_revision_can_be_undone(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "identity.db"))
    migrations.upgrade(url)
    engine = sync_engine(url)
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        downgrade(config, "base")
    with engine.connect() as connection:
        tables = (
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        )
    engine.dispose()
    assert tables == ["alembic_version"]


def _installation(folder: str) -> str:
    import asyncio

    async def installation() -> str:
        async with await IdentityStore.open(Path(folder)) as store:
            await store.users.principal_by_name("local")
            return store.installation_id

    return asyncio.run(installation())


def test_processes_that_start_at_once_make_one_installation(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        for number in range(4):
            folder = tmp_path / str(number)
            folder.mkdir()
            installations = set(pool.map(_installation, [str(folder)] * 4, chunksize=1))
            assert len(installations) == 1
            assert is_uuid(installations.pop())


@on_sqlite
def test_the_database_is_its_owners_alone(run: Any, store: IdentityStore, tmp_path: Path) -> None:
    run(store.users.create("alice"))
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("identity.db*")}
    assert files == {"identity.db": 0o600, "identity.db-wal": 0o600, "identity.db-shm": 0o600}


def test_a_folder_may_have_any_name(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "a%20b?c#d é:x"
    folder.mkdir()

    async def name() -> str:
        async with await IdentityStore.open(folder) as store:
            return (await store.users.create("alice")).name

    assert run(name()) == "alice"
    assert (folder / "identity.db").stat().st_size > 0


def test_a_newer_database_is_refused(run: Any, engine: Engine, tmp_path: Path, database_url: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="newer"):
        run(IdentityStore.open(tmp_path, url=database_url))


def test_what_is_no_database_is_refused(run: Any, tmp_path: Path) -> None:
    (tmp_path / "identity.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(Unavailable, match="identity database"):
        run(IdentityStore.open(tmp_path))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "no url"])
def test_an_unusable_url_is_refused(run: Any, tmp_path: Path, url: str) -> None:
    with pytest.raises(Unavailable):
        run(IdentityStore.open(tmp_path, url=url))


def test_a_url_names_the_database(run: Any, tmp_path: Path) -> None:
    async def shown() -> str:
        async with await IdentityStore.open(tmp_path, url=f"sqlite:///{tmp_path}/elsewhere.db") as store:
            return repr(store)

    assert "elsewhere.db" in run(shown())
    assert (tmp_path / "elsewhere.db").exists()
