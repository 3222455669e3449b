"""How the identity database came to its present shape, revision by revision."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, event, inspect, text
from sqlalchemy.exc import OperationalError

from loom_weaver.errors import Unavailable
from loom_weaver.identity.database import (
    BUSY_TIMEOUT,
    begin_immediate,
    database_errors,
    is_sqlite,
    sync_engine,
)

# Named here so that a start with an up-to-date database need not load Alembic.
HEAD = "0002"
# Any number: PostgreSQL holds this lock for who migrates.
MIGRATION_LOCK = 0x6C6F6F6D

_log = logging.getLogger(__name__)


def upgrade(url: URL) -> None:
    """Bring the database to the newest revision; blocks. Of several processes that start, one does it."""
    engine = sync_engine(url)
    try:
        with database_errors():
            if is_sqlite(url):
                _use_write_ahead_log(engine)
                event.listen(engine, "begin", begin_immediate)
            with engine.begin() as connection:
                if not is_sqlite(url):
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
                if current_revision(connection) != HEAD:
                    _migrate(connection)
    finally:
        engine.dispose()


def current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # The value is a template, in which % stands for itself only when doubled.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Unavailable(
            "the identity database was written by a newer loom-weaver; "
            "upgrade this one, or give another data directory"
        ) from error


def _use_write_ahead_log(engine: Engine) -> None:
    """Let readers and writers of several processes work side by side. It is a property of the file, set once.

    SQLite refuses the change at once while another process is at the file, where else it waits.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
