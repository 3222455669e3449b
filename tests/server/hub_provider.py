"""An identity provider that knows people by name, as the one of JupyterHub does."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from tornado.web import RequestHandler

GROUPS = {"grace": ["operators"], "sue": ["helpdesk"]}


class HubUser(User):
    """The provider of JupyterHub keeps what the hub told beside the name."""

    hub_user: dict[str, Any]


class HubProvider(IdentityProvider):
    """`token NAME-at-the-hub` in a header, or a cookie `hub=NAME`, is that person."""

    async def get_user(self, handler: RequestHandler) -> User | None:
        scheme, _, token = handler.request.headers.get("Authorization", "").partition(" ")
        name = token.removesuffix("-at-the-hub") if token.endswith("-at-the-hub") else None
        if name is None:
            name = handler.get_cookie("hub")
        if not name:
            return None
        if scheme:
            handler._token_authenticated = True  # type: ignore[attr-defined]
        user = HubUser(username=name)
        user.hub_user = {"name": name, "groups": GROUPS.get(name, [])}
        return user
