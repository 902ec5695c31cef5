"""Own tables of the plugin, made by `migration/ccphva`."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import sqlalchemy as sa


class Change(tk.BaseModel):
    """One changed row of the catalogue, written by triggers in the transaction that changed it."""

    __tablename__ = "ccphva_change"

    seq = sa.Column(sa.BigInteger, primary_key=True)
    xid = sa.Column(sa.BigInteger, nullable=False)
    at = sa.Column(sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
    kind = sa.Column(sa.Text, nullable=False)
    operation = sa.Column(sa.Text, nullable=False)
    entity_id = sa.Column(sa.Text, nullable=False)
    dataset_id = sa.Column(sa.Text)
    owner_id = sa.Column(sa.Text)


class Follower(tk.BaseModel):
    """How far one follower has read the change log."""

    __tablename__ = "ccphva_follower"

    name = sa.Column(sa.Text, primary_key=True)
    xid = sa.Column(sa.BigInteger, nullable=False, server_default="0")
    seq = sa.Column(sa.BigInteger, nullable=False, server_default="0")
    moved_at = sa.Column(sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
    swept_at = sa.Column(sa.DateTime(timezone=True))
