"""Identity management: users, organizations, members, repositories, secrets, API keys, WebSocket tokens."""

from __future__ import annotations

from loom_weaver.identity import wire
from loom_weaver.identity_service import IdentityService
from loom_weaver_server.handlers.base import WeaverAPIHandler
from loom_weaver_server.operations import Argument, Operation, operation

OF_THIS_ORG = {"org_id": "$response.body#/id"}
OF_THIS_REPO = {"org_id": "$response.body#/org_id", "repo_id": "$response.body#/id"}


class IdentityHandler(WeaverAPIHandler):
    @property
    def management(self) -> IdentityService:
        return IdentityService(self.identity)

    def done(self) -> None:
        self.set_status(204)
        self.finish()


class WsTokenHandler(IdentityHandler):
    @operation(Operation("Get a single-use token for a WebSocket", answers={200: wire.WsToken}))
    async def get(self) -> None:
        self.query.expect(())
        self.reply(await self.management.issue_ws_token(self.principal))

    @operation(Operation("Get a single-use token for a WebSocket", answers={200: wire.WsToken}))
    async def post(self) -> None:
        self.query.expect(())
        self.reply(await self.management.issue_ws_token(self.principal))


class UsersHandler(IdentityHandler):
    @operation(Operation("List users", answers={200: wire.UserList}))
    async def get(self) -> None:
        self.query.expect(())
        self.reply(await self.management.list_users(self.principal))

    @operation(
        Operation(
            "Create a user",
            body=wire.CreateUser,
            answers={201: wire.User},
            errors=(409,),
            links={"patch_user": {"user_id": "$response.body#/id"}},
        )
    )
    async def post(self) -> None:
        self.query.expect(())
        request = await self.json_body(wire.CreateUser)
        self.reply(await self.management.create_user(self.principal, request), 201)


class UserHandler(IdentityHandler):
    @operation(Operation("Change a user's flags", body=wire.ChangeUser, answers={200: wire.User}))
    async def patch(self, user_id: str) -> None:
        self.query.expect(())
        request = await self.json_body(wire.ChangeUser)
        self.reply(await self.management.change_user(self.principal, user_id, request))


class OrgsHandler(IdentityHandler):
    @operation(Operation("List the caller's organizations", answers={200: wire.OrgList}))
    async def get(self) -> None:
        self.query.expect(())
        self.reply(await self.management.list_orgs(self.principal))

    @operation(
        Operation(
            "Create an organization, owned by the caller",
            body=wire.CreateOrg,
            answers={201: wire.Org},
            errors=(409,),
            links={
                "get_members": OF_THIS_ORG,
                "post_members": OF_THIS_ORG,
                "get_repos": OF_THIS_ORG,
                "post_repos": OF_THIS_ORG,
            },
        )
    )
    async def post(self) -> None:
        self.query.expect(())
        request = await self.json_body(wire.CreateOrg)
        self.reply(await self.management.create_org(self.principal, request), 201)


class MembersHandler(IdentityHandler):
    @operation(Operation("List an organization's members", answers={200: wire.MemberList}))
    async def get(self, org_id: str) -> None:
        self.query.expect(())
        self.reply(await self.management.list_members(self.principal, org_id))

    @operation(
        Operation(
            "Add a member, or give one another role",
            body=wire.AddMember,
            answers={201: wire.Member},
            errors=(409,),
        )
    )
    async def post(self, org_id: str) -> None:
        self.query.expect(())
        request = await self.json_body(wire.AddMember)
        self.reply(await self.management.add_member(self.principal, org_id, request), 201)


class MemberHandler(IdentityHandler):
    @operation(Operation("Remove a member", answers={204: None}, errors=(409,)))
    async def delete(self, org_id: str, user_id: str) -> None:
        self.query.expect(())
        await self.management.remove_member(self.principal, org_id, user_id)
        self.done()


class ReposHandler(IdentityHandler):
    @operation(Operation("List an organization's repositories", answers={200: wire.RepoList}))
    async def get(self, org_id: str) -> None:
        self.query.expect(())
        self.reply(await self.management.list_repos(self.principal, org_id))

    @operation(
        Operation(
            "Create a repository",
            body=wire.CreateRepo,
            answers={201: wire.Repo},
            errors=(409,),
            links={"get_secrets": OF_THIS_REPO, "put_secret": OF_THIS_REPO, "delete_secret": OF_THIS_REPO},
        )
    )
    async def post(self, org_id: str) -> None:
        self.query.expect(())
        request = await self.json_body(wire.CreateRepo)
        self.reply(await self.management.create_repo(self.principal, org_id, request), 201)


class SecretsHandler(IdentityHandler):
    @operation(Operation("List the names of a repository's secrets", answers={200: wire.SecretNameList}))
    async def get(self, org_id: str, repo_id: str) -> None:
        self.query.expect(())
        self.reply(await self.management.list_secrets(self.principal, org_id, repo_id))


class SecretHandler(IdentityHandler):
    @operation(Operation("Set a secret; nothing shows it again", body=wire.SetSecret, answers={204: None}))
    async def put(self, org_id: str, repo_id: str, name: str) -> None:
        self.query.expect(())
        request = await self.json_body(wire.SetSecret)
        await self.management.set_secret(self.principal, org_id, repo_id, name, request)
        self.done()

    @operation(Operation("Delete a secret", answers={204: None}))
    async def delete(self, org_id: str, repo_id: str, name: str) -> None:
        self.query.expect(())
        await self.management.delete_secret(self.principal, org_id, repo_id, name)
        self.done()


class KeysHandler(IdentityHandler):
    @operation(
        Operation(
            "List API keys, without the keys themselves",
            arguments=(Argument("user", {"type": "string"}, "Another user's, for system admins"),),
            answers={200: wire.KeyList},
        )
    )
    async def get(self) -> None:
        self.query.expect(("user",))
        self.reply(await self.management.list_keys(self.principal, self.query.text("user")))

    @operation(
        Operation(
            "Create an API key, shown this once",
            body=wire.CreateKey,
            answers={201: wire.NewKey},
            links={"delete_key": {"key_id": "$response.body#/id"}},
        )
    )
    async def post(self) -> None:
        self.query.expect(())
        request = await self.json_body(wire.CreateKey)
        self.reply(await self.management.create_key(self.principal, request), 201)


class KeyHandler(IdentityHandler):
    @operation(Operation("Revoke an API key, at once", answers={204: None}))
    async def delete(self, key_id: str) -> None:
        self.query.expect(())
        await self.management.revoke_key(self.principal, key_id)
        self.done()
