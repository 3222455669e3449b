"""Request bodies of identity management."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from loom_weaver.errors import BadRequest
from loom_weaver.identity import wire
from loom_weaver.json_input import validate


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [
        (wire.CreateUser, {}, "name"),
        (wire.CreateUser, {"name": 1}, "name"),
        (wire.CreateUser, {"name": "a\nb"}, "name"),
        (wire.CreateUser, {"name": "a", "is_system_admin": 1}, "is_system_admin"),
        (wire.CreateUser, {"name": "a", "is_admin": True}, "is_admin"),
        (wire.ChangeUser, {"is_support": "yes"}, "is_support"),
        (wire.CreateOrg, {"name": ""}, "name"),
        (wire.AddMember, {"user": "a", "role": "admin"}, "role"),
        (wire.AddMember, {"user": "a\0"}, "user"),
        (wire.CreateKey, {"name": "a", "expires_at": "tomorrow"}, "expires_at"),
        (wire.CreateKey, {"name": "a", "expires_at": "2026-03-03T12:00:00"}, "expires_at"),
        (wire.CreateKey, {"name": "a", "expires_at": "0001-01-01T00:00:00+23:00"}, "expires_at"),
        (wire.CreateKey, {"name": "a", "expires_at": 1772539200}, "expires_at"),
        (wire.SetSecret, {"value": None}, "value"),
        (wire.SetSecret, {"value": "a\ud800"}, "value"),
    ],
)
def test_a_wrong_field_is_named(model: type[BaseModel], body: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        validate(model, body)
    assert [detail.field for detail in refusal.value.details] == [field]


def test_times_are_in_utc() -> None:
    key = validate(wire.CreateKey, {"name": "a", "expires_at": "2026-03-03T13:00:00+01:00"})
    assert key.expires_at == datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert key.model_dump(mode="json")["expires_at"] == "2026-03-03T12:00:00Z"
