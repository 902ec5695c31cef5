"""The change log and its followers' cursors.

Statement triggers write one row for each changed row of package, resource, package_tag, group and member
in the transaction that changes it. An UPDATE that changes nothing leaves no row.

Revision ID: 0001_change_log
Revises:
"""

from __future__ import annotations

from alembic import op

revision = "0001_change_log"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE IF NOT EXISTS public.ccphva_change (
    seq bigserial PRIMARY KEY,
    xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL,
    operation text NOT NULL,
    entity_id text NOT NULL,
    dataset_id text,
    owner_id text
);
CREATE INDEX IF NOT EXISTS ccphva_change_order ON public.ccphva_change (xid, seq);
CREATE TABLE IF NOT EXISTS public.ccphva_follower (
    name text PRIMARY KEY,
    xid bigint NOT NULL DEFAULT 0,
    seq bigint NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT now(),
    swept_at timestamptz
);
"""

OWNER_OF = "(SELECT p.owner_org FROM public.package p WHERE p.id = r.package_id)"

# table: kind, entity, dataset, owner; `r` is the changed row.
SOURCES = {
    "package": ("'dataset'", "r.id", "r.id", "r.owner_org"),
    "resource": ("'resource'", "r.id", "r.package_id", OWNER_OF),
    "package_tag": ("'tag'", "r.tag_id", "r.package_id", OWNER_OF),
    "group": (
        "CASE WHEN r.is_organization THEN 'organization' ELSE 'group' END",
        "r.id",
        "NULL",
        "CASE WHEN r.is_organization THEN r.id END",
    ),
    "member": (
        "'member'",
        "r.id",
        "CASE WHEN r.table_name = 'package' THEN r.table_id END",
        "r.group_id",
    ),
}

FUNCTION = """
CREATE OR REPLACE FUNCTION public.ccphva_log_{table}() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO public.ccphva_change (kind, operation, entity_id, dataset_id, owner_id)
        SELECT {kind}, 'insert', {entity}, {dataset}, {owner} FROM new_rows r;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO public.ccphva_change (kind, operation, entity_id, dataset_id, owner_id)
        SELECT {kind}, 'delete', {entity}, {dataset}, {owner} FROM old_rows r;
    ELSE
        INSERT INTO public.ccphva_change (kind, operation, entity_id, dataset_id, owner_id)
        SELECT {kind}, 'update', {entity}, {dataset}, {owner}
        FROM new_rows r LEFT JOIN old_rows o ON o.id = r.id
        WHERE r.* IS DISTINCT FROM o.*;
    END IF;
    RETURN NULL;
END
$body$;
"""

TRIGGERS = {
    "insert": "REFERENCING NEW TABLE AS new_rows",
    "update": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "REFERENCING OLD TABLE AS old_rows",
}


def upgrade() -> None:
    op.execute(TABLES)
    for table, (kind, entity, dataset, owner) in SOURCES.items():
        op.execute(FUNCTION.format(table=table, kind=kind, entity=entity, dataset=dataset, owner=owner))
        for operation, transition in TRIGGERS.items():
            name = f"ccphva_log_{operation}"
            op.execute(f'DROP TRIGGER IF EXISTS {name} ON public."{table}"')
            op.execute(
                f'CREATE TRIGGER {name} AFTER {operation.upper()} ON public."{table}" {transition} '
                f"FOR EACH STATEMENT EXECUTE FUNCTION public.ccphva_log_{table}()"
            )


def downgrade() -> None:
    for table in SOURCES:
        for operation in TRIGGERS:
            op.execute(f'DROP TRIGGER IF EXISTS ccphva_log_{operation} ON public."{table}"')
        op.execute(f"DROP FUNCTION IF EXISTS public.ccphva_log_{table}()")
    op.execute("DROP TABLE IF EXISTS public.ccphva_change, public.ccphva_follower")
