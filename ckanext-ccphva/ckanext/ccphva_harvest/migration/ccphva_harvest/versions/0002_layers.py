"""What people corrected of harvested datasets.

Revision ID: 0002_layers
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002_layers"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ccphva_harvest_layer",
        sa.Column("dataset_id", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("ours", JSONB, nullable=False),
        sa.Column("source", JSONB, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False, server_default=""),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("conflict", sa.Boolean, nullable=False, server_default="false"),
    )


def downgrade() -> None:
    op.drop_table("ccphva_harvest_layer")
