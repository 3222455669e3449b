"""Users, organizations, members, repositories."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from loom_weaver.errors import BadRequest, Conflict, NotFound, Unauthorized
from loom_weaver.identity.principal import Principal
from loom_weaver.identity.store import IdentityStore


def test_a_user_is_found_by_name_and_by_id(run: Any, store: IdentityStore) -> None:
    alice = run(store.users.create("alice", is_support=True))
    assert alice.model_dump(mode="json") == {
        "id": alice.id,
        "name": "alice",
        "is_system_admin": False,
        "is_support": True,
        "created_at": "2026-03-03T12:00:00Z",
    }
    assert alice.id.startswith("user_")
    assert len(alice.id) == len("user_") + 16
    assert run(store.users.find("alice")) == alice == run(store.users.find(alice.id))
    assert run(store.users.principal(alice.id)) == Principal(alice.id, "alice", is_support=True)


@pytest.mark.parametrize(
    "name", ["alice ", "nobody", "user_0000000000000000", "", "\0", "\ud800", "x" * 10_000]
)
def test_who_does_not_exist_is_not_found(run: Any, store: IdentityStore, name: str) -> None:
    run(store.users.create("alice"))
    for find in (store.users.find, store.orgs.find, store.repos.find):
        with pytest.raises(NotFound):
            run(find(name))


def test_names_are_taken_once(run: Any, store: IdentityStore) -> None:
    run(store.users.create("alice"))
    org = run(store.orgs.create("alice"))
    run(store.repos.create(org.id, "alice"))
    with pytest.raises(Conflict, match="another name"):
        run(store.users.create("alice"))
    with pytest.raises(Conflict, match="another name"):
        run(store.orgs.create("alice"))
    with pytest.raises(Conflict, match="another name"):
        run(store.repos.create(org.id, "alice"))
    assert [user.name for user in run(store.users.list())] == ["alice"]


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "x" * 200,
        "Zoë",
        "日本 語",
        "نام‌خانوادگی",
        "👩‍👩‍👧",
        "_@example.org",
        "a/b?c#d%00",
        "';--",
        "f" * 64,
    ],
)
def test_any_printable_name_works(run: Any, store: IdentityStore, name: str) -> None:
    user = run(store.users.create(name))
    org = run(store.orgs.create(name, user.id))
    repo = run(store.repos.create(org.id, name))
    assert run(store.users.find(name)) == user
    assert run(store.orgs.find(name)).id == org.id
    assert run(store.repos.find(name)) == repo


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " a",
        "a ",
        "a\n",
        "a\0b",
        "a\x1b[31m",
        "a\x85b",
        "a\u00a0b",
        "a\u202egnp",
        "a\u200b",
        "\ufeffa",
        "a\u2028b",
        "a\ud800",
        "x" * 201,
        "user_0123456789abcdef",
        "repo_0123456789abcdef",
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_what_is_no_name_is_refused(run: Any, store: IdentityStore, name: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        run(store.users.create(name))
    assert refusal.value.details[0].field == "name"
    with pytest.raises(BadRequest):
        run(store.orgs.create(name))
    with pytest.raises(BadRequest):
        run(store.repos.create("org", name))


def test_a_flag_changes_alone(run: Any, store: IdentityStore) -> None:
    alice = run(store.users.create("alice", is_support=True))
    assert run(store.users.set_flags(alice.id, is_system_admin=True)).is_support
    changed = run(store.users.set_flags(alice.id, is_support=False))
    assert (changed.is_system_admin, changed.is_support) == (True, False)
    assert run(store.users.principal(alice.id)).is_system_admin
    with pytest.raises(NotFound):
        run(store.users.set_flags("user_gone", is_support=True))


def test_a_user_who_is_gone_is_nobody(run: Any, store: IdentityStore) -> None:
    with pytest.raises(Unauthorized):
        run(store.users.principal("user_0000000000000000"))


def test_a_jupyter_user_is_made_at_first_sight(run: Any, store: IdentityStore) -> None:
    first = run(store.users.principal_by_name("local", is_system_admin=True))
    (org,) = run(store.orgs.list_of_user(first.user_id))
    assert (org.name, org.personal, org.role) == ("local", True, "owner")
    assert first == Principal(first.user_id, "local", is_system_admin=True, memberships={org.id: "owner"})
    assert run(store.users.principal_by_name("local", is_system_admin=True)) == first
    assert len(run(store.users.list())) == 1


def test_many_first_sights_make_one_user(run: Any, store: IdentityStore, other: IdentityStore) -> None:
    async def see() -> set[str]:
        both = (store, other) * 10
        return {p.user_id for p in await asyncio.gather(*(s.users.principal_by_name("ann") for s in both))}

    assert len(run(see())) == 1
    assert len(run(store.users.list())) == len(run(store.orgs.list())) == 1


def test_a_personal_org_evades_a_taken_name(run: Any, store: IdentityStore) -> None:
    for name in ("ann", "ann 2"):
        run(store.orgs.create(name))
    principal = run(store.users.principal_by_name("ann"))
    (org,) = run(store.orgs.list_of_user(principal.user_id))
    assert (org.name, org.personal) == ("ann 3", True)


def test_flags_of_the_configuration_and_of_an_admin_add_up(run: Any, store: IdentityStore) -> None:
    async def flags(**configured: bool) -> tuple[bool, bool]:
        principal = await store.users.principal_by_name("ann", **configured)
        assert await store.users.principal(principal.user_id) == principal
        return principal.is_system_admin, principal.is_support

    assert run(flags()) == (False, False)
    assert run(flags(is_system_admin=True)) == (True, False)
    ann = run(store.users.find("ann"))
    assert ann.is_system_admin
    run(store.users.set_flags(ann.id, is_support=True))
    assert run(flags(is_system_admin=True)) == (True, True)
    assert run(flags()) == (False, True)


def test_an_org_belongs_to_who_made_it(run: Any, store: IdentityStore) -> None:
    alice = run(store.users.create("alice"))
    org = run(store.orgs.create("lab", alice.id))
    assert org.role == "owner"
    assert org.created_at == datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert run(store.orgs.find("lab")).id == run(store.orgs.find(org.id)).id == org.id
    assert [(m.name, m.role) for m in run(store.orgs.members(org.id))] == [("alice", "owner")]
    assert run(store.orgs.list_of_user(alice.id)) == [org]
    assert run(store.orgs.list(alice.id)) == [org]
    assert [o.role for o in run(store.orgs.list())] == [None]
    assert run(store.orgs.list_of_user("user_other")) == []


def test_members_come_change_and_go(run: Any, store: IdentityStore) -> None:
    alice, bob = run(store.users.create("alice")), run(store.users.create("bob"))
    org = run(store.orgs.create("lab", alice.id))
    assert run(store.orgs.add_member(org.id, bob.id)).role == "member"
    assert run(store.users.principal(bob.id)).memberships == {org.id: "member"}
    assert run(store.orgs.add_member(org.id, bob.id)).role == "member"
    assert run(store.orgs.add_member(org.id, bob.id, "owner")).role == "owner"
    run(store.orgs.remove_member(org.id, alice.id))
    assert run(store.users.principal(alice.id)).memberships == {}
    assert [(m.name, m.role) for m in run(store.orgs.members(org.id))] == [("bob", "owner")]
    with pytest.raises(NotFound):
        run(store.orgs.remove_member(org.id, alice.id))
    with pytest.raises(NotFound):
        run(store.orgs.add_member("no-org", alice.id))


def test_the_last_owner_stays(run: Any, store: IdentityStore) -> None:
    alice, bob = run(store.users.create("alice")), run(store.users.create("bob"))
    org = run(store.orgs.create("lab", alice.id))
    run(store.orgs.add_member(org.id, bob.id))
    with pytest.raises(Conflict, match="last owner"):
        run(store.orgs.remove_member(org.id, alice.id))
    with pytest.raises(Conflict, match="last owner"):
        run(store.orgs.add_member(org.id, alice.id, "member"))


def test_two_owners_cannot_remove_each_other(run: Any, store: IdentityStore, other: IdentityStore) -> None:
    alice, bob = run(store.users.create("alice")), run(store.users.create("bob"))
    org = run(store.orgs.create("lab", alice.id))
    run(store.orgs.add_member(org.id, bob.id, "owner"))

    async def remove_both() -> list[object]:
        removals = (store.orgs.remove_member(org.id, bob.id), other.orgs.remove_member(org.id, alice.id))
        return list(await asyncio.gather(*removals, return_exceptions=True))

    assert sorted(type(outcome).__name__ for outcome in run(remove_both())) == ["Conflict", "NoneType"]
    assert len(run(store.orgs.members(org.id))) == 1


def test_a_repo_is_got_only_in_its_own_org(run: Any, store: IdentityStore) -> None:
    lab, home = run(store.orgs.create("lab")), run(store.orgs.create("home"))
    repo = run(store.repos.create(lab.id, "code"))
    assert run(store.repos.get(lab.id, repo.id)) == repo
    for org_id, repo_id in ((home.id, repo.id), (lab.id, "code"), (lab.id, "\0")):
        with pytest.raises(NotFound):
            run(store.repos.get(org_id, repo_id))
    assert run(store.repos.list(lab.id)) == [repo]
    assert run(store.repos.list(home.id)) == []


def test_a_repo_name_that_two_orgs_use_needs_an_id(run: Any, store: IdentityStore) -> None:
    lab, home = run(store.orgs.create("lab")), run(store.orgs.create("home"))
    one, two = run(store.repos.create(lab.id, "code")), run(store.repos.create(home.id, "code"))
    with pytest.raises(Conflict) as refusal:
        run(store.repos.find("code"))
    assert one.id in refusal.value.message
    assert run(store.repos.find(two.id)) == two
