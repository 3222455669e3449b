"""Who may do what, as a table. Nothing else in the house decides this."""

from __future__ import annotations

from typing import Literal

from loom_weaver.errors import Forbidden
from loom_weaver.identity.principal import Principal
from loom_weaver.weaver import Weaver

Verb = Literal["get", "logs", "attach", "write", "delete", "extend", "exec", "files"]
# `attach` is to look, `write` is to type.
SUPPORT_VERBS: frozenset[Verb] = frozenset({"get", "logs", "attach"})

NOT_A_MEMBER = "You are not a member of this organization"
ACCESS_DENIED = "Access denied to this weaver"
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


def check_cleanup(principal: Principal) -> None:
    if not principal.is_system_admin:
        raise Forbidden(CLEANUP_DENIED)
