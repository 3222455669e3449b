"""API keys."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loom_weaver.errors import BadRequest, NotFound, Unauthorized
from loom_weaver.identity.principal import Principal
from loom_weaver.identity.store import IdentityStore
from loom_weaver.identity.wire import NewKey, User

on_sqlite = pytest.mark.parametrize("database_url", [""], ids=["sqlite"])


@pytest.fixture
def alice(run: Any, store: IdentityStore) -> User:
    return run(store.users.create("alice", is_support=True))


@pytest.fixture
def key(run: Any, store: IdentityStore, alice: User) -> NewKey:
    return run(store.keys.create(alice.id, "laptop"))


def test_a_key_is_its_user(run: Any, store: IdentityStore, alice: User, key: NewKey) -> None:
    org = run(store.orgs.create("lab", alice.id))
    expected = Principal(alice.id, "alice", is_support=True, memberships={org.id: "owner"}, key_id=key.id)
    assert run(store.keys.principal(key.key)) == expected
    assert run(store.keys.principal_by_id(key.id)) == expected
    assert run(store.current(expected)) == expected


@on_sqlite
def test_a_key_is_shown_once(
    run: Any, store: IdentityStore, alice: User, key: NewKey, tmp_path: Path
) -> None:
    assert key.key.startswith("loom_sk_")
    assert len(key.key) == len("loom_sk_") + 43
    assert key.key.startswith(key.prefix)
    assert len(key.prefix) == 12
    assert key.key not in repr(key)
    (listed,) = run(store.keys.list(alice.id))
    assert listed == run(store.keys.get(key.id))
    assert set(key.model_dump()) - set(listed.model_dump()) == {"key"}
    run(store.aclose())
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("identity.db*"))
    assert hashlib.sha256(key.key.encode()).hexdigest().encode() in stored
    assert key.key[len(key.prefix) :].encode() not in stored


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "loom_sk_",
        "loom_sk_" + "A" * 43,
        "loom_sk_" + "é" * 43,
        "\0",
        "\ud800",
        "ws_" + "A" * 43,
        "x" * 100_000,
    ],
)
def test_what_is_no_key_is_unauthorized(run: Any, store: IdentityStore, key: NewKey, wrong: str) -> None:
    with pytest.raises(Unauthorized):
        run(store.keys.principal(wrong))


def test_a_piece_or_a_hash_of_a_key_is_no_key(run: Any, store: IdentityStore, key: NewKey) -> None:
    digest = hashlib.sha256(key.key.encode()).hexdigest()
    for wrong in (
        key.key[:-1],
        key.key + "A",
        key.key + "\n",
        " " + key.key,
        key.key.upper(),
        key.prefix,
        digest,
    ):
        with pytest.raises(Unauthorized):
            run(store.keys.principal(wrong))


def test_a_revoked_key_fails_at_the_next_call_on_every_server(
    run: Any, store: IdentityStore, other: IdentityStore, key: NewKey, clock: Any
) -> None:
    principal = run(other.keys.principal(key.key))
    run(store.keys.revoke(key.id))
    revoked_at = clock.now
    for check in (
        other.keys.principal(key.key),
        other.keys.principal_by_id(key.id),
        other.current(principal),
    ):
        with pytest.raises(Unauthorized):
            run(check)
    clock.advance(hours=1)
    run(other.keys.revoke(key.id))
    assert run(store.keys.get(key.id)).revoked_at == revoked_at
    with pytest.raises(NotFound):
        run(store.keys.revoke("key_gone"))


def test_a_key_expires(run: Any, store: IdentityStore, alice: User, clock: Any) -> None:
    key = run(store.keys.create(alice.id, "short", clock.now + timedelta(hours=1)))
    clock.advance(hours=1, microseconds=-1)
    principal = run(store.keys.principal(key.key))
    clock.advance(microseconds=1)
    with pytest.raises(Unauthorized):
        run(store.keys.principal(key.key))
    with pytest.raises(Unauthorized):
        run(store.current(principal))


def test_a_key_cannot_be_born_expired(run: Any, store: IdentityStore, alice: User, clock: Any) -> None:
    with pytest.raises(BadRequest) as refusal:
        run(store.keys.create(alice.id, "late", clock.now))
    assert refusal.value.details[0].field == "expires_at"


def test_a_changed_flag_counts_at_the_next_call(
    run: Any, store: IdentityStore, alice: User, key: NewKey
) -> None:
    assert not run(store.keys.principal(key.key)).is_system_admin
    run(store.users.set_flags(alice.id, is_system_admin=True))
    assert run(store.keys.principal(key.key)).is_system_admin


def test_the_last_use_is_recorded_once_a_minute(
    run: Any, store: IdentityStore, key: NewKey, clock: Any, tmp_path: Path
) -> None:
    async def use() -> None:
        await asyncio.gather(*(store.keys.principal(key.key) for _ in range(50)))
        await store.keys.aclose()

    def last_used() -> Any:
        return run(store.keys.get(key.id)).last_used_at

    assert last_used() is None
    first = clock.now
    run(use())
    assert last_used() == first
    clock.advance(seconds=59)
    run(use())
    assert last_used() == first
    clock.advance(seconds=1)
    run(use())
    assert last_used() == clock.now


@on_sqlite
def test_a_lookup_waits_for_no_writer(run: Any, store: IdentityStore, key: NewKey, tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "identity.db", isolation_level=None)
    run(store.keys.principal(key.key))
    run(store.keys.aclose())
    writer.execute("BEGIN EXCLUSIVE")
    assert run(store.keys.principal(key.key)).key_id == key.id
    writer.execute("ROLLBACK")
    writer.close()
