"""The tables of the identity database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import Boolean, DateTime, Dialect, ForeignKey, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

# Batch migrations on SQLite can only drop what has a name.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """An aware moment in UTC; SQLite stores none of the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[type, TypeEngine[Any]]] = {
        datetime: UtcTime(),
        str: String(255),
        bool: Boolean(),
    }


class InstallationRow(Base):
    """One row: the UUID that tells what belongs to this installation from what belongs to another."""

    __tablename__ = "installation"
    id: Mapped[str] = mapped_column(primary_key=True)


class UserRow(Base):
    """The `configured_` flags come from the server's configuration, the others from an admin; they add up."""

    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    is_system_admin: Mapped[bool] = mapped_column(default=False)
    is_support: Mapped[bool] = mapped_column(default=False)
    configured_system_admin: Mapped[bool] = mapped_column(default=False)
    configured_support: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class OrgRow(Base):
    """`personal_user_id` names the user whose personal organization it is."""

    __tablename__ = "orgs"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    personal_user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), unique=True)
    created_at: Mapped[datetime]


class MembershipRow(Base):
    __tablename__ = "memberships"
    org_id: Mapped[str] = mapped_column(ForeignKey("orgs.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str]
    created_at: Mapped[datetime]


class RepoRow(Base):
    __tablename__ = "repos"
    __table_args__ = (UniqueConstraint("org_id", "name"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[str] = mapped_column(ForeignKey("orgs.id"))
    name: Mapped[str]
    created_at: Mapped[datetime]


class RepoSecretRow(Base):
    """`size` is what the secret takes of a process's environment, in bytes."""

    __tablename__ = "repo_secrets"
    repo_id: Mapped[str] = mapped_column(ForeignKey("repos.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    encrypted_value: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    updated_at: Mapped[datetime]


class ApiKeyRow(Base):
    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class WsTokenRow(Base):
    """`key_id` is the API key it was issued to: what the token opened ends with that key."""

    __tablename__ = "ws_tokens"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class IdempotentCreateRow(Base):
    """One use of an `Idempotency-Key`; `answer` is the 201 once there is one.

    `claim` is the token of the call at work on it, believed until `claimed_until`.
    """

    __tablename__ = "idempotent_creates"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    weaver_id: Mapped[str]
    answer: Mapped[str | None] = mapped_column(Text)
    claim: Mapped[str]
    claimed_until: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(index=True)


class PlaceRow(Base):
    """A weaver made a moment ago, for quotas that several servers keep together."""

    __tablename__ = "places"
    weaver_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    org_id: Mapped[str]
    taken_at: Mapped[datetime] = mapped_column(index=True)
