"""Jupyter's users as ours: one without a hub, whoever signs in; under a hub, each by name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.identity import User
from traitlets import Bool, Set, Unicode, default
from traitlets.config import LoggingConfigurable

from loom_weaver.identity.principal import Principal

if TYPE_CHECKING:
    from loom_weaver.identity.store import IdentityStore


class JupyterUsers(LoggingConfigurable):
    """Maps the identity that Jupyter found to a principal of the house."""

    by_name = Bool(
        config=True,
        help="Whether Jupyter's user names tell people apart, each with weavers of their own, as"
        " under JupyterHub; false: whoever signs in is the local user. Default: whether it runs there.",
    )
    local_user = Unicode(
        "local", config=True, help="Name of the one user, a system admin, of a server without a hub."
    )
    system_admins = Set(Unicode(), config=True, help="Names of hub users who are system admins.")
    system_admin_groups = Set(
        Unicode(), config=True, help="Groups of the hub whose members are system admins."
    )
    support_users = Set(Unicode(), config=True, help="Names of hub users who are support.")
    support_groups = Set(Unicode(), config=True, help="Groups of the hub whose members are support.")

    def __init__(self, identity: IdentityStore, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._identity = identity

    @default("by_name")
    def _under_a_hub(self) -> bool:
        return "JUPYTERHUB_API_TOKEN" in os.environ

    async def principal(self, user: User) -> Principal:
        if not self.by_name:
            return await self._identity.users.principal_by_name(self.local_user, is_system_admin=True)
        groups = set((getattr(user, "hub_user", None) or {}).get("groups", ()))
        return await self._identity.users.principal_by_name(
            user.username,
            is_system_admin=user.username in self.system_admins or bool(groups & self.system_admin_groups),
            is_support=user.username in self.support_users or bool(groups & self.support_groups),
        )
