"""From a request's credential to the principal behind it.

The `Authorization` header counts where there is one, and never falls through to another credential.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import JupyterHandler

from loom_weaver.errors import Unauthorized
from loom_weaver.identity.principal import Principal

if TYPE_CHECKING:
    from loom_weaver_server.house import House

# Header values are trimmed already; blanks may separate scheme and credential (RFC 9110, 11.4).
AUTHORIZATION = re.compile(r"(?P<scheme>bearer|token)[ \t]+(?P<credential>[^\s,]+)", re.IGNORECASE)
API_KEY_PREFIX = "loom_sk_"
NO_CREDENTIAL = "Send an API key as Authorization: Bearer loom_sk_…, or sign in to this Jupyter server"
BAD_CREDENTIAL = "The credential is unknown, revoked or expired; send a valid API key or Jupyter token"


async def authenticate(handler: JupyterHandler, house: House) -> Principal:
    """Raise Unauthorized where there is no credential, or a bad one."""
    authorization = handler.request.headers.get_list("Authorization")
    if not authorization:
        return await _by_browser(handler, house)
    match = AUTHORIZATION.fullmatch(authorization[0])
    if match is None or len(authorization) > 1:
        raise Unauthorized(BAD_CREDENTIAL)
    if match["credential"].startswith(API_KEY_PREFIX):
        return await _by_key(handler, house, match)
    return await _by_token(handler, house)


async def _by_key(handler: JupyterHandler, house: House, match: re.Match[str]) -> Principal:
    if match["scheme"].lower() != "bearer":
        raise Unauthorized(BAD_CREDENTIAL)
    house.require_open()
    principal = await house.identity.keys.principal(match["credential"])
    _remember(handler, User(username=principal.user_id), by_token=True)
    return principal


async def _by_token(handler: JupyterHandler, house: House) -> Principal:
    """Ask Jupyter about the header alone: what it would prefer to it, or fall back to, is taken away."""
    handler.request.arguments.pop("token", None)
    handler.request.query_arguments.pop("token", None)
    provider = handler.identity_provider
    if type(provider).get_user is IdentityProvider.get_user:
        user = await _awaited(provider.get_user_token(handler))
    else:
        handler.request.headers.pop("Cookie", None)
        user = await _awaited(provider.get_user(handler))
    if user is None:
        raise Unauthorized(BAD_CREDENTIAL)
    _remember(handler, user, by_token=True)
    return await _mapped(user, house)


async def _by_browser(handler: JupyterHandler, house: House) -> Principal:
    user = await _awaited(handler.identity_provider.get_user(handler))
    _remember(handler, user, by_token=False)
    if user is None:
        raise Unauthorized(NO_CREDENTIAL)
    return await _mapped(user, house)


async def _mapped(user: User, house: House) -> Principal:
    house.require_open()
    return await house.jupyter_users.principal(user)


async def _awaited(user: User | Awaitable[User | None] | None) -> User | None:
    """Identity providers may answer at once or later."""
    return await user if isinstance(user, Awaitable) else user


def _remember(handler: JupyterHandler, user: User | None, *, by_token: bool) -> None:
    """Where Jupyter looks for who is calling, and whether XSRF is possible."""
    handler.current_user = handler._jupyter_current_user = user
    if by_token:
        handler._token_authenticated = True  # type: ignore[attr-defined]
