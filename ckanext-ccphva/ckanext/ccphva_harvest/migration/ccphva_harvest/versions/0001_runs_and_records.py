"""Runs and records of the harvesters.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ccphva_harvest_run",
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("source_id", sa.Text, nullable=False, index=True),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("queued", sa.DateTime, nullable=False),
        sa.Column("started", sa.DateTime),
        sa.Column("heartbeat", sa.DateTime),
        sa.Column("not_before", sa.DateTime),
        sa.Column("finished", sa.DateTime),
        sa.Column("request_id", sa.Text, nullable=False, server_default=""),
        sa.Column("counts", JSONB, nullable=False, server_default="{}"),
        sa.Column("report", JSONB, nullable=False, server_default="{}"),
        sa.Column("validators", JSONB, nullable=False, server_default="{}"),
    )
    op.create_table(
        "ccphva_harvest_record",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("source_id", sa.Text, nullable=False, index=True),
        sa.Column("guid", sa.Text, nullable=False),
        sa.Column("dataset_id", sa.Text, nullable=False, index=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("indexed", sa.Boolean, nullable=False),
        sa.Column("last_seen", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("ccphva_harvest_record")
    op.drop_table("ccphva_harvest_run")
