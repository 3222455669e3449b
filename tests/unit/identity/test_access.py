"""Who may manage what: every verb of identity management by every kind of caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from loom_weaver.errors import BadRequest, Forbidden, NotFound
from loom_weaver.identity import wire
from loom_weaver.identity.principal import Principal
from loom_weaver.identity.store import IdentityStore
from loom_weaver.identity_service import IdentityService

CALLERS = ("admin", "support", "owner", "member", "stranger")


@dataclass(frozen=True, slots=True)
class House:
    service: IdentityService
    org: str
    repo: str
    users: dict[str, str]
    keys: dict[str, str]


@pytest.fixture
def house(run: Any, store: IdentityStore) -> House:
    async def build() -> House:
        flags = {"admin": {"is_system_admin": True}, "support": {"is_support": True}}
        users = {
            name: (await store.users.create(name, **flags.get(name, {}))).id for name in (*CALLERS, "guest")
        }
        org = await store.orgs.create("lab", users["owner"])
        for name in ("member", "guest"):
            await store.orgs.add_member(org.id, users[name])
        repo = await store.repos.create(org.id, "code")
        await store.secrets.set(repo.id, "PW", "x")
        keys = {name: (await store.keys.create(users[name], "laptop")).id for name in users}
        return House(IdentityService(store), org.id, repo.id, users, keys)

    return run(build())


Verb = Callable[[House, Principal], Awaitable[object]]
EVERYBODY = set(CALLERS)
VERBS: dict[str, tuple[Verb, set[str]]] = {
    "create user": (lambda h, p: h.service.create_user(p, wire.CreateUser(name="new")), {"admin"}),
    "list users": (lambda h, p: h.service.list_users(p), {"admin", "support"}),
    "change user": (
        lambda h, p: h.service.change_user(p, p.user_id, wire.ChangeUser(is_system_admin=True)),
        {"admin"},
    ),
    "create org": (lambda h, p: h.service.create_org(p, wire.CreateOrg(name="new")), EVERYBODY),
    "list orgs": (lambda h, p: h.service.list_orgs(p), EVERYBODY),
    "list members": (lambda h, p: h.service.list_members(p, h.org), EVERYBODY - {"stranger"}),
    "add member": (
        lambda h, p: h.service.add_member(p, h.org, wire.AddMember(user="stranger")),
        {"admin", "owner"},
    ),
    "make owner": (
        lambda h, p: h.service.add_member(p, h.org, wire.AddMember(user=p.user_id, role="owner")),
        {"admin", "owner"},
    ),
    "remove member": (lambda h, p: h.service.remove_member(p, h.org, h.users["guest"]), {"admin", "owner"}),
    "create repo": (
        lambda h, p: h.service.create_repo(p, h.org, wire.CreateRepo(name="new")),
        {"admin", "owner"},
    ),
    "list repos": (lambda h, p: h.service.list_repos(p, h.org), EVERYBODY - {"stranger"}),
    "list secrets": (lambda h, p: h.service.list_secrets(p, h.org, h.repo), EVERYBODY - {"stranger"}),
    "set secret": (
        lambda h, p: h.service.set_secret(p, h.org, h.repo, "A", wire.SetSecret(value="x")),
        {"admin", "owner"},
    ),
    "delete secret": (lambda h, p: h.service.delete_secret(p, h.org, h.repo, "PW"), {"admin", "owner"}),
    "create own key": (lambda h, p: h.service.create_key(p, wire.CreateKey(name="new")), EVERYBODY),
    "create own key by name": (
        lambda h, p: h.service.create_key(p, wire.CreateKey(name="new", user=p.name)),
        EVERYBODY,
    ),
    "create another's key": (
        lambda h, p: h.service.create_key(p, wire.CreateKey(name="new", user="guest")),
        {"admin"},
    ),
    "list own keys": (lambda h, p: h.service.list_keys(p, None), EVERYBODY),
    "list another's keys": (lambda h, p: h.service.list_keys(p, h.users["guest"]), {"admin"}),
    "revoke own key": (lambda h, p: h.service.revoke_key(p, h.keys[p.name]), EVERYBODY),
    "revoke another's key": (lambda h, p: h.service.revoke_key(p, h.keys["guest"]), {"admin"}),
}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("verb", VERBS)
def test_who_may(run: Any, store: IdentityStore, house: House, verb: str, caller: str) -> None:
    call, allowed = VERBS[verb]
    principal = run(store.users.principal(house.users[caller]))
    if caller in allowed:
        run(call(house, principal))
    else:
        with pytest.raises(Forbidden):
            run(call(house, principal))


def test_everybody_may_leave(run: Any, store: IdentityStore, house: House) -> None:
    principal = run(store.users.principal(house.users["member"]))
    run(house.service.remove_member(principal, house.org, principal.user_id))
    assert run(store.users.principal(principal.user_id)).memberships == {}
    with pytest.raises(Forbidden):
        run(house.service.remove_member(run(store.users.principal(principal.user_id)), house.org, "x"))


def test_nobody_learns_which_orgs_or_users_exist(run: Any, store: IdentityStore, house: House) -> None:
    stranger = run(store.users.principal(house.users["stranger"]))
    refusals = []
    for org_id in (house.org, "550e8400-e29b-41d4-a716-446655440000", "lab", "\0"):
        with pytest.raises(Forbidden) as refusal:
            run(house.service.list_members(stranger, org_id))
        refusals.append(refusal.value.message)
    for user in ("guest", "nobody"):
        with pytest.raises(Forbidden) as refusal:
            run(house.service.list_keys(stranger, user))
        refusals.append(refusal.value.message)
    assert len(set(refusals)) == 2


def test_an_admin_is_told_what_does_not_exist(run: Any, store: IdentityStore, house: House) -> None:
    admin = run(store.users.principal(house.users["admin"]))
    for call in (
        house.service.list_members(admin, "lab"),
        house.service.add_member(admin, "550e8400-e29b-41d4-a716-446655440000", wire.AddMember(user="guest")),
        house.service.list_secrets(admin, house.org, "code"),
        house.service.change_user(admin, "user_gone", wire.ChangeUser()),
        house.service.revoke_key(admin, "key_gone"),
        house.service.remove_member(admin, house.org, "user_gone"),
        house.service.delete_secret(admin, house.org, house.repo, "GONE"),
    ):
        with pytest.raises(NotFound):
            run(call)
    for refused in (
        house.service.add_member(admin, house.org, wire.AddMember(user="nobody")),
        house.service.create_key(admin, wire.CreateKey(name="new", user="nobody")),
    ):
        with pytest.raises(BadRequest) as refusal:
            run(refused)
        assert refusal.value.details[0].field == "user"


def test_lists_show_what_is_the_callers(run: Any, store: IdentityStore, house: House) -> None:
    async def orgs(name: str) -> list[tuple[str, str | None]]:
        listed = await house.service.list_orgs(await store.users.principal(house.users[name]))
        assert listed.count == len(listed.orgs)
        return [(org.name, org.role) for org in listed.orgs]

    assert run(orgs("owner")) == [("lab", "owner")]
    assert run(orgs("member")) == [("lab", "member")]
    assert run(orgs("stranger")) == []
    assert run(orgs("admin")) == run(orgs("support")) == [("lab", None)]
    admin = run(store.users.principal(house.users["admin"]))
    assert [key.id for key in run(house.service.list_keys(admin, "guest")).keys] == [house.keys["guest"]]
    assert [key.id for key in run(house.service.list_keys(admin, None)).keys] == [house.keys["admin"]]
