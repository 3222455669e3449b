"""Places of weavers, for quotas that several servers keep together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "places",
        sa.Column("weaver_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("org_id", sa.String(255), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("weaver_id", name="pk_places"),
    )
    op.create_index("ix_places_taken_at", "places", ["taken_at"])


def downgrade() -> None:
    op.drop_table("places")
