"""`loom-weaver admin`: identity management in the server's own database, also while the server runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from pydantic import BaseModel

from loom_weaver.identity.principal import Role
from loom_weaver.identity.store import IdentityStore as Store
from loom_weaver.identity.wire import NewKey
from loom_weaver.lifetime import utc_now
from loom_weaver_server.cli_actions import perform, read_secret, tell_all, tell_id

# Locals in a traceback would show keys and secrets.
admin = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
user = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="People, and programs with a name of their own."
)
org = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Organizations and their members.")
repo = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Repositories: what secrets belong to.")
secret = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Environment variables for the weavers of a repository."
)
key = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="API keys.")

User = Annotated[str, typer.Argument(metavar="USER", help="Name or id of a user.")]
Org = Annotated[str, typer.Argument(metavar="ORG", help="Name or id of an organization.")]
Repo = Annotated[str, typer.Argument(metavar="REPO", help="Name or id of a repository.")]
Name = Annotated[str, typer.Argument(metavar="NAME")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DataDir = Annotated[
    str, typer.Option(help="The server's data directory. [default: in Jupyter's data directory]")
]
DatabaseURL = Annotated[
    str, typer.Option(help="The server's House.database_url. [default: a file in the data directory]")
]
SecretsKeyFile = Annotated[
    str, typer.Option(help="The server's House.secrets_key_file. [default: in the data directory]")
]


@admin.callback()
def _admin() -> None:
    """Manage users, organizations, repositories and keys. A running server sees each change at once."""


@user.command("create")
def create_user(
    name: Name,
    system_admin: Annotated[bool, typer.Option("--system-admin", help="May do everything.")] = False,
    support: Annotated[bool, typer.Option("--support", help="May look at all weavers.")] = False,
    as_json: AsJSON = False,
    data_dir: DataDir = "",
    database_url: DatabaseURL = "",
) -> None:
    """Create a user."""

    async def create(store: Store) -> BaseModel:
        return await store.users.create(name, is_system_admin=system_admin, is_support=support)

    tell_id(perform(create, data_dir, database_url), as_json)


@user.command("list")
def list_users(as_json: AsJSON = False, data_dir: DataDir = "", database_url: DatabaseURL = "") -> None:
    """List all users."""
    tell_all(perform(lambda store: store.users.list(), data_dir, database_url), as_json)


@user.command("change")
def change_user(
    user: User,
    system_admin: Annotated[bool | None, typer.Option(help="May do everything, or not.")] = None,
    support: Annotated[bool | None, typer.Option(help="May look at all weavers, or not.")] = None,
    data_dir: DataDir = "",
    database_url: DatabaseURL = "",
) -> None:
    """Give a user a flag, or take it away."""

    async def change(store: Store) -> None:
        found = await store.users.find(user)
        await store.users.set_flags(found.id, is_system_admin=system_admin, is_support=support)

    perform(change, data_dir, database_url)


@org.command("create")
def create_org(
    name: Name,
    owner: Annotated[str, typer.Option(metavar="USER", help="Name or id of its first owner.")] = "",
    as_json: AsJSON = False,
    data_dir: DataDir = "",
    database_url: DatabaseURL = "",
) -> None:
    """Create an organization."""

    async def create(store: Store) -> BaseModel:
        owner_id = (await store.users.find(owner)).id if owner else None
        return await store.orgs.create(name, owner_id)

    tell_id(perform(create, data_dir, database_url), as_json)


@org.command("list")
def list_orgs(as_json: AsJSON = False, data_dir: DataDir = "", database_url: DatabaseURL = "") -> None:
    """List all organizations."""
    tell_all(perform(lambda store: store.orgs.list(), data_dir, database_url), as_json)


@org.command("add-member")
def add_member(
    org: Org,
    user: User,
    owner: Annotated[bool, typer.Option("--owner", help="May change the organization.")] = False,
    data_dir: DataDir = "",
    database_url: DatabaseURL = "",
) -> None:
    """Add a member, or give one another role."""
    role: Role = "owner" if owner else "member"

    async def add(store: Store) -> None:
        found = await store.orgs.find(org)
        await store.orgs.add_member(found.id, (await store.users.find(user)).id, role)

    perform(add, data_dir, database_url)


@org.command("remove-member")
def remove_member(org: Org, user: User, data_dir: DataDir = "", database_url: DatabaseURL = "") -> None:
    """Remove a member."""

    async def remove(store: Store) -> None:
        found = await store.orgs.find(org)
        await store.orgs.remove_member(found.id, (await store.users.find(user)).id)

    perform(remove, data_dir, database_url)


@org.command("members")
def list_members(
    org: Org, as_json: AsJSON = False, data_dir: DataDir = "", database_url: DatabaseURL = ""
) -> None:
    """List an organization's members."""

    async def members(store: Store) -> Sequence[BaseModel]:
        return await store.orgs.members((await store.orgs.find(org)).id)

    tell_all(perform(members, data_dir, database_url), as_json)


@repo.command("create")
def create_repo(
    org: Org, name: Name, as_json: AsJSON = False, data_dir: DataDir = "", database_url: DatabaseURL = ""
) -> None:
    """Create a repository in an organization."""

    async def create(store: Store) -> BaseModel:
        return await store.repos.create((await store.orgs.find(org)).id, name)

    tell_id(perform(create, data_dir, database_url), as_json)


@repo.command("list")
def list_repos(
    org: Org, as_json: AsJSON = False, data_dir: DataDir = "", database_url: DatabaseURL = ""
) -> None:
    """List an organization's repositories."""

    async def repos(store: Store) -> Sequence[BaseModel]:
        return await store.repos.list((await store.orgs.find(org)).id)

    tell_all(perform(repos, data_dir, database_url), as_json)


@secret.command("set")
def set_secret(
    repo: Repo,
    name: Name,
    data_dir: DataDir = "",
    database_url: DatabaseURL = "",
    secrets_key_file: SecretsKeyFile = "",
) -> None:
    """Set a secret to what stands on standard input; a newline at its end is dropped."""

    async def set_(store: Store) -> None:
        found = await store.repos.find(repo)
        await store.secrets.set(found.id, name, read_secret())

    perform(set_, data_dir, database_url, secrets_key_file)


@secret.command("list")
def list_secrets(
    repo: Repo, as_json: AsJSON = False, data_dir: DataDir = "", database_url: DatabaseURL = ""
) -> None:
    """List the names of a repository's secrets."""

    async def names(store: Store) -> Sequence[BaseModel]:
        return await store.secrets.list_names((await store.repos.find(repo)).id)

    tell_all(perform(names, data_dir, database_url), as_json)


@secret.command("delete")
def delete_secret(repo: Repo, name: Name, data_dir: DataDir = "", database_url: DatabaseURL = "") -> None:
    """Delete a secret."""

    async def delete(store: Store) -> None:
        await store.secrets.delete((await store.repos.find(repo)).id, name)

    perform(delete, data_dir, database_url)


@key.command("create")
def create_key(
    user: User,
    name: Annotated[str, typer.Option(help="What its owner will know it by.")] = "command line",
    expires_in_days: Annotated[int | None, typer.Option(min=1, max=36500, help="[default: never]")] = None,
    as_json: AsJSON = False,
    data_dir: DataDir = "",
    database_url: DatabaseURL = "",
) -> None:
    """Create an API key for a user, and print it this once, as the last word."""
    expires_at = utc_now() + timedelta(days=expires_in_days) if expires_in_days else None

    async def create(store: Store) -> NewKey:
        return await store.keys.create((await store.users.find(user)).id, name, expires_at)

    made = perform(create, data_dir, database_url)
    typer.echo(made.model_dump_json() if as_json else f"{made.id} {made.key}")


@key.command("list")
def list_keys(
    user: User, as_json: AsJSON = False, data_dir: DataDir = "", database_url: DatabaseURL = ""
) -> None:
    """List a user's API keys, without the keys themselves."""

    async def keys(store: Store) -> Sequence[BaseModel]:
        return await store.keys.list((await store.users.find(user)).id)

    tell_all(perform(keys, data_dir, database_url), as_json)


@key.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID")],
    data_dir: DataDir = "",
    database_url: DatabaseURL = "",
) -> None:
    """Revoke an API key, at once and for good."""
    perform(lambda store: store.keys.revoke(key_id), data_dir, database_url)


for _name, _group in {"user": user, "org": org, "repo": repo, "secret": secret, "key": key}.items():
    admin.add_typer(_group, name=_name)
