"""`Idempotency-Key`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine

from loom_weaver.errors import BadRequest, Conflict
from loom_weaver.identity.store import IdentityStore
from loom_weaver.names import is_weaver_id


@pytest.fixture
def alice(run: Any, store: IdentityStore) -> str:
    return run(store.users.create("alice")).id


async def create(store: IdentityStore, user: str, key: str = "k", body: bytes = b"{}") -> tuple[str, bool]:
    """The id answered, and whether this call made the weaver."""
    async with store.idempotent_creates.claim(user, key, body) as claim:
        if claim.answer is not None:
            return claim.answer, False
        assert is_weaver_id(claim.weaver_id)
        await asyncio.sleep(0)
        claim.answer = claim.weaver_id
    assert claim.remembered
    return claim.weaver_id, True


def test_racing_calls_on_two_servers_make_one_weaver(
    run: Any, store: IdentityStore, other: IdentityStore, alice: str
) -> None:
    async def race() -> list[tuple[str, bool]]:
        return await asyncio.gather(*(create(server, alice) for server in (store, other) * 10))

    answers = run(race())
    assert len({weaver_id for weaver_id, _ in answers}) == 1
    assert sum(made for _, made in answers) == 1
    assert run(create(other, alice)) == (answers[0][0], False)


def test_a_key_belongs_to_its_user_and_its_body(run: Any, store: IdentityStore, alice: str) -> None:
    bob = run(store.users.create("bob")).id
    made = {run(create(store, alice)), run(create(store, bob)), run(create(store, alice, "other key"))}
    assert len(made) == 3
    with pytest.raises(Conflict, match="another body"):
        run(create(store, alice, body=b"{ }"))


def test_another_body_conflicts_while_the_first_call_is_at_work(
    run: Any, store: IdentityStore, alice: str
) -> None:
    async def overlap() -> None:
        async with store.idempotent_creates.claim(alice, "k", b"{}"):
            with pytest.raises(Conflict):
                await create(store, alice, body=b"[]")

    run(overlap())


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_up_to_255_characters(run: Any, store: IdentityStore, alice: str, key: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        run(create(store, alice, key))
    assert refusal.value.details[0].field == "Idempotency-Key"
    assert run(create(store, alice, "é" * 255))[1]


def test_only_an_answer_is_remembered(run: Any, store: IdentityStore, alice: str) -> None:
    async def fail() -> str:
        async with store.idempotent_creates.claim(alice, "k", b"{}") as claim:
            claim.answer = "made, but the caller never got it"
            raise BadRequest("no")

    async def give_up() -> str:
        async with store.idempotent_creates.claim(alice, "k", b"[]") as claim:
            return claim.weaver_id

    with pytest.raises(BadRequest):
        run(fail())
    given_up = run(give_up())
    weaver_id, made = run(create(store, alice, body=b"{}"))
    assert made
    assert weaver_id != given_up


def test_a_cancelled_call_is_forgotten(run: Any, store: IdentityStore, alice: str) -> None:
    async def cancel() -> None:
        inside = asyncio.Event()

        async def hang() -> None:
            async with store.idempotent_creates.claim(alice, "k", b"{}"):
                inside.set()
                await asyncio.Event().wait()

        call = asyncio.create_task(hang())
        await inside.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    run(cancel())
    assert run(create(store, alice, body=b"[]"))[1]


def test_a_call_cancelled_while_it_is_remembered_says_so(run: Any, store: IdentityStore, alice: str) -> None:
    async def cancel() -> str:
        leaving = asyncio.Event()
        claims = []

        async def leave() -> None:
            async with store.idempotent_creates.claim(alice, "k", b"{}") as claim:
                claims.append(claim)
                claim.answer = claim.weaver_id
                leaving.set()

        call = asyncio.create_task(leave())
        await leaving.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert claims[0].remembered
        return claims[0].weaver_id

    weaver_id = run(cancel())
    assert run(create(store, alice)) == (weaver_id, False)


def test_the_weaver_of_a_server_that_died_is_made_under_its_own_id(
    run: Any, store: IdentityStore, other: IdentityStore, alice: str, clock: Any, engine: Engine
) -> None:
    weaver_id, _ = run(create(store, alice))
    _forget_answers(engine)
    clock.advance(seconds=30)

    async def retry(server: IdentityStore) -> tuple[str, bool]:
        async with server.idempotent_creates.claim(alice, "k", b"{}") as claim:
            claim.answer = claim.answer or "late"
            return claim.weaver_id, claim.inherited

    async def retry_everywhere() -> list[tuple[str, bool]]:
        return await asyncio.gather(*(retry(server) for server in (store, other) * 5))

    assert sorted(run(retry_everywhere())) == [(weaver_id, False)] * 9 + [(weaver_id, True)]
    assert run(create(store, alice)) == ("late", False)


def _forget_answers(engine: Engine) -> None:
    """As if the server had died just before."""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE idempotent_creates SET answer = NULL")


def test_a_waiting_call_goes_on_where_a_failed_one_stopped(
    run: Any, store: IdentityStore, other: IdentityStore, alice: str
) -> None:
    async def fail_then_create() -> tuple[str, bool]:
        async with store.idempotent_creates.claim(alice, "k", b"{}"):
            waiting = asyncio.create_task(create(other, alice))
            await asyncio.sleep(0)
        return await waiting

    assert run(fail_then_create())[1]


def test_an_answer_is_remembered_for_a_day(run: Any, store: IdentityStore, alice: str, clock: Any) -> None:
    first = run(create(store, alice))[0]
    clock.advance(hours=24, microseconds=-1)
    assert run(create(store, alice)) == (first, False)
    clock.advance(microseconds=1)
    assert run(create(store, alice, body=b"[]"))[1]
