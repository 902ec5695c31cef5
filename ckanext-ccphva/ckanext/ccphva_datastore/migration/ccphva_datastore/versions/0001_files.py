"""Loads of files, their versions, the pages of documents.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ccphva_load",
        sa.Column("resource_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False, server_default=""),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("queued", sa.DateTime),
        sa.Column("started", sa.DateTime),
        sa.Column("heartbeat", sa.DateTime),
        sa.Column("finished", sa.DateTime),
        sa.Column("rows", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("source", JSONB, nullable=False, server_default="{}"),
        sa.Column("reason", JSONB),
        sa.Column("found", JSONB, nullable=False, server_default="{}"),
        sa.Column("chosen", JSONB, nullable=False, server_default="{}"),
        sa.Column("changes", JSONB, nullable=False, server_default="{}"),
        sa.Column("closed", JSONB, nullable=False, server_default="[]"),
    )
    op.create_table(
        "ccphva_version",
        sa.Column("resource_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("columns", JSONB),
    )
    op.create_table(
        "ccphva_document_page",
        sa.Column("resource_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("words", TSVECTOR, nullable=False),
    )
    op.create_index("ccphva_document_page_words", "ccphva_document_page", ["words"], postgresql_using="gin")


def downgrade() -> None:
    for name in ("ccphva_document_page", "ccphva_version", "ccphva_load"):
        op.drop_table(name)
