"""Who may do what, as a table. Nothing else in the house decides this."""

from __future__ import annotations

from typing import Literal

from loom_weaver.errors import Forbidden
from loom_weaver.identity.principal import Principal
from loom_weaver.models import NO_ISOLATION, Isolation
from loom_weaver.weaver import Weaver

Verb = Literal["get", "logs", "attach", "write", "delete", "extend", "exec", "files"]
# `attach` is to look, `write` is to type.
SUPPORT_VERBS: frozenset[Verb] = frozenset({"get", "logs", "attach"})

NOT_A_MEMBER = "You are not a member of this organization"
ACCESS_DENIED = "Access denied to this weaver"
UNISOLATED = (
    "Nothing isolates weavers on this server, so only system admins create them;"
    " install bubblewrap, or set WeaverService.allow_unisolated"
)
CLEANUP_DENIED = "System admin access required for cleanup operations"


def may(principal: Principal, verb: Verb, weaver: Weaver) -> bool:
    return (
        principal.is_system_admin
        or principal.user_id == weaver.owner_user_id
        or (principal.is_support and verb in SUPPORT_VERBS)
    )


def check(principal: Principal, verb: Verb, weaver: Weaver) -> None:
    if not may(principal, verb, weaver):
        raise Forbidden(ACCESS_DENIED)


def sees_all(principal: Principal) -> bool:
    return principal.is_system_admin or principal.is_support


def check_create(principal: Principal, org_id: str) -> None:
    """An organization that does not exist answers as one you are no member of: nobody learns which exist."""
    if org_id not in principal.memberships:
        raise Forbidden(NOT_A_MEMBER)


def check_isolation(principal: Principal, isolation: Isolation, *, allow_unisolated: bool) -> None:
    """Where nothing keeps a weaver in, creating one is running programs as the server itself."""
    if isolation.kind == NO_ISOLATION and not (allow_unisolated or principal.is_system_admin):
        raise Forbidden(UNISOLATED)


def check_cleanup(principal: Principal) -> None:
    if not principal.is_system_admin:
        raise Forbidden(CLEANUP_DENIED)


def check_manage_users(principal: Principal) -> None:
    if not principal.is_system_admin:
        raise Forbidden("System admin access required to manage users")


def check_list_users(principal: Principal) -> None:
    if not sees_all(principal):
        raise Forbidden("System admin or support access required to list users")


def check_see_org(principal: Principal, org_id: str) -> None:
    """Members look at their organization; as in `check_create`, nobody else learns whether it exists."""
    if org_id not in principal.memberships and not sees_all(principal):
        raise Forbidden(NOT_A_MEMBER)


def check_manage_org(principal: Principal, org_id: str) -> None:
    """Who may change an organization's members, repositories and secrets."""
    if principal.is_system_admin:
        return
    check_see_org(principal, org_id)
    if principal.memberships.get(org_id) != "owner":
        raise Forbidden("Only an owner of this organization may change it")


def check_remove_member(principal: Principal, org_id: str, user_id: str) -> None:
    """Everybody may leave."""
    if user_id != principal.user_id or org_id not in principal.memberships:
        check_manage_org(principal, org_id)


def check_keys_of(principal: Principal, user_id: str) -> None:
    if principal.user_id != user_id and not principal.is_system_admin:
        raise Forbidden("These API keys belong to another user")
