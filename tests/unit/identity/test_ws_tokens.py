"""WebSocket tokens."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine

from loom_weaver.errors import Unauthorized
from loom_weaver.identity.principal import Principal
from loom_weaver.identity.store import IdentityStore


@pytest.fixture
def alice(run: Any, store: IdentityStore) -> Principal:
    return run(store.users.principal_by_name("alice", is_support=True))


def test_a_token_works_once(run: Any, store: IdentityStore, alice: Principal) -> None:
    issued = run(store.ws_tokens.issue(alice))
    assert issued.token.startswith("ws_")
    assert len(issued.token) == len("ws_") + 43
    assert issued.expires_in == 30
    assert issued.token not in repr(issued)
    assert run(store.ws_tokens.consume(issued.token)) == alice
    with pytest.raises(Unauthorized):
        run(store.ws_tokens.consume(issued.token))


def test_of_many_servers_one_gets_it(
    run: Any, store: IdentityStore, other: IdentityStore, alice: Principal
) -> None:
    async def race() -> list[object]:
        token = (await store.ws_tokens.issue(alice)).token
        consumers = [server.ws_tokens.consume(token) for server in (store, other) * 5]
        return list(await asyncio.gather(*consumers, return_exceptions=True))

    outcomes = run(race())
    assert [outcome for outcome in outcomes if isinstance(outcome, Principal)] == [alice]
    assert sum(isinstance(outcome, Unauthorized) for outcome in outcomes) == 9


def test_a_token_lasts_thirty_seconds(run: Any, store: IdentityStore, alice: Principal, clock: Any) -> None:
    young, old = run(store.ws_tokens.issue(alice)), run(store.ws_tokens.issue(alice))
    clock.advance(seconds=30, microseconds=-1)
    assert run(store.ws_tokens.consume(young.token)) == alice
    clock.advance(microseconds=1)
    with pytest.raises(Unauthorized):
        run(store.ws_tokens.consume(old.token))


def test_unused_tokens_do_not_pile_up(
    run: Any, store: IdentityStore, alice: Principal, clock: Any, engine: Engine
) -> None:
    for _ in range(3):
        run(store.ws_tokens.issue(alice))
        clock.advance(seconds=31)
    run(store.ws_tokens.issue(alice))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM ws_tokens").scalar() == 1


def test_a_token_of_a_key_ends_with_the_key(run: Any, store: IdentityStore, alice: Principal) -> None:
    key = run(store.keys.create(alice.user_id, "laptop"))
    principal = run(store.keys.principal(key.key))
    one, two = run(store.ws_tokens.issue(principal)), run(store.ws_tokens.issue(principal))
    opened = run(store.ws_tokens.consume(one.token))
    assert opened == principal
    run(store.keys.revoke(key.id))
    with pytest.raises(Unauthorized):
        run(store.ws_tokens.consume(two.token))
    with pytest.raises(Unauthorized):
        run(store.current(opened))
    assert run(store.current(alice)) == alice


@pytest.mark.parametrize("wrong", ["", "ws_", "ws_" + "A" * 43, "ws_\ud800", "\0", "loom_sk_" + "A" * 43])
def test_what_is_no_token_is_unauthorized(run: Any, store: IdentityStore, wrong: str) -> None:
    with pytest.raises(Unauthorized):
        run(store.ws_tokens.consume(wrong))
