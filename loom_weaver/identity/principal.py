"""Who is calling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["owner", "member"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A user at one moment. `memberships` leads from organization ids to roles.

    `key_id` names the API key that was shown, also by way of a WebSocket token: what it opened ends with it.
    """

    user_id: str
    name: str
    is_system_admin: bool = False
    is_support: bool = False
    memberships: Mapping[str, Role] = field(default_factory=dict)
    key_id: str | None = None
