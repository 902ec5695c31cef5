"""Alembic's environment of this plugin: its own version table in CKAN's database, run online only."""

from __future__ import annotations

from pathlib import Path

from alembic import context
from sqlalchemy import engine_from_config, pool

NAME = Path(__file__).parent.name


def run() -> None:
    options = context.config.get_section(context.config.config_ini_section) or {}
    engine = engine_from_config(options, prefix="sqlalchemy.", poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, version_table=f"{NAME}_alembic_version")
        with context.begin_transaction():
            context.run_migrations()


run()
