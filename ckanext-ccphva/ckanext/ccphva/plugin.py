"""The plugin `ccphva`: a table of contents."""

from __future__ import annotations

from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.common import CKANConfig
from ckan.lib.plugins import DefaultTranslation
from ckan.types import CKANApp, Context, Schema
from ckanext.ccphva import (
    data_dictionary,
    datasets,
    feeds,
    followers,
    middleware,
    names,
    page_cache,
    pages,
    reconcile,
    review_mails,
    reviews,
    search,
    sidelights,
    theme,
)
from ckanext.datastore.interfaces import IDataDictionaryForm

Facets = dict[str, str]


@tk.blanket.actions
@tk.blanket.auth_functions
@tk.blanket.blueprints
@tk.blanket.cli
@tk.blanket.config_declarations
@tk.blanket.helpers
@tk.blanket.validators
class CcphvaPlugin(p.SingletonPlugin, DefaultTranslation):
    p.implements(IDataDictionaryForm, inherit=True)
    p.implements(p.IConfigurer)
    p.implements(p.IFacets, inherit=True)
    p.implements(p.IFeed, inherit=True)
    p.implements(p.IMiddleware, inherit=True)
    p.implements(followers.IFollowers)
    p.implements(p.IPackageController, inherit=True)
    p.implements(p.ITranslation)

    def update_config(self, config: CKANConfig) -> None:
        datasets.configure(config)
        theme.configure(config)

    def dataset_facets(self, facets_dict: Facets, package_type: str) -> Facets:  # noqa: ARG002
        return pages.facets(facets_dict)

    def organization_facets(
        self,
        facets_dict: Facets,
        organization_type: str,  # noqa: ARG002
        package_type: str | None,  # noqa: ARG002
    ) -> Facets:
        return pages.facets(facets_dict)

    def get_feed_class(self) -> type[feeds.PortalFeed]:
        return feeds.PortalFeed

    def get_item_additional_fields(self, dataset_dict: dict[str, Any]) -> dict[str, Any]:
        return feeds.item(dataset_dict)

    def make_middleware(self, app: CKANApp, config: CKANConfig) -> CKANApp:  # noqa: ARG002
        return middleware.install(app)

    def get_followers(self) -> list[followers.Follower]:
        return [reconcile.SearchReconciler(), review_mails.ReviewMails(), page_cache.PagePurge.configured()]

    def before_dataset_index(self, pkg_dict: dict[str, Any]) -> dict[str, Any]:
        return search.document(pkg_dict)

    def before_dataset_search(self, search_params: dict[str, Any]) -> dict[str, Any]:
        return search.query(search_params)

    def after_dataset_create(self, context: Context, pkg_dict: dict[str, Any]) -> None:
        reviews.record(context, pkg_dict)

    def after_dataset_update(self, context: Context, pkg_dict: dict[str, Any]) -> None:
        reviews.record(context, pkg_dict)

    def after_dataset_delete(self, context: Context, pkg_dict: dict[str, Any]) -> None:  # noqa: ARG002
        reviews.hide(pkg_dict["id"])

    def after_dataset_show(self, context: Context, pkg_dict: dict[str, Any]) -> None:
        names.on_datasets([pkg_dict])
        sidelights.add(context, pkg_dict)

    def after_dataset_search(
        self,
        search_results: dict[str, Any],
        search_params: dict[str, Any],  # noqa: ARG002
    ) -> dict[str, Any]:
        return names.on_search(search_results)

    def update_datastore_create_schema(self, schema: Schema) -> Schema:
        return data_dictionary.extend(schema)
