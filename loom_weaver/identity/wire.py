"""The shapes of identity management on the wire. Lists are bounded by what one installation holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)
from pydantic.json_schema import WithJsonSchema

from loom_weaver.identity.naming import LONGEST_NAME, NAME_PATTERN, name_fault
from loom_weaver.identity.principal import Role
from loom_weaver.lifetime import parse_rfc3339, rfc3339
from loom_weaver.models import Strict, Text, fault


def _name(value: str) -> str:
    wrong = name_fault(value)
    if wrong:
        raise fault(wrong)
    return value


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_rfc3339(value)
    except (ValueError, OverflowError) as error:
        raise fault("must be a time with a zone such as 2026-03-03T12:00:00Z") from error


MOMENT_SCHEMA = {"type": "string", "format": "date-time"}
Name = Annotated[
    Text,
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": NAME_PATTERN}),
]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema(MOMENT_SCHEMA),
]


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class CreateUser(Strict):
    name: Name
    is_system_admin: bool = False
    is_support: bool = False


class ChangeUser(Strict):
    """What is not given stays as it is."""

    is_system_admin: bool | None = None
    is_support: bool | None = None


class User(Answer):
    id: str
    name: str
    is_system_admin: bool
    is_support: bool
    created_at: Moment


class UserList(Answer):
    users: Sequence[User]
    count: int


class CreateOrg(Strict):
    name: Name


class Org(Answer):
    """`role` is the caller's own, null for who only looks."""

    id: str
    name: str
    personal: bool
    role: Role | None
    created_at: Moment


class OrgList(Answer):
    orgs: Sequence[Org]
    count: int


class AddMember(Strict):
    user: Text = Field(description="The user's id or name")
    role: Role = "member"


class Member(Answer):
    user_id: str
    name: str
    role: Role
    created_at: Moment


class MemberList(Answer):
    members: Sequence[Member]
    count: int


class CreateRepo(Strict):
    name: Name


class Repo(Answer):
    id: str
    org_id: str
    name: str
    created_at: Moment


class RepoList(Answer):
    repos: Sequence[Repo]
    count: int


class SetSecret(Strict):
    value: Text = Field(repr=False, description="Never shown again")


class SecretName(Answer):
    name: str
    updated_at: Moment


class SecretNameList(Answer):
    secrets: Sequence[SecretName]
    count: int


class CreateKey(Strict):
    name: Name
    expires_at: Moment | None = None
    user: Text | None = Field(default=None, description="The id or name of another user, for system admins")


class Key(Answer):
    """An API key without its secret; `prefix` is what its owner knows it by."""

    id: str
    user_id: str
    name: str
    prefix: str
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None
    revoked_at: Moment | None


class NewKey(Key):
    key: str = Field(repr=False, description="The key itself, shown this once")


class KeyList(Answer):
    keys: Sequence[Key]
    count: int


class WsToken(Answer):
    token: str = Field(repr=False)
    expires_in: int = Field(description="Seconds")
