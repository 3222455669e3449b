"""The first tables, and the installation's id."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    installation = op.create_table("installation", sa.Column("id", sa.String(255), primary_key=True))
    op.bulk_insert(installation, [{"id": str(uuid.uuid4())}])
    _create_people()
    _create_repos()
    _create_credentials()
    _create_idempotent_creates()


def downgrade() -> None:
    for table in (
        "idempotent_creates",
        "ws_tokens",
        "api_keys",
        "repo_secrets",
        "repos",
        "memberships",
        "orgs",
        "users",
        "installation",
    ):
        op.drop_table(table)


def _create_people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("is_system_admin", sa.Boolean(), nullable=False),
        sa.Column("is_support", sa.Boolean(), nullable=False),
        sa.Column("configured_system_admin", sa.Boolean(), nullable=False),
        sa.Column("configured_support", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "orgs",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("personal_user_id", sa.String(255), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["personal_user_id"], ["users.id"], name="fk_orgs_personal_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_orgs"),
        sa.UniqueConstraint("name", name="uq_orgs_name"),
        sa.UniqueConstraint("personal_user_id", name="uq_orgs_personal_user_id"),
    )
    op.create_table(
        "memberships",
        sa.Column("org_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("role", sa.String(255), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name="fk_memberships_org_id_orgs"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id_users"),
        sa.PrimaryKeyConstraint("org_id", "user_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])


def _create_repos() -> None:
    op.create_table(
        "repos",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("org_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["orgs.id"], name="fk_repos_org_id_orgs"),
        sa.PrimaryKeyConstraint("id", name="pk_repos"),
        sa.UniqueConstraint("org_id", "name", name="uq_repos_org_id_name"),
    )
    op.create_table(
        "repo_secrets",
        sa.Column("repo_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("encrypted_value", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name="fk_repo_secrets_repo_id_repos"),
        sa.PrimaryKeyConstraint("repo_id", "name", name="pk_repo_secrets"),
    )


def _create_credentials() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("prefix", sa.String(255), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_keys_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("hash", name="uq_api_keys_hash"),
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"])
    op.create_table(
        "ws_tokens",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("key_id", sa.String(255), nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_ws_tokens_user_id_users"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_ws_tokens_key_id_api_keys"),
        sa.PrimaryKeyConstraint("hash", name="pk_ws_tokens"),
    )
    op.create_index("ix_ws_tokens_expires_at", "ws_tokens", ["expires_at"])


def _create_idempotent_creates() -> None:
    op.create_table(
        "idempotent_creates",
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("weaver_id", sa.String(255), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("claim", sa.String(255), nullable=False),
        sa.Column("claimed_until", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_idempotent_creates_user_id_users"),
        sa.PrimaryKeyConstraint("user_id", "key_hash", name="pk_idempotent_creates"),
    )
    op.create_index("ix_idempotent_creates_created_at", "idempotent_creates", ["created_at"])
