"""Who may call the plugin's actions."""

from __future__ import annotations

from ckanext.ccphva_datastore.logic import feeds_auth, loads_auth, rows_auth
from ckanext.ccphva_datastore.logic.feeds_auth import *  # noqa: F403 -- the blanket looks for functions here
from ckanext.ccphva_datastore.logic.loads_auth import *  # noqa: F403
from ckanext.ccphva_datastore.logic.rows_auth import *  # noqa: F403

__all__: list[str] = []
__all__ += feeds_auth.__all__
__all__ += loads_auth.__all__
__all__ += rows_auth.__all__
