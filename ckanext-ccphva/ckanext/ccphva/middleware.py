"""What surrounds every request: its id, its line in the log, its measure, and the mends of core's answers."""

from __future__ import annotations

from ckan.types import CKANApp
from ckanext.ccphva import csrf


def install(app: CKANApp) -> CKANApp:
    """Put the layers around CKAN's application; called once a process by IMiddleware."""
    csrf.mend(app)
    return app
