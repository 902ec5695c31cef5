"""The plugin `ccphva`: a table of contents."""

from __future__ import annotations

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.common import CKANConfig
from ckan.lib.plugins import DefaultTranslation
from ckan.types import CKANApp

from ckanext.ccphva import followers, middleware, reconcile, theme


@tk.blanket.actions
@tk.blanket.auth_functions
@tk.blanket.blueprints
@tk.blanket.cli
@tk.blanket.config_declarations
@tk.blanket.helpers
class CcphvaPlugin(p.SingletonPlugin, DefaultTranslation):
    p.implements(p.IConfigurer)
    p.implements(p.IMiddleware, inherit=True)
    p.implements(followers.IFollowers)
    p.implements(p.ITranslation)

    def update_config(self, config: CKANConfig) -> None:
        theme.configure(config)

    def make_middleware(self, app: CKANApp, config: CKANConfig) -> CKANApp:
        return middleware.install(app)

    def get_followers(self) -> list[followers.Follower]:
        return [reconcile.SearchReconciler()]
