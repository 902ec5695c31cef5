"""A source whose platform tells of new rows by itself: asked to after a run, until it is retired.

Imports `settings` and the public face of `ccphva`.
"""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
import redis
from ccphva_harvesters import HarvestError, Listening, Retiring
from ckanext.ccphva.shared import Notices, secret_of
from ckanext.ccphva_harvest.settings import Settings


def notices() -> Notices:
    """The queues of this portal."""
    return Notices(tk.config["ckan.redis.url"], tk.config["ckan.site_id"])


def address(source_id: str) -> str:
    """What the platform calls; whoever knows it may send rows of this source."""
    secret = secret_of(tk.config["SECRET_KEY"], source_id)
    return f"{tk.config['ckan.site_url'].rstrip('/')}/notify/{source_id}/{secret}"


def follow(reader: Any, source_id: str, wanted: Settings) -> str | None:
    """Have the platform call us, or stop it, as the source's configuration says.

    What it does not tell is read by the next run, so a fault here costs time and no row.

    :param reader: the library's source, after a run that described its tables.
    :returns: what did not go well, for the job's errors.
    """
    if not isinstance(reader, Listening):
        return None
    try:
        box = notices()
        if wanted.listen is None:
            if box.networks(source_id) is not None and isinstance(reader, Retiring):
                box.close(source_id)
                reader.retire(source_id)
            return None
        box.open(source_id, wanted.listen)  # it calls us before it answers
        known, refused = reader.listen(source_id, address(source_id))
        box.know(source_id, known)
    except (HarvestError, redis.RedisError) as error:
        return f"the platform does not tell of new rows, they come with each run: {error}"
    if not refused:
        return None
    series, cause = next(iter(refused.items()))
    return f"{len(refused)} series are not told of, their rows come with each run ({series}: {cause})"


def stop(source_id: str) -> None:
    """Take nothing more from the platform of a source."""
    notices().close(source_id)
