"""Identity management: each verb of its API is access, then the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from loom_weaver import access
from loom_weaver.errors import BadRequest, NotFound
from loom_weaver.identity import wire
from loom_weaver.identity.principal import Principal

if TYPE_CHECKING:
    from loom_weaver.identity.store import IdentityStore

OrgCheck = Callable[[Principal, str], None]


class IdentityService:
    def __init__(self, identity: IdentityStore) -> None:
        self._identity = identity

    async def issue_ws_token(self, principal: Principal) -> wire.WsToken:
        return await self._identity.ws_tokens.issue(principal)

    async def create_user(self, principal: Principal, request: wire.CreateUser) -> wire.User:
        access.check_manage_users(principal)
        return await self._identity.users.create(
            request.name, is_system_admin=request.is_system_admin, is_support=request.is_support
        )

    async def list_users(self, principal: Principal) -> wire.UserList:
        access.check_list_users(principal)
        users = await self._identity.users.list()
        return wire.UserList(users=users, count=len(users))

    async def change_user(self, principal: Principal, user_id: str, request: wire.ChangeUser) -> wire.User:
        access.check_manage_users(principal)
        return await self._identity.users.set_flags(
            user_id, is_system_admin=request.is_system_admin, is_support=request.is_support
        )

    async def create_org(self, principal: Principal, request: wire.CreateOrg) -> wire.Org:
        """Everybody may; who does becomes its owner."""
        return await self._identity.orgs.create(request.name, principal.user_id)

    async def list_orgs(self, principal: Principal) -> wire.OrgList:
        store = self._identity.orgs
        listed = store.list if access.sees_all(principal) else store.list_of_user
        orgs = await listed(principal.user_id)
        return wire.OrgList(orgs=orgs, count=len(orgs))

    async def list_members(self, principal: Principal, org_id: str) -> wire.MemberList:
        org = await self._org(principal, org_id, access.check_see_org)
        members = await self._identity.orgs.members(org.id)
        return wire.MemberList(members=members, count=len(members))

    async def add_member(self, principal: Principal, org_id: str, request: wire.AddMember) -> wire.Member:
        org = await self._org(principal, org_id, access.check_manage_org)
        user = await self._user(request.user)
        return await self._identity.orgs.add_member(org.id, user.id, request.role)

    async def remove_member(self, principal: Principal, org_id: str, user_id: str) -> None:
        access.check_remove_member(principal, org_id, user_id)
        await self._identity.orgs.remove_member(org_id, user_id)

    async def create_repo(self, principal: Principal, org_id: str, request: wire.CreateRepo) -> wire.Repo:
        org = await self._org(principal, org_id, access.check_manage_org)
        return await self._identity.repos.create(org.id, request.name)

    async def list_repos(self, principal: Principal, org_id: str) -> wire.RepoList:
        org = await self._org(principal, org_id, access.check_see_org)
        repos = await self._identity.repos.list(org.id)
        return wire.RepoList(repos=repos, count=len(repos))

    async def list_secrets(self, principal: Principal, org_id: str, repo_id: str) -> wire.SecretNameList:
        repo = await self._repo(principal, org_id, repo_id, access.check_see_org)
        names = await self._identity.secrets.list_names(repo.id)
        return wire.SecretNameList(secrets=names, count=len(names))

    async def set_secret(
        self, principal: Principal, org_id: str, repo_id: str, name: str, request: wire.SetSecret
    ) -> None:
        repo = await self._repo(principal, org_id, repo_id, access.check_manage_org)
        await self._identity.secrets.set(repo.id, name, request.value)

    async def delete_secret(self, principal: Principal, org_id: str, repo_id: str, name: str) -> None:
        repo = await self._repo(principal, org_id, repo_id, access.check_manage_org)
        await self._identity.secrets.delete(repo.id, name)

    async def create_key(self, principal: Principal, request: wire.CreateKey) -> wire.NewKey:
        owner_id = await self._key_owner(principal, request.user)
        return await self._identity.keys.create(owner_id, request.name, request.expires_at)

    async def list_keys(self, principal: Principal, user: str | None) -> wire.KeyList:
        owner_id = await self._key_owner(principal, user)
        keys = await self._identity.keys.list(owner_id)
        return wire.KeyList(keys=keys, count=len(keys))

    async def revoke_key(self, principal: Principal, key_id: str) -> None:
        key = await self._identity.keys.get(key_id)
        access.check_keys_of(principal, key.user_id)
        await self._identity.keys.revoke(key.id)

    async def _org(self, principal: Principal, org_id: str, check: OrgCheck) -> wire.Org:
        """Checked before it is looked up: who may not see it does not learn whether it exists."""
        check(principal, org_id)
        return await self._identity.orgs.get(org_id)

    async def _repo(self, principal: Principal, org_id: str, repo_id: str, check: OrgCheck) -> wire.Repo:
        org = await self._org(principal, org_id, check)
        return await self._identity.repos.get(org.id, repo_id)

    async def _key_owner(self, principal: Principal, named: str | None) -> str:
        if named in {None, principal.user_id, principal.name}:
            return principal.user_id
        access.check_keys_of(principal, str(named))
        return (await self._user(str(named))).id

    async def _user(self, named: str) -> wire.User:
        try:
            return await self._identity.users.find(named)
        except NotFound as error:
            raise BadRequest("there is no such user; give the id or name of one", field="user") from error
