"""The steps of datasets on their way to publication.

A row is written in the transaction that brings the dataset to its state. No comment of a reviewer is stored
with the dataset: it would be public with it. The partial index holds what is still to be mailed.

Revision ID: 0002_review
Revises: 0001_change_log
"""

from __future__ import annotations

from alembic import op

revision = "0002_review"
down_revision = "0001_change_log"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS public.ccphva_review (
            id bigserial PRIMARY KEY,
            dataset_id text NOT NULL,
            at timestamptz NOT NULL DEFAULT now(),
            user_id text NOT NULL,
            before text,
            state text NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'published')),
            comment text NOT NULL DEFAULT '',
            language text NOT NULL,
            mailed_at timestamptz
        );
        CREATE INDEX IF NOT EXISTS ccphva_review_dataset ON public.ccphva_review (dataset_id, id);
        CREATE INDEX IF NOT EXISTS ccphva_review_to_mail ON public.ccphva_review (id) WHERE mailed_at IS NULL;
        CREATE INDEX IF NOT EXISTS ccphva_package_workflow
            ON public.package ((extras ->> 'workflow')) WHERE extras ->> 'workflow' <> 'published';
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS public.ccphva_package_workflow")
    op.execute("DROP TABLE IF EXISTS public.ccphva_review")
