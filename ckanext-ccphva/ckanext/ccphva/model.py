"""Own tables of the plugin, made by `migration/ccphva`."""

from __future__ import annotations

from datetime import datetime

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column


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


class Review(tk.BaseModel):
    """One step of a dataset on its way to publication: who brought it where, and said what."""

    __tablename__ = "ccphva_review"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    dataset_id: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    user_id: Mapped[str] = mapped_column(sa.Text)
    before: Mapped[str | None] = mapped_column(sa.Text)
    state: Mapped[str] = mapped_column(sa.Text)
    comment: Mapped[str] = mapped_column(sa.Text, server_default="")
    language: Mapped[str] = mapped_column(sa.Text)
    mailed_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
