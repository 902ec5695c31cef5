"""The plugin `ccphva_datastore`: a table of contents."""

from __future__ import annotations

from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.common import CKANConfig
from ckan.types import CKANApp, Context
from ckanext.ccphva.shared import IFollowers
from ckanext.ccphva_datastore import placement, views
from ckanext.ccphva_datastore.backend import Backend
from ckanext.ccphva_datastore.feeds import watch
from ckanext.ccphva_datastore.loading import indexing
from ckanext.ccphva_datastore.loading.followers import Loads, LostLoads
from ckanext.datastore.interfaces import IDatastoreBackend


@tk.blanket.actions
@tk.blanket.auth_functions
@tk.blanket.blueprints
@tk.blanket.config_declarations
@tk.blanket.helpers
class CcphvaDatastorePlugin(p.SingletonPlugin):
    """Stands after `datastore` in `ckan.plugins`: the last backend that registers is the one."""

    p.implements(IDatastoreBackend, inherit=True)
    p.implements(IFollowers)
    p.implements(p.IMiddleware, inherit=True)
    p.implements(p.IPackageController, inherit=True)

    def register_backends(self) -> dict[str, type[Backend]]:
        return {"postgresql": Backend, "postgres": Backend}

    def get_followers(self) -> list[placement.Placement | watch.Watch | Loads | LostLoads]:
        return [placement.Placement(), watch.Watch(), Loads(), LostLoads()]

    def make_middleware(self, app: CKANApp, config: CKANConfig) -> CKANApp:  # noqa: ARG002
        return views.install(app)

    def after_dataset_update(self, context: Context, pkg_dict: dict[str, Any]) -> None:  # noqa: ARG002
        placement.place(pkg_dict["id"])

    def before_dataset_index(self, pkg_dict: dict[str, Any]) -> dict[str, Any]:
        return indexing.with_documents(pkg_dict)
