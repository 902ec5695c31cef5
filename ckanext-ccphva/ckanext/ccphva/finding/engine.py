"""Solr's answers to our own searches, with the filters that `package_search` adds: this portal's datasets,
active, with a label that the caller has.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

import ckan.plugins.toolkit as tk
import orjson
from ckan import authz, model
from ckan.lib.plugins import get_permission_labels
from ckan.lib.search.common import SearchError, SearchQueryError
from ckan.lib.search.query import solr_literal
from ckan.types import Context
from ckanext.ccphva.finding import connection

Answer = dict[str, Any]
Params = Mapping[str, str | int | Sequence[str]]


def ask(context: Context, params: Params, filters: Sequence[str] = (), private: bool = True) -> Answer:
    """Ask Solr for datasets that the caller may see.

    :param params: of Solr, without `fq`.
    :param filters: of Solr, each an `fq`.
    :param private: whether private datasets that the caller may see count.
    :raises SolrConnectionError: it does not answer.
    :raises SearchQueryError: it does not understand.
    """
    own = [f"+site_id:{solr_literal(tk.config['ckan.site_id'])}", "+state:active", *_labels(context)]
    if not private:
        own.append("+capacity:public")
    wanted = {"wt": "json", **params, "fq": [*filters, *own]}
    return _got(_encoded(wanted))


def _encoded(params: Params) -> str:
    """Parameters as in an address; those that every search repeats are encoded once."""
    pairs = (
        (name, str(each))
        for name, value in params.items()
        for each in (value if isinstance(value, (list, tuple)) else (value,))
    )
    return "&".join(
        f"{name}={_quoted(each) if len(each) < 500 and name != 'q' else quote_plus(each)}"
        for name, each in pairs
    )


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return quote_plus(text)


def _labels(context: Context) -> list[str]:
    """The filter of what the caller may see; nothing for who may see all (as `package_search` has it)."""
    user = context.get("user", "")
    if context.get("ignore_auth") or (user and authz.is_sysadmin(user)):
        return []
    person = context.get("auth_user_obj") or (model.User.get(user) if user else None)
    labels = get_permission_labels().get_user_dataset_labels(person)  # type: ignore[arg-type]
    return [f"+permission_labels:({' OR '.join(solr_literal(label) for label in labels)})"]


def _got(body: str) -> Answer:
    status, data = connection.ask(
        tk.config["solr_url"], body, _login(), float(tk.config.get("solr_timeout") or 60)
    )
    if status == 200:
        return orjson.loads(data)
    if status == 400:
        raise SearchQueryError("Solr does not understand the query")
    raise SearchError(f"Solr responded with an error (HTTP {status})")


def _login() -> dict[str, str]:
    user, password = tk.config.get("solr_user"), tk.config.get("solr_password")
    if not (user and password):
        return {}
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
