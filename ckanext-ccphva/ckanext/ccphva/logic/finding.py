"""Actions that search: our own with everything a page shows, and CKAN's with mistyped words mended."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic import validate
from ckan.types import Context, DataDict
from ckanext.ccphva import search
from ckanext.ccphva.finding import asking, finder, spelling, suggest, words
from ckanext.ccphva.logic import schema
from ckanext.ccphva.logic.lawful import with_data

__all__ = ["ccphva_dataset_search", "ccphva_search_suggest", "package_search"]

TYPED = ("q", "sort", "page", "rows", "cursor", "bbox")


@tk.side_effect_free
@validate(schema.dataset_search)
def ccphva_dataset_search(context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Search datasets that the caller may see: the order and the hits of ``package_search``, with what a
    page shows.

    :param q: words in any of the four languages; operators as in ``package_search``. What is mistyped is
        mended.
    :param language: the reader's: ``fr`` (if not given), ``de``, ``en`` or ``lb``.
    :param filters: values by filter: ``theme``, ``organization``, ``commune`` (INSEE code), ``format``,
        ``licence``, ``access``, ``hvd``, ``updated`` (``week``, ``month``, ``year``, ``older``), ``live``
        (``yes``). Values of one filter widen, filters narrow.
    :param bbox: ``west,south,east,north`` in degrees: datasets whose extent meets the box.
    :param sort: ``relevance``, ``updated``, ``newest``, ``title`` or ``title-desc``.
    :param rows: datasets a page, at most 100.
    :param page: number of the page, up to the 10,000th dataset.
    :param cursor: ``*``, then ``next_cursor`` of the answer before: pages that neither miss nor repeat a
        dataset while others change, however deep.
    :param facets: whether to count the values of the filters.
    :param include_private: whether private datasets that the caller may see count.
    :returns: ``count``; ``results`` (``id``, ``name``, ``title``, ``notes`` (short), ``organization``,
        ``formats``, ``themes``, ``updated``, ``visibility``, ``private``, ``hvd``, ``live``, …);
        ``facets``; ``next_cursor``; ``corrected`` (the words that were searched instead, where those given
        find nothing); ``meant`` (words that may have been meant); ``cut`` (the end of ``q`` was left out);
        ``unknown`` (what was not understood).
    """
    tk.check_access("ccphva_dataset_search", context, data_dict)
    pairs = [(name, str(data_dict[name])) for name in TYPED if data_dict.get(name) not in (None, "")]
    for name, values in (data_dict.get("filters") or {}).items():
        pairs += [(str(name), str(each)) for each in (values if isinstance(values, list) else [values])]
    asked = asking.read(pairs)
    return finder.find(
        context, asked, data_dict["language"], data_dict["facets"], data_dict["include_private"]
    )


@tk.side_effect_free
@validate(schema.search_suggest)
def ccphva_search_suggest(context: Context, data_dict: DataDict) -> list[dict[str, Any]]:
    """Themes, organisations and datasets that begin as somebody types, in any language.

    :param q: at least two letters.
    :param language: the reader's: ``fr`` (if not given), ``de``, ``en`` or ``lb``.
    :returns: ``kind`` (``theme``, ``organization`` or ``dataset``), ``name`` and ``title`` of each.
    """
    tk.check_access("ccphva_search_suggest", context, data_dict)
    return suggest.suggest(context, data_dict["q"], data_dict["language"])


@tk.side_effect_free
@tk.chained_action
def package_search(up: Any, context: Context, data_dict: DataDict) -> dict[str, Any]:
    """Core's. Words that find nothing are searched again as they may have been meant;
    ``ccphva_corrected`` says how. Who may see restricted data is told their addresses.
    """
    return with_data(context, _found_or_meant(up, context, data_dict))


def _found_or_meant(up: Any, context: Context, data_dict: DataDict) -> dict[str, Any]:
    given = dict(data_dict)
    found = up(context, data_dict)
    asked = words.read(str(given.get("q") or ""))
    if found["count"] or not asked.plain or asked.fielded or given.get("qf"):
        return found
    private = tk.asbool(given.get("include_private", False))
    filters = [str(given["fq"])] if given.get("fq") else []
    meant = spelling.better(context, asked, search.reader_language(), filters, private)
    return {**up(context, {**given, "q": meant}), "ccphva_corrected": meant} if meant else found
